"""What a description is made of besides populations: connections, stimuli, spike trains, recorders. Plain data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64
from biosnn.description.population import Group, Population
from biosnn.description.rules.base import Rule, Sides
from biosnn.description.stimuli import Levels, Noise, OrnsteinUhlenbeck, Sinusoidal
from biosnn.distributions import Distribution
from biosnn.parts.part import Part

Values = float | F64 | Distribution


@dataclass(frozen=True)
class Pairs:
    """Listed synapses: positions in the source and the target group, sorted by source."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]

    def in_degrees(self, n_target: int) -> NDArray[np.int64]:
        """Number of listed synapses of each target."""
        return np.bincount(self.targets, minlength=n_target)


@dataclass(frozen=True)
class Connection:
    """One call of `connect`: who to whom, by which rule, with which weights (user units) and delays (ms).

    `index` numbers the calls and keys the random numbers; `receptor` None: by the sign of the weight. With
    `pairs`, arrays of weights and delays follow their order.
    """

    name: str
    index: int
    source: Group
    target: Group
    rule: Rule
    pairs: Pairs | None
    weight: Values
    delay: Values
    sides: Sides = field(repr=False)  # sizes, and functions that find what else a rule asks for
    receptor: str | None = None

    @functools.cached_property
    def n_expected(self) -> float:
        """Expected number of synapses."""
        return float(self.pairs.sources.size) if self.pairs is not None else self.rule.expected(self.sides)

    @property
    def n_exact(self) -> bool:
        """Whether the expected number is the number."""
        return self.pairs is not None or self.rule.exact or self.n_expected == 0

    @functools.cached_property
    def in_degree_bound(self) -> float:
        """No target has more synapses of this connection."""
        if self.pairs is not None:
            return float(self.pairs.in_degrees(len(self.target)).max(initial=0))
        return self.rule.in_degree_bound(self.sides)

    @functools.cached_property
    def out_degree_bound(self) -> float:
        """No source has more synapses of this connection."""
        if self.pairs is not None:
            return float(np.bincount(self.pairs.sources, minlength=1).max(initial=0))
        return self.rule.out_degree_bound(self.sides)


@dataclass(frozen=True)
class PoissonInput:
    """An independent Poisson train for each neuron of the target: rate (Hz), weight (user units), receptor.

    Of a rate that differs in time, or between neurons, the number at time t (ms) is that of what arrives at t.
    """

    name: str
    index: int
    target: Group
    rate: float | Levels | Sinusoidal
    weight: float
    receptor: str | None = None

    @property
    def largest_rate(self) -> float:
        """Of all neurons and times, Hz."""
        if isinstance(self.rate, Levels):
            return float(self.rate.values.max(initial=0.0))
        if isinstance(self.rate, Sinusoidal):
            return max(float(np.max(self.rate.offset + np.abs(self.rate.amplitude), initial=0.0)), 0.0)
        return self.rate


@dataclass(frozen=True)
class CurrentInput:
    """A current (pA) that is constant between steps: `amplitudes[k]` (per neuron, if 2-D) holds from `steps[k]` on."""

    name: str
    target: Group
    steps: NDArray[np.int64]
    amplitudes: F64


@dataclass(frozen=True)
class VaryingCurrent:
    """A current (pA) that is new in each step, from step `start` to `stop`; `index` keys its random numbers."""

    name: str
    index: int
    target: Group
    source: Sinusoidal | Noise | OrnsteinUhlenbeck
    start: int
    stop: int | None


@dataclass(frozen=True)
class Attached:
    """A part of the user's own: `make`, called with the address of the network, gives the parts of a driver."""

    name: str
    make: Callable[[Any], Iterable[Part]]


@dataclass(frozen=True)
class SpikeTrains:
    """Given spikes, sorted by step: at the end of step `steps[k]` source `senders[k]` of the population fires."""

    population: Population
    steps: NDArray[np.int64]
    senders: NDArray[np.int64]


@dataclass(frozen=True)
class Recorder:
    """Record `variable` of the target group, every `every` steps (spikes: always); for an `owner` alone, if any."""

    name: str
    target: Group
    variable: str
    every: int
    owner: Any = None  # the monitor that asked for it

    @property
    def unit(self) -> str:
        """Of the variable; "" of a number. Where models of the target differ in it, all of them."""
        models = [p.model for p in self.target.populations if p.model is not None]
        return " or ".join(dict.fromkeys(filter(None, (m.recordable()[self.variable] for m in models))))
