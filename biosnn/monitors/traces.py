"""Potentials of some neurons, as they go."""

from __future__ import annotations

from biosnn.description.description import Description
from biosnn.monitors.base import NEURONS, OfDirectory, as_bound, see_potentials
from biosnn.recording.file_sink import AnyPath
from biosnn.recording.sample_files import SamplesNpy


class Traces(SamplesNpy, OfDirectory):
    """The potentials of at most `neurons` neurons of all populations (None: all), evenly spaced, every `every` ms.

    A folder of .npy files, as `SamplesNpy` writes them: one for each population.
    """

    name, written_as = "traces", "traces"

    def __init__(self, path: AnyPath | None = None, *, every: float = 1.0, neurons: int | None = NEURONS) -> None:
        self.every, self.most = every, as_bound("Traces", "neurons", neurons)
        if path is not None:
            super().__init__(path)

    @classmethod
    def bounded(cls, neurons: int | None, edges: int | None) -> Traces:
        return cls(neurons=neurons)

    def watch(self, net: Description) -> None:
        see_potentials(self, net, self.most, self.every)
