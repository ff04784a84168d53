"""The memory plan: every array with its formula and bytes, and every choice made, before anything is allocated."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from biosnn._machine import cores, free_memory
from biosnn.address.address import Address
from biosnn.address.layout import Layout, lay_out
from biosnn.address.precision import Precision
from biosnn.address.precision import choose as choose_units
from biosnn.address.repeats import find_repeats
from biosnn.address.storage import keep_in_16_bits
from biosnn.backends.frames import APART, SERIAL, TOGETHER
from biosnn.description.delays import distinct_steps, rounding
from biosnn.description.description import Description
from biosnn.description.late_changes import as_it_is
from biosnn.description.population import Population
from biosnn.distributions import Distribution
from biosnn.engine.planning.choice import Ways, asked
from biosnn.engine.planning.options import Asked
from biosnn.engine.planning.page import page, size_text
from biosnn.engine.planning.parts import make_parts
from biosnn.engine.planning.plots import PlanPlots
from biosnn.engine.planning.tables import ASSUMED_HZ
from biosnn.engine.writing.driver import write
from biosnn.errors import MemoryPlanError
from biosnn.parts.array import SECTIONS, Row
from biosnn.parts.part import Part
from biosnn.profiling.laps import Laps
from biosnn.propagation.backend import Backend
from biosnn.propagation.table import Table
from biosnn.recording.probe import Probes

# A serial step below this many ns is not worth dividing: meeting costs the threads about 2 us a step.
WORTH_DIVIDING = 8000.0
# Planned cost of a step: updating a neuron, drawing its Poisson input, delivering one event.
NS_NEURON, NS_POISSON, NS_EVENT = 0.6, 0.5, 1.5
CHUNK_STEPS = 8192  # steps from one return to Python to the next, at most
KEPT_SPIKE, KEPT_SAMPLE = 32, 8  # bytes that a run keeps, twice what they are: a result is put together from chunks
SAMPLE_BYTES = 32 * 2**20  # of one recorder's buffer, at most (or one sample of all its neurons)


@dataclass
class Plan:
    """What `build` will do and allocate. Printing it shows all of it."""

    address: Address
    parts: list[Part]
    ways: Ways  # for spikes to travel
    threads: int
    parallel: bool
    chunk_steps: int
    asked: Asked
    notes: list[str] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        """Where everything stands."""
        return self.address.layout

    @property
    def precision(self) -> Precision:
        """What weights are worth."""
        return self.address.precision

    @property
    def delays(self) -> NDArray[np.int64]:
        """Distinct delays of the network, in steps."""
        return self.address.delays

    @property
    def receptor_dtype(self) -> str:
        """That states of receptors are kept in."""
        return self.address.receptor_dtype

    @property
    def backends(self) -> list[Backend]:
        """What delivers spikes."""
        return [part for part in self.parts if isinstance(part, Backend)]

    @property
    def probes(self) -> Probes:
        """What records variables."""
        return next(part for part in self.parts if isinstance(part, Probes))

    @property
    def tables(self) -> list[Table]:
        """Tables of synapses."""
        return [table for backend in self.backends for table in backend.trip.tables]

    @property
    def rows(self) -> list[Row]:
        """All arrays, in the order of SECTIONS. What several parts name alike is one array, of the first of them."""
        found = sorted(_once(self.parts), key=lambda row: SECTIONS.index(row.section))
        return list(found)

    @property
    def bytes(self) -> int:
        """Total of all arrays that building allocates."""
        return sum(row.bytes for row in self.rows if not row.later)

    @property
    def later_bytes(self) -> int:
        """Bytes of what is allocated when it is needed, if it ever is."""
        return sum(row.bytes for row in self.rows if row.later)

    @property
    def n_synapses(self) -> float:
        """Synapses, expected where a rule leaves the number to chance."""
        return sum(t.n_synapses for t in self.tables)

    @property
    def plot(self) -> PlanPlots:
        """Plots: `memory`; they take the `plot` extra."""
        return PlanPlots(self.rows, self.bytes, self.later_bytes)

    @functools.cached_property
    def driver_source(self) -> str:
        """The Python module that would run this network. Where threads cannot meet, building writes another loop."""
        return self.driver(meets=self.parallel)

    def driver(self, meets: bool, laps: Laps | None = None) -> str:
        """The driver's text. `meets`: threads stay together for all steps of a chunk, and meet after each stride.

        With `laps`, it is the one that a profile is made with.
        """
        frame = TOGETHER if meets else APART if self.parallel else SERIAL
        return write(self.parts, frame, self.ways.stride > 1, laps)

    def check_memory(self) -> None:
        """Raise MemoryPlanError if the plan exceeds the machine's free memory."""
        free, rows = free_memory(), self.rows
        needed = sum(row.bytes for row in rows if not row.later)
        if free is not None and needed > free:
            largest = max((row for row in rows if not row.later), key=lambda row: row.bytes)
            raise MemoryPlanError(
                f"plan: {size_text(needed)} needed, {size_text(free)} of memory free; the largest array is "
                f"{largest.name} ({largest.formula}: {size_text(largest.bytes)}); use fewer neurons, synapses or "
                f"threads, or a smaller --scale"
            )

    def __repr__(self) -> str:
        return str(self)  # a notebook shows what `net.plan()` returns by its repr

    def __str__(self) -> str:
        about = "" if all(t.exact for t in self.tables) else "about "
        head = (
            f"plan: {self.layout.n_neurons:,} neurons, {about}{self.n_synapses:,.0f} synapses, "
            f"{self.layout.n_parts} partition(s), {'parallel' if self.parallel else 'serial'} driver, "
            f"synapse backend {self.ways.backend}, ring {self.ways.ring}"
        )
        return page(head, self.rows, self.notes)


def make_plan(net: Description, threads: int | None = None, ways: Asked | None = None) -> Plan:
    """Plan a network for a number of threads (None: by the planned work of a step)."""
    wanted, net = asked(ways or {}), as_it_is(net)
    if threads is None:
        threads = cores() if _step_ns(net) > WORTH_DIVIDING and cores() > 1 else 1
    address = _address(net, threads, wanted["receptor_state_dtype"])
    steps = _chunk_steps(net)
    parts, travel = make_parts(address, wanted, threads > 1, steps)
    plan = Plan(address, parts, travel, threads, threads > 1, steps, wanted)
    plan.notes += [*address.precision.notes, *travel.notes, *_notes(address), *_kept(net, wanted["max_record_mib"])]
    return plan


def _address(net: Description, threads: int, receptor_dtype: str) -> Address:
    dtype = receptor_dtype if receptor_dtype != "none" else "float32"
    layout, repeats = lay_out(net, threads), find_repeats(net)
    keep_in_16_bits(net, layout, dtype)
    units = choose_units(net, layout, repeats)
    return Address(net, layout, units, distinct_steps((c.delay for c in net.connections), net.dt), repeats, dtype)


def _chunk_steps(net: Description) -> int:
    """Steps that no buffer of samples is too small for."""
    steps = CHUNK_STEPS
    for recorder in net.recorders:
        if recorder.variable != "spikes":
            row = 4 * len(recorder.target)
            steps = min(steps, max(1, SAMPLE_BYTES // max(row, 1)) * recorder.every)
    return steps


def _once(parts: Sequence[Part]) -> Iterator[Row]:
    """Rows without the arrays that stood in one before; those that have a share of an array stay as they are."""
    seen: set[str] = set()
    for part in parts:
        shared = set[str]()
        for row in part.rows():
            if row.share != 1:
                shared |= {a.name for a in row.arrays}
                yield row
                continue
            fresh = tuple(a for a in row.arrays if a.name not in seen)
            seen |= {a.name for a in fresh}
            if fresh:
                yield replace(row, arrays=fresh)
        seen |= shared


def _notes(address: Address) -> Iterator[str]:
    """What has to be said of a network's times and sums."""
    net = address.net
    for c in net.connections:
        if said := rounding(c.delay, net.dt):
            yield f"connection {c.name!r}: {said}"
    for p in net.populations.values():
        if said := _t_ref_rounding(p, net.dt):
            yield f"population {p.name!r}: {said}"
    if net.connections:
        bound = max(f.bound for f in address.precision.connections)
        yield (
            f"no sum overflows: at most {bound:,.0f} arrivals of a connection per neuron, int32 sums of 16-bit weights"
            + (", int64 sums of float32 weights" if address.precision.any_wide else "")
        )


def _kept(net: Description, most_mib: float) -> Iterator[str]:
    """What a run may keep of what it records."""
    if any(r.owner is None for r in net.recorders) and most_mib > 0:
        yield (
            f"a run keeps up to {most_mib:,.6g} MiB of what it records ({KEPT_SPIKE} B a spike, {KEPT_SAMPLE} B a "
            f"sample, as it is put together in the end); max_record_mib raises that, sinks with keep=False need none"
        )


def _step_ns(net: Description) -> float:
    neurons = sum(p.n for p in net.populations.values() if p.model is not None)
    driven = sum(len(s.target) for s in net.poisson_inputs)
    events = sum(c.n_expected for c in net.connections) * ASSUMED_HZ * net.dt * 1e-3
    return NS_NEURON * neurons + NS_POISSON * driven + NS_EVENT * events


def _t_ref_rounding(population: Population, dt: float) -> str:
    if population.model is None or isinstance(t_ref := population.model.refractoriness, Distribution):
        return ""
    off = float(np.abs(t_ref - np.rint(np.asarray(t_ref) / dt) * dt).max(initial=0))
    name = population.model.refractory_time
    return f"{name} rounded to whole steps, by {off:.3g} ms at most" if off > 1e-6 * dt else ""
