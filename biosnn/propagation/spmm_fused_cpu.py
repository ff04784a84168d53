"""Delivery by one sparse product: all synapses at once, times who fired.

The fused matrix holds the synapses of all delays, its non-empty delay buckets stacked. Where the spikes wait, they are
stacked along the columns: one row for each input slot of a partition, times the spikes of all steps that are due, gives
the input. Where the amounts wait, they are stacked along the rows: one row for each delay and slot, times the spikes of
the last step, gives what goes into the ring. `csr` gathers row by row, and writes each result once; `coo` sweeps over
the synapses in the order of their delays and sources.

Who fired is a bit of a neuron and step. A column names bit `column` of a window of rows of `width` bits; so a step with
20,000 neurons takes 2.5 kB, and the gather from it is done in the vector unit (0.3-0.5 ns a synapse in the cache,
against 0.4-0.7 for adding one to the input, and 5-25 ns for a segment that begins somewhere else).
"""

from __future__ import annotations

from biosnn._numba import i64, kernel, u32, u64
from biosnn.connectivity.words import amount_of, fixed, slot_of
from biosnn.propagation.rings_cpu import put


@kernel
def mark(step, origin, q, marked, spike_first, spike_ids, bit_of, list_at, bits):
    """Set the bits of the neurons of list q that fired in this step, if they are to be marked; else clear them all.

    bits[r] holds the spikes of the steps that are r modulo half its rows, and so does the row half of them further on:
    any window of steps stands in one piece somewhere. A list has words of its own, list_at[q]..list_at[q+1]-1.
    """
    half = bits.shape[0] // 2
    row = step % half
    for w in range(list_at[q], list_at[q + 1]):
        bits[row, w] = 0
    t = step - origin
    for s in range(spike_first[q, t], spike_first[q, t + 1] if marked else spike_first[q, t]):
        b = bit_of[spike_ids[q, s]]
        bits[row, b >> u32(5)] |= u32(1) << (b & u32(31))
    for w in range(list_at[q], list_at[q + 1]):
        bits[row + half, w] = bits[row, w]


@kernel
def window(step, lag, bits):
    """Where the row of step - lag begins, in the flat array of bits; the rows of the steps after it follow."""
    half = bits.shape[0] // 2
    return u64((step % half + half - lag) * bits.shape[1])


@kernel
def multiply_csr(step, p, lag, part_row, n_slots, delays, starts, columns, weights, scale, bits, ring):
    """The product for partition p, row by row; the first columns belong to the spikes of `lag` steps ago.

    Row part_row[p] + k * n_slots[p] + j holds the synapses onto slot j that are put into the ring with delays[k].
    """
    at = window(step, lag, bits)
    fired = bits.reshape(bits.size)
    row = u64(part_row[p])
    for k in range(delays.size):
        for j in range(n_slots[p]):
            total = i64(0)
            for s in range(u64(starts[row]), u64(starts[row + u64(1)])):
                column = columns[s]
                bit = (fired[at + u64(column >> u32(5))] >> (column & u32(31))) & u32(1)
                total += i64(fixed(weights[s], scale)) * i64(bit)
            if total:
                put(ring, p, delays[k], u64(j), total)
            row += u64(1)


@kernel
def multiply_coo(step, p, lags, delays, starts, columns, words, scale, bits, ring):
    """The same, synapse by synapse: those of delays[k] begin at starts[p * n_delays + k], and are multiplied with the
    spikes of lags[k] steps ago.
    """
    fired = bits.reshape(bits.size)
    for k in range(delays.size):
        at = window(step, lags[k], bits)
        row = p * delays.size + k
        for s in range(u64(starts[row]), u64(starts[row + 1])):
            column, word = columns[s], words[s]
            # all synapses of a source stand together: the branch goes the same way for a while
            if (fired[at + u64(column >> u32(5))] >> (column & u32(31))) & u32(1):
                put(ring, p, delays[k], slot_of(word), amount_of(word, scale))
