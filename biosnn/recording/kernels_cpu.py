"""Kernels of recording: sampling state variables, and statistics over spikes as they come."""

from __future__ import annotations

from biosnn._numba import kernel
from biosnn.half import load

# Of a neuron: its spikes, the steps of the first and of the last one, and the sum of its squared interspike intervals.
SUMS = ("counts", "first", "last", "squares")


@kernel
def sample(p, row, column_of_part, index, values, samples):
    """Copy the recorded neurons of partition p into one row of samples: columns column_of_part[p] and following."""
    for j in range(column_of_part[p], column_of_part[p + 1]):
        samples[row, j] = load(values, index[j])


@kernel
def accumulate(steps, ids, sums):
    """Add these spikes, in order of time, to the SUMS of each neuron: sums[i]."""
    for k in range(ids.size):
        i = ids[k]
        if sums[i, 0]:
            interval = steps[k] - sums[i, 2]
            sums[i, 3] += interval * interval
        else:
            sums[i, 1] = steps[k]
        sums[i, 0] += 1
        sums[i, 2] = steps[k]


@kernel
def are_in_order(steps, ids):
    """Whether spikes are sorted by step, then id."""
    for k in range(1, ids.size):
        if steps[k] < steps[k - 1] or (steps[k] == steps[k - 1] and ids[k] < ids[k - 1]):
            return False
    return True


@kernel
def sent(ids, row_first):
    """Synapses in the rows of these ids, each id counted as often as it is there."""
    n = 0
    for k in range(ids.size):
        n += row_first[ids[k] + 1] - row_first[ids[k]]
    return n
