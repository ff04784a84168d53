"""How often one neuron can fire in one step: once, except given spikes, Poisson sources, and parrots.

Sums of weights and lists of spikes have room for so many. Where parrots lead back to themselves there is no such
number; a run ends where one of them fires more often than its targets' sums have room for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.description.description import Description
from biosnn.description.items import Connection, PoissonInput, SpikeTrains
from biosnn.description.population import Group, Population
from biosnn.description.rules.base import tail_bound
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError
from biosnn.models.relays import MOST_MEAN, most_events

# The lists of spikes have room for so many of a neuron and step from the start: for all that Poisson sources of usual
# rates send, and for parrots with one source each. Where there may be more, they grow after the step.
FEW = 16
MOST = 2**20  # spikes of a neuron and step
LARGEST_SUM = 2**31 * (1 - 2**-7)  # of the spikes that a parrot counts, less what a ring of 16-bit floats may round up


@dataclass(frozen=True)
class Repeats:
    """The most spikes of one neuron in one step, by population."""

    most: dict[str, int]
    limit: int  # a parrot that fires more often ends the run
    overflow: bool  # some neurons may fire more than FEW times

    def of(self, group: Group) -> int:
        """Of any neuron of a group."""
        return max((self.most[p.name] for p in group.populations), default=1)


def find_repeats(net: Description) -> Repeats:
    """The bounds of a network. Raises DescriptionError for given spikes beyond what parrots can count."""
    counting = {name for name, p in net.populations.items() if p.model is not None and p.model.counts}
    into: dict[str, list[Connection | PoissonInput]] = {name: [] for name in counting}
    feeds: list[Connection | PoissonInput] = [*net.connections, *net.poisson_inputs]
    for feed in feeds if counting else ():
        for name in counting & {p.name for p in feed.target.populations}:
            into[name].append(feed)
    in_degree = max(
        (sum(c.in_degree_bound for c in cs if isinstance(c, Connection)) for cs in into.values()), default=0
    )
    limit = min(MOST, int(LARGEST_SUM / max(in_degree, 1)))
    given = {t.population.name: _largest_multiplicity(t) for t in net.spike_trains}
    most = {name: given.get(name, _own(p, net.dt)) for name, p in net.populations.items() if name not in counting}
    for name, n in most.items():
        if n > limit:
            raise DescriptionError(
                f"population {name!r}: a source may fire {limit:,} times in a step at most, got {n:,}; use more sources"
            )
    # What leads back to itself, or comes from there, is never ready, and keeps the limit.
    most |= dict.fromkeys(counting, limit)
    sources = {
        name: {p.name for c in cs if isinstance(c, Connection) for p in c.source.populations}
        for name, cs in into.items()
    }
    order = TopologicalSorter({name: found & counting for name, found in sources.items()})
    with contextlib.suppress(CycleError):
        order.prepare()
    while ready := order.get_ready():
        for name in ready:
            most[name] = int(min(sum(_arriving(c, most, net.dt) for c in into[name]), limit))
        order.done(*ready)
    return Repeats(most, limit, any(n > FEW for name, n in most.items() if name not in given))


def most_given(net: Description, stride: int) -> int:
    """The most given spikes of any `stride` steps that follow each other."""
    steps = np.sort(np.concatenate([np.empty(0, np.int64), *(t.steps for t in net.spike_trains)]))
    return int((np.searchsorted(steps, steps + stride) - np.arange(steps.size)).max(initial=0))


def most_active(population: Population, dt: float, over: Callable[[NDArray[np.float64]], Any] = np.mean) -> float:
    """Spikes per neuron and step that refractoriness allows, at most; the mean or the maximum `over` the neurons."""
    t_ref = population.model.refractoriness if population.model is not None else 0.0
    if isinstance(t_ref, Distribution):
        return 1.0
    return float(over(1 / (1 + np.rint(np.asarray(t_ref) / dt)))) if np.size(t_ref) else 0.0


def _own(population: Population, dt: float) -> int:
    return 1 if population.model is None else population.model.most_spikes(dt)


def _largest_multiplicity(trains: SpikeTrains) -> int:
    """How often a source fires in a step, at most: spikes are sorted by step, then source."""
    other = (np.diff(trains.steps) != 0) | (np.diff(trains.senders) != 0)
    edges = np.concatenate([[0], np.flatnonzero(other) + 1, [trains.steps.size]])
    return max(int(np.diff(edges).max(initial=1)), 1)


def _arriving(c: Connection | PoissonInput, most: dict[str, int], dt: float) -> float:
    """The most spikes that reach a target of a connection, or of a Poisson input, in a step."""
    if isinstance(c, Connection):
        return c.in_degree_bound * max((most[p.name] for p in c.source.populations), default=0)
    mean = c.largest_rate * dt * 1e-3
    return most_events(mean) if mean <= MOST_MEAN else tail_bound(mean)
