"""Filling the rows of a synapse table: draw each source's synapses, sort them by partition and delay, pack them.

A row is drawn from a random sequence of its own, sorted in buffers that stay in the cache, and written once: no synapse
is held twice, and any number of threads gives the same table.
"""

from __future__ import annotations

import numpy as np

from biosnn._numba import allocating_kernel, i64, kernel, parallel_kernel, prange, u8, u32, u64
from biosnn.connectivity.distances import look_up_by_distance
from biosnn.connectivity.targets import choose
from biosnn.random import SYNAPSE, keyed


@parallel_kernel
def fill_rows(
    cuts, seed, population_first, strand_first, strands, degrees, target_ids, listed, list_start,
    weights, delay_classes, cell_of, part_of, slot_shift, steps, spaces, xyz, factors, row_first, words, delays,
    segments,
):  # fmt: skip
    """`fill` the rows cuts[c]..cuts[c+1]-1 in parallel over c."""
    for c in prange(cuts.size - 1):
        fill(
            cuts[c], cuts[c + 1], seed, population_first, strand_first, strands, degrees, target_ids, listed,
            list_start, weights, delay_classes, cell_of, part_of, slot_shift, steps, spaces, xyz, factors, row_first,
            words, delays, segments,
        )  # fmt: skip


@allocating_kernel
def fill(
    begin, end, seed, population_first, strand_first, strands, degrees, target_ids, listed, list_start,
    weights, delay_classes, cell_of, part_of, slot_shift, steps, spaces, xyz, factors, row_first, words, delays,
    segments,
):  # fmt: skip
    """Draw and pack the rows of sources begin..end-1.

    The strands of population a are strands[strand_first[a] : strand_first[a+1]], those with PLACED targets first: these
    stand in `words` already, at the start of the row. `weights` holds 16-bit fixed-point numbers or the bits of float32
    ones, and words[row_first[i] + s] = weight << (16 or 32) | slot. A delay is steps[class]. It is written to `delays`,
    where that has room; then rows are sorted by partition, and those of source i to partition p begin at
    segments[i, p]. Else they are sorted by delay as well, and those of class k begin at segments[i, p * n_classes + k].
    `spaces` is None where nothing follows from distances.
    """
    longest, widest = i64(1), i64(1)
    for i in range(begin, end):
        longest = max(longest, row_first[i + 1] - row_first[i])
    for s in range(strands.size):
        widest = max(widest, strands[s].n_target)
    chosen, bits = np.empty(longest, u32), np.empty(longest, u32)
    row, keys, waits = np.empty(longest, words.dtype), np.empty(longest, u32), np.empty(longest, steps.dtype)
    marks, counts = np.zeros(widest, u8), np.empty(segments.shape[1], i64)
    a = 0
    for i in range(begin, end):
        while i >= population_first[a + 1]:
            a += 1
        counts[:] = 0
        n = i64(0)  # a literal 0 would have Numba compile what is called with it twice
        for s in range(strand_first[a], strand_first[a + 1]):
            strand = strands[s]
            degree = degrees[strand.degree_at + i - population_first[a]]
            if degree == 0:  # also of a neuron of the population that the connection leaves out: it has no place here
                continue
            start = list_start[strand.list_at + i - population_first[a]] if strand.list_at >= 0 else 0
            state = keyed(seed, SYNAPSE + (strand.connection << 8), i)
            placed = words[row_first[i] + n : row_first[i] + n + degree]
            listed_at = strand.listed_at + start
            choose(strand, i, degree, state, target_ids, listed, listed_at, placed, marks, chosen, bits)
            if spaces is not None:  # noqa: SIM102 (by itself, for where it is None, what follows is not even compiled)
                if strand.space >= 0:
                    look_up_by_distance(spaces[strand.space], i, degree, start, chosen, xyz, factors, bits)
            _attach(
                strand, degree, start, chosen, bits, weights, delay_classes, cell_of, part_of, slot_shift, steps,
                delays.size == 0, row[n:], keys[n:], waits[n:], counts,
            )  # fmt: skip
            n += degree
        _write_sorted(i, n, row, keys, waits, counts, row_first[i], words, delays, segments)


@kernel
def _attach(
    strand, n, start, chosen, bits, weights, delay_classes, cell_of, part_of, slot_shift, steps, by_delay,
    row, keys, waits, counts,
):  # fmt: skip
    """Give the chosen targets weight and delay: words to `row`, sort keys to `keys`, counted in counts[key + 1]."""
    word = row.dtype.type
    width = u64(8 * weights.itemsize)
    # loaded once: the compiler cannot know that the stores below leave the record alone
    weight_at, weight_mask, weight_step = strand.weight_at, strand.weight_mask, strand.weight_step
    delay_at, delay_mask, delay_step = strand.delay_at, strand.delay_mask, strand.delay_step
    positive, negative = strand.positive, strand.negative
    for k in range(n):
        target, drawn = chosen[k], bits[k]
        weight = weights[weight_at + (i64(drawn >> u32(16)) & weight_mask) + weight_step * (start + k)]
        delay = delay_classes[delay_at + (i64(drawn) & delay_mask) + delay_step * (start + k)]
        cell = i64(cell_of[target])
        slot = i64(target) + slot_shift[negative if u64(weight) >> (width - u64(1)) else positive, cell]
        row[k] = word((u64(weight) << width) | u64(slot))
        key = u32(part_of[cell] * steps.size + i64(delay)) if by_delay else u32(part_of[cell])
        keys[k] = key
        waits[k] = steps[delay]
        counts[key + 1] += 1


@kernel
def _write_sorted(i, n, row, keys, waits, counts, at, words, delays, segments):
    """Counting sort of one row by key; segments[i] becomes the start of each key."""
    for c in range(counts.size - 1):
        counts[c + 1] += counts[c]
        segments[i, c] = counts[c]
    segments[i, counts.size - 1] = n
    for s in range(n):
        key = keys[s]
        words[at + counts[key]] = row[s]
        if delays.size:
            delays[at + counts[key]] = waits[s]
        counts[key] += 1
