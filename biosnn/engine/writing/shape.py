"""What the text of a driver depends on, as description and plan tell it: nothing is drawn, allocated or compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from biosnn.address.layout import Layout, ModelGroup
from biosnn.description.description import Description
from biosnn.description.items import CurrentInput
from biosnn.description.stimuli import Sinusoidal
from biosnn.engine.writing.delivery import Travel
from biosnn.models.own.neuron import OwnModel
from biosnn.neurons.body import varied_constants

if TYPE_CHECKING:
    from biosnn.engine.planning.plan import Plan


@dataclass(frozen=True)
class Probe:
    """A recorded variable of one model group, as the driver sees it."""

    group: int
    variable: str
    every: int


@dataclass(frozen=True)
class Shape:
    """What a driver depends on. Networks of one shape share a driver, whatever their sizes and parameters."""

    groups: tuple[ModelGroup, ...]
    per_neuron: tuple[frozenset[str], ...]  # of each group: constants that are arrays
    travel: Travel
    poisson: tuple[bool, bool]  # Poisson inputs into the int32 input, into the int64 input
    varying: tuple[bool, bool]  # the same, of varying rates
    currents: tuple[frozenset[str], ...]  # of each group: kinds of currents, of "change", "wave" and "noise"
    sources: bool
    wide: bool  # there is an int64 input
    probes: tuple[Probe, ...]
    parallel: bool
    meets: bool  # threads stay together for all steps of a chunk, and meet after each stride
    strides: bool  # a stride is more than one step


def shape_of(net: Description, plan: Plan) -> Shape:
    """The shape of a planned network."""
    layout, ways = plan.layout, plan.ways
    return Shape(
        groups=tuple(layout.groups),
        per_neuron=tuple(varied_constants(net, group) for group in layout.groups),
        travel=Travel(ways.backend, ways.layout, ways.ring, ways.by_delay, tuple(t.wide for t in plan.tables)),
        poisson=(_arrives(net, plan, wide=False, varying=False), _arrives(net, plan, wide=True, varying=False)),
        varying=(_arrives(net, plan, wide=False, varying=True), _arrives(net, plan, wide=True, varying=True)),
        currents=tuple(_currents(net, layout, group) for group in layout.groups),
        sources=bool(net.spike_trains),
        wide=plan.precision.any_wide,
        probes=tuple(_probes(net, layout)),
        parallel=plan.parallel,
        meets=plan.parallel,
        strides=ways.stride > 1,
    )


def prefix(shape: Shape, g: int) -> str:
    """What the names of a group's arrays start with: nothing, if it is the only one, with names that we chose.

    Arrays of a user's model start with its number: with its name, a_b_x could be x of a_b, and b_x of a.
    """
    if isinstance(shape.groups[g].model, OwnModel):
        return f"own{g}_"
    return "" if len(shape.groups) == 1 else f"{shape.groups[g].name}_"


def own_models(shape: Shape) -> list[OwnModel]:
    """The models of the user's own, whose text stands in the driver."""
    found = {g.function: g.model for g in shape.groups if isinstance(g.model, OwnModel)}
    return list(found.values())


def _arrives(net: Description, plan: Plan, *, wide: bool, varying: bool) -> bool:
    """Whether Poisson input of a constant or varying rate goes to the int32 or the int64 input."""
    inputs = zip(net.poisson_inputs, plan.precision.poisson, strict=True)
    mine = [source for source, f in inputs if f.wide == wide and isinstance(source.rate, float) != varying]
    return any(source.largest_rate > 0 and len(source.target) for source in mine)


def _currents(net: Description, layout: Layout, group: ModelGroup) -> frozenset[str]:
    """The kinds of currents that reach a group."""
    names, found = {layout.names[a] for a in group.populations}, set()
    for current in net.currents:
        if not any(p.name in names and len(index) for p, index, _ in current.target.by_population()):
            continue
        if isinstance(current, CurrentInput):
            found |= {"change"} if current.steps.size else set()
        else:
            found.add("wave" if isinstance(current.source, Sinusoidal) else "noise")
    return frozenset(found)


def _probes(net: Description, layout: Layout) -> Iterator[Probe]:
    """What is recorded, variable by variable and group by group."""
    first, group_of_id = layout.first_of(), np.repeat(layout.group_of, np.diff(layout.first_id))
    for recorder in net.recorders:
        if recorder.variable == "spikes":
            continue
        for g in np.unique(group_of_id[recorder.target.ids(first)]):
            model = layout.groups[g].model
            for term in model.terms(recorder.variable).terms:
                yield Probe(int(g), model.array(term), recorder.every)
