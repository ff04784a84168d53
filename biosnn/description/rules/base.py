"""What a connection rule is: a description in numbers, so that a network can be planned without drawing it."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from biosnn.description.geometry import Field, Geometry
from biosnn.description.space import Profile
from biosnn.errors import DescriptionError

Choice = Literal["any", "distinct", "all", "given"]  # targets with replacement, without, every one, or listed


@dataclass(frozen=True)
class Sides:
    """What a rule needs to know of source and target: their sizes, and where each source stands among the targets.

    `own` is the position of each source in the target group, -1 if it is none, `space` their places; both are found
    only where they are asked for.
    """

    n_source: int
    n_target: int
    find_own: Callable[[], NDArray[np.int64]]
    find_space: Callable[[], Geometry]

    @functools.cached_property
    def own(self) -> NDArray[np.int64]:
        """Position of each source among the targets, or -1."""
        return self.find_own()

    @functools.cached_property
    def space(self) -> Geometry:
        """Where they stand; DescriptionError if they have no positions."""
        return self.find_space()

    def field(self, profile: Profile) -> Field:
        """How many neurons a profile finds; computed once for each."""
        if profile not in self._fields:
            self._fields[profile] = Field(self.space, profile)
        return self._fields[profile]

    @functools.cached_property
    def _fields(self) -> dict[Profile, Field]:
        return {}

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
    exact: ClassVar[bool] = True  # the number of synapses; else it is left to chance

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


class Counted(Rule):
    """A rule that says how many synapses each source has; their targets are chosen as `choice` tells."""

    @abstractmethod
    def out_degrees(self, rng: np.random.Generator, sides: Sides) -> NDArray[np.int64]:
        """Number of synapses of each source, drawn."""


class Placed(Rule):
    """A rule whose pairs a kernel draws, which counts them first: a line in DRAWERS of `engine/building/placed.py`."""


def tail_bound(mean: float) -> float:
    """An upper bound of a binomial or Poisson variate that fails with a probability below exp(-80).

    From Bernstein's inequality, P(X >= m + t) <= exp(-t^2 / (2 (m + t/3))).
    """
    return math.ceil(mean + 80 / 3 + math.sqrt((80 / 3) ** 2 + 160 * mean))


def enough(owner: str, rule: Rule, asked: str, wanted: int, there: int, what: str) -> None:
    """Raise DescriptionError if there are fewer sources, targets or pairs than a rule needs."""
    if wanted > 0 and there == 0:
        why = "one side is empty" if rule.allow_autapses else "one side is empty, or set allow_autapses=True"
        raise DescriptionError(f"{owner}: {rule.name} with {asked} finds no {what}: {why}")
    if not rule.allow_multapses and wanted > there:
        raise DescriptionError(
            f"{owner}: {rule.name} with {asked} needs as many different {what}, but there are {there}; "
            f"lower it or set allow_multapses=True"
        )
