"""Connection rules, by NEST's names: how many synapses each source has, and how its targets are chosen.

A rule is described in numbers, so that a network can be planned without drawing it, and its out-degrees are drawn with
NumPy; targets, weights and delays are drawn by the kernels of `connectivity`, one synapse from one random word.
A new rule is a class here and a line in RULES.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.errors import DescriptionError

MOST_PAIRS = 1e9  # the limit of NumPy's multivariate hypergeometric draw
Choice = Literal["any", "distinct", "all", "given"]  # targets with replacement, without, every one, or listed


@dataclass(frozen=True)
class Sides:
    """What a rule needs to know of source and target: their sizes, and where each source stands among the targets.

    `own` is the position of each source in the target group, -1 if it is none; found only where it is asked for.
    """

    n_source: int
    n_target: int
    find_own: Callable[[], NDArray[np.int64]]

    @functools.cached_property
    def own(self) -> NDArray[np.int64]:
        """Position of each source among the targets, or -1."""
        return self.find_own()

    @property
    def shared(self) -> NDArray[np.bool_]:
        """For each source, whether it is a target too."""
        return self.own >= 0

    @property
    def n_shared(self) -> int:
        """Number of neurons that stand on both sides."""
        return int(self.shared.sum())


@dataclass(frozen=True)
class Rule(ABC):
    """Base of all rules. `allow_autapses`: a neuron may be its own target; `allow_multapses`: pairs may repeat."""

    allow_autapses: bool = True
    allow_multapses: bool = True
    name: ClassVar[str]
    choice: ClassVar[Choice] = "any"
    by_target: ClassVar[bool] = False  # each target draws `in_degree` sources

    @property
    def in_degree(self) -> int:
        """Sources of each target, of rules `by_target`."""
        raise AttributeError(f"{self.name} fixes no in-degree")

    @property
    def targets(self) -> Choice:
        """How the targets of one source are chosen."""
        return self.choice if self.choice != "any" or self.allow_multapses else "distinct"

    def check(self, owner: str, sides: Sides) -> None:
        """Raise DescriptionError if the rule cannot be met."""

    def possible(self, sides: Sides) -> NDArray[np.int64]:
        """Number of targets that each source may choose from."""
        lost = 0 if self.allow_autapses else sides.shared
        return np.full(sides.n_source, sides.n_target, np.int64) - lost

    @abstractmethod
    def expected(self, sides: Sides) -> float:
        """Expected number of synapses (exact, where the rule fixes it)."""

    @abstractmethod
    def in_degree_bound(self, sides: Sides) -> float:
        """No target has more synapses than this: certain, or failing with a probability below 1e-30."""

    @abstractmethod
    def out_degree_bound(self, sides: Sides) -> float:
        """No source has more synapses than this, likewise."""

    @abstractmethod
    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        """Number of synapses of each source, drawn. Rules `by_target` get theirs from the sources drawn."""


@dataclass(frozen=True)
class PairwiseBernoulli(Rule):
    """Each pair is connected with probability p, once at most."""

    p: float = 0.0
    name = "pairwise_bernoulli"
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
class FixedOutdegree(Rule):
    """Each source has `outdegree` targets, drawn uniformly."""

    outdegree: int = 0
    name = "fixed_outdegree"

    def check(self, owner: str, sides: Sides) -> None:
        there = int(self.possible(sides).min(initial=sides.n_target))
        _enough(owner, self, f"outdegree = {self.outdegree}", self.outdegree, there, "targets")

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
class FixedIndegree(Rule):
    """Each target has `indegree` sources, drawn uniformly."""

    indegree: int = 0
    name = "fixed_indegree"
    choice = "given"
    by_target = True

    @property
    def in_degree(self) -> int:
        return self.indegree

    def check(self, owner: str, sides: Sides) -> None:
        lost = int(not self.allow_autapses and sides.n_shared > 0)
        _enough(owner, self, f"indegree = {self.indegree}", self.indegree, sides.n_source - lost, "sources")

    def expected(self, sides: Sides) -> float:
        return float(sides.n_target * self.indegree)

    def in_degree_bound(self, sides: Sides) -> float:
        return float(self.indegree)

    def out_degree_bound(self, sides: Sides) -> float:
        hard = sides.n_target * (self.indegree if self.allow_multapses else 1)
        return min(hard, tail_bound(self.expected(sides) / max(sides.n_source - 1, 1)))

    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        raise AssertionError("the sources of fixed_indegree are drawn target by target")


@dataclass(frozen=True)
class FixedTotalNumber(Rule):
    """N synapses in all, each between a source and a target drawn uniformly."""

    N: int = 0
    name = "fixed_total_number"

    def check(self, owner: str, sides: Sides) -> None:
        pairs = int(self.possible(sides).sum())
        _enough(owner, self, f"N = {self.N}", self.N, pairs, "pairs")
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
class AllToAll(Rule):
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
class OneToOne(Rule):
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


def pairwise_bernoulli(p: float, *, allow_autapses: bool = True) -> Rule:
    """Each pair with probability p (between 0 and 1)."""
    return PairwiseBernoulli(
        p=_validate.number("pairwise_bernoulli", "p", p, at_least=0, at_most=1),
        allow_autapses=allow_autapses,
        allow_multapses=False,
    )


def fixed_indegree(indegree: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> Rule:
    """`indegree` sources for each target."""
    k = _validate.count("fixed_indegree", "indegree", indegree)
    return FixedIndegree(indegree=k, allow_autapses=allow_autapses, allow_multapses=allow_multapses)


def fixed_outdegree(outdegree: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> Rule:
    """`outdegree` targets for each source."""
    k = _validate.count("fixed_outdegree", "outdegree", outdegree)
    return FixedOutdegree(outdegree=k, allow_autapses=allow_autapses, allow_multapses=allow_multapses)


def fixed_total_number(N: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> Rule:
    """N synapses between sources and targets drawn uniformly."""
    n = _validate.count("fixed_total_number", "N", N)
    return FixedTotalNumber(N=n, allow_autapses=allow_autapses, allow_multapses=allow_multapses)


def all_to_all(*, allow_autapses: bool = True) -> Rule:
    """Every source to every target."""
    return AllToAll(allow_autapses=allow_autapses, allow_multapses=False)


def one_to_one() -> Rule:
    """The k-th source to the k-th target; both sides of the same size."""
    return OneToOne(allow_multapses=False)


RULES = {
    f.__name__: f
    for f in (pairwise_bernoulli, fixed_indegree, fixed_outdegree, fixed_total_number, all_to_all, one_to_one)
}


def tail_bound(mean: float) -> float:
    """An upper bound of a binomial or Poisson variate that fails with a probability below exp(-80).

    From Bernstein's inequality, P(X >= m + t) <= exp(-t^2 / (2 (m + t/3))).
    """
    return math.ceil(mean + 80 / 3 + math.sqrt((80 / 3) ** 2 + 160 * mean))


def _enough(owner: str, rule: Rule, asked: str, wanted: int, there: int, what: str) -> None:
    if wanted > 0 and there == 0:
        why = "one side is empty" if rule.allow_autapses else "one side is empty, or set allow_autapses=True"
        raise DescriptionError(f"{owner}: {rule.name} with {asked} finds no {what}: {why}")
    if not rule.allow_multapses and wanted > there:
        raise DescriptionError(
            f"{owner}: {rule.name} with {asked} needs as many different {what}, but there are {there}; "
            f"lower it or set allow_multapses=True"
        )
