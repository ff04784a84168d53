"""Delivery by one sparse product: all synapses at once, times who fired. Its two layouts, csr and coo."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.errors import DescriptionError
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Draws
from biosnn.parts.text import call
from biosnn.propagation.backend import Backend, OneWay, Synapse, Trip, unpacked
from biosnn.propagation.ring import Ring
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic, Wanted

# ns on one core: a synapse of the fused matrix, and a row of it.
NS_GATHER, NS_ROW = 0.65, 2.0
SHORT_ROWS = 4.0  # synapses; matrices with shorter rows are swept, not gathered
MOST_COLUMNS = 2**32


class Geometry(NamedTuple):
    """Where a synapse stands in a fused matrix; shifts by the delay in steps."""

    part_row: I64  # first row of each partition
    stride: I64  # rows of each partition that one row shift passes over
    by_slot: int  # does a slot shift the row?
    row_shift: I64
    column_shift: I64


class Product(OneWay, ABC):
    """A fused matrix of each table. Its delay buckets stand one below the other where amounts wait (`stacked`)."""

    name = "spmm_fused"
    kernels = {"mark": "biosnn.propagation.spmm_fused_cpu"}
    keeps_rows = False
    has_product = True
    marks = "True"
    layout_name: ClassVar[str]
    kept_as: ClassVar[str]  # "weights" or "words", beside its columns
    gathers: ClassVar[bool] = False  # what is put into a slot with a delay is summed before

    @classmethod
    def settle(cls, traffic: Traffic, ring: type[Ring], wanted: Wanted) -> tuple[type[Backend], list[str]]:
        if traffic.repeats:  # the product knows a bit of a neuron and step
            raise DescriptionError(
                "plan: spmm_fused knows whether a source fired in a step, not how often, and some may fire several "
                "times (spike times given twice, poisson, parrot_neuron); use --synapse-backend event_driven"
            )
        return cls, []

    @classmethod
    def make(cls, address: Address, trip: Trip) -> Backend:
        assert trip.product is not None
        made: Backend = trip.product(address, trip)
        return made

    @classmethod
    def suits(cls, traffic: Traffic, stacked: bool) -> bool:
        """Whether it is the layout to take, if none before it in LAYOUTS is."""
        return True

    @property
    def stacked(self) -> bool:
        """Whether each delay has rows of its own. Else each has columns of its own: the spikes of so long ago."""
        return not self.trip.ring.spikes_wait

    @property
    def window(self) -> int:
        """How many steps ago the earliest spikes were fired that the matrix is multiplied with."""
        return self.trip.stride if self.stacked else self.trip.size.ring_len

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Rows of a matrix."""

    def kept_dtype(self, table: Table) -> str:
        """Format of what is kept of a synapse beside its column."""
        return table.store.word

    @abstractmethod
    def geometry(self) -> Geometry:
        """Where synapses stand."""

    def matrix(self, table: Table) -> tuple[Array, Array, Array, Array]:
        """A fused matrix: starts of its rows, columns, weights or words, first row of each partition."""
        k, n = table.suffix, table.n_synapses
        return (
            Array(f"fused_starts{k}", (self.n_rows + 1,), "int64", Keep.FIXED, fill=None),
            Array(f"fused_columns{k}", (n,), "uint32", Keep.FIXED, Axis.SYNAPSE, None),
            Array(f"fused_{self.kept_as}{k}", (n,), self.kept_dtype(table), Keep.FIXED, Axis.SYNAPSE, None),
            Array(f"fused_row{k}", (self.address.layout.n_parts,), "int64", Keep.FIXED, Axis.PARTITION, None),
        )

    def matrix_rows(self, table: Table, later: bool = False) -> Iterator[Row]:
        """The same, by row of the plan."""
        starts, columns, kept, first = self.matrix(table)
        each, label = columns.stored.itemsize + kept.stored.itemsize, table.store.label
        for name, n in self.connections(table):
            share, formula = (n / table.n_synapses if table.n_synapses else 0.0), f"{n:,.0f} synapses x {each} B"
            title = f"{name}: fused matrix, {self.layout}"
            yield Row("projections", title, formula, (columns, kept), share, later)
        axes = [(self.n_rows + 1, "rows + 1")]
        yield row("projections", f"rows of the fused matrix, {label}", axes, starts, later=later)
        axes = [(self.address.layout.n_parts, "partitions")]
        yield row("projections", f"first rows of the fused matrix, {label}", axes, first, later=later)

    def mark_rows(self) -> Iterator[Row]:
        """Who fired, as bits, by row of the plan."""
        address, of = self.address, self.trip.of
        ends, n = address.layout.bit_words(address.sources), 2 * (self.window + self.trip.stride)
        bits = Array(f"bits{of}", (n, int(ends[-1])), "uint32", Keep.STATE)
        yield row("rings", f"spikes as bits{of}", [(n, "steps"), (int(ends[-1]), "words")], bits)
        ids = (address.layout.n_ids,)
        bit_of = Array(
            f"bit_of{of}", ids, "uint32", Keep.FIXED, Axis.SOURCE, lambda: address.layout.bit_of(address.sources)
        )
        yield row("rings", f"bit of each neuron{of}", [(*ids, "sources")], bit_of)
        told = [Array(f"{name}{of}", (v.size,), "int64", Keep.FIXED, fill=v) for name, v in self._told(ends).items()]
        yield small("rings", f"sparse product{of}: lists, delays and slots", *told)

    def rows(self) -> Iterator[Row]:
        yield from super().rows()
        for table in self.trip.tables:
            yield from self.matrix_rows(table)
        yield from self.mark_rows()

    def sent_bytes(self, done: Done) -> float:
        each = sum(a.bytes for table in self.trip.tables for a in self.matrix(table))
        return done.backend_steps.get(self.name, 0) * each

    def drawn(self, draws: Draws) -> Iterator[Arrays]:
        """The rows by source are dropped, table by table, once the matrix is made."""
        for table, found in zip(self.trip.tables, super().drawn(draws), strict=True):
            yield found | draws.matrix(self, table, found, by_delay=False)

    def read(self, arrays: Arrays, table: Table, begin: int, end: int) -> Synapse:
        source, part, slot, weight, steps = self.entries(
            arrays, table, np.arange(int(arrays[f"row_first{table.suffix}"][-1]))
        )
        mine = (source >= begin) & (source < end)
        return Synapse(source[mine], part[mine], slot[mine], weight[mine], steps[mine])

    def entries(self, arrays: Arrays, table: Table, at: I64) -> Synapse:
        starts, columns, kept, part_row = (arrays[a.name] for a in self.matrix(table))
        row_of, columns, kept = np.searchsorted(starts, at, side="right") - 1, columns[at], kept[at]
        width = 32 * int(arrays[f"list_at{self.trip.of}"][-1])
        source_of = np.zeros(width, np.int64)
        source_of[arrays[f"bit_of{self.trip.of}"]] = np.arange(self.address.layout.n_ids)
        sources = source_of[columns % width]
        part = np.searchsorted(part_row, row_of, side="right") - 1
        slots, weights, steps = self._read(row_of, part, part_row, columns // width, kept)
        return Synapse(sources, part, slots, weights, steps)

    @abstractmethod
    def _read(
        self, row_of: I64, part: I64, part_row: I64, ago: I64, kept: NDArray[np.generic]
    ) -> tuple[I64, NDArray[np.float64], I64]:
        """Slot, weight and delay of each synapse."""

    def _told(self, ends: I64) -> dict[str, I64]:
        return {"list_at": ends, "n_slots": self.address.layout.n_slots}

    def _ring(self, kind: type[Ring], table: Table) -> Ring:
        return kind(self.address, table, self.trip.size, self.lags, gathered=self.gathers and self.stacked)


class Csr(Product):
    """Gathered by target: a row for each input slot."""

    layout_name = "csr"
    gathers = True
    kernels = Product.kernels | {"multiply_csr": "biosnn.propagation.spmm_fused_cpu"}
    kept_as = "weights"

    @classmethod
    def suits(cls, traffic: Traffic, stacked: bool) -> bool:
        rows = traffic.n_slots * (traffic.delays.size if stacked else 1)
        return traffic.n_synapses >= SHORT_ROWS * rows

    def kept_dtype(self, table: Table) -> str:
        return table.store.weight

    @property
    def n_rows(self) -> int:
        return int(self.address.layout.n_slots.sum()) * (self.address.delays.size if self.stacked else 1)

    def geometry(self) -> Geometry:
        layout, delays, ring_len = self.address.layout, self.address.delays, self.trip.size.ring_len
        n_slots, class_of, none = layout.n_slots, _class_of(delays, ring_len), np.zeros(ring_len + 1, np.int64)
        stacked = delays.size if self.stacked else 1
        part_row = np.concatenate([[0], np.cumsum(n_slots * stacked)])[:-1].astype(np.int64)
        if self.stacked:
            return Geometry(part_row, n_slots, 1, class_of, none)
        width = 32 * int(layout.bit_words(self.address.sources)[-1])
        return Geometry(part_row, n_slots, 1, none, (ring_len - np.arange(ring_len + 1)) * width)

    def send(self, ring: Ring) -> list[str]:
        k, of = ring.table.suffix, self.trip.of
        names = ["step", "p", f"product_lags{of}[0]", f"fused_row{k}", f"n_slots{of}", f"product_delays{of}"]
        names += [f"fused_{x}{k}" for x in ("starts", "columns", "weights")]
        return call("multiply_csr", [*names, ring.table.store.scale, f"bits{of}", ring.into()])

    def _read(
        self, row_of: I64, part: I64, part_row: I64, ago: I64, kept: NDArray[np.generic]
    ) -> tuple[I64, NDArray[np.float64], I64]:
        within, slots_of_part = row_of - part_row[part], self.address.layout.n_slots[part]
        delays, ring_len = self.address.delays, self.trip.size.ring_len
        steps = delays[within // slots_of_part] if self.stacked else ring_len - ago
        return within % slots_of_part, kept.astype(np.float64), steps

    def _told(self, ends: I64) -> dict[str, I64]:
        delays = self.address.delays if self.stacked else np.zeros(1, np.int64)
        lags = np.full(delays.size, self.window, np.int64)
        return super()._told(ends) | {"product_lags": lags, "product_delays": delays}


class Coo(Product):
    """Swept synapse by synapse, in the order of their delays and sources."""

    layout_name = "coo"
    kernels = Product.kernels | {"multiply_coo": "biosnn.propagation.spmm_fused_cpu"}
    kept_as = "words"

    @property
    def n_rows(self) -> int:
        return self.address.layout.n_parts * self.address.delays.size

    def geometry(self) -> Geometry:
        parts, delays, ring_len = self.address.layout.n_parts, self.address.delays, self.trip.size.ring_len
        ones, none = np.ones(parts, np.int64), np.zeros(ring_len + 1, np.int64)
        return Geometry(np.arange(parts, dtype=np.int64) * delays.size, ones, 0, _class_of(delays, ring_len), none)

    def send(self, ring: Ring) -> list[str]:
        k, of = ring.table.suffix, self.trip.of
        names = ["step", "p", f"product_lags{of}", f"product_delays{of}"]
        names += [f"fused_{x}{k}" for x in ("starts", "columns", "words")]
        return call("multiply_coo", [*names, ring.table.store.scale, f"bits{of}", ring.into()])

    def _read(
        self, row_of: I64, part: I64, part_row: I64, ago: I64, kept: NDArray[np.generic]
    ) -> tuple[I64, NDArray[np.float64], I64]:
        delays = self.address.delays
        return *unpacked(kept), delays[row_of % delays.size]  # type: ignore[arg-type]

    def _told(self, ends: I64) -> dict[str, I64]:
        delays = self.address.delays
        lags = np.full(delays.size, self.window, np.int64) if self.stacked else delays
        return super()._told(ends) | {"product_lags": lags, "product_delays": delays}


LAYOUTS: dict[str, type[Product]] = {product.layout_name: product for product in (Csr, Coo)}


def columns_of(traffic: Traffic, window: int) -> float:
    """Columns that a fused matrix has at most."""
    return (traffic.n_ids + 512.0 * (traffic.n_parts + 1)) * (window + 1)


def _class_of(delays: I64, ring_len: int) -> I64:
    found = np.zeros(ring_len + 1, np.int64)
    found[delays] = np.arange(delays.size)
    return found
