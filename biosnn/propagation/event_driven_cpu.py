"""Delivery by the rows of the neurons that fired.

Each source has one row of synapses, sorted by partition of the target. With a ring in which the spikes wait, each
partition's part is sorted by delay as well, and a partition goes through what is due: for each delay, the synapses of
that delay in the rows of those who fired so long ago. With a ring in which the amounts wait, it goes once through the
whole rows of those who fired in the last step. A segment is what is gone through for one spike.
"""

from __future__ import annotations

from biosnn._numba import i64, kernel, prefetch, u64
from biosnn.connectivity.words import amount_of, delay_at, line_of, prefetch_delays, slot_of
from biosnn.propagation.rings_cpu import put

# Segments are prefetched so far ahead, five 64-byte lines of a long one. Full microcircuit: RTF 1.97 with 32 segments
# and five lines, 2.03 with 20 and four, 2.14 with 12 and three.
AHEAD, MOST_LINES = 32, 5


@kernel
def deliver(
    step, origin, p, lags, spike_first, spike_ids, row_first, segments, words, delays, scale, due_begin, due_end, ring
):  # fmt: skip
    """Send to partition p what is due from the spikes of lags[0], lags[1], ... steps ago.

    spike_ids[q, spike_first[q, t] : spike_first[q, t+1]] are the neurons of list q that fired at step origin + t.
    segments[i, p * n_lags + k] is where, in the row of source i, the synapses to p that belong to lags[k] begin.
    """
    n = i64(0)  # a literal 0 would have Numba compile `_send` twice
    for k in range(lags.size):
        t = step - lags[k] - origin
        column = p * lags.size + k
        for q in range(spike_first.shape[0]):
            for s in range(spike_first[q, t], spike_first[q, t + 1]):
                i = spike_ids[q, s]
                begin, end = segments[i, column], segments[i, column + 1]
                if end > begin:
                    due_begin[p, n] = row_first[i] + begin
                    due_end[p, n] = row_first[i] + end
                    n += 1
                    if n == due_begin.shape[1]:
                        _send(p, n, due_begin, due_end, words, delays, scale, ring)
                        n = i64(0)
    _send(p, n, due_begin, due_end, words, delays, scale, ring)


@kernel
def _send(p, n, due_begin, due_end, words, delays, scale, ring):
    """Put the n listed segments into the ring."""
    for j in range(n):
        if j + AHEAD < n:
            _prefetch_segment(due_begin[p, j + AHEAD], due_end[p, j + AHEAD], words, delays)
        for s in range(u64(due_begin[p, j]), u64(due_end[p, j])):
            word = words[s]
            put(ring, p, delay_at(delays, s), slot_of(word), amount_of(word, scale))


@kernel
def _prefetch_segment(begin, end, words, delays):
    line = line_of(words)
    for s in range(begin, min(end, begin + MOST_LINES * line), line):
        prefetch(words, s)
    prefetch(words, end - 1)
    prefetch_delays(delays, begin)
    prefetch_delays(delays, end - 1)
