"""Dense ring: a row of sums for each of the coming steps, as many as the longest delay.

    bytes = ring_len * n_post * bytes_per_element

A spike is sent once, a step after it was fired, into the rows of its delays: the best that can be done where a row of
synapses meets most delays only once, and as long as the ring stays in the cache.
"""

from __future__ import annotations

from collections import namedtuple

from biosnn._numba import kernel, u64
from biosnn.propagation.rings_cpu import add, recovered, ring

# values: ring_len rows of the slots of all partitions, one after the other; rows[d]: where the partition's slots begin
# in the row for delay d; scale: of a ring of floats
Dense = namedtuple("Dense", "values rows scale")


@ring(Dense)
def put_dense(ring, p, delay, slot, amount):
    """Add to the sum of the slot, in the row of the step that is `delay` steps ahead."""
    add(ring.values, ring.rows[u64(delay)] + slot, amount, ring.scale)


@kernel
def dense(step, p, values, rows, ring_len, base, scale):
    """The ring of partition p, for sending the spikes of this step; `base` is the partition's first slot.

    Looking up where a row begins takes 2.0 ns a synapse, working it out anew for each 2.7 (20 delays, 10,000 targets).
    """
    n_slots = values.size // ring_len
    now = step % ring_len
    for d in range(ring_len + 1):
        row = now + d if now + d < ring_len else now + d - ring_len
        rows[p, d] = u64(row * n_slots) + base
    return Dense(values, rows[p], scale)


@kernel
def take_dense(step, values, ring_len, scale, first, last, drive):
    """Add the row of this step to the input slots first..last-1, and leave it empty for the step ring_len from now."""
    row = u64(step % ring_len * (values.size // ring_len))
    for j in range(u64(first), u64(last)):
        drive[j] += drive.dtype.type(recovered(values, row + j, scale, drive))
        values[row + j] = 0
