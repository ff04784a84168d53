"""The memory plan: every array with its formula and bytes, and every choice made, before anything is allocated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.address import precision
from biosnn.address.layout import Layout, lay_out
from biosnn.address.repeats import FEW, Repeats, find_repeats, most_given
from biosnn.address.storage import keep_in_16_bits
from biosnn.description.delays import distinct_steps, rounding
from biosnn.description.description import Description
from biosnn.description.items import Connection, CurrentInput
from biosnn.description.late_changes import as_it_is
from biosnn.description.population import Population
from biosnn.distributions import Distribution
from biosnn.engine.planning.choice import Traffic, Ways, asked, choose
from biosnn.engine.planning.entries import Entry, list_entries
from biosnn.engine.planning.machine import cores, free_memory
from biosnn.engine.planning.options import Asked
from biosnn.engine.planning.page import page, size_text
from biosnn.engine.writing.driver import write
from biosnn.engine.writing.shape import Shape, shape_of
from biosnn.errors import MemoryPlanError

# A serial step below this many ns is not worth dividing: meeting costs the threads about 2 us a step.
WORTH_DIVIDING = 8000.0
# Planned cost of a step: updating a neuron, drawing its Poisson input, delivering one event; and the assumed rate (Hz).
NS_NEURON, NS_POISSON, NS_EVENT, ASSUMED_HZ = 0.6, 0.5, 1.5, 10.0
# Spikes that a list of the history holds beyond one step in which all neurons fire; it grows when it must.
HISTORY_ROOM = 65536
CHUNK_STEPS = 8192  # steps from one return to Python to the next, at most
SAMPLE_BYTES = 32 * 2**20  # of one recorder's buffer, at most (or one sample of all its neurons)


@dataclass
class TablePlan:
    """One synapse table: the connections (by number) whose weights it holds, 16-bit packed or float32 wide."""

    wide: bool
    connections: list[int]
    n_synapses: float
    exact: bool
    segment_dtype: type[np.unsignedinteger]


@dataclass
class Plan:
    """What `build` will do and allocate. Printing it shows all of it."""

    layout: Layout
    precision: precision.Precision
    delays: NDArray[np.int64]  # distinct delays of the network, in steps
    tables: list[TablePlan]
    threads: int
    parallel: bool
    chunk_steps: int
    ways: Ways
    receptor_dtype: str  # that states of receptors are kept in
    most_spikes: NDArray[np.int64]  # that each list of the spike history can gain in a stride
    most_repeated: int  # a neuron that fires more often in one step ends the run
    asked: Asked
    net: Description  # as it was when it was planned
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Total of all arrays that building allocates."""
        return sum(e.bytes for e in self.entries if not e.later)

    @property
    def later_bytes(self) -> int:
        """Bytes of what is allocated when it is needed, if it ever is."""
        return sum(e.bytes for e in self.entries if e.later)

    @property
    def n_synapses(self) -> float:
        """Synapses, expected where a rule leaves the number to chance."""
        return sum(t.n_synapses for t in self.tables)

    @property
    def longest_delay(self) -> int:
        """In steps; at least one."""
        return self.ways.ring_len

    def wait_dtype(self) -> type[np.unsignedinteger]:
        """Of the delays, in steps, that stand beside synapses."""
        return np.uint8 if self.longest_delay < 2**8 else np.uint16 if self.longest_delay < 2**16 else np.uint32

    def fused_rows(self) -> int:
        """Rows of a fused matrix: one for each slot, or delay and slot; of coo, one for each partition and delay."""
        if self.ways.layout == "coo":
            return self.layout.n_parts * self.delays.size
        return int(self.layout.n_slots.sum()) * (self.delays.size if self.ways.stacked_by_row else 1)

    @functools.cached_property
    def shape(self) -> Shape:
        """What the driver's text depends on."""
        return shape_of(self.net, self)

    @property
    def driver_source(self) -> str:
        """The Python module that would run this network. Where threads cannot meet, building writes another loop."""
        return write(self.shape)

    @property
    def history_capacity(self) -> int:
        """Initial room of each list of the spike history, in spikes."""
        return int(self.most_spikes.max(initial=0)) + HISTORY_ROOM

    def take_later(self) -> None:
        """Count what is allocated later as allocated: it is there now."""
        self.entries = [replace(e, later=False) for e in self.entries]

    def check_memory(self) -> None:
        """Raise MemoryPlanError if the plan exceeds the machine's free memory."""
        free = free_memory()
        if free is not None and self.bytes > free:
            largest = max((e for e in self.entries if not e.later), key=lambda e: e.bytes)
            raise MemoryPlanError(
                f"plan: {size_text(self.bytes)} needed, {size_text(free)} of memory free; the largest array is "
                f"{largest.name} ({largest.formula}: {size_text(largest.bytes)}); use fewer neurons, synapses or "
                f"threads, or a smaller --scale"
            )

    def __repr__(self) -> str:
        return str(self)  # a notebook shows what `net.plan()` returns by its repr

    def __str__(self) -> str:
        return page(self)


def make_plan(net: Description, threads: int | None = None, ways: Asked | None = None) -> Plan:
    """Plan a network for a number of threads (None: by the planned work of a step)."""
    wanted = asked(ways or {})
    if threads is None:
        threads = cores() if _step_ns(net) > WORTH_DIVIDING and cores() > 1 else 1
    receptor_dtype = wanted["receptor_state_dtype"] if wanted["receptor_state_dtype"] != "none" else "float32"
    layout = lay_out(net, threads)
    keep_in_16_bits(net, layout, receptor_dtype)
    repeats = find_repeats(net)
    chosen = precision.choose(net, layout, repeats)
    delays = distinct_steps((c.delay for c in net.connections), net.dt)
    tables = _tables(net, chosen)
    travel = choose(wanted, _traffic(net, layout, tables, delays, repeats))
    plan = Plan(
        layout, chosen, delays, tables, threads, threads > 1, CHUNK_STEPS, travel, receptor_dtype,
        _most_spikes(net, layout, travel, repeats), repeats.limit, wanted, as_it_is(net),
    )  # fmt: skip
    plan.notes += chosen.notes + travel.notes
    plan.notes += [f"connection {c.name!r}: {r}" for c in net.connections if (r := rounding(c.delay, net.dt))]
    plan.notes += [f"population {p.name!r}: {r}" for p in net.populations.values() if (r := _t_ref_rounding(p, net.dt))]
    if net.connections:
        bound = max(f.bound for f in chosen.connections)
        plan.notes.append(
            f"no sum overflows: at most {bound:,.0f} arrivals of a connection per neuron, int32 sums of 16-bit weights"
            + (", int64 sums of float32 weights" if chosen.any_wide else "")
        )
    for recorder in net.recorders:
        if recorder.variable != "spikes":
            row = 4 * len(recorder.target)
            plan.chunk_steps = min(plan.chunk_steps, max(1, SAMPLE_BYTES // max(row, 1)) * recorder.every)
    plan.entries = list_entries(net, plan)
    return plan


def _step_ns(net: Description) -> float:
    neurons = sum(p.n for p in net.populations.values() if p.model is not None)
    driven = sum(len(s.target) for s in net.poisson_inputs)
    events = sum(c.n_expected for c in net.connections) * ASSUMED_HZ * net.dt * 1e-3
    return NS_NEURON * neurons + NS_POISSON * driven + NS_EVENT * events


def _tables(net: Description, chosen: precision.Precision) -> list[TablePlan]:
    tables = []
    for wide in (False, True):
        mine = [k for k, feed in enumerate(chosen.connections) if feed.wide == wide]
        if mine:
            connections = [net.connections[k] for k in mine]
            n = sum(c.n_expected for c in connections)
            longest = _longest_row(connections)
            dtype = np.uint8 if longest < 2**8 else np.uint16 if longest < 2**16 else np.uint32
            tables.append(TablePlan(wide, mine, n, all(c.n_exact for c in connections), dtype))
    return tables


def _traffic(
    net: Description, layout: Layout, tables: list[TablePlan], delays: NDArray[np.int64], repeats: Repeats
) -> Traffic:
    """What the choice of ways looks at."""
    names = {p.name for c in net.connections for p in c.source.populations}
    n_sources = sum(net.populations[name].n for name in names)
    active = sum(net.populations[name].n * _most_active(net.populations[name], net.dt) for name in names)
    return Traffic(
        layout.n_ids, n_sources, sum(t.n_synapses for t in tables), delays, layout.n_parts, int(layout.drive_at[-1]),
        tuple(8 if t.wide else 4 for t in tables), active / max(n_sources, 1),
        ASSUMED_HZ * net.dt * 1e-3, any(isinstance(c, CurrentInput) for c in net.currents),
        repeats=max((repeats.of(c.source) for c in net.connections), default=1) > 1,
        overflows=repeats.overflow,
    )  # fmt: skip


def _most_spikes(net: Description, layout: Layout, ways: Ways, repeats: Repeats) -> NDArray[np.int64]:
    """For each partition, and for the spike sources: the most spikes of a stride, as refractoriness allows.

    Of what a neuron repeats, FEW a step; more than that find room after the step, which is the stride then.
    """
    most = np.zeros(layout.n_parts + bool(net.spike_trains), np.int64)
    for cell in layout.cells:
        each = np.ceil(ways.stride * _most_active(net.population_at(cell.population), net.dt, np.max))
        most[cell.part] += (cell.last - cell.first) * int(each) * min(repeats.most[layout.names[cell.population]], FEW)
    if net.spike_trains:
        most[-1] = most_given(net, ways.stride)
    return most


def _most_active(population: Population, dt: float, over: Callable[[NDArray[np.float64]], Any] = np.mean) -> float:
    """Spikes per neuron and step that refractoriness allows, at most; the mean or the maximum `over` the neurons."""
    t_ref = population.model.refractoriness if population.model is not None else 0.0
    if isinstance(t_ref, Distribution):
        return 1.0
    return float(over(1 / (1 + np.rint(np.asarray(t_ref) / dt)))) if np.size(t_ref) else 0.0


def _longest_row(connections: list[Connection]) -> float:
    """A bound of the number of synapses of any source."""
    total: dict[str, float] = {}
    for c in connections:
        for name in {p.name for p in c.source.populations}:
            total[name] = total.get(name, 0.0) + c.out_degree_bound
    return max(total.values(), default=0.0)


def _t_ref_rounding(population: Population, dt: float) -> str:
    if population.model is None or isinstance(t_ref := population.model.refractoriness, Distribution):
        return ""
    off = float(np.abs(t_ref - np.rint(np.asarray(t_ref) / dt) * dt).max(initial=0))
    name = population.model.refractory_time
    return f"{name} rounded to whole steps, by {off:.3g} ms at most" if off > 1e-6 * dt else ""
