"""Dense ring: a row of sums for each of the coming steps, as many as the longest delay.

    bytes = ring_len * n_post * bytes_per_element

A spike is sent once, a step after it was fired, into the rows of its delays: the best that can be done where a row of
synapses meets most delays only once, and as long as the ring stays in the cache.
"""

from __future__ import annotations

from collections import namedtuple

from numba import types
from numba.extending import overload

from biosnn._numba import kernel, u64
from biosnn.propagation.rings import add, put, recovered

# values [ring_len, n_slots of all partitions]; now: the row of the step whose spikes are sent; base: the partition's
# first slot; scale: of a ring of floats
Dense = namedtuple("Dense", "values now base scale")


@overload(put)
def _put(ring, p, delay, slot, amount):
    if not (isinstance(ring, types.NamedTuple) and ring.instance_class is Dense):
        return None

    def put_dense(ring, p, delay, slot, amount):
        row = ring.now + u64(delay)
        row = row - u64(ring.values.shape[0]) if row >= u64(ring.values.shape[0]) else row
        add(ring.values, (row, ring.base + slot), amount, ring.scale)

    return put_dense


@kernel
def take_dense(step, values, scale, first, last, drive):
    """Add the row of this step to the input slots first..last-1, and leave it empty for the step ring_len from now."""
    row = u64(step % values.shape[0])
    for j in range(u64(first), u64(last)):
        drive[j] += drive.dtype.type(recovered(values, (row, j), scale))
        values[row, j] = 0
