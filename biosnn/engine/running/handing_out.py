"""The sinks of a run: opened before it, handed every chunk, and closed however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from biosnn.backends.interrupts import finishing
from biosnn.engine.building.build import Built
from biosnn.engine.running.read_back import out_degrees, sample_synapses
from biosnn.recording.sinks import I64, About, Ids, Sampled, Sink, Values


class HandingOut:
    """Hands what happens in one run to its sinks."""

    def __init__(self, built: Built, sinks: Sequence[Sink]) -> None:
        self.built, self.sinks = built, sinks
        self.sampled = _sampled(built)

    @contextlib.contextmanager
    def opened(self, reached: Callable[[], int]) -> Iterator[None]:
        """Around the run: after the block each sink is closed, whatever becomes of the others; see `finishing`."""
        at_end: list[Callable[[], object]] = []
        with finishing(at_end):
            degrees = out_degrees(self.built) if self.sinks else np.empty(0, np.int64)
            for sink in self.sinks:
                sink.open(self._about(sink, degrees))
                at_end.append(lambda sink=sink: sink.close(reached()))  # type: ignore[misc]
            yield

    def take(self, first: int, last: int, steps: I64, ids: Ids, samples: list[Values]) -> None:
        """Hand out what happened in steps first..last-1, to each sink, whatever becomes of the others."""

        def hand_to(sink: Sink) -> None:
            sink.add_spikes(steps, ids)
            for k, what in self._shown_to(sink):
                values = samples[k]
                if len(values):
                    sink.add_samples(what, sampled_steps(first, last, what.every) - 1, values)
            sink.end_chunk(last)

        with finishing([partial(hand_to, sink) for sink in self.sinks]):
            pass

    def _shown_to(self, sink: Sink) -> Iterator[tuple[int, Sampled]]:
        """What is sampled, with its number: to a monitor what it asked for, to others what users record."""
        owner = sink if sink in self.built.net.monitors else sink.shares
        return ((k, what) for k, (of, what) in enumerate(self.sampled) if of is owner)

    def _about(self, sink: Sink, degrees: I64) -> About:
        layout, arrays = self.built.plan.layout, self.built.arrays
        return About(
            self.built.net.dt, int(arrays["clock"][0]), tuple(layout.names), layout.first_id,
            tuple(what for _, what in self._shown_to(sink)), degrees,
            partial(sample_synapses, self.built),
        )  # fmt: skip


def sampled_steps(first: int, last: int, every: int) -> I64:
    """How many steps had been simulated at each sample, of those that are taken in steps first..last-1."""
    return np.arange(first // every + 1, last // every + 1) * every


def _sampled(built: Built) -> list[tuple[object, Sampled]]:
    """What each recorder of a variable samples, and whom it is for."""
    number, found = {name: a for a, name in enumerate(built.plan.layout.names)}, []
    for r in built.net.recorders:
        if r.variable != "spikes":
            which, neurons = r.target.flat()
            populations = np.array([number[p.name] for p in r.target.populations], np.int64)[which]
            found.append((r.owner, Sampled(r.name, r.variable, r.every, populations, neurons, r.unit)))
    return found
