"""Kernels of recording: sampling state variables, and statistics over spikes as they come."""

from __future__ import annotations

from biosnn._numba import array_at, f32, i16, i32, kernel, u16
from biosnn.half import load
from biosnn.recording.shared import ADDRESS, AT, EVERY, KIND, KINDS, N_VALUES, SAMPLES, WIDTH

WHOLE, FLOAT16, BFLOAT16 = (KINDS[name] for name in ("int32", "float16", "bfloat16"))

# Of a neuron: its spikes, the steps of the first and of the last one, and the sum of its squared interspike intervals.
SUMS = ("counts", "first", "last", "squares")


@kernel
def sample(p, step, first_step, table, columns, index, samples):
    """Copy what is recorded of the neurons of partition p at the end of a step; see `probe` for the tables.

    Of probe k, columns[k, p] to columns[k, p + 1] - 1 are those of the partition. A chunk began with first_step.
    """
    for k in range(table.shape[0]):
        every = table[k, EVERY]
        if (step + 1) % every == 0:
            row = (step + 1) // every - first_step // every - 1
            into = table[k, SAMPLES] + row * table[k, WIDTH]
            for j in range(columns[k, p], columns[k, p + 1]):
                i = index[table[k, AT] + j]
                samples[into + j] = number_at(table[k, ADDRESS], table[k, N_VALUES], table[k, KIND], i)


@kernel
def number_at(address, n, kind, i):
    """Number i of the n that stand at an address, in the format of that kind."""
    if kind == WHOLE:
        return f32(array_at(address, n, i32)[i])
    if kind == FLOAT16:
        return load(array_at(address, n, u16), i)
    if kind == BFLOAT16:
        return load(array_at(address, n, i16), i)
    return array_at(address, n, f32)[i]


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
