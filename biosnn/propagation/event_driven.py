"""Delivery by the rows of the neurons that fired."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, row
from biosnn.parts.part import Done
from biosnn.parts.text import call
from biosnn.propagation.backend import OneWay, Synapse, unpacked
from biosnn.propagation.ring import Ring
from biosnn.propagation.table import Table

LISTED = 4096  # segments that are listed before they are sent: the list stays in the cache


class EventDriven(OneWay):
    """For each spike, the synapses of its neuron that are due."""

    name = "event_driven"
    kernels = {"deliver": "biosnn.propagation.event_driven_cpu"}

    def send(self, ring: Ring) -> list[str]:
        k, of, store = ring.table.suffix, self.trip.of, ring.table.store
        waits = "None" if self.by_delay else f"waits{k}"
        names = ["step", "origin", "p", self.lags, "spike_first", "spike_ids", f"row_first{k}", f"segments{k}"]
        names += [f"words{k}", waits, store.scale, f"due_begin{of}", f"due_end{of}", ring.into()]
        return call("deliver", names)

    def sent_bytes(self, done: Done) -> float:
        n = sum(table.n_synapses for table in self.trip.tables)
        kept = [a for table in self.trip.tables for row in self.table_rows(table) for a in row.arrays]
        each = {a.name: a.bytes for a in kept if a.axis is Axis.SYNAPSE}
        return done.events * sum(each.values()) / n if n else 0.0

    def rows(self) -> Iterator[Row]:
        yield from super().rows()
        parts, of = self.address.layout.n_parts, self.trip.of
        ends = (
            Array(f"{name}{of}", (parts, LISTED), "int64", Keep.SCRATCH, Axis.PARTITION)
            for name in ("due_begin", "due_end")
        )
        axes = [(2, "ends"), (parts, "partitions"), (LISTED, "segments")]
        yield row("rings", f"due segments{of.replace('_', ', ')}", axes, *ends)

    def read(self, arrays: Arrays, table: Table, begin: int, end: int) -> Synapse:
        k, ids = table.suffix, np.arange(begin, end)
        segments = arrays[f"segments{k}"][begin:end].astype(np.int64)
        lengths = np.diff(segments, axis=1).ravel()
        sources = np.repeat(ids, segments[:, -1])
        keys = np.repeat(np.tile(np.arange(segments.shape[1] - 1), ids.size), lengths)
        at = np.repeat(arrays[f"row_first{k}"][ids], segments[:, -1]) + _counter(segments[:, -1])
        return self._told(arrays, table, sources, keys, at)

    def entries(self, arrays: Arrays, table: Table, at: NDArray[np.int64]) -> Synapse:
        k = table.suffix
        sources = np.searchsorted(arrays[f"row_first{k}"], at, side="right") - 1
        inside = at - arrays[f"row_first{k}"][sources]
        keys = (arrays[f"segments{k}"][sources] <= inside[:, None]).sum(1) - 1
        return self._told(arrays, table, sources, keys, at)

    def _told(
        self, arrays: Arrays, table: Table, sources: NDArray[np.int64], keys: NDArray[np.int64], at: NDArray[np.int64]
    ) -> Synapse:
        """The synapses at these places, of these sources and columns of segments."""
        k = table.suffix
        delays = self.address.delays
        part, steps = divmod(keys, delays.size) if self.by_delay else (keys, arrays[f"waits{k}"][at])
        slots, weights = unpacked(arrays[f"words{k}"][at])
        return Synapse(sources, part, slots, weights, delays[steps] if self.by_delay else steps)


def _counter(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..n-1 for each of the lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
