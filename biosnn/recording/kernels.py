"""Kernels of recording: sampling state variables, and statistics over spikes as they come."""

from __future__ import annotations

from biosnn._numba import kernel


@kernel
def sample(p, row, column_of_part, index, values, samples):
    """Copy the recorded neurons of partition p into one row of samples: columns column_of_part[p] and following."""
    for j in range(column_of_part[p], column_of_part[p + 1]):
        samples[row, j] = values[index[j]]


@kernel
def accumulate_intervals(steps, ids, last, n, total, squares):
    """Add the interspike intervals (steps) that end with these spikes, in order of time, to each neuron's sums.

    last[i] is the step of i's latest spike so far, or negative; n, total, squares count the intervals, sum them and
    their squares.
    """
    for k in range(ids.size):
        i = ids[k]
        if last[i] >= 0:
            interval = steps[k] - last[i]
            n[i] += 1
            total[i] += interval
            squares[i] += interval * interval
        last[i] = steps[k]
