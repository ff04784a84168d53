"""Delivery by the rows of the neurons that fired.

Each source has one row of synapses, sorted by (partition of the target, delay). A segment is the part of a row for one
partition and one delay; at each step a partition lists the segments that are due, one for each spike that was fired
`delay` steps ago, and adds their weights to its input vector. Sums are integers: the order cannot matter.
"""

from __future__ import annotations

from biosnn._numba import f32, i32, i64, kernel, prefetch, u32, u64

# A segment is prefetched 12 ahead, three 64-byte lines of it: on the full microcircuit 5-10 % faster than two lines.
AHEAD = 12


@kernel
def due_segments(step, origin, p, delays, spike_first, spike_ids, row_first, segments, due_begin, due_end):
    """List the synapses [due_begin, due_end) that reach partition p now; returns the number of segments.

    spike_ids[q, spike_first[q, t] : spike_first[q, t+1]] are the neurons of list q that fired at step origin + t.
    segments[i, p * n_delays + k] is where, in the row of source i, the synapses to p with delay delays[k] begin.
    """
    n = 0
    for k in range(delays.size):
        t = step - delays[k] - origin
        column = p * delays.size + k
        for q in range(spike_first.shape[0]):
            for s in range(spike_first[q, t], spike_first[q, t + 1]):
                i = spike_ids[q, s]
                begin, end = segments[i, column], segments[i, column + 1]
                if end > begin:
                    due_begin[p, n] = row_first[i] + begin
                    due_end[p, n] = row_first[i] + end
                    n += 1
    return n


@kernel
def deliver_packed(p, n, due_begin, due_end, words, drive, base):
    """Add the 16-bit weights of the due segments to the partition's int32 input; returns the number of synaptic events.

    A word is weight << 16 | slot, the slot counted from `base`.
    """
    events = 0
    for j in range(n):
        if j + AHEAD < n:
            ahead = due_begin[p, j + AHEAD]
            prefetch(words, ahead)
            prefetch(words, ahead + 16)
            prefetch(words, ahead + 32)
        begin, end = u64(due_begin[p, j]), u64(due_end[p, j])
        events += i64(end - begin)
        for s in range(begin, end):
            word = words[s]
            drive[base + u64(word & u32(0xFFFF))] += i32(word) >> i32(16)
    return events


@kernel
def deliver_wide(p, n, due_begin, due_end, words, drive, base, scale):
    """Add float32 weights to the partition's int64 input, in multiples of 1/scale; returns the number of events.

    A word is the bits of a float32 << 32 | slot. `scale` is a power of two, so a product is exact before it is rounded.
    """
    events = 0
    for j in range(n):
        if j + AHEAD < n:
            ahead = due_begin[p, j + AHEAD]
            prefetch(words, ahead)
            prefetch(words, ahead + 8)
            prefetch(words, ahead + 16)
        begin, end = u64(due_begin[p, j]), u64(due_end[p, j])
        events += i64(end - begin)
        for s in range(begin, end):
            word = words[s]
            weight = u32(word >> u64(32)).view(f32)
            drive[base + (word & u64(0xFFFFFFFF))] += i64(weight * scale)
    return events
