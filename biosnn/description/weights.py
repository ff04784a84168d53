"""Which receptors weights are for: their unit, and the sign by which they are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.description.population import Group
from biosnn.distributions import Distribution, extremes
from biosnn.errors import DescriptionError

Values = float | F64 | Distribution


def weight_unit(owner: str, target: Group, receptor: str | None) -> str:
    """The unit of weights onto a receptor (None: by sign) of the target; UnknownNameError for one that is not there."""
    units: dict[str, None] = {}
    for population in target.populations:
        model = population.model
        assert model is not None
        known = {r.name: r.unit for r in model.receptors} or {"delta": model.jump_unit}
        if receptor is not None:
            _validate.known(f"{owner}: population {population.name!r}", "receptor", receptor, known)
        units |= dict.fromkeys(known.values() if receptor is None else [known[receptor]])
    return " or ".join(units)


def signed(owner: str, target: Group, receptor: str | None, weight: Values) -> Values:
    """Weights as they are kept, whatever sign or size they were given.

    Negative onto an inhibitory conductance; 1 onto neurons that count the spikes that reach them.
    """
    counting = [p.name for p in target.populations if p.model is not None and p.model.counts]
    if counting:
        others = [p.name for p in target.populations if p.name not in counting]
        if others:
            raise DescriptionError(
                f"{owner}: {counting[0]!r} count the spikes that reach them, whatever their weights, and {others[0]!r} "
                f"add the weights up; connect them apart"
            )
        return 1.0
    signs: set[int] = set()
    for population in target.populations:
        model = population.model
        assert model is not None
        bank = model.bank(())
        named = next((r for r in model.receptors if r.name == receptor), None)
        if named is not None and named.reversal is not None:
            signs.add(bank.signs[bank.slot(named.name)])
        elif named is None and receptor is None and bank.inh == bank.exc and any(r.reversal for r in model.receptors):
            signs.add(bank.signs[bank.exc])
    if not signs:
        return weight
    low, high = extremes(weight)
    if low < 0 and -1 not in signs:
        raise DescriptionError(
            f"{owner}: negative weights need an inhibitory receptor, got {low:g} nS; name one, or give the neurons one"
        )
    if low < 0 < high:
        raise DescriptionError(
            f"{owner}: weights onto a conductance must be of one sign, got {low:g} to {high:g} nS; cut a "
            f"distribution off with .redrawn(min=0.0), or leave `receptor` out to send each sign to its own receptor"
        )
    if len(signs) > 1:
        raise DescriptionError(
            f"{owner}: receptor {receptor!r} is excitatory in one population of the target and inhibitory in another; "
            f"connect them apart"
        )
    negative = low < 0
    if negative == (signs == {-1}) or low == high == 0:
        return weight
    return _Negated(weight) if isinstance(weight, Distribution) else -weight


@dataclass(frozen=True)
class _Negated(Distribution):
    base: Distribution

    def quantile(self, u: F64) -> F64:
        return -self.base.quantile(1 - np.asarray(u))

    def cdf(self, x: float) -> float:
        return 1 - self.base.cdf(-x)
