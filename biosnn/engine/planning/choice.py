"""How spikes travel in one network: synapse backend, layout of the fused matrix, ring; and the choice between them.

What was asked for is taken if it can be, and refused with the reason if not. What was left to `auto` is chosen by what
a spike would cost, as each ring and backend says of itself, among the rings that fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from biosnn import _validate
from biosnn.errors import DescriptionError
from biosnn.propagation.backend import Backend, Trip
from biosnn.propagation.ring import Ring
from biosnn.propagation.spmm_fused import MOST_COLUMNS, Product, columns_of
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic, Wanted
from biosnn.propagation.ways import BACKENDS, LAYOUTS, RINGS

AUTO = "auto"  # what is left to BioSNN
RING_DTYPES = ("none", "float32", "float16", "bfloat16")
MAX_RING_MIB = 2048.0


class Asked(TypedDict, total=False):
    """What `Network.plan` and `Network.build` may be told about how spikes travel; the defaults leave it to BioSNN.

    synapse_backend   "auto", "event_driven" (the rows of the neurons that fired), "spmm_fused" (one sparse product)
    fused_layout      "auto", "csr" (gathers by target), "coo" (sweeps over the synapses): of spmm_fused
    ring_strategy     "auto", "spike_history" (spikes wait), "dense" (sums wait), "event_bucketed" (events wait)
    ring_dtype        "none" (integers: exact), "float32", "float16", "bfloat16": of the values of a ring
    ring_capacity_max events that an event_bucketed ring may hold; None: as many as max_ring_mib allows
    max_ring_mib      MiB that a ring may take; 0 or less: no limit
    receptor_state_dtype "none" (as the weights: float32), "float32", "float16", "bfloat16": of receptors' g or I;
                      arithmetic is in float32
    """

    synapse_backend: str
    fused_layout: str
    ring_strategy: str
    ring_dtype: str
    ring_capacity_max: int | None
    max_ring_mib: float
    receptor_state_dtype: str


@dataclass(frozen=True)
class Ways:
    """The choice."""

    ways: type[Backend]
    trip: Trip
    replaceable: bool  # the ring was chosen by `auto`, and is changed for the spike history where it is full
    notes: list[str]

    @property
    def backend(self) -> str:
        """Name of the synapse backend."""
        return self.ways.name

    @property
    def layout(self) -> str | None:
        """Layout of the fused matrix, if there may be one."""
        return self.trip.product.layout_name if self.trip.product is not None else None

    @property
    def ring(self) -> str:
        """Name of the ring."""
        return self.trip.ring.name

    @property
    def ring_dtype(self) -> str:
        """Format of the values of a ring; "none": integers."""
        return self.trip.size.dtype

    @property
    def ring_len(self) -> int:
        """Steps: the longest delay."""
        return self.trip.size.ring_len

    @property
    def stride(self) -> int:
        """Steps that a partition takes before it has to know of the others' spikes."""
        return self.trip.stride

    @property
    def capacity(self) -> int:
        """Events of each partition's pool, at first; 0 for a ring that is not limited."""
        return self.trip.size.capacity

    @property
    def capacity_max(self) -> int:
        """The most events of each partition's pool."""
        return self.trip.size.capacity_max


def asked(given: Mapping[str, Any]) -> Asked:
    """What was asked for, checked, with the defaults filled in. Raises DescriptionError."""
    for name in given:
        _validate.known("plan", "option", name, Asked.__annotations__)
    most = given.get("ring_capacity_max")
    return Asked(
        synapse_backend=_one(given, "synapse_backend", tuple(BACKENDS)),
        fused_layout=_one(given, "fused_layout", (AUTO, *LAYOUTS)),
        ring_strategy=_one(given, "ring_strategy", (AUTO, *RINGS)),
        ring_dtype=_one(given, "ring_dtype", RING_DTYPES),
        ring_capacity_max=None if most is None else _validate.count("plan", "ring_capacity_max", most, at_least=1),
        max_ring_mib=_validate.number("plan", "max_ring_mib", given.get("max_ring_mib", MAX_RING_MIB), "MiB"),
        receptor_state_dtype=_one(given, "receptor_state_dtype", RING_DTYPES),
    )


def _one(given: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first where nothing is given."""
    return _validate.known("plan", name, given.get(name, choices[0]), choices)


def wanted_of(asked: Asked) -> Wanted:
    """What was asked of a ring."""
    return Wanted(asked["ring_dtype"], asked["ring_capacity_max"], asked["max_ring_mib"])


def choose(asked: Asked, traffic: Traffic, tables: Sequence[Table], synchronous: bool) -> Ways:
    """The ways of some tables. `synchronous`: partitions have to be at the same step, whatever the backend.

    Raises DescriptionError for what cannot be combined, MemoryPlanError for a ring that is too large.
    """
    wanted, backend, ring, notes = wanted_of(asked), BACKENDS[asked["synapse_backend"]], _asked_ring(asked), []
    if not backend.has_product and asked["fused_layout"] != AUTO:
        raise DescriptionError(
            f"plan: fused_layout belongs to synapse_backend 'spmm_fused' or 'auto', not to {backend.name!r}; leave it "
            f"out"
        )
    replaceable = False
    if ring is None:
        ring, why = _ring(traffic, wanted, not backend.keeps_rows)
        notes.append(f"ring {ring.name}: {why}")
        replaceable = ring.is_limited and wanted.exact
    size = ring.settle(traffic, wanted)
    backend, why_backend = backend.settle(traffic, ring, wanted)
    notes += why_backend
    product = _layout(asked, traffic, ring, backend) if backend.has_product else None
    if not backend.has_product and asked["fused_layout"] != AUTO:
        notes.append(f"fused_layout {asked['fused_layout']}: there is no fused matrix")
    stride = 1 if backend.synchronous or synchronous or traffic.overflows else traffic.stride
    return Ways(backend, Trip(tables, ring, size, stride, product), replaceable, notes)


def _asked_ring(asked: Asked) -> type[Ring] | None:
    """The ring that was asked for; None if that was left to us. Raises DescriptionError for what it cannot be."""
    ring = RINGS.get(asked["ring_strategy"])
    if ring is None:
        return None
    if refusal := ring.refusal(wanted_of(asked)):
        raise DescriptionError(f"plan: {refusal}")
    if asked["ring_capacity_max"] is not None and not ring.is_limited:
        limited = " or ".join(repr(r.name) for r in RINGS.values() if r.is_limited)
        raise DescriptionError(
            f"plan: ring_capacity_max belongs to ring_strategy {limited}, not to {ring.name!r}; leave it out"
        )
    return ring


def _ring(t: Traffic, wanted: Wanted, gathers: bool) -> tuple[type[Ring], str]:
    """The ring in which a spike costs least, of those that fit; and why, in words.

    No run ends for a ring that was left to us: one of events is changed for the spike history where it is full
    (`other_ring`), and one of floats, which cannot be, is dense. A `ring_capacity_max` asks for a ring of events.
    """
    for ring in RINGS.values():
        if why := ring.at_once(t, wanted, gathers):
            return ring, why
    costs = {ring: ring.spike_ns(t, wanted) for ring in RINGS.values() if ring.fits(t, wanted)}
    if not costs:
        return next(ring for ring in RINGS.values() if not ring.refusal(wanted)), "no other fits"
    best = min(costs, key=lambda ring: costs[ring])
    cheapest_first = sorted(costs.items(), key=lambda item: item[1])
    shown = ", ".join(f"{ring.name} {ns * 1e-3:,.2f}" for ring, ns in cheapest_first)
    return best, f"us of one core that a spike is expected to cost: {shown}"


def _layout(asked: Asked, t: Traffic, ring: type[Ring], backend: type[Backend]) -> type[Product]:
    """The layout of the fused matrix. Raises DescriptionError where its columns cannot be numbered."""
    stacked = not backend.keeps_rows and not ring.spikes_wait
    stride = 1 if backend.synchronous else t.stride
    window = stride if stacked else t.ring_len
    if (columns := columns_of(t, window)) >= MOST_COLUMNS:
        raise DescriptionError(
            f"plan: spmm_fused numbers its columns with 32 bits, and {t.n_ids:,} neurons x {window:,} steps "
            f"are {columns:,.0f}; use --synapse-backend event_driven"
        )
    if asked["fused_layout"] in LAYOUTS:
        return LAYOUTS[asked["fused_layout"]]
    return next(layout for layout in LAYOUTS.values() if layout.suits(t, stacked))
