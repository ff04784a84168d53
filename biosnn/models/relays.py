"""Neurons without a membrane: one repeats the spikes that reach it, the other draws its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from biosnn.models.base import NeuronModel, Parameter, Resolved

ZERO, F = np.float32(0), np.float32


def repeats(arriving: Any, _: Any) -> Any:
    """A spike where something has arrived."""
    return arriving != ZERO


def fires_at_random(_: Any, p: Any, word: Any) -> Any:
    """A spike with the probability threshold / 2^32, from a word of 32 random bits."""
    return F(word) < p.threshold


class parrot_neuron(NeuronModel):  # noqa: N801 - NEST's name
    """Repeats the spikes that reach it: one that was sent at t with delay d is sent on at t + d.

    Weights do not matter, except that those that arrive in one step must not add up to zero. A neuron spikes once a
    step at most: several spikes that arrive together go on as one, where NEST's `parrot_neuron` repeats each.
    """

    name = "parrot_neuron"
    membrane: ClassVar[Mapping[str, Parameter]] = {}
    states = ()
    potentials = ()
    accepts = ("spikes",)
    jump_unit = ""
    exact = staticmethod(repeats)

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """No constants; nothing else adds to what arrives."""
        return {"rest": np.zeros(())}


class poisson(NeuronModel):  # noqa: N801 - named as `Network.poisson` is
    """Sources of Poisson spike trains, which are connected like any population; they take no input.

        P(spike in a step) = 1 - exp(-rate dt)

    independently for each neuron and step: the steps in which a Poisson process of that rate (Hz) has events. Several
    events in one step are one spike, unlike those of NEST's `poisson_generator`: at 100 Hz and 0.1 ms one in 200 is
    lost. Where each target shall have a train of its own, and no one records it, `Network.poisson` is far cheaper.
    """

    name = "poisson"
    membrane: ClassVar[Mapping[str, Parameter]] = {"rate": Parameter(0.0, "Hz", "mean rate", at_least=0)}
    states = ()
    potentials = ()
    accepts = ()
    draws = 1
    exact = staticmethod(fires_at_random)
    exact_constants = ("threshold",)

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """The number of words, of 2^32, that make a spike."""
        return {"rest": np.zeros(()), "threshold": -np.expm1(-np.asarray(p["rate"]) * dt * 1e-3) * 2.0**32}
