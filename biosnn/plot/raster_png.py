"""A picture of the end of a run, as a sink; it takes the `plot` extra."""

from __future__ import annotations

import io
import logging

import numpy as np

from biosnn.plot.raster import raster
from biosnn.recording.file_sink import FileSink
from biosnn.recording.files import whole
from biosnn.recording.results import Spikes
from biosnn.recording.sinks import I64, About, Ids

ROWS, SHOWN_MS = 2000, 1000.0  # at most: neurons in the raster, and how much of the run's end it shows


class RasterPng(FileSink):
    """A raster of the last second of a run, and of large networks an evenly spaced sample of the neurons.

    It is drawn when the run ends. Where Matplotlib fails, a warning says so, and that is no error.
    """

    def begin(self, about: About) -> None:
        neurons = np.diff(about.first_id).tolist()
        self.every = max(1, -(-sum(neurons) // ROWS))
        self.sizes = {name: len(range(0, n, self.every)) for name, n in zip(about.names, neurons, strict=True)}
        self.steps: list[I64] = [np.empty(0, np.int64)]
        self.ids: list[Ids] = [np.empty(0, np.int32)]

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        _, neurons = self.about.members(ids)
        shown = neurons % self.every == 0
        self.steps.append(steps[shown])
        self.ids.append(ids[shown])
        window = round(SHOWN_MS / self.about.dt)
        while steps.size and len(self.steps) > 1 and self.steps[0].max(initial=0) < steps[-1] - window:
            del self.steps[0], self.ids[0]  # however long the run, only its end is kept

    def close(self, last: int) -> None:
        super().close(last)
        try:
            picture = self._drawn(last)
        except Exception as error:  # of Matplotlib: what a run gave does not depend on a picture of it
            why = " ".join(f"{type(error).__name__}: {error}".split())
            logging.getLogger("biosnn").warning("no %s: Matplotlib failed (%s)", self.path.name, why)
            return
        with whole(self.path) as file:
            file.write(picture)

    def _drawn(self, last: int) -> bytes:
        from matplotlib.figure import Figure

        steps = np.concatenate(self.steps)
        shown = steps >= last - round(SHOWN_MS / self.about.dt)
        times = self.about.times(steps[shown])
        populations, neurons = self.about.members(np.concatenate(self.ids)[shown])
        spikes = {
            name: Spikes(times[populations == a], neurons[populations == a] // self.every, size)
            for a, (name, size) in enumerate(self.sizes.items())
        }
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = raster(figure.subplots(), spikes, self.sizes)
        if self.every > 1:
            axes.set_title(f"one neuron in {self.every}", fontsize="small")
        picture = io.BytesIO()
        figure.savefig(picture, dpi=150)
        return picture.getvalue()
