"""Event-bucketed ring: single events, in a bucket for each of the coming steps.

bytes = capacity * (value_bytes + post_idx_bytes) + metadata
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from biosnn._machine import free_memory
from biosnn.errors import MemoryPlanError, RingFullError
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, longer, row, small
from biosnn.parts.part import Done, Draws, Phase, Work
from biosnn.parts.text import call
from biosnn.propagation.ring import Ring, Size, padded
from biosnn.propagation.shared import BLOCK
from biosnn.propagation.traffic import BURST, NS_SEGMENT, Traffic, Wanted

POST_BYTES = 2  # of the input slot of an event
NS_BUCKET = 4.5  # ns on one core: putting a synapse into a bucket
FIRST_BLOCKS = 4  # times the least room: the pool of each partition, before it grows
NO_LIMIT = 2**40  # events
MOST_EVENTS = 2**31 - BLOCK  # of a partition: where the next event of a bucket goes is kept in 32 bits
FIELDS = ("value", "post", "previous", "end", "free", "n_free")


class Buckets(Ring):
    """A pool of blocks for each partition, chained to buckets; it grows where it may."""

    name = "event_bucketed"
    kernels = dict.fromkeys(("Buckets", "are_full", "take_events"), "biosnn.propagation.event_bucketed_cpu")
    reads_segments = True
    emptied_by_events = True
    is_limited = True

    @classmethod
    def fits(cls, traffic: Traffic, wanted: Wanted) -> bool:
        events = float(_least(traffic) * traffic.n_parts)
        if wanted.capacity_max is None:
            mean = float(traffic.delays.mean()) if traffic.delays.size else 1.0
            events = max(events, BURST * traffic.active * traffic.n_synapses * mean)
        # One of floats cannot be changed for the spike history when it is full: it has to be asked for.
        allowed = wanted.exact or wanted.capacity_max is not None
        return allowed and wanted.has_room(events * _bytes(traffic, wanted))

    @classmethod
    def spike_ns(cls, traffic: Traffic, wanted: Wanted) -> float:
        return traffic.n_parts * NS_SEGMENT + traffic.each * NS_BUCKET

    @classmethod
    def settle(cls, traffic: Traffic, wanted: Wanted) -> Size:
        """Pools of blocks: what the buckets need to begin with, and as far as they may grow."""
        each, limit, least = _bytes(traffic, wanted), wanted.max_mib * 2**20, _least(traffic)
        most = int(min(limit / max(each, 1), NO_LIMIT)) if limit > 0 else NO_LIMIT
        given = wanted.capacity_max
        if given is not None:
            most = min(most, given)
        most_each = min(most // traffic.n_parts, MOST_EVENTS) // BLOCK * BLOCK
        if most_each < least:
            knob = f"--max-ring-mib {wanted.max_mib:g}" if given != most else f"--ring-capacity-max {given}"
            raise MemoryPlanError(
                f"plan: the event_bucketed ring needs room for {least * traffic.n_parts:,} events at least "
                f"({traffic.n_parts} partition(s) x {least // BLOCK:,} blocks of {BLOCK}; {each} B an event), and "
                f"{knob} leaves {most:,}; raise it, or try --ring-strategy spike_history"
            )
        return Size(wanted.dtype, traffic.ring_len, min(least * FIRST_BLOCKS, most_each), most_each)

    def into(self) -> str:
        k = self.table.suffix
        now = f"u64((step - {self.lags}[0]) % ring_len[0]), ring_len[0]"
        return f"Buckets({', '.join(f'event_{x}{k}' for x in FIELDS)}, {now}, ring_scale{k}[0])"

    def take(self) -> list[str]:
        return call("take_events", ["step", "p", self.into(), "base", self.table.store.drive])

    def after(self) -> list[str]:
        """A partition tells the others how many blocks it has left."""
        left = f"event_n_free{self.table.suffix}"
        return [f"{left}[p, 1 + turn] = {left}[p, 0]"]

    def work(self, phase: Phase, done: Done) -> Work:
        n, (value, slot) = float(done.events if phase is Phase.TAKE else 0), self.widths
        return Work(n, n * (value + POST_BYTES + 2 * slot))

    def full(self) -> list[str]:
        k = self.table.suffix
        return [
            f"are_full(step - origin, {self.lags}[0], spike_first, spike_ids, row_first{k}, segments{k}, most_put, "
            f"event_n_free{k}[:, 1 + turn], ring_len[0])"
        ]

    def rows(self) -> Iterator[Row]:
        label, parts, size = self.table.store.label, self.address.layout.n_parts, self.size
        blocks, ends = size.capacity // BLOCK, padded(size.ring_len)
        value = self._array("value", size.capacity, self.value)
        post = self._array("post", size.capacity, "uint16")
        events, width = size.capacity * parts, value.stored.itemsize
        grows = "if it must" if size.capacity_max == MOST_EVENTS else f"to {size.capacity_max * parts:,}"
        formula = f"capacity {events:,} events x ({width} + {POST_BYTES}) B (grows {grows})"
        yield Row("rings", f"event buckets, {label}", formula, (value, post))
        chains = (
            self._array("previous", blocks, "int32", -1), self._array("end", ends, "int32"),
            self._array("free", blocks, "int32", None), self._array("n_free", 16, "int32", None),  # a cache line each
        )  # fmt: skip
        axes = [(parts, "partitions"), (2 * blocks + ends + 16, "numbers")]
        yield row("rings", f"event buckets, {label}, chains", axes, *chains)
        most = Array("most_put", (parts,), "int64", Keep.FIXED, Axis.PARTITION, self._most_put())
        yield small("rings", f"scale, length and bounds of event buckets, {label}", *self.common(), most)

    def draw(self, arrays: Arrays, draws: Draws) -> None:
        """All blocks are free."""
        parts, blocks, k = self.address.layout.n_parts, self.size.capacity // BLOCK, self.table.suffix
        arrays[f"event_free{k}"] = np.tile(np.arange(blocks - 1, -1, -1, dtype=np.int32), (parts, 1))
        arrays[f"event_n_free{k}"] = n_free = np.zeros((parts, 16), np.int32)
        n_free[:, 0] = blocks

    def between(self, arrays: Arrays, draws: Draws) -> None:
        """Double the pools until they have room for what the next stride will put there. Raises RingFullError."""
        k, step, t = self.table.suffix, int(arrays["clock"][0]), int(arrays["clock"][0] - arrays["clock"][1]) - 1
        are_full, history = self.kernel("are_full"), (arrays["spike_first"], arrays["spike_ids"])
        rows = arrays[f"row_first{k}"], arrays[f"segments{k}"], arrays["most_put"]
        stride = int(arrays["stride"][0])
        while are_full(t, stride, *history, *rows, arrays[f"event_n_free{k}"][:, 0], self.size.ring_len):
            arrays.update(self._doubled(arrays, step))

    def _doubled(self, arrays: Arrays, step: int) -> Arrays:
        """Pools of twice the size, or of the largest that is allowed. Raises RingFullError if they are that already."""
        k = self.table.suffix
        parts, old = arrays[f"event_value{k}"].shape
        new = min(2 * old, self.size.capacity_max)
        free, needed = free_memory(), (new + old) * parts * (arrays[f"event_value{k}"].itemsize + POST_BYTES)
        if new == old or (free is not None and needed > free):
            why = "all there may be" if new == old else "all that memory has room for"
            raise RingFullError(
                f"the event_bucketed ring is full at {step * self.address.net.dt:g} ms: its {old * parts:,} events "
                f"({parts} partition(s) x {old:,}) are {why}; raise --ring-capacity-max or --max-ring-mib, or use "
                f"--ring-strategy spike_history"
            )
        sizes = {"value": new, "post": new, "previous": new // BLOCK, "free": new // BLOCK}
        grown = {f"event_{field}{k}": longer(arrays[f"event_{field}{k}"], size) for field, size in sizes.items()}
        n_free = grown[f"event_n_free{k}"] = arrays[f"event_n_free{k}"].copy()
        for p in range(parts):
            fresh = np.arange(new // BLOCK - 1, old // BLOCK - 1, -1)
            grown[f"event_free{k}"][p, n_free[p, 0] : n_free[p, 0] + fresh.size] = fresh
            n_free[p, 0] += fresh.size
        return grown

    def _array(self, field: str, n: int, dtype: str, fill: float | None = 0) -> Array:
        name = f"event_{field}{self.table.suffix}"
        return Array(name, (self.address.layout.n_parts, n), dtype, Keep.STATE, Axis.PARTITION, fill)

    def _most_put(self) -> NDArray[np.int64]:
        """Events that one step can put, at most: a product that gathers puts one for each slot and delay."""
        layout = self.address.layout
        if self.gathered:
            return layout.n_slots * self.address.delays.size
        return np.full(layout.n_parts, NO_LIMIT, np.int64)


def _bytes(traffic: Traffic, wanted: Wanted) -> int:
    """value_bytes + post_idx_bytes of an event; the bucket tells its step."""
    return wanted.element_bytes(traffic) + POST_BYTES * len(traffic.exact_bytes)


def _least(traffic: Traffic) -> int:
    """Events that each partition must have room for: every bucket an open block, and one that it may have to open."""
    return (2 * traffic.ring_len + 1) * BLOCK
