"""run_features.json: which subsystems a run uses, from its description and its plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from biosnn.description.items import CurrentInput
from biosnn.distributions import Distribution

if TYPE_CHECKING:
    from biosnn.description.description import Description
    from biosnn.engine.planning.plan import Plan


def features(plan: Plan) -> dict[str, Any]:
    """The content of run_features.json: names, sorted, and truths."""
    net, ways = plan.address.net, plan.ways
    models = [p.model for p in net.populations.values() if p.model is not None]
    return {
        "models": _names(model.name for model in models),
        "receptors": _names(r.kind for model in models for r in model.receptors),
        "receptor_state_dtype": plan.receptor_dtype,
        "rules": _names(c.rule.name for c in net.connections),
        "weights": _names(t.store.label for t in plan.tables),
        "random_weights": any(isinstance(c.weight, Distribution) for c in net.connections),
        "random_delays": any(isinstance(c.delay, Distribution) for c in net.connections),
        "space": any(p.place is not None for p in net.populations.values()),
        "inputs": _names(_inputs(net)),
        "synapse_backend": ways.backend,
        "fused_layout": ways.layout,
        "ring_strategy": ways.ring,
        "ring_dtype": ways.ring_dtype,
        "stride_steps": ways.stride,
        "parallel": plan.parallel,
        "recorded": _names(r.variable for r in net.recorders),
        "attached": _names(a.name for a in net.attached),
    }


def _inputs(net: Description) -> Iterable[str]:
    """Kinds of what drives a network from outside."""
    for source in net.poisson_inputs:
        yield "poisson" if isinstance(source.rate, float) else "poisson, varying"
    for current in net.currents:
        yield "current" if isinstance(current, CurrentInput) else f"current, {type(current.source).__name__.lower()}"
    if net.spike_trains:
        yield "spike trains"


def _names(found: Iterable[str]) -> list[str]:
    return sorted(set(found))
