"""Building the synapse tables: the connections of a plan become strands, and the kernels fill the rows."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from biosnn import random
from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.address.layout import Layout
from biosnn.address.precision import node_of
from biosnn.backends import interrupts
from biosnn.connectivity.distances import SPACE
from biosnn.connectivity.rows import Filling, fill, fill_rows
from biosnn.connectivity.strands import ALL, ANY, DISTINCT, LISTED, PLACED, STRAND
from biosnn.description.delays import delay_steps
from biosnn.description.items import Connection
from biosnn.description.population import Index, as_array
from biosnn.description.rules.base import Counted, Placed
from biosnn.description.space import OfDistance, TravelTime
from biosnn.distributions import N_QUANTILES, Distribution
from biosnn.engine.building.memory import memory_for
from biosnn.engine.building.placed import DRAWERS
from biosnn.engine.building.spatial import in_three_dimensions, space_record
from biosnn.parts.array import Arrays
from biosnn.propagation.table import Table

CHOICES = {"any": ANY, "distinct": DISTINCT, "all": ALL, "given": LISTED}


class _Columns:
    """Arrays that strands point into: appended piece by piece, joined at the end; equal pieces are kept once."""

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype, self.pieces, self.n = dtype, list[NDArray[np.generic]](), 0
        self.known: dict[bytes, int] = {}

    def add(self, values: NDArray[np.generic]) -> int:
        """Where the values stand."""
        values = np.ascontiguousarray(values, self.dtype)
        key = hashlib.sha1(values.tobytes(), usedforsecurity=False).digest() if values.size <= N_QUANTILES else b""
        if key and key in self.known:
            return self.known[key]
        at = self.n
        self.known[key] = at
        self.pieces.append(values)
        self.n += values.size
        return at

    def joined(self) -> NDArray[np.generic]:
        """One array of them all; never empty, so that kernels always have a type and an address."""
        return np.concatenate([*self.pieces, np.zeros(1, self.dtype)])


@memory_for("synapses")
def draw_table(address: Address, table: Table, by_delay: bool, threads: int) -> tuple[Arrays, float]:
    """All synapses of one table, as rows by source, sorted by partition, and by delay if their spikes wait.

    row_first, segments, words (see `connectivity.words`), and else waits: their delays in steps. And the seconds that
    compiling the kernels took which filled them.
    """
    builder = _Builder(address, table, by_delay, threads)
    return builder.build(), builder.compile_s


class _Builder:
    def __init__(self, address: Address, table: Table, by_delay: bool, threads: int) -> None:
        self.address, self.net, self.table, self.threads = address, address.net, table, threads
        self.by_delay = by_delay
        self.layout: Layout = address.layout
        self.number = {name: a for a, name in enumerate(self.layout.names)}
        self.first_of = self.layout.first_of()
        self.weights = _Columns(table.store.bits)
        # not the smallest type: each other one is another `fill` to compile, 0.6 s
        self.delays = _Columns(np.uint16 if address.delays.size <= 2**16 else np.uint32)
        self.target_ids, self.listed = _Columns(np.int64), _Columns(np.uint32)
        self.degrees, self.list_start = _Columns(np.int32), _Columns(np.int64)
        self.strands: list[list[Any]] = [[] for _ in self.layout.names]
        self.row_length = np.zeros(self.layout.n_ids, np.int64)
        self.spaces: list[NDArray[np.void]] = []
        self.factors = _Columns(np.float64)
        self.placed: list[tuple[Connection, I64]] = []
        self.compile_s = 0.0

    def build(self) -> Arrays:
        connections = [self.net.connections[k] for k in self.table.connections]
        # those placed first: their targets are written to the start of the rows
        for c in sorted(connections, key=lambda c: not isinstance(c.rule, Placed)):
            self._add(c)
        row_first = np.concatenate([[0], np.cumsum(self.row_length)])
        words = np.empty(row_first[-1], self.table.store.word)
        self._place(row_first, words)
        by_delay = self.by_delay
        wait_dtype = "uint8" if by_delay else self.address.wait_dtype  # by delay, none is written
        steps = self.address.delays.astype(wait_dtype)
        waits = np.empty(0 if by_delay else words.size, wait_dtype)
        columns = self.layout.n_parts * (steps.size if by_delay else 1) + 1
        # the planned dtype holds the longest row but for a chance of e^-80, and now its length is known
        needed = np.min_scalar_type(int(self.row_length.max(initial=0)))
        segments = np.empty((self.layout.n_ids, columns), np.promote_types(self.table.segment_dtype, needed))
        strands = [s for of_population in self.strands for s in of_population]
        strand_first = np.concatenate([[0], np.cumsum([len(s) for s in self.strands])]).astype(np.int64)
        work = row_first + 64 * np.arange(row_first.size)  # an empty row still has its segments to write
        filling = Filling(
            self.net.seed, self.layout.first_id, strand_first,
            np.array(strands, STRAND), self.degrees.joined(), self.target_ids.joined(), self.listed.joined(),
            self.list_start.joined(), self.weights.joined(), self.delays.joined(), self.layout.cell_table(),
            np.array([c.part for c in self.layout.cells]), self.layout.slot_shift, steps,
            self._places(), self.factors.joined(),
            row_first, words, waits, segments,
        )  # fmt: skip
        arguments = np.array(self.spaces, SPACE) if self.spaces else None, filling
        self._compile(fill, fill_rows, arguments)  # no row at all
        self._call(fill, fill_rows, _even_cuts(work, self.threads * 4), arguments)
        found = {"row_first": row_first, "segments": segments, "words": words}
        return found if by_delay else found | {"waits": waits}

    def _add(self, c: Connection) -> None:
        degrees = self._out_degrees(c)
        if not degrees.sum():
            return
        record = np.zeros((), STRAND)
        record["connection"] = c.index
        record["positive"], record["negative"] = (self.layout.shift_row(c.receptor, sign) for sign in (False, True))
        record["no_autapses"] = not c.rule.allow_autapses and c.sides.n_shared > 0
        self._targets(c, record)
        record["choice"] = (
            LISTED if c.pairs is not None else PLACED if isinstance(c.rule, Placed) else CHOICES[c.rule.targets]
        )
        self._attributes(c, record)
        record["space"] = self._space(c)
        start = np.concatenate([[0], np.cumsum(degrees)[:-1]]) if c.pairs is not None else None
        record["listed_at"] = self.listed.add(c.pairs.targets) if c.pairs is not None else 0
        for population, index, at in c.source.by_population():
            a = self.number[population.name]
            strand = record.copy()
            strand["degree_at"] = self.degrees.add(_spread(population.n, index, degrees[at]))
            strand["list_at"] = -1
            if start is not None:
                strand["list_at"] = self.list_start.add(_spread(population.n, index, start[at]))
            self.strands[a].append(strand[()])
            self.row_length[self.first_of[population.name] + as_array(index)] += degrees[at]

    def _out_degrees(self, c: Connection) -> I64:
        if c.pairs is not None:
            return np.bincount(c.pairs.sources, minlength=c.sides.n_source)
        if isinstance(c.rule, Counted):
            return c.rule.out_degrees(random.generator(self.net.seed, random.SYNAPSE, c.index), c.sides)
        before = self.row_length.copy()
        fill = np.zeros(self.layout.n_ids, np.int64)
        self._draw(c, fill, np.empty(0, np.uint32))
        self.placed.append((c, before))
        return fill[c.source.ids(self.first_of)]

    def _place(self, row_first: I64, words: NDArray[np.unsignedinteger]) -> None:
        for c, before in self.placed:
            self._draw(c, row_first[:-1] + before, words)

    def _draw(self, c: Connection, fill: I64, words: NDArray[np.unsignedinteger]) -> None:
        """Draw the pairs of a connection that is placed: count them in `fill`, write them where `words` has room."""
        drawer = DRAWERS[type(c.rule)]
        given = drawer.arguments(c, c.source.ids(self.first_of), c.target.ids(self.first_of))
        shared = self.net.seed, c.index
        of_nobody = {**given, drawer.each: given[drawer.each][:0]}
        self._compile(drawer.one, drawer.many, (*shared, *of_nobody.values(), fill, words))
        cuts = np.linspace(0, c.sides.n_source, drawer.finer * self.threads + 1).astype(np.int64)
        self._call(drawer.one, drawer.many, cuts, (*shared, *given.values(), fill, words))

    def _compile(self, one: Any, many: Any, arguments: tuple[Any, ...]) -> None:
        """Call a kernel for nothing, before it is called for all. Ctrl-C waits, for LLVM does not bear an exception."""
        started = time.perf_counter()
        with interrupts.held_back():
            self._call(one, many, np.zeros(2, np.int64), arguments)
        self.compile_s += time.perf_counter() - started

    def _call(self, one: Any, many: Any, cuts: I64, arguments: tuple[Any, ...]) -> None:
        """Run a kernel over a range, `many` in parallel over its parts."""
        if self.threads > 1:
            many(cuts, *arguments)
        else:  # needs no parallel region, whose compilation takes 2 s of a first run
            one(cuts[0], cuts[-1], *arguments)

    def _space(self, c: Connection) -> int:
        """The number of the record of what the synapses take from their distances; -1 if that is nothing."""
        if not isinstance(c.weight, OfDistance) and not isinstance(c.delay, TravelTime):
            return -1
        factor = c.delay.factors() if isinstance(c.delay, TravelTime) else np.ones(1)
        self.spaces.append(space_record(c, self.net.dt, self.factors.add(factor)))
        return len(self.spaces) - 1

    def _places(self) -> NDArray[np.float64]:
        """Where neurons stand, by id; of none, if nothing depends on it."""
        found = np.zeros((self.layout.n_ids if self.spaces else 0, 3))
        for name, population in self.net.populations.items():
            if population.place is not None and self.spaces:
                first = self.first_of[name]
                found[first : first + population.n] = in_three_dimensions(population.place.xyz)
        return found

    def _targets(self, c: Connection, record: NDArray[np.void]) -> None:
        ids = c.target.ids(self.first_of)
        record["n_target"] = ids.size
        if ids.size and (np.diff(ids) == 1).all():
            record["target_at"] = ids[0]
        else:
            record["scattered"], record["target_at"] = 1, self.target_ids.add(ids)

    def _attributes(self, c: Connection, record: NDArray[np.void]) -> None:
        weights = c.weight.table() if isinstance(c.weight, Distribution) else np.atleast_1d(c.weight)
        steps = delay_steps(c.delay, self.net.dt)
        classes = np.searchsorted(self.address.delays, steps)
        for name, column, values, given in (
            ("weight", self.weights, self._encoded(c, np.asarray(weights, np.float64)), c.weight),
            ("delay", self.delays, classes, c.delay),
        ):
            record[f"{name}_at"] = column.add(values)
            record[f"{name}_mask"] = N_QUANTILES - 1 if isinstance(given, Distribution) else 0
            record[f"{name}_step"] = isinstance(given, np.ndarray)

    def _encoded(self, c: Connection, weights: NDArray[np.float64]) -> NDArray[np.unsignedinteger]:
        """Weights as they stand in the table's words."""
        a = self.number[c.target.populations[0].name] if c.target.populations else 0
        units = self.address.precision.units
        plus, minus = (units[node_of(self.layout, a, negative, c.receptor)] for negative in (False, True))
        return self.table.store.encoded(weights, np.where(weights < 0, minus, plus))


def _spread(n: int, index: Index, values: I64) -> I64:
    """An array over a whole population with the values of some of its neurons, zero elsewhere."""
    if isinstance(index, range) and len(index) == n:
        return values
    whole = np.zeros(n, np.int64)
    whole[as_array(index)] = values
    return whole


def _even_cuts(work: I64, parts: int) -> I64:
    """Row ranges of about equal work, from its cumulative sum."""
    inner = np.searchsorted(work, work[-1] * np.arange(1, parts) / parts)
    return np.concatenate([[0], inner, [work.size - 1]]).astype(np.int64)
