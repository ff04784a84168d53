"""Connection rules, by NEST's names: how many synapses each source has, and how its targets are chosen.

A rule is described in numbers, so that a network can be planned without drawing it, and its out-degrees are drawn with
NumPy; targets, weights and delays are drawn by the kernels of `connectivity`, one synapse from one random word.
A new rule is a class here and a line in RULES. Those of space are in near.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.description.rules.base import Counted, Placed, Rule, Sides, enough, tail_bound
from biosnn.description.rules.near import NearBernoulli, NearIndegree
from biosnn.description.space import Profile, check_probability
from biosnn.errors import DescriptionError

MOST_PAIRS = 1e9  # the limit of NumPy's multivariate hypergeometric draw


@dataclass(frozen=True)
class PairwiseBernoulli(Counted):
    """Each pair is connected with probability p, once at most."""

    p: float = 0.0
    name = "pairwise_bernoulli"
    exact = False
    choice = "distinct"

    def expected(self, sides: Sides) -> float:
        return float(self.possible(sides).sum() * self.p)

    def in_degree_bound(self, sides: Sides) -> float:
        return min(sides.n_source, tail_bound(sides.n_source * self.p))

    def out_degree_bound(self, sides: Sides) -> float:
        return min(sides.n_target, tail_bound(sides.n_target * self.p))

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        return rng.binomial(self.possible(sides), self.p)


@dataclass(frozen=True)
class FixedOutdegree(Counted):
    """Each source has `outdegree` targets, drawn uniformly."""

    outdegree: int = 0
    name = "fixed_outdegree"

    def check(self, owner: str, sides: Sides) -> None:
        there = int(self.possible(sides).min(initial=sides.n_target))
        enough(owner, self, f"outdegree = {self.outdegree}", self.outdegree, there, "targets")

    def expected(self, sides: Sides) -> float:
        return float(sides.n_source * self.outdegree)

    def in_degree_bound(self, sides: Sides) -> float:
        hard = sides.n_source * (self.outdegree if self.allow_multapses else 1)
        return min(hard, tail_bound(self.expected(sides) / max(sides.n_target - 1, 1)))

    def out_degree_bound(self, sides: Sides) -> float:
        return float(self.outdegree)

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        return np.full(sides.n_source, self.outdegree, np.int64)


@dataclass(frozen=True)
class FixedIndegree(Placed):
    """Each target has `indegree` sources, drawn uniformly."""

    indegree: int = 0
    name = "fixed_indegree"
    choice = "given"

    def check(self, owner: str, sides: Sides) -> None:
        lost = int(not self.allow_autapses and sides.n_shared > 0)
        enough(owner, self, f"indegree = {self.indegree}", self.indegree, sides.n_source - lost, "sources")

    def expected(self, sides: Sides) -> float:
        return float(sides.n_target * self.indegree)

    def in_degree_bound(self, sides: Sides) -> float:
        return float(self.indegree)

    def out_degree_bound(self, sides: Sides) -> float:
        hard = sides.n_target * (self.indegree if self.allow_multapses else 1)
        return min(hard, tail_bound(self.expected(sides) / max(sides.n_source - 1, 1)))


@dataclass(frozen=True)
class FixedTotalNumber(Counted):
    """N synapses in all, each between a source and a target drawn uniformly."""

    N: int = 0
    name = "fixed_total_number"

    def check(self, owner: str, sides: Sides) -> None:
        pairs = int(self.possible(sides).sum())
        enough(owner, self, f"N = {self.N}", self.N, pairs, "pairs")
        if not self.allow_multapses and pairs >= MOST_PAIRS:
            raise DescriptionError(
                f"{owner}: {self.name} without multapses is drawn for less than {MOST_PAIRS:.0e} possible pairs, "
                f"got {pairs:.2e}; use pairwise_bernoulli({self.N / pairs:.4g}), or allow multapses"
            )

    def expected(self, sides: Sides) -> float:
        return float(self.N)

    def in_degree_bound(self, sides: Sides) -> float:
        hard = self.N if self.allow_multapses else min(self.N, sides.n_source)
        return min(hard, tail_bound(self.N / max(sides.n_target - 1, 1)))

    def out_degree_bound(self, sides: Sides) -> float:
        possible = self.possible(sides)
        most = int(possible.max(initial=0))
        hard = self.N if self.allow_multapses else min(self.N, most)
        return min(hard, tail_bound(self.N * most / max(int(possible.sum()), 1)))

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        possible = self.possible(sides)
        if not self.N:
            return np.zeros_like(possible)
        if self.allow_multapses:
            return rng.multinomial(self.N, possible / possible.sum())
        return rng.multivariate_hypergeometric(possible, self.N, method="marginals")


@dataclass(frozen=True)
class AllToAll(Counted):
    """Every source to every target, once."""

    name = "all_to_all"
    choice = "all"

    def expected(self, sides: Sides) -> float:
        return float(self.possible(sides).sum())

    def in_degree_bound(self, sides: Sides) -> float:
        return float(sides.n_source)

    def out_degree_bound(self, sides: Sides) -> float:
        return float(sides.n_target)

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        return self.possible(sides)


@dataclass(frozen=True)
class OneToOne(Counted):
    """The k-th source to the k-th target."""

    name = "one_to_one"
    choice = "given"

    def check(self, owner: str, sides: Sides) -> None:
        if sides.n_source != sides.n_target:
            raise DescriptionError(
                f"{owner}: {self.name} needs source and target of the same size, "
                f"got {sides.n_source} and {sides.n_target}"
            )

    def expected(self, sides: Sides) -> float:
        return float(sides.n_source)

    def in_degree_bound(self, sides: Sides) -> float:
        return 1.0

    def out_degree_bound(self, sides: Sides) -> float:
        return 1.0

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        return np.ones(sides.n_source, np.int64)


def pairwise_bernoulli(p: float | Profile, *, allow_autapses: bool = True) -> Rule:
    """Each pair with probability p: a number between 0 and 1, or a profile, as in 0.3 * space.gaussian(std=100).

    With `allow_autapses=False` no neuron is connected to itself. Raises DescriptionError for a p beyond 0 to 1.
    """
    if isinstance(p, Profile):
        check_probability("pairwise_bernoulli", p)
        return NearBernoulli(p=p, **_allowed("pairwise_bernoulli", allow_autapses, False))
    return PairwiseBernoulli(
        p=_validate.number("pairwise_bernoulli", "p", p, at_least=0, at_most=1),
        **_allowed("pairwise_bernoulli", allow_autapses, False),
    )


def fixed_indegree(
    indegree: int, *, p: Profile | None = None, allow_autapses: bool = True, allow_multapses: bool = True
) -> Rule:
    """`indegree` sources for each target, drawn uniformly, or with a probability proportional to the profile p.

    They are drawn with replacement; with `allow_multapses=False` no source is drawn twice, with `allow_autapses=False`
    not the target itself. `connect` raises DescriptionError where there are too few sources for that.
    """
    k = _validate.count("fixed_indegree", "indegree", indegree)
    allowed = _allowed("fixed_indegree", allow_autapses, allow_multapses)
    if p is None:
        return FixedIndegree(indegree=k, **allowed)
    if not isinstance(p, Profile):
        raise DescriptionError(
            f"fixed_indegree: p must be a profile such as space.gaussian(std=100.0), got {_validate.shown(p)}"
        )
    check_probability("fixed_indegree", p)
    return NearIndegree(indegree=k, p=p, **allowed)


def fixed_outdegree(outdegree: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> Rule:
    """`outdegree` targets for each source, drawn uniformly.

    They are drawn with replacement; with `allow_multapses=False` no target is drawn twice, with `allow_autapses=False`
    not the source itself. `connect` raises DescriptionError where there are too few targets for that.
    """
    k = _validate.count("fixed_outdegree", "outdegree", outdegree)
    return FixedOutdegree(outdegree=k, **_allowed("fixed_outdegree", allow_autapses, allow_multapses))


def fixed_total_number(N: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> Rule:
    """N synapses in all, between sources and targets drawn uniformly.

    Pairs are drawn with replacement; with `allow_multapses=False` none is drawn twice (of less than 1e9 possible ones),
    with `allow_autapses=False` none of a neuron and itself. `connect` raises DescriptionError where there are too few.
    """
    n = _validate.count("fixed_total_number", "N", N)
    return FixedTotalNumber(N=n, **_allowed("fixed_total_number", allow_autapses, allow_multapses))


def all_to_all(*, allow_autapses: bool = True) -> Rule:
    """Every source to every target, once; with `allow_autapses=False` no neuron to itself."""
    return AllToAll(**_allowed("all_to_all", allow_autapses, False))


def one_to_one() -> Rule:
    """The k-th source to the k-th target; `connect` raises DescriptionError unless both sides are of the same size."""
    return OneToOne(allow_multapses=False)


RULES = {
    f.__name__: f
    for f in (pairwise_bernoulli, fixed_indegree, fixed_outdegree, fixed_total_number, all_to_all, one_to_one)
}


def _allowed(owner: str, allow_autapses: Any, allow_multapses: Any) -> dict[str, bool]:
    """Both flags, if they are True or False."""
    flags = {"allow_autapses": allow_autapses, "allow_multapses": allow_multapses}
    return {name: _validate.flag(owner, name, value) for name, value in flags.items()}
