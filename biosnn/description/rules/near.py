"""Connection rules of space: whom a neuron is connected to depends on the distance.

Their pairs are drawn by the kernels of connectivity/near.py. What a plan needs to know of them, expected numbers and
bounds, comes from the field of the profile (geometry.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.description.rules.base import Placed, Sides, tail_bound
from biosnn.description.space import Profile
from biosnn.errors import DescriptionError

LEVEL = 1e-3  # of its peak: where a profile is lower, a fixed in-degree does not count on finding sources


@dataclass(frozen=True, kw_only=True)
class NearBernoulli(Placed):
    """Each pair is connected with probability p(distance), once at most."""

    p: Profile
    name = "pairwise_bernoulli"
    exact = False

    def expected(self, sides: Sides) -> float:
        """To within a few per cent, where neurons are many within the scale of the profile."""
        field = sides.field(self.p)
        found = float((field.mean(field.sources) * field.targets).sum())
        return max(found - (0.0 if self.allow_autapses else self.p.peak * sides.n_shared), 0.0)

    def in_degree_bound(self, sides: Sides) -> float:
        field = sides.field(self.p)
        return _bound(field.most(field.sources), field.targets, sides.n_source)

    def out_degree_bound(self, sides: Sides) -> float:
        field = sides.field(self.p)
        return _bound(field.most(field.targets), field.sources, sides.n_target)


@dataclass(frozen=True, kw_only=True)
class NearIndegree(Placed):
    """Each target has `indegree` sources, drawn with a probability proportional to p(distance)."""

    p: Profile
    indegree: int
    name = "fixed_indegree"

    def check(self, owner: str, sides: Sides) -> None:
        """Enough sources must be near each target: with fewer, drawing them would not end."""
        needed = min(self.indegree, 1) if self.allow_multapses else self.indegree
        own = np.zeros(sides.n_target, np.int64)
        if not self.allow_autapses:
            own[sides.own[sides.shared]] = 1
        reach = min(self.p.falls_to(LEVEL), self.p.max_distance)
        found = sides.space.sources_within(reach, needed + int(own.any())) - own
        few = np.flatnonzero(found < needed)
        if few.size:
            raise DescriptionError(
                f"{owner}: {self.name} with indegree = {self.indegree} and p = {self.p} needs {needed} sources or more "
                f"within {reach:g} um of each target, where p is cut off or has fallen to a thousandth of its peak; "
                f"target {few[0]} has {found[few[0]]}: widen p, lower indegree"
                + ("" if needed == 1 else ", or set allow_multapses=True")
            )

    def expected(self, sides: Sides) -> float:
        return float(sides.n_target * self.indegree)

    def in_degree_bound(self, sides: Sides) -> float:
        return float(self.indegree)

    def out_degree_bound(self, sides: Sides) -> float:
        hard = float(sides.n_target * (self.indegree if self.allow_multapses else 1))
        if not self.allow_multapses or not hard:
            return hard
        field = sides.field(self.p)
        chance = field.least(field.sources) - self.p.peak * (not self.allow_autapses)  # the least sum of p, at a target
        if (chance[field.targets > 0] <= 0).any():
            return hard
        per_target = np.where(field.targets > 0, self.indegree / np.where(chance > 0, chance, 1.0), 0.0)
        return _bound(field.most(field.targets * per_target), field.sources, hard)


def _bound(found: NDArray[np.float64], there: NDArray[np.float64], hard: float) -> float:
    """No neuron `there` has more synapses than this, if it expects at most as many as are `found` in its cell."""
    return min(hard, tail_bound(float(found[there > 0].max(initial=0.0))))
