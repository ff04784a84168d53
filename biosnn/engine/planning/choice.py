"""How spikes travel in one network: synapse backend, layout of the fused matrix, ring; and the choice between them.

What was asked for is taken if it can be, and refused with the reason if not. What was left to `auto` is chosen by what
a spike would cost, with figures measured by benchmarks/propagation.py (docs/performance.md explains them), among the
rings that fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.engine.planning.options import OPTIONS, Asked, Option
from biosnn.errors import DescriptionError, MemoryPlanError
from biosnn.propagation.sizes import BLOCK, POST_BYTES

BACKENDS = ["event_driven", "spmm_fused"]
RINGS = ["dense", "event_bucketed", "spike_history"]
# Options whose choices may grow: a ring that is registered after this file was read can be asked for, too.
TABLES: dict[str, Collection[str]] = {"synapse_backend": BACKENDS, "ring_strategy": RINGS}

# ns on one core: finding out whether a (spike, delay, partition) has synapses; a segment that has; adding a synapse to
# the input; putting one into a dense ring whose part for one partition is so many bytes large; into a bucket.
NS_LOOK, NS_SEGMENT, NS_ADD, NS_BUCKET = 2.0, 12.0, 0.8, 4.5
NS_DENSE = ((0.5 * 2**20, 1.5), (16 * 2**20, 3.0), (float("inf"), 7.0))
NS_GATHER, NS_ROW = 0.65, 2.0  # a synapse of the fused matrix, and a row of it
SHORT_ROWS = 4.0  # synapses; matrices with shorter rows are swept, not gathered
FIRST_BLOCKS = 4  # times the least room: the pool of each partition, before it grows
MOST_COLUMNS = 2**32
NO_LIMIT = 2**40  # events
MOST_EVENTS = 2**31 - BLOCK  # of a partition: where the next event of a bucket goes is kept in 32 bits
BURST = 2.0  # times the assumed activity that a ring of events chosen by `auto` has room for
MOST_STRIDE = 32  # steps


@dataclass(frozen=True)
class Traffic:
    """What the choice depends on: the synapses of one kind (packed, wide) per source, and where they go."""

    n_ids: int  # neurons and spike sources
    n_sources: int
    n_synapses: float
    delays: NDArray[np.int64]
    n_parts: int
    n_slots: int
    exact_bytes: tuple[int, ...]  # of an exact amount, of each table: int32 or int64
    most_active: float  # no larger part of the neurons can fire in a step, in the long run
    active: float  # the part that is assumed to
    changes: bool  # something changes between two steps for all partitions at once: an injected current
    repeats: bool = False  # a source may fire several times in a step
    overflows: bool = False  # lists of spikes may have to grow after any step


@dataclass(frozen=True)
class Ways:
    """The choice."""

    backend: str
    layout: str
    ring: str
    ring_dtype: str
    ring_len: int  # steps: the longest delay
    stride: int = 1  # steps that a partition takes before it has to know of the others' spikes
    capacity: int = 0  # events of each partition's pool, at first
    capacity_max: int = 0
    replaceable: bool = False  # the ring was chosen by `auto`, and is changed for the spike history where it is full
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> bool:
        """Whether rows by source are kept."""
        return self.backend != "spmm_fused"

    @property
    def by_delay(self) -> bool:
        """Whether rows are sorted by delay: where the spikes wait. Else each synapse has its delay beside it."""
        return self.ring == "spike_history" and self.rows

    @property
    def fused(self) -> bool:
        """Whether there may be a fused matrix."""
        return self.backend != "event_driven"

    @property
    def stacked_by_row(self) -> bool:
        """Whether the delay buckets of the fused matrix stand one below the other: where amounts wait.

        `auto` gathers what is due even beside such a ring: it may at any step begin to let the spikes wait instead.
        """
        return self.backend == "spmm_fused" and self.ring != "spike_history"

    @property
    def window(self) -> int:
        """How many steps ago the earliest spikes were fired that the fused matrix is multiplied with."""
        return self.stride if self.stacked_by_row else self.ring_len

    @property
    def kept(self) -> int:
        """Steps whose spikes are kept as lists."""
        all_delays = self.ring == "spike_history" or self.backend == "auto" or self.replaceable
        return self.ring_len if all_delays else self.stride


def asked(given: Mapping[str, Any]) -> Asked:
    """What was asked for, checked by the table of options, with the defaults filled in. Raises DescriptionError."""
    for name in given:
        _validate.known("plan", "option", name, [option.name for option in OPTIONS])
    return cast(Asked, {o.name: _checked(o, given.get(o.name, o.default)) for o in OPTIONS})


def _checked(option: Option, value: Any) -> str | float | None:
    if option.choices:
        choices = {*option.choices, *TABLES.get(option.name, ())}
        return _validate.known("plan", option.name, value, choices)
    if value is None and option.default is None:
        return None
    if option.kind is int:
        return _validate.count("plan", option.name, value, at_least=option.at_least)
    return _validate.number("plan", option.name, value, option.unit)


def choose(asked: Asked, traffic: Traffic) -> Ways:
    """The ways of a network.

    Raises DescriptionError for what cannot be combined, MemoryPlanError for a ring that is too large.
    """
    ring, backend, dtype = asked["ring_strategy"], asked["synapse_backend"], asked["ring_dtype"]
    notes: list[str] = []
    if ring == "spike_history" and dtype != "none":
        raise DescriptionError(
            f"plan: ring_dtype {dtype!r} needs a ring of values, and spike_history keeps spikes, not values; "
            f"use ring_strategy 'dense' or 'event_bucketed', or ring_dtype 'none'"
        )
    if asked["ring_capacity_max"] is not None and ring not in ("event_bucketed", "auto"):
        raise DescriptionError(
            f"plan: ring_capacity_max belongs to ring_strategy 'event_bucketed', not to {ring!r}; leave it out"
        )
    if backend == "event_driven" and asked["fused_layout"] != "auto":
        raise DescriptionError(
            "plan: fused_layout belongs to synapse_backend 'spmm_fused' or 'auto', not to 'event_driven'; leave it out"
        )
    if ring == "auto":
        ring, why = _ring(asked, traffic)
        notes.append(f"ring {ring}: {why}")
    ring_len = int(traffic.delays.max(initial=1))
    replaceable = ring == "event_bucketed" and asked["ring_strategy"] == "auto" and dtype == "none"
    ways = Ways(backend, "csr", ring, dtype, ring_len, replaceable=replaceable, notes=notes)
    _check_ring(asked, traffic, ways)
    ways = _with_backend(asked, traffic, ways)
    if ways.backend != "auto" and not traffic.changes and not traffic.overflows:  # auto decides in each step, for all
        ways = replace(ways, stride=int(min(traffic.delays.min(initial=MOST_STRIDE), MOST_STRIDE, ways.ring_len)))
    return _with_capacity(asked, traffic, ways) if ring == "event_bucketed" else ways


def dense_bytes(traffic: Traffic, dtype: str) -> int:
    """bytes = ring_len * n_post * bytes_per_element, n_post counted in input slots."""
    return int(traffic.delays.max(initial=1)) * traffic.n_slots * element_bytes(traffic, dtype)


def value_bytes(exact: int, dtype: str) -> int:
    """Bytes of one value of a ring."""
    return {"none": exact, "float32": 4}.get(dtype, 2)


def element_bytes(traffic: Traffic, dtype: str) -> int:
    """The same, summed over the tables: each has a ring of its own."""
    return sum(value_bytes(exact, dtype) for exact in traffic.exact_bytes)


def event_bytes(traffic: Traffic, dtype: str) -> int:
    """value_bytes + post_idx_bytes of an event; the bucket tells its step."""
    return element_bytes(traffic, dtype) + POST_BYTES * len(traffic.exact_bytes)


def least_events(traffic: Traffic) -> int:
    """Events that each partition must have room for: every bucket an open block, and one that it may have to open."""
    return (2 * int(traffic.delays.max(initial=1)) + 1) * BLOCK


def _ring(asked: Asked, t: Traffic) -> tuple[str, str]:
    """The ring in which a spike costs least, of those that fit; and why, in words.

    No run ends for a ring that was left to us: one of events is changed for the spike history where it is full
    (`other_ring`), and one of floats, which cannot be, is dense. A `ring_capacity_max` asks for a ring of events.
    """
    each = t.n_synapses / max(t.n_sources, 1)
    if not t.n_synapses and asked["ring_dtype"] == "none" and not asked["ring_capacity_max"]:
        return "spike_history", "there are no synapses"
    if t.delays.size == 1 and asked["ring_dtype"] == "none" and not asked["ring_capacity_max"]:
        return "spike_history", "all delays are the same"
    if asked["synapse_backend"] == "spmm_fused" and asked["ring_dtype"] == "none" and not asked["ring_capacity_max"]:
        return "spike_history", "a sparse product gathers best from spikes that wait"
    segments = min(float(t.delays.size * t.n_parts), each)
    size = dense_bytes(t, asked["ring_dtype"])
    into_dense = next(ns for most, ns in NS_DENSE if size / t.n_parts <= most)
    costs = {"event_bucketed": t.n_parts * NS_SEGMENT + each * NS_BUCKET}
    events = float(least_events(t) * t.n_parts)
    if asked["ring_capacity_max"] is None:
        events = max(events, BURST * t.active * t.n_synapses * float(t.delays.mean() if t.delays.size else 1.0))
        costs["dense"] = t.n_parts * NS_SEGMENT + each * into_dense
        if asked["ring_dtype"] == "none":
            costs["spike_history"] = t.delays.size * t.n_parts * NS_LOOK + segments * NS_SEGMENT + each * NS_ADD
    if not _fits(asked, size):
        costs.pop("dense", None)
    if t.delays.size * t.n_parts > 4 * each + 64:  # its table of segments would be larger than the synapses
        costs.pop("spike_history", None)
    allowed = asked["ring_dtype"] == "none" or asked["ring_capacity_max"] is not None
    if not allowed or not _fits(asked, events * event_bytes(t, asked["ring_dtype"])):
        costs.pop("event_bucketed")
    if not costs:
        return ("spike_history" if asked["ring_dtype"] == "none" else "dense"), "no other fits"
    best = min(costs, key=lambda ring: costs[ring])
    shown = ", ".join(f"{ring} {ns * 1e-3:,.2f}" for ring, ns in sorted(costs.items(), key=lambda item: item[1]))
    return best, f"us of one core that a spike is expected to cost: {shown}"


def _fits(asked: Asked, size: float) -> bool:
    return asked["max_ring_mib"] <= 0 or size <= asked["max_ring_mib"] * 2**20


def _check_ring(asked: Asked, t: Traffic, ways: Ways) -> None:
    size = dense_bytes(t, ways.ring_dtype)
    if ways.ring == "dense" and not _fits(asked, size):
        raise MemoryPlanError(
            f"plan: the dense ring needs {size / 2**20:,.1f} MiB (ring_len {ways.ring_len:,} x n_post {t.n_slots:,} x "
            f"{element_bytes(t, ways.ring_dtype)} B), over --max-ring-mib {asked['max_ring_mib']:g}; try "
            f"--ring-strategy event_bucketed or spike_history, a --ring-dtype of fewer bytes, or raise the limit"
        )


def _with_capacity(asked: Asked, t: Traffic, ways: Ways) -> Ways:
    """Pools of blocks: what the buckets need to begin with, and as far as they may grow."""
    each, limit = event_bytes(t, ways.ring_dtype), asked["max_ring_mib"] * 2**20
    least = least_events(t)
    most = int(min(limit / max(each, 1), NO_LIMIT)) if limit > 0 else NO_LIMIT
    if asked["ring_capacity_max"] is not None:
        most = min(most, asked["ring_capacity_max"])
    most_each = min(most // t.n_parts, MOST_EVENTS) // BLOCK * BLOCK
    if most_each < least:
        given = asked["ring_capacity_max"]
        knob = f"--max-ring-mib {asked['max_ring_mib']:g}" if given != most else f"--ring-capacity-max {given}"
        raise MemoryPlanError(
            f"plan: the event_bucketed ring needs room for {least * t.n_parts:,} events at least "
            f"({t.n_parts} partition(s) x {least // BLOCK:,} blocks of {BLOCK}; {each} B an event), and {knob} "
            f"leaves {most:,}; raise it, or try --ring-strategy spike_history"
        )
    return replace(ways, capacity=min(least * FIRST_BLOCKS, most_each), capacity_max=most_each)


def _with_backend(asked: Asked, t: Traffic, ways: Ways) -> Ways:
    backend, layout = asked["synapse_backend"], asked["fused_layout"]
    if t.repeats:  # the product knows a bit of a neuron and step
        if backend == "spmm_fused":
            raise DescriptionError(
                "plan: spmm_fused knows whether a source fired in a step, not how often, and some may fire several "
                "times (spike times given twice, poisson, parrot_neuron); use --synapse-backend event_driven"
            )
        if backend == "auto":
            ways.notes.append(
                "backend event_driven: some sources may fire several times in a step, and each spike counts"
            )
            ways, backend = replace(ways, backend="event_driven"), "event_driven"
    if not t.n_synapses and backend == "auto":
        return replace(ways, backend="event_driven")
    if backend == "auto":
        backend, note = _backend(t, ways)
        ways.notes.append(note)
        ways = replace(ways, backend=backend)
    if not ways.fused:
        if layout != "auto":
            ways.notes.append(f"fused_layout {layout}: there is no fused matrix")
        return ways
    columns = _columns(t, ways)
    if columns >= MOST_COLUMNS:
        raise DescriptionError(
            f"plan: spmm_fused numbers its columns with 32 bits, and {t.n_ids:,} neurons x {ways.window:,} steps "
            f"are {columns:,.0f}; use --synapse-backend event_driven"
        )
    if layout == "auto":
        rows = t.n_slots * (t.delays.size if ways.stacked_by_row else 1)
        layout = "csr" if t.n_synapses >= SHORT_ROWS * rows else "coo"
    return replace(ways, layout=layout)


def _columns(t: Traffic, ways: Ways) -> float:
    return (t.n_ids + 512.0 * (t.n_parts + 1)) * (ways.window + 1)


def _backend(t: Traffic, ways: Ways) -> tuple[str, str]:
    """`event_driven` alone, where a sparse product can never pay; else `auto`, which looks at each step."""
    each = t.n_synapses / max(t.n_sources, 1)
    segments = min(float(t.delays.size * t.n_parts), each)
    if ways.ring == "spike_history":
        per_spike = t.delays.size * t.n_parts * NS_LOOK + segments * NS_SEGMENT + each * NS_ADD
    else:
        size = dense_bytes(t, ways.ring_dtype) / t.n_parts
        put = next(ns for most, ns in NS_DENSE if size <= most) if ways.ring == "dense" else NS_BUCKET
        per_spike = t.n_parts * NS_SEGMENT + each * put
    product = t.n_synapses * NS_GATHER + t.n_slots * NS_ROW
    crossing = product / max(per_spike * t.n_sources, 1.0)
    if _columns(t, ways) >= MOST_COLUMNS or crossing > 2 * t.most_active:
        return "event_driven", (
            f"backend event_driven: a sparse product of all synapses would pay if {crossing:.1%} of the neurons fired "
            f"in a step, and at most {t.most_active:.1%} can fire"
        )
    return "auto", (
        f"backend auto: a sparse product is expected to pay where over {crossing:.1%} of the neurons fire in a step; "
        f"its matrix is made when activity comes near that"
    )
