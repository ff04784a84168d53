"""Neurons without a membrane: one repeats the spikes that reach it, the other draws its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel, Parameter, Resolved

N, F, D = np.int32, np.float32, np.float64
ONE, HALF, WORDS = D(1), D(0.5), D(2.0**32)
MOST_MEAN = 500.0  # events of a step: exp(-500) is still far from the smallest float64


def as_many(arriving: Any, _: Any) -> Any:
    """A spike for each that has arrived."""
    return N(arriving)


def fires_at_random(_: Any, p: Any, word: Any) -> Any:
    """Events with the probability threshold / 2^32, from a word of 32 random bits."""
    return F(word) < p.threshold


def how_many(_: Any, p: Any, word: Any) -> Any:
    """The number of events, where there are any: one, and one more for each k > 0 with word < 2^32 P(X > k).

        P(X > k) = 1 - sum of e^-m m^i / i!, i = 0..k       m: mean number of events

    in float64. Few have any, so no table of thresholds is kept, and the mean may be a large one.
    """
    mean = D(p.mean)
    if D(word) + HALF >= WORDS * HALF * mean * mean:  # P(X > 1) < m^2 / 2: mostly, one event is all
        return 1
    term = math.exp(-mean) * mean
    at_most = math.exp(-mean) + term  # P(X <= n)
    n = 1
    while D(word) + HALF < WORDS * (ONE - at_most):
        n += 1
        term *= mean / D(n)
        at_most += term
    return n


def most_events(mean: float) -> int:
    """The largest number of events that is drawn of a mean (up to MOST_MEAN); for means up to 1e-6 above it, too."""
    return int(how_many(0, SimpleNamespace(mean=mean * (1 + 1e-6)), 0))


class parrot_neuron(NeuronModel):  # noqa: N801 - NEST's name
    """Repeats each spike that reaches it: one that was sent at t with delay d is sent on at t + d.

    k spikes that arrive in one step go on as k spikes of that step. Weights do not matter, be they zero or negative:
    what is kept, and read back, of connections onto a parrot is a weight of 1.
    """

    name = "parrot_neuron"
    membrane: ClassVar[Mapping[str, Parameter]] = {}
    states = ()
    potentials = ()
    accepts = ("spikes",)
    jump_unit = ""
    repeats = True
    exact = staticmethod(as_many)

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """No constants; nothing else adds to what arrives."""
        return {"rest": np.zeros(())}


class poisson(NeuronModel):  # noqa: N801 - named as `Network.poisson` is
    """Sources of Poisson spike trains, which are connected like any population; they take no input.

        P(k spikes in a step) = e^-m m^k / k!,    m = rate dt

    independently for each neuron and step, each probability to 1e-7 of itself or 2^-32: as NEST's `poisson_generator`
    with a parrot behind it, whose targets all see one train. m is at most 500, that is 5 MHz at dt = 0.1 ms. Where each
    target shall have a train of its own, and no one records it, `Network.poisson` is far cheaper.
    """

    name = "poisson"
    membrane: ClassVar[Mapping[str, Parameter]] = {"rate": Parameter(0.0, "Hz", "mean rate", at_least=0)}
    states = ()
    potentials = ()
    accepts = ()
    draws = 1
    repeats = True
    exact = staticmethod(fires_at_random)
    at_spike = staticmethod(how_many)
    exact_constants = ("threshold", "mean")

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """The mean number of events, and the number of words, of 2^32, that make any."""
        mean = np.asarray(p["rate"]) * dt * 1e-3
        return {"rest": np.zeros(()), "threshold": -np.expm1(-mean) * 2.0**32, "mean": mean}

    def most_spikes(self, dt: float) -> int:
        """Of the highest rate; of a distribution, of the highest that can be drawn."""
        rate = self.values["rate"]
        if isinstance(rate, Distribution):
            highest = float(rate.quantile(np.array([1 - 2.0**-53]))[0])
        else:
            highest = float(np.max(rate, initial=0.0))
        if not highest * dt * 1e-3 <= MOST_MEAN:
            raise DescriptionError(
                f"poisson: rate must be at most {MOST_MEAN * 1e3 / dt:g} (Hz), {MOST_MEAN:g} events a step, got "
                f"{highest:g}; cut a distribution off with .redrawn(max=...), or use Network.poisson"
            )
        return most_events(highest * dt * 1e-3)
