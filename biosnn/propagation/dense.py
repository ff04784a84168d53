"""Dense ring: a row of sums for each of the coming steps, as many as the longest delay.

bytes = ring_len * n_post * bytes_per_element
"""

from __future__ import annotations

from collections.abc import Iterator

from biosnn.errors import MemoryPlanError
from biosnn.parts.array import Array, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Phase, Work
from biosnn.parts.text import call
from biosnn.propagation.ring import Ring, Size, padded
from biosnn.propagation.traffic import NS_SEGMENT, Traffic, Wanted

# ns on one core: putting a synapse into a ring whose part for one partition is so many bytes large
NS_DENSE = ((0.5 * 2**20, 1.5), (16 * 2**20, 3.0), (float("inf"), 7.0))


class Dense(Ring):
    """[ring_len, n_slots] sums."""

    name = "dense"
    kernels = dict.fromkeys(("dense", "take_dense"), "biosnn.propagation.dense_cpu")

    @classmethod
    def fits(cls, traffic: Traffic, wanted: Wanted) -> bool:
        return wanted.capacity_max is None and wanted.has_room(_bytes(traffic, wanted))

    @classmethod
    def spike_ns(cls, traffic: Traffic, wanted: Wanted) -> float:
        size = _bytes(traffic, wanted) / traffic.n_parts
        put = next(ns for most, ns in NS_DENSE if size <= most)
        return traffic.n_parts * NS_SEGMENT + traffic.each * put

    @classmethod
    def settle(cls, traffic: Traffic, wanted: Wanted) -> Size:
        size = _bytes(traffic, wanted)
        if not wanted.has_room(size):
            raise MemoryPlanError(
                f"plan: the dense ring needs {size / 2**20:,.1f} MiB (ring_len {traffic.ring_len:,} x n_post "
                f"{traffic.n_slots:,} x {wanted.element_bytes(traffic)} B), over --max-ring-mib {wanted.max_mib:g}; "
                f"try --ring-strategy event_bucketed or spike_history, a --ring-dtype of fewer bytes, or raise the "
                f"limit"
            )
        return super().settle(traffic, wanted)

    def into(self) -> str:
        k = self.table.suffix
        return f"dense(step - {self.lags}[0], p, ring{k}, ring_rows, ring_len[0], base, ring_scale{k}[0])"

    def take(self) -> list[str]:
        k = self.table.suffix
        names = ["step", f"ring{k}", "ring_len[0]", f"ring_scale{k}[0]", "drive_at[p]", "drive_at[p + 1]"]
        return call("take_dense", [*names, self.table.store.drive])

    def work(self, phase: Phase, done: Done) -> Work:
        n = self.address.n_slots * done.steps if phase is Phase.TAKE else 0
        return Work(float(n), 2.0 * n * sum(self.widths))  # both are read and written

    def rows(self) -> Iterator[Row]:
        length, slots, parts = self.size.ring_len, self.address.n_slots, self.address.layout.n_parts
        ring = Array(f"ring{self.table.suffix}", (length * slots,), self.value, Keep.STATE)
        formula = f"ring_len {length:,} x n_post {slots:,} x {ring.stored.itemsize} B"
        yield Row("rings", f"dense ring, {self.table.store.label}", formula, (ring,))
        starts = Array("ring_rows", (parts, padded(length)), "uint64", Keep.SCRATCH, Axis.PARTITION)
        axes = [(parts, "partitions"), (padded(length), "delays")]
        yield row("rings", "dense ring, starts of rows", axes, starts)
        yield small("rings", f"scale and length of the dense ring, {self.table.store.label}", *self.common())


def _bytes(traffic: Traffic, wanted: Wanted) -> float:
    return traffic.ring_len * traffic.n_slots * wanted.element_bytes(traffic)
