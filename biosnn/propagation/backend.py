"""What a synapse backend is: what goes through tables of synapses, and puts what each adds into the table's ring.

A new backend is a file beside this one, with a class here and kernels in `..._cpu.py`, and a line in BACKENDS of
`ways`. It knows of a ring only what `Ring` says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from biosnn.address.address import Address
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Draws, Part, Phase, Work
from biosnn.parts.text import call
from biosnn.propagation.ring import Ring, Size
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic, Wanted


class Trip(NamedTuple):
    """How the spikes of some tables travel, as it was chosen."""

    tables: Sequence[Table]
    ring: type[Ring]
    size: Size
    stride: int  # steps that a partition takes before it has to know of the others' spikes
    product: type[Any] | None  # the layout of a sparse product, of backends that have one
    of: str = ""  # what the names of arrays that the tables share end with


class Synapse(NamedTuple):
    """Synapses as they stand in a table, read back: one entry each."""

    source: NDArray[np.int64]  # id
    part: NDArray[np.int64]
    slot: NDArray[np.int64]  # within the partition
    weight: NDArray[np.float64]  # of packed ones, multiples of their unit
    steps: NDArray[np.int64]  # delay


class Backend(Part, ABC):
    """A backend of some tables. What a subclass says of itself, as a class, is what a choice between them looks at."""

    name: ClassVar[str]
    keeps_rows: ClassVar[bool] = True  # of synapses, by source
    keeps_spikes: ClassVar[bool] = False  # of all delays, as lists, whatever the ring
    has_product: ClassVar[bool] = False  # a sparse one, and so a layout
    marks: str = ""  # are the spikes of a step marked, as an expression; "": never

    def __init__(self, address: Address, trip: Trip) -> None:
        self.address, self.trip = address, trip
        self.lags = f"lags{trip.of}"
        self.rings = [self._ring(trip.ring, table) for table in trip.tables]
        self.kernels = {**type(self).kernels, **trip.ring.kernels}

    @classmethod
    def settle(cls, traffic: Traffic, ring: type[Ring], wanted: Wanted) -> tuple[type[Backend], list[str]]:
        """The backend that is taken where this one was asked for, and why. Raises DescriptionError if it cannot be."""
        return cls, []

    @classmethod
    def make(cls, address: Address, trip: Trip) -> Backend:
        """The backend of some tables."""
        return cls(address, trip)

    @property
    def kept(self) -> int:
        """Steps whose spikes are kept as lists."""
        return self.trip.size.ring_len if self.keeps_spikes or self.trip.ring.spikes_wait else self.trip.stride

    @property
    def by_delay(self) -> bool:
        """Whether rows are sorted by delay: where the spikes wait. Else each synapse has its delay beside it."""
        return self.keeps_rows and self.trip.ring.spikes_wait

    @property
    def layout(self) -> str:
        """The layout of its sparse product."""
        return str(self.trip.product.layout_name) if self.trip.product is not None else ""

    @abstractmethod
    def deliver(self) -> list[str]:
        """What sends all that a partition is sent in one step."""

    @abstractmethod
    def read(self, arrays: Arrays, table: Table, begin: int, end: int) -> Synapse:
        """The synapses of sources begin..end-1 in one table."""

    @abstractmethod
    def entries(self, arrays: Arrays, table: Table, at: NDArray[np.int64]) -> Synapse:
        """The synapses that stand at these places of one table."""

    def steps(self, arrays: Arrays) -> dict[str, int]:
        """Steps so far in which each backend delivered."""
        return {self.name: int(arrays["clock"][0])}

    def statements(self, phase: Phase) -> list[str]:
        if phase is Phase.BEFORE and self.address.sources:
            return self.mark("spike_ids.shape[0] - 1")
        if phase is Phase.DELIVER:
            return self.deliver()
        if phase is Phase.TAKE:
            return self.taken()
        if phase is Phase.MARK:
            return self.mark("p")
        return [line for ring in self.rings for line in ring.after()] if phase is Phase.AFTER else []

    def taken(self) -> list[str]:
        """Lines that bring what is due from the rings to the input."""
        return [line for ring in self.rings for line in ring.take()]

    def work(self, phase: Phase, done: Done) -> Work:
        if phase is Phase.DELIVER:
            return Work(float(done.events), self.sent_bytes(done))
        n = sum(table.n_synapses for table in self.trip.tables)
        shares = [ring.table.n_synapses / n if n else 0.0 for ring in self.rings]
        found = [
            ring.work(phase, done._replace(events=round(share * done.events)))
            for ring, share in zip(self.rings, shares, strict=True)
        ]
        return Work(sum(w.events for w in found), sum(w.bytes for w in found))

    @abstractmethod
    def sent_bytes(self, done: Done) -> float:
        """Bytes of synapses that were gone through."""

    def mark(self, q: str) -> list[str]:
        """Lines that mark the spikes of list q, once they are there."""
        shared = [f"{name}{self.trip.of}" for name in ("bit_of", "list_at", "bits")]
        return (
            call("mark", ["step", "origin", q, self.marks, "spike_first", "spike_ids", *shared]) if self.marks else []
        )

    def full(self) -> list[str]:
        return [condition for ring in self.rings for condition in ring.full()]

    def rows(self) -> Iterator[Row]:
        for ring in self.rings:
            yield from ring.rows()
        for table in self.trip.tables:
            yield from self.table_rows(table)
        lags = self.address.delays if self.by_delay else np.array([self.trip.stride])
        told = Array(self.lags, (lags.size,), "int64", Keep.FIXED, fill=lags)
        yield small("rings", f"delivery{self.trip.of}: steps since a spike", told)

    def table_rows(self, table: Table) -> Iterator[Row]:
        """What is kept of the synapses themselves, by row of the plan."""
        store, k, address = table.store, table.suffix, self.address
        words = Array(f"words{k}", (table.n_synapses,), store.word, Keep.FIXED, Axis.SYNAPSE, None)
        waits = Array(f"waits{k}", (table.n_synapses,), address.wait_dtype, Keep.FIXED, Axis.SYNAPSE, None)
        for name, n in self.connections(table) if self.keeps_rows else ():
            share = n / table.n_synapses if table.n_synapses else 0.0
            yield row("projections", f"{name}: rows, {store.label}", [(n, "synapses")], words, share=share)
            if not self.by_delay:
                yield row("projections", f"{name}: delays", [(n, "synapses")], waits, share=share)
        n_ids, n_parts = address.layout.n_ids, address.layout.n_parts
        starts = Array(f"row_first{k}", (n_ids + 1,), "int64", Keep.FIXED, Axis.SOURCE, None)
        yield row("projections", f"row starts, {store.label}", [(n_ids + 1, "sources + 1")], starts)
        if self.keeps_rows or self.trip.ring.reads_segments:
            n_lags = address.delays.size if self.by_delay else 1
            shape = (n_ids, n_parts * n_lags + 1)
            segments = Array(f"segments{k}", shape, table.segment_dtype, Keep.FIXED, Axis.SOURCE, None)
            formula = f"{n_ids:,} sources x ({n_parts} partitions x {n_lags} delays + 1) x {segments.stored.itemsize} B"
            yield Row("projections", f"segments, {store.label}", formula, (segments,))

    def connections(self, table: Table) -> Iterator[tuple[str, float]]:
        """Name and number of synapses of each connection of a table."""
        for k in table.connections:
            yield self.address.net.connections[k].name, self.address.net.connections[k].n_expected

    def draw(self, arrays: Arrays, draws: Draws) -> None:
        for ring in self.rings:
            ring.draw(arrays, draws)
        declared = {a.name for a in self.arrays()}
        for table, found in zip(self.trip.tables, self.drawn(draws), strict=True):
            named = {f"{name}{table.suffix}": values for name, values in found.items()}
            arrays.update({name: values for name, values in named.items() if name in declared})

    def drawn(self, draws: Draws) -> Iterator[Arrays]:
        """What is drawn of each table, by name without suffix."""
        yield from draws.synapses(self.trip.tables, self.by_delay)

    def catch_up(self, arrays: Arrays) -> None:
        """Take in the spikes that the history holds when this backend takes over."""
        if not self.marks:
            return
        of, reached, origin = self.trip.of, *(int(x) for x in arrays["clock"][:2])
        history = [arrays[name] for name in ("spike_first", "spike_ids", f"bit_of{of}", f"list_at{of}", f"bits{of}")]
        for step in range(max(reached - self.trip.size.ring_len, origin), reached):
            for q in range(self.address.n_lists):
                self.kernel("mark")(step, origin, q, True, *history)

    def between(self, arrays: Arrays, draws: Draws) -> None:
        for ring in self.rings:
            ring.between(arrays, draws)

    def _ring(self, kind: type[Ring], table: Table) -> Ring:
        return kind(self.address, table, self.trip.size, self.lags, gathered=False)


class OneWay(Backend, ABC):
    """A backend that delivers the same way in each step."""

    @abstractmethod
    def send(self, ring: Ring) -> list[str]:
        """Lines that send what the synapses of one table add."""

    def deliver(self) -> list[str]:
        return [line for ring in self.rings for line in self.send(ring)]


def unpacked(words: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Slot and weight of each word: float32 of a wide one, a multiple of its unit of a packed one."""
    if words.dtype == np.uint64:
        weights = (words >> 32).astype(np.uint32).view(np.float32)
        return (words & 0xFFFFFFFF).astype(np.int64), weights.astype(np.float64)
    return (words & 0xFFFF).astype(np.int64), (words.view(np.int32) >> 16).astype(np.float64)
