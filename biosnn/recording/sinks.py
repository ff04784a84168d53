"""What takes a run in as it goes on, chunk by chunk: a Sink. Those that write files stand beside this module.

`Simulation.run(..., sink=...)` opens each sink before the run, hands it the spikes and samples of each chunk of steps
(a fifth of a second), and closes it however the run ends. So files are complete after Ctrl-C, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.description.population import Group
from biosnn.errors import DescriptionError
from biosnn.recording.times import in_ms

I64: TypeAlias = NDArray[np.int64]
Ids: TypeAlias = NDArray[np.int32]
Values: TypeAlias = NDArray[np.float32]
SpikeFunction: TypeAlias = Callable[[I64, Ids], object]


@dataclass(frozen=True, eq=False)
class Sampled:
    """What one `record` of a state variable samples, every `every` steps, in its `unit`.

    Column k of its values is neuron `neurons[k]` of population `About.names[populations[k]]`; both int64, (n_neurons,).
    `unit` is that of the values; "" if they have none.
    """

    recorder: str
    variable: str
    every: int
    populations: I64
    neurons: I64
    unit: str = ""


@dataclass(frozen=True, eq=False)
class About:
    """What a sink is told before a run, whose first step is `first`; a step takes `dt` ms.

    Ids number all neurons and spike sources: those of population `names[k]` are `first_id[k]` to `first_id[k + 1] - 1`.
    """

    dt: float
    first: int
    names: tuple[str, ...]
    first_id: I64  # (n_populations + 1,)
    sampled: tuple[Sampled, ...]
    out_degrees: I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # (n_ids,) synapses of each id
    # At most so many synapses (None: all), evenly spaced among all of them: their ids, weights and delays. The default
    # of both is a network that has none.
    synapses: Callable[[int | None], Any] = lambda _most: None

    def times(self, steps: I64) -> NDArray[np.float64]:
        """The ends of these steps, ms: when their spikes happen and their samples are taken."""
        return in_ms(steps + 1, self.dt)

    def members(self, ids: Ids) -> tuple[I64, I64]:
        """Number of the population of each id, and its index there."""
        populations = np.searchsorted(self.first_id, ids, side="right").astype(np.int64) - 1
        return populations, ids - self.first_id[populations]

    def mask(self, owner: str, group: Group) -> NDArray[np.bool_]:
        """Which ids belong to a group: bool (n_ids,). Raises DescriptionError if it is of another network."""
        sizes = dict(zip(self.names, np.diff(self.first_id).tolist(), strict=True))
        for population in group.populations:
            if sizes.get(population.name) != population.n:
                raise DescriptionError(
                    f"{owner}: {population!r} does not belong to the network that runs; give a group of that network"
                )
        found = np.zeros(int(self.first_id[-1]), np.bool_)
        found[group.ids(dict(zip(self.names, self.first_id.tolist(), strict=False)))] = True
        return found

    def follows(self, before: About, last: int) -> bool:
        """Whether this run is one of the same simulation, after one that ended before step `last`."""
        same = before.dt == self.dt and before.names == self.names and np.array_equal(before.first_id, self.first_id)
        return same and self._columns() == before._columns() and self.first >= last

    def _columns(self) -> list[tuple[str, str, int, int]]:
        return [(s.recorder, s.variable, s.every, s.neurons.size) for s in self.sampled]


class Sink:
    """Takes in a run as it goes on. Derive your own from it, and define the methods that you need.

    What belongs to step s, a spike or a sample, is at its end, at (s + 1) dt. Arrays are not to be written to. An
    exception ends the run, between two chunks; the other sinks are handed the chunk all the same.
    """

    shares: Any = None  # a monitor of the network: the sink is handed what that samples, not what users record

    def open(self, about: About) -> None:
        """Begin. An exception ends the run before its first step."""

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        """All spikes of a chunk, recorded or not: steps int64 (n,), ids int32 (n,), sorted by step, then id."""

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        """The samples of a chunk, of one `record`, if there are any: float32 (n_steps, n_neurons), in its unit."""

    def end_chunk(self, last: int) -> None:
        """All that happened before step `last` has been handed over; called once for each chunk."""

    def close(self, last: int) -> None:
        """Finish; the run ended before step `last`. Called once for each `open`, also after an exception."""


class Called(Sink):
    """A function of (steps, ids) as a sink."""

    def __init__(self, function: SpikeFunction) -> None:
        self.function = function

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        self.function(steps, ids)


def as_sinks(owner: str, given: Any) -> list[Sink]:
    """The sinks that are meant by None, a sink, a function of (steps, ids), or a list of such. Or DescriptionError."""
    found: list[Sink] = []
    for sink in given if isinstance(given, (list, tuple)) else [] if given is None else [given]:
        if isinstance(sink, Sink):
            found.append(sink)
        elif isinstance(sink, type):
            raise DescriptionError(f"{owner}: sink must be a sink, got the class {sink.__name__}; call it to make one")
        elif callable(sink):
            found.append(Called(sink))
        else:
            raise DescriptionError(
                f"{owner}: sink must be a function of (steps, ids), a biosnn.recording.Sink or a list of these, got "
                f"{_validate.shown(sink)}"
            )
    return found
