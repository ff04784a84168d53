"""The fused matrix, made of the rows of a synapse table: the same synapses, sorted by target or by delay.

Partition by partition, in parallel, its synapses are counted, then written, each one once. Both passes go through the
rows in the order of their sources, so the order within a row of the matrix is that of the sources too.
"""

from __future__ import annotations

from biosnn._numba import i64, kernel, parallel_kernel, prange, u32
from biosnn.connectivity.words import delay_at, slot_of, stored


@parallel_kernel
def fuse(
    row_first, segments, words, lags, delays, part_row, stride, by_slot, row_shift, column_shift, bit_of,
    fill, columns, kept,
):  # fmt: skip
    """Write the synapses of each row of the matrix from fill[row] on, which grows by one; without room, only count.

    The delay of a synapse is lags[k] + delays[s]: of rows sorted by delay the first tells it, of others the second.
    row = part_row[p] + row_shift[delay] * stride[p] + by_slot * slot, column = column_shift[delay] + bit of the source.
    """
    for p in prange(stride.size):
        for i in range(row_first.size - 1):
            for k in range(lags.size):
                c = p * lags.size + k
                for s in range(row_first[i] + segments[i, c], row_first[i] + segments[i, c + 1]):
                    d = lags[k] + delay_at(delays, s)
                    row = part_row[p] + row_shift[d] * stride[p] + by_slot * i64(slot_of(words[s]))
                    if columns.size:
                        columns[fill[row]] = u32(column_shift[d] + bit_of[i])
                        kept[fill[row]] = stored(words[s], kept)
                    fill[row] += 1


fuse_on_one_thread = kernel(fuse.py_func)
