"""Event-bucketed ring: single events, in a bucket for each of the coming steps.

    bytes = capacity * (value_bytes + post_idx_bytes) + metadata

A bucket is a chain of blocks of 64 events, so the step at which an event is due costs no bytes of its own. A partition
has its own pool of blocks: appending to the open block of each bucket stays in the first-level cache (200 delays: 25
kB), emptying a bucket reads on, and the input that it adds to is the partition's alone. So memory and cost follow the
events in flight, not the number of neurons times the longest delay.
"""

from __future__ import annotations

from collections import namedtuple

from biosnn._numba import i64, kernel, u64
from biosnn.propagation.rings_cpu import keep, recovered, ring
from biosnn.propagation.shared import BLOCK

# Per partition p: value[p], post[p] events in blocks; end[p, b] where the next event of bucket b goes, at the start of
# a block if that has to be opened first; previous[p, block] of the same bucket (-1: none); free[p, : n_free[p, 0]] the
# blocks in no bucket; n_free[p, 1] and n_free[p, 2] in turn tell others how many were left after a stride, while the
# next one is going on. now: bucket of the step whose spikes are sent; scale: of float values.
Buckets = namedtuple("Buckets", "value post previous end free n_free now n_buckets scale")


@ring(Buckets)
def put_event(ring, p, delay, slot, amount):
    """Append an event to the bucket of the step that is `delay` steps ahead."""
    b = ring.now + u64(delay)
    b = b - u64(ring.n_buckets) if b >= u64(ring.n_buckets) else b
    at = ring.end[p, b]
    if at % BLOCK == 0:
        left = ring.n_free[p, 0] - 1
        block = ring.free[p, left]
        ring.n_free[p, 0] = left
        ring.previous[p, block] = at // BLOCK - 1
        at = block * BLOCK
    keep(ring.value, (p, u64(at)), amount, ring.scale)
    ring.post[p, u64(at)] = slot
    ring.end[p, b] = at + 1


@kernel
def take_events(step, p, ring, base, drive):
    """Add the events that are due to the input of partition p, whose first slot is `base`, and free their blocks."""
    b = step % ring.n_buckets
    end, left = i64(ring.end[p, b]), i64(ring.n_free[p, 0])
    block = (end - 1) // BLOCK
    while block >= 0:
        for e in range(u64(block * BLOCK), u64(end)):
            drive[base + u64(ring.post[p, e])] += drive.dtype.type(recovered(ring.value, (p, e), ring.scale, drive))
        ring.free[p, left] = block
        left += 1
        block = i64(ring.previous[p, block])
        end = (block + 1) * BLOCK
    ring.n_free[p, 0] = left
    ring.end[p, b] = 0


@kernel
def are_full(t, n_steps, spike_first, spike_ids, row_first, segments, most_put, n_free, n_buckets):
    """Whether some partition lacks the blocks for what the spikes of n_steps history steps, the last being t, will put
    there; n_free[p] are left.

    That is at most an event for each synapse, and most_put[p] events a step: a product that gathers puts one for each
    slot and delay. The sum over all partitions is looked at first: it is one number for each spike, and mostly enough.
    """
    in_all = i64(0)
    for q in range(spike_first.shape[0]):
        for s in range(spike_first[q, t + 1 - n_steps], spike_first[q, t + 1]):
            i = spike_ids[q, s]
            in_all += row_first[i + 1] - row_first[i]
    for p in range(n_free.shape[0]):
        if _blocks(min(in_all, n_steps * most_put[p]), n_buckets) > n_free[p]:
            mine = i64(0)
            for at in range(t + 1 - n_steps, t + 1):
                of_step = i64(0)
                for q in range(spike_first.shape[0]):
                    for s in range(spike_first[q, at], spike_first[q, at + 1]):
                        i = spike_ids[q, s]
                        of_step += i64(segments[i, p + 1]) - i64(segments[i, p])
                mine += min(of_step, most_put[p])
            if _blocks(mine, n_buckets) > n_free[p]:
                return True
    return False


@kernel
def _blocks(events, n_buckets):
    """Most blocks that so many events can open: each bucket may need one for the rest that does not fill it."""
    return events // BLOCK + min(events, n_buckets)
