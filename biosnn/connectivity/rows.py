"""Filling the rows of a synapse table: draw each source's synapses, sort them by partition and delay, pack them.

A row is drawn from a random sequence of its own, sorted in buffers that stay in the cache, and written once: no synapse
is held twice, and any number of threads gives the same table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from biosnn._numba import allocating_kernel, i64, kernel, parallel_kernel, prange, u8, u32, u64
from biosnn.connectivity.distances import look_up_by_distance
from biosnn.connectivity.targets import choose
from biosnn.random import SYNAPSE, keyed


class Filling(NamedTuple):
    """What rows are drawn from, and at the end where they go."""

    seed: int
    population_first: Any  # id of the first source of each population
    strand_first: Any  # the strands of population a are strands[strand_first[a] : strand_first[a+1]], PLACED ones first
    strands: Any  # STRAND; the arrays up to delay_classes are what its fields point into
    degrees: Any
    target_ids: Any
    listed: Any
    list_start: Any
    weights: Any  # 16-bit fixed-point numbers, or the bits of float32 ones
    delay_classes: Any
    cell_of: Any  # of each id
    part_of: Any  # of each cell
    slot_shift: Any  # [sign or receptor, cell]: slot - id
    steps: Any  # the delay of each class
    xyz: Any  # where each id stands
    factors: Any  # what travel times are divided by
    row_first: Any
    words: Any
    delays: Any
    segments: Any


@parallel_kernel
def fill_rows(cuts, spaces, t):
    """`fill` the rows cuts[c]..cuts[c+1]-1 in parallel over c."""
    for c in prange(cuts.size - 1):
        fill(cuts[c], cuts[c + 1], spaces, t)


@allocating_kernel
def fill(begin, end, spaces, t):
    """Draw and pack the rows of sources begin..end-1.

    Synapses of PLACED strands stand in `words` already, at the start of the row. In the end
    words[row_first[i] + s] = weight << (16 or 32) | slot. A delay, steps[class], is written to `delays`, where that has
    room; then rows are sorted by partition, and those of source i to partition p begin at segments[i, p]. Else they are
    sorted by delay as well, and those of class k begin at segments[i, p * n_classes + k]. `spaces` is None where
    nothing follows from distances.
    """
    longest, widest = i64(1), i64(1)
    for i in range(begin, end):
        longest = max(longest, t.row_first[i + 1] - t.row_first[i])
    for s in range(t.strands.size):
        widest = max(widest, t.strands[s].n_target)
    chosen, bits = np.empty(longest, u32), np.empty(longest, u32)
    row, keys, waits = np.empty(longest, t.words.dtype), np.empty(longest, u32), np.empty(longest, t.steps.dtype)
    marks, counts = np.zeros(widest, u8), np.empty(t.segments.shape[1], i64)
    a = 0
    for i in range(begin, end):
        while i >= t.population_first[a + 1]:
            a += 1
        counts[:] = 0
        n = i64(0)  # a literal 0 would have Numba compile what is called with it twice
        for s in range(t.strand_first[a], t.strand_first[a + 1]):
            strand = t.strands[s]
            source = i - t.population_first[a]
            degree = t.degrees[strand.degree_at + source]
            if degree == 0:  # also of a neuron of the population that the connection leaves out: it has no place here
                continue
            start = t.list_start[strand.list_at + source] if strand.list_at >= 0 else 0
            state = keyed(t.seed, SYNAPSE + (strand.connection << 8), i)
            placed = t.words[t.row_first[i] + n : t.row_first[i] + n + degree]
            listed_at = strand.listed_at + start
            choose(strand, i, degree, state, t.target_ids, t.listed, listed_at, placed, marks, chosen, bits)
            if spaces is not None:  # noqa: SIM102 (by itself, for where it is None, what follows is not even compiled)
                if strand.space >= 0:
                    look_up_by_distance(spaces[strand.space], i, degree, start, chosen, t.xyz, t.factors, bits)
            _attach(strand, degree, start, chosen, bits, t, row[n:], keys[n:], waits[n:], counts)
            n += degree
        _write_sorted(i, n, row, keys, waits, counts, t)


@kernel
def _attach(strand, n, start, chosen, bits, t, row, keys, waits, counts):
    """Give the chosen targets weight and delay: words to `row`, sort keys to `keys`, counted in counts[key + 1]."""
    word, by_delay = row.dtype.type, t.delays.size == 0
    width = u64(8 * t.weights.itemsize)
    # loaded once: the compiler cannot know that the stores below leave the record alone
    weight_at, weight_mask, weight_step = strand.weight_at, strand.weight_mask, strand.weight_step
    delay_at, delay_mask, delay_step = strand.delay_at, strand.delay_mask, strand.delay_step
    positive, negative = strand.positive, strand.negative
    for k in range(n):
        target, drawn = chosen[k], bits[k]
        weight = t.weights[weight_at + (i64(drawn >> u32(16)) & weight_mask) + weight_step * (start + k)]
        delay = t.delay_classes[delay_at + (i64(drawn) & delay_mask) + delay_step * (start + k)]
        cell = i64(t.cell_of[target])
        slot = i64(target) + t.slot_shift[negative if u64(weight) >> (width - u64(1)) else positive, cell]
        row[k] = word((u64(weight) << width) | u64(slot))
        key = u32(t.part_of[cell] * t.steps.size + i64(delay)) if by_delay else u32(t.part_of[cell])
        keys[k] = key
        waits[k] = t.steps[delay]
        counts[key + 1] += 1


@kernel
def _write_sorted(i, n, row, keys, waits, counts, t):
    """Counting sort of one row by key; segments[i] becomes the start of each key."""
    for c in range(counts.size - 1):
        counts[c + 1] += counts[c]
        t.segments[i, c] = counts[c]
    t.segments[i, counts.size - 1] = n
    at = t.row_first[i]
    for s in range(n):
        key = keys[s]
        t.words[at + counts[key]] = row[s]
        if t.delays.size:
            t.delays[at + counts[key]] = waits[s]
        counts[key] += 1
