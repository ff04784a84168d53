"""Where the spikes of a run go, chunk by chunk: spikes.csv, spikes.npz, metrics.csv, and the rows of the raster.

Each has `add(steps, ids)`, called with spikes in order of time, and `close(last)`, called with the step that the run
has reached, which leaves a complete file behind, also after Ctrl-C.
"""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from biosnn.address.layout import Layout
from biosnn.recording.results import Spikes, in_ms
from biosnn.runners.files import Lines, whole

Steps: TypeAlias = NDArray[np.int64]
Ids: TypeAlias = NDArray[np.int32]
BIN_MS = 10.0  # of metrics.csv
RASTER_ROWS, RASTER_MS = 2000, 1000.0  # at most: neurons in the raster, and how much of the run's end it shows


class Sink(Protocol):
    """Takes spikes as they come."""

    def add(self, steps: Steps, ids: Ids) -> None:
        """Take the spikes of a chunk: those of step s happen at its end, (s + 1) dt."""

    def close(self, last: int) -> None:
        """Finish what is written; the run ended before step `last`."""


class SpikesCsv:
    """spikes.csv: a line `time_ms,population,neuron` per spike; neurons count from 0 in their population."""

    def __init__(self, path: Path, layout: Layout, dt: float) -> None:
        self.layout, self.dt = layout, dt
        self.names = [_field(name) for name in layout.names]
        self.file = Lines(path, "time_ms,population,neuron\n")

    def add(self, steps: Steps, ids: Ids) -> None:
        times = in_ms(steps + 1, self.dt).tolist()
        populations, neurons = _of_populations(self.layout, ids)
        rows = zip(times, populations.tolist(), neurons.tolist(), strict=True)
        self.file.write("".join([f"{t!r},{self.names[a]},{i}\n" for t, a, i in rows]))

    def close(self, last: int) -> None:
        self.file.close()


class SpikesNpz:
    """spikes.npz: `times` (ms), `population` (index into `populations`, their names), `neuron`, one entry per spike."""

    def __init__(self, path: Path, layout: Layout, dt: float) -> None:
        self.path, self.layout, self.dt = path, layout, dt
        self.steps: list[Steps] = [np.empty(0, np.int64)]
        self.ids: list[Ids] = [np.empty(0, np.int32)]

    def add(self, steps: Steps, ids: Ids) -> None:
        self.steps.append(steps)
        self.ids.append(ids)

    def close(self, last: int) -> None:
        number = np.int16 if len(self.layout.names) <= 2**15 else np.int32
        with whole(self.path) as file:
            populations, neurons = _of_populations(self.layout, np.concatenate(self.ids))
            times = in_ms(np.concatenate(self.steps) + 1, self.dt)
            np.savez_compressed(
                file, times=times, population=populations.astype(number), neuron=neurons.astype(np.int32),
                populations=np.array(self.layout.names),
            )  # fmt: skip


class MetricsCsv:
    """metrics.csv: a line per population and bin of BIN_MS: time of its end, neurons, spikes, rate in Hz."""

    def __init__(self, path: Path, layout: Layout, dt: float, first: int) -> None:
        self.layout, self.dt = layout, dt
        self.width = max(1, round(BIN_MS / dt))
        self.begin = first  # of the bin that is being counted; earlier ones are written
        self.counts = np.zeros(len(layout.names), np.int64)
        self.names = [_field(name) for name in layout.names]
        self.file = Lines(path, "time_ms,population,neurons,spikes,rate_hz\n")

    def add(self, steps: Steps, ids: Ids) -> None:
        populations, _ = _of_populations(self.layout, ids)
        while steps.size:
            inside = int(np.searchsorted(steps, self.begin + self.width))
            self.counts += np.bincount(populations[:inside], minlength=self.counts.size)
            if inside == steps.size:
                break
            self._write(self.begin + self.width)
            steps, populations = steps[inside:], populations[inside:]

    def close(self, last: int) -> None:
        try:
            while self.begin < last:
                self._write(min(self.begin + self.width, last))
        finally:
            self.file.close()

    def _write(self, end: int) -> None:
        time = float(in_ms(np.array(end), self.dt))
        seconds = (end - self.begin) * self.dt * 1e-3
        neurons = np.diff(self.layout.first_id).tolist()
        rows = zip(self.names, neurons, self.counts.tolist(), strict=True)
        self.file.write(
            "".join([f"{time!r},{name},{n},{k},{k / (n * seconds) if n else 0.0:.6g}\n" for name, n, k in rows])
        )
        self.begin, self.counts = end, np.zeros_like(self.counts)


class RasterPng:
    """raster.png: the last second of a run, and of large networks an evenly spaced sample of the neurons."""

    def __init__(self, path: Path, layout: Layout, dt: float) -> None:
        self.path, self.layout, self.dt = path, layout, dt
        self.window = round(RASTER_MS / dt)
        every = -(-layout.n_ids // RASTER_ROWS)
        self.sizes = {name: len(range(0, n, every)) for name, n in self._neurons()}
        self.every = every
        self.steps: list[Steps] = [np.empty(0, np.int64)]
        self.ids: list[Ids] = [np.empty(0, np.int32)]

    def add(self, steps: Steps, ids: Ids) -> None:
        _, neurons = _of_populations(self.layout, ids)
        shown = neurons % self.every == 0
        self.steps.append(steps[shown])
        self.ids.append(ids[shown])
        while steps.size and len(self.steps) > 1 and self.steps[0].max(initial=0) < steps[-1] - self.window:
            del self.steps[0], self.ids[0]  # however long the run, only its end is kept

    def close(self, last: int) -> None:
        try:
            picture = self._drawn(last)
        except Exception as error:  # of Matplotlib: what a run gave does not depend on a picture of it
            why = " ".join(f"{type(error).__name__}: {error}".split())
            logging.getLogger("biosnn").warning("no raster.png: Matplotlib failed (%s)", why)
            return
        with whole(self.path) as file:
            file.write(picture)

    def _drawn(self, last: int) -> bytes:
        from matplotlib.figure import Figure

        from biosnn.plot.raster import raster

        steps = np.concatenate(self.steps)
        shown = steps >= last - self.window
        times = in_ms(steps[shown] + 1, self.dt)
        populations, neurons = _of_populations(self.layout, np.concatenate(self.ids)[shown])
        spikes = {
            name: Spikes(times[populations == a], neurons[populations == a] // self.every, self.sizes[name])
            for a, (name, _) in enumerate(self._neurons())
        }
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = raster(figure.subplots(), spikes, self.sizes)
        if self.every > 1:
            axes.set_title(f"one neuron in {self.every}", fontsize="small")
        picture = io.BytesIO()
        figure.savefig(picture, dpi=150)
        return picture.getvalue()

    def _neurons(self) -> list[tuple[str, int]]:
        return list(zip(self.layout.names, np.diff(self.layout.first_id).tolist(), strict=True))


def _field(name: str) -> str:
    """A name as a field of a CSV file: quoted if it holds a comma, a quote or a line break."""
    row = io.StringIO()
    csv.writer(row).writerow([name])
    return row.getvalue().removesuffix("\r\n")


def _of_populations(layout: Layout, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the population of each id, and its index there."""
    populations = np.searchsorted(layout.first_id, ids, side="right").astype(np.int64) - 1
    return populations, ids - layout.first_id[populations]
