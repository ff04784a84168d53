"""`auto`: event-driven delivery while few fire, the sparse product while many do, decided in each step.

It holds a backend of either kind. Its product gathers what is due even beside a ring of amounts: at any step it may
begin to let the spikes wait instead. The matrix is made when activity comes near where it would pay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from biosnn._arrays import I64
from biosnn._machine import free_memory
from biosnn.address.address import Address
from biosnn.parts.array import Array, Arrays, Keep, Row, small
from biosnn.parts.part import Done, Draws
from biosnn.parts.text import call, when
from biosnn.propagation.backend import Backend, Synapse, Trip
from biosnn.propagation.event_driven import EventDriven
from biosnn.propagation.ring import Ring
from biosnn.propagation.shared import (
    EVENT_STEPS,
    EVENTS,
    LAST_CHANGED,
    LAST_MARKED,
    MARKED,
    MOST_NS,
    PLANNED_NS,
    PRODUCT_STEPS,
    READY,
)
from biosnn.propagation.spike_history import SpikeHistory
from biosnn.propagation.spmm_fused import MOST_COLUMNS, NS_GATHER, NS_ROW, Product, columns_of
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic, Wanted

_log = logging.getLogger("biosnn")


class Auto(Backend):
    """One of two backends in each step, or one of them for good, where that is known beforehand."""

    name = "auto"
    kernels = dict.fromkeys(("EVENTS", "MARKED", "PRODUCT"), "biosnn.propagation.shared") | {
        "choose": "biosnn.propagation.switching_cpu"
    }
    synchronous = True  # it decides in each step, for all
    keeps_spikes = True
    has_product = True

    def __init__(self, address: Address, trip: Trip) -> None:
        super().__init__(address, trip)
        self.marks = f"way{trip.of}[step % 4, MARKED]"
        self.events = EventDriven(address, trip)
        assert trip.product is not None
        self.product: Product = trip.product(address, trip._replace(ring=SpikeHistory))
        self.made = False  # the matrix
        self.kernels = {**self.kernels, **self.events.kernels, **self.product.kernels}

    @classmethod
    def settle(cls, traffic: Traffic, ring: type[Ring], wanted: Wanted) -> tuple[type[Backend], list[str]]:
        """Event-driven delivery alone, where a sparse product cannot be or can never pay."""
        if traffic.repeats:
            note = "some sources may fire several times in a step, and each spike counts"
            return EventDriven, [f"backend event_driven: {note}"]
        if not traffic.n_synapses:
            return EventDriven, []
        product = traffic.n_synapses * NS_GATHER + traffic.n_slots * NS_ROW
        crossing = product / max(ring.spike_ns(traffic, wanted) * traffic.n_sources, 1.0)
        if columns_of(traffic, traffic.ring_len) >= MOST_COLUMNS or crossing > 2 * traffic.most_active:
            return EventDriven, [
                f"backend event_driven: a sparse product of all synapses would pay if {crossing:.1%} of the neurons "
                f"fired in a step, and at most {traffic.most_active:.1%} can fire"
            ]
        return cls, [
            f"backend auto: a sparse product is expected to pay where over {crossing:.1%} of the neurons fire in a "
            f"step; its matrix is made when activity comes near that"
        ]

    def deliver(self) -> list[str]:
        of, first = self.trip.of, self.rings[0]
        # emptying buckets is part of what events take; a row of sums is taken whichever way is gone
        with_events = super().taken() if first.emptied_by_events else []
        names = ["step", "origin", "spike_first", f"bits{of}.shape[0] // 2 - 1", str(first.spikes_wait)]
        names += [
            "between - began",
            "nanoseconds() - between",
            *(f"{x}{of}" for x in ("way", "way_costs", "way_counts")),
        ]
        return [
            "began = nanoseconds()",
            *when(f"way{of}[step % 4, EVENTS]", [x for ring in self.rings for x in self.events.send(ring)]),
            *with_events,
            "between = nanoseconds()",
            *when(f"way{of}[step % 4, PRODUCT]", [x for r in self.product.rings for x in self.product.send(r)]),
            *when("p == 0", call("choose", names)),
        ]

    def taken(self) -> list[str]:
        return [] if self.rings[0].emptied_by_events else super().taken()

    def sent_bytes(self, done: Done) -> float:
        by_events = done.backend_steps.get(self.events.name, 0) / max(done.steps, 1)
        return min(by_events, 1.0) * self.events.sent_bytes(done) + self.product.sent_bytes(done)

    def full(self) -> list[str]:
        """Spikes that are marked for the product put nothing."""
        return [f"way{self.trip.of}[(step + 1) % 4, EVENTS] and {condition}" for condition in super().full()]

    def rows(self) -> Iterator[Row]:
        yield from self.events.rows()
        for table in self.trip.tables:
            yield from self.product.matrix_rows(table, later=not self.made)
        yield from self.product.mark_rows()
        of = self.trip.of
        way, costs, counts = np.zeros((4, 3), np.int64), np.zeros(5), np.zeros(7, np.int64)
        way[:, EVENTS], way[:, MARKED] = 1, self.trip.ring.spikes_wait
        n = sum(t.n_synapses for t in self.trip.tables)
        costs[PLANNED_NS] = (n * NS_GATHER + self.product.n_rows * NS_ROW) / self.address.layout.n_parts
        counts[LAST_MARKED] = counts[LAST_CHANGED] = -(2**62)
        yield small(
            "rings", f"choice between backends{of}",
            Array(f"way{of}", way.shape, "int64", Keep.STATE, fill=way),
            Array(f"way_costs{of}", costs.shape, "float64", Keep.STATE, fill=costs),
            Array(f"way_counts{of}", counts.shape, "int64", Keep.STATE, fill=counts),
        )  # fmt: skip

    def read(self, arrays: Arrays, table: Table, begin: int, end: int) -> Synapse:
        return self.events.read(arrays, table, begin, end)

    def entries(self, arrays: Arrays, table: Table, at: I64) -> Synapse:
        return self.events.entries(arrays, table, at)

    def steps(self, arrays: Arrays) -> dict[str, int]:
        counts = arrays[f"way_counts{self.trip.of}"]
        return {self.events.name: int(counts[EVENT_STEPS]), self.product.name: int(counts[PRODUCT_STEPS])}

    def between(self, arrays: Arrays, draws: Draws) -> None:
        of, step = self.trip.of, int(arrays["clock"][0])
        if arrays[f"way{of}"][step % 4, EVENTS]:
            super().between(arrays, draws)
        costs, counts = arrays[f"way_costs{of}"], arrays[f"way_counts{of}"]
        # made once event-driven delivery has taken half as long as the product is planned to
        if not counts[READY] and costs[MOST_NS] >= costs[PLANNED_NS] / 2:
            self._make_matrix(arrays, draws)

    def _make_matrix(self, arrays: Arrays, draws: Draws) -> None:
        of, free = self.trip.of, free_memory()
        size = sum(row.bytes for row in self.rows() if row.later)
        try:
            if free is not None and size > free:
                raise MemoryError(f"{free / 2**20:.1f} MiB are free")
            made: Arrays = {}
            for table in self.trip.tables:
                names = ("row_first", "segments", "words", *(() if self.events.by_delay else ("waits",)))
                rows = {name: arrays[f"{name}{table.suffix}"] for name in names}
                found = draws.matrix(self.product, table, rows, self.events.by_delay)
                made |= {f"{name}{table.suffix}": values for name, values in found.items()}
        except MemoryError as error:
            arrays[f"way_costs{of}"][PLANNED_NS] = np.inf
            _log.warning(
                "the sparse product of all synapses would pay now, but there is no room for %.1f MiB of its matrix "
                "(%s); delivery stays event-driven", size / 2**20, error,
            )  # fmt: skip
            return
        made[f"way_counts{of}"] = arrays[f"way_counts{of}"].copy()
        made[f"way_counts{of}"][READY] = 1
        arrays.update(made)
        self.made = True
