"""The sinks of a run: opened before it, handed every chunk, and closed however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from biosnn.backends.interrupts import finishing
from biosnn.description.items import Recorder
from biosnn.engine.building.build import Built
from biosnn.recording.sinks import I64, About, Ids, Sampled, Sink, Values


class HandingOut:
    """Hands what happens in one run to its sinks."""

    def __init__(self, built: Built, sinks: Sequence[Sink]) -> None:
        self.built, self.sinks = built, sinks
        self.sampled: tuple[Sampled, ...] = ()

    @contextlib.contextmanager
    def opened(self, reached: Callable[[], int]) -> Iterator[None]:
        """Around the run: after the block each sink is closed, whatever becomes of the others; see `finishing`."""
        at_end: list[Callable[[], object]] = []
        with finishing(at_end):
            if self.sinks:
                about = self._about()
            for sink in self.sinks:
                sink.open(about)
                at_end.append(lambda sink=sink: sink.close(reached()))  # type: ignore[misc]
            yield

    def take(self, first: int, last: int, steps: I64, ids: Ids, samples: list[Values]) -> None:
        """Hand out what happened in steps first..last-1, to each sink, whatever becomes of the others."""

        def hand_to(sink: Sink) -> None:
            sink.add_spikes(steps, ids)
            for what, values in zip(self.sampled, samples, strict=True):
                if len(values):
                    sink.add_samples(what, sampled_steps(first, last, what.every) - 1, values)

        with finishing([partial(hand_to, sink) for sink in self.sinks]):
            pass

    def _about(self) -> About:
        layout, net = self.built.plan.layout, self.built.net
        number = {name: a for a, name in enumerate(layout.names)}
        self.sampled = tuple(_sampled(r, number) for r in net.recorders if r.variable != "spikes")
        first = int(self.built.arrays["clock"][0])
        return About(net.dt, first, tuple(layout.names), layout.first_id, self.sampled)


def sampled_steps(first: int, last: int, every: int) -> I64:
    """How many steps had been simulated at each sample, of those that are taken in steps first..last-1."""
    return np.arange(first // every + 1, last // every + 1) * every


def _sampled(recorder: Recorder, number: dict[str, int]) -> Sampled:
    which, neurons = recorder.target.flat()
    populations = np.array([number[p.name] for p in recorder.target.populations], np.int64)[which]
    return Sampled(recorder.name, recorder.variable, recorder.every, populations, neurons, recorder.unit)
