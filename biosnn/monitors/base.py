"""What a monitor is: a sink that asks for samples of its own, and needs no more room the larger a network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from biosnn import _validate
from biosnn.description.description import Description
from biosnn.description.population import Group, Population
from biosnn.recording.file_sink import AnyPath
from biosnn.recording.sinks import Sink

NEURONS = 512  # that a monitor samples, of all populations together, at most
EDGES = 20_000  # synapses that it takes down, at most


class Monitor(Sink, ABC):
    """Watches the runs of one network. `net.monitor(...)` takes it in before the network is built.

    What it samples is handed to it alone: neither results nor other sinks show it. One of your own defines `name` and
    `watch`, and what it needs of the methods of a `Sink`.
    """

    name: ClassVar[str]

    @abstractmethod
    def watch(self, net: Description) -> None:
        """Ask for what it has to see, with `net.sample`."""


class OfDirectory(Monitor):
    """A monitor that a run directory may have, by its name."""

    written_as: ClassVar[str]  # there

    @abstractmethod
    def place(self, path: AnyPath) -> None:
        """Say where it writes, unless that is known already."""

    @classmethod
    @abstractmethod
    def bounded(cls, neurons: int | None, edges: int | None) -> OfDirectory:
        """The monitor that samples so many neurons and synapses at most (None: all); it has no place yet."""


def as_bound(owner: str, name: str, most: int | None) -> int | None:
    """How many may be sampled: None for all, or a whole number. Raises DescriptionError."""
    return None if most is None else _validate.count(owner, name, most)


def see_potentials(monitor: Monitor, net: Description, most: int | None, every: float) -> int:
    """Sample the potentials of `most` neurons of all populations every `every` ms; returns that in steps."""
    steps = _validate.whole_steps(type(monitor).__name__, "every", every, net.dt, at_least=1)
    for population, group in sampled([p for p in net.populations.values() if potential_of(p)], most):
        net.sample(monitor, group, str(potential_of(population)), steps)
    return steps


def potential_of(population: Population) -> str | None:
    """The membrane potential of a population, of the soma where there are several; None where there is none."""
    if population.model is None or not population.model.potentials:
        return None
    return population.model.potentials[0]


def sampled(populations: list[Population], most: int | None) -> Iterator[tuple[Population, Group]]:
    """Evenly spaced neurons of each population, `most` of all together: one of each, more in proportion to its size.

    Of more populations than that, the first ones have one.
    """
    there = [p for p in populations if p.n][:most]
    total = sum(p.n for p in there)
    for population in there:
        n = population.n
        if most is not None and most < total:
            n = 1 + (most - len(there)) * (n - 1) // max(total - len(there), 1)
        yield population, population[np.linspace(0, population.n - 1, n).round().astype(int)]
