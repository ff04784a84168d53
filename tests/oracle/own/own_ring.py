"""A ring of one's own, in one file: sums as in the dense ring, those of one slot side by side."""

from collections import namedtuple

from biosnn._numba import kernel, u64
from biosnn.parts.array import Array, Keep, row, small
from biosnn.parts.text import call
from biosnn.propagation.ring import Ring
from biosnn.propagation.rings_cpu import ring

BySlot = namedtuple("BySlot", "values base now ring_len")


class SideBySide(Ring):
    """[n_slots, ring_len] sums."""

    name = "side_by_side"
    kernels = dict.fromkeys(("BySlot", "take_side_by_side"), __name__)

    @classmethod
    def fits(cls, traffic, wanted):
        return False  # it is taken where it is asked for

    @classmethod
    def spike_ns(cls, traffic, wanted):
        return traffic.each * 7.0  # each synapse puts into another cache line

    def into(self):
        return f"BySlot(sums{self.table.suffix}, base, (step - {self.lags}[0]) % ring_len[0], ring_len[0])"

    def take(self):
        names = [f"sums{self.table.suffix}", "drive_at[p]", "drive_at[p + 1]", self.table.store.drive]
        return call("take_side_by_side", ["step", *names])

    def rows(self):
        slots, steps = self.address.n_slots, self.size.ring_len
        sums = Array(f"sums{self.table.suffix}", (slots, steps), self.value, Keep.STATE)
        yield row("rings", f"sums side by side, {self.table.store.label}", [(slots, "slots"), (steps, "steps")], sums)
        yield small("rings", f"length of sums side by side, {self.table.store.label}", *self.common())


@ring(BySlot)
def put_by_slot(ring, p, delay, slot, amount):
    ring.values[ring.base + slot, (ring.now + delay) % ring.ring_len] += amount


@kernel
def take_side_by_side(step, sums, first, last, drive):
    now = step % sums.shape[1]
    for j in range(u64(first), u64(last)):
        drive[j] += sums[j, now]
        sums[j, now] = 0
