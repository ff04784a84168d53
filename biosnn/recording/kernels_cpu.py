"""Kernels of recording: sampling state variables, and statistics over spikes as they come."""

from __future__ import annotations

from biosnn._numba import array_at, kernel, u16, u32
from biosnn.recording.shared import ADDRESS, AT, EVERY, N_BYTES, N_VALUES, SAMPLES, WIDTH

# Of a neuron: its spikes, the steps of the first and of the last one, and the sum of its squared interspike intervals.
SUMS = ("counts", "first", "last", "squares")


@kernel
def sample(p, step, first_step, table, columns, index, samples):
    """Copy the bits of what is recorded of the neurons of partition p at the end of a step; see `probe` for the tables.

    Of probe k, columns[k, p] to columns[k, p + 1] - 1 are those of the partition. A chunk began with first_step.
    """
    for k in range(table.shape[0]):
        every = table[k, EVERY]
        if (step + 1) % every == 0:
            row = (step + 1) // every - first_step // every - 1
            into = table[k, SAMPLES] + row * table[k, WIDTH]
            for j in range(columns[k, p], columns[k, p + 1]):
                i = index[table[k, AT] + j]
                samples[into + j] = _bits(table[k, ADDRESS], table[k, N_VALUES], table[k, N_BYTES], i)


@kernel
def _bits(address, n, n_bytes, i):
    """Number i of the n that stand at an address, of four bytes or two each, whatever their format."""
    return array_at(address, n, u32)[i] if n_bytes == 4 else u32(array_at(address, n, u16)[i])


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
