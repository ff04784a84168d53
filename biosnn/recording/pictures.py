"""Pictures of a run as sinks, drawn when it ends; they take the `plot` extra. However long a run, memory is bounded."""

from __future__ import annotations

import io
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.errors import DescriptionError
from biosnn.plot.axes import colours, evenly, legend
from biosnn.plot.raster import raster, spacing
from biosnn.plot.rates import rates
from biosnn.plot.traces import MOST, traces
from biosnn.plot.trains import Trains
from biosnn.recording.file_sink import FileSink
from biosnn.recording.files import whole
from biosnn.recording.sinks import About, Ids, Sampled, Values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_MS = 1000.0  # of the end of a run, in pictures of single neurons
FIRST_MS = 1.0  # width of a bin of rates, which doubles when there are too many
BINS = 400


class Picture(FileSink):
    """A picture that is drawn when the run ends. Where Matplotlib fails, a warning says so, and that is no error."""

    height = 5.0  # inches; the width is 8

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

    @abstractmethod
    def draw(self, figure: Figure, last: int) -> None:
        """Draw a run that ended before step `last` into a figure."""

    def _drawn(self, last: int) -> bytes:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.0, self.height), layout="constrained")
        self.draw(figure, last)
        picture = io.BytesIO()
        figure.savefig(picture, dpi=150)
        return picture.getvalue()

    def _shown(self) -> int:
        """Steps that are shown, at most."""
        return round(SHOWN_MS / self.about.dt)


class RasterPng(Picture):
    """A raster of the last second of a run, and of large networks an evenly spaced sample of the neurons."""

    def begin(self, about: About) -> None:
        self.every = spacing(np.diff(about.first_id).tolist())
        self.recent = Recent(np.empty(0, np.int32))

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        _, neurons = self.about.members(ids)
        mine = neurons % self.every == 0
        self.recent.add(steps[mine], ids[mine], self._shown())

    def draw(self, figure: Figure, last: int) -> None:
        steps, ids = self.recent.since(last - self._shown())
        times = self.about.times(steps)
        populations, neurons = self.about.members(ids)
        sizes = np.diff(self.about.first_id).tolist()
        trains = {
            name: Trains(times[populations == a], neurons[populations == a], np.arange(n))
            for a, (name, n) in enumerate(zip(self.about.names, sizes, strict=True))
        }
        raster(figure.subplots(), trains, colours(self.about.names))


class RatesPng(Picture):
    """The rate of each population over all of the run, in at most 400 bins."""

    height = 4.0

    def begin(self, about: About) -> None:
        self.first, self.width = about.first, max(1, round(FIRST_MS / about.dt))
        # of each population the spikes in each bin; in the last row the steps of it that were simulated
        self.counts = np.zeros((len(about.names) + 1, BINS), np.int64)

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        if not steps.size:
            return
        self._make_room(int(steps[-1]) + 1)
        populations, _ = self.about.members(ids)
        at = populations * BINS + (steps - self.first) // self.width
        self.counts += np.bincount(at, minlength=self.counts.size).reshape(self.counts.shape)

    def close(self, last: int) -> None:
        self._make_room(last)
        begins = self.first + np.arange(BINS) * self.width
        inside = np.minimum(begins + self.width, last) - np.maximum(begins, self.about.first)
        self.counts[-1] += np.maximum(inside, 0)
        super().close(last)

    def draw(self, figure: Figure, last: int) -> None:
        n = max(1, -(-(last - self.first) // self.width))
        edges = self.about.times(self.first + np.arange(n + 1) * self.width - 1)
        seconds = self.counts[-1, :n] * self.about.dt * 1e-3
        seconds[seconds == 0] = np.nan  # between two runs, of which another one was left out
        sizes = np.maximum(np.diff(self.about.first_id), 1)
        found = self.counts[:-1, :n] / (sizes[:, None] * seconds)
        axes = rates(
            figure.subplots(), dict(zip(self.about.names, found, strict=True)), edges, colours(self.about.names)
        )
        legend(axes)

    def _make_room(self, last: int) -> None:
        """Join bins in pairs until those before step `last` are few enough."""
        while last - self.first > BINS * self.width:
            joined = self.counts[:, ::2] + self.counts[:, 1::2]
            self.counts = np.concatenate([joined, np.zeros_like(joined)], axis=1)
            self.width *= 2


class TracesPng(Picture):
    """Each recorded variable over the last second of a run, of at most five neurons, evenly spaced.

    Raises DescriptionError as a run begins that records no variable.
    """

    def begin(self, about: About) -> None:
        if not about.sampled:
            raise DescriptionError(
                f"TracesPng: no variable is recorded; call net.record(population, 'V_m') before net.build(), or leave "
                f"{self.path.name} out"
            )
        self.columns: dict[tuple[str, str], I64] = {}
        for variable in dict.fromkeys(s.variable for s in about.sampled):
            its = [s for s in about.sampled if s.variable == variable]
            ends = np.cumsum([0, *(s.neurons.size for s in its)])
            at = evenly(int(ends[-1]), MOST)
            for k, s in enumerate(its):
                self.columns[s.recorder, variable] = at[(at >= ends[k]) & (at < ends[k + 1])] - ends[k]
        self.recent = {key: Recent(np.empty((0, its.size), np.float32)) for key, its in self.columns.items()}

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        key = what.recorder, what.variable
        self.recent[key].add(steps, values[:, self.columns[key]], self._shown())

    def draw(self, figure: Figure, last: int) -> None:
        by_variable: dict[str, list[Sampled]] = {}
        for s in self.about.sampled:
            by_variable.setdefault(s.variable, []).append(s)
        figure.set_figheight(1.0 + 2.0 * len(by_variable))
        rows = figure.subplots(len(by_variable), sharex=True, squeeze=False)[:, 0]
        for axes, (variable, its) in zip(rows, by_variable.items(), strict=True):
            lines = {name: line for s in its for name, line in self._lines(s, last)}
            n = sum(s.neurons.size for s in its)
            traces(axes, lines, n, variable, [s.unit for s in its])
            axes.label_outer()

    def _lines(self, s: Sampled, last: int) -> Any:
        """Of each neuron of a recorder that is shown: its name, and (times, values)."""
        key = s.recorder, s.variable
        steps, values = self.recent[key].since(last - self._shown())
        times = self.about.times(steps)
        for k, column in enumerate(self.columns[key]):
            population, neuron = self.about.names[s.populations[column]], s.neurons[column]
            yield f"{population} {neuron}", (times, values[:, k])


class Recent:
    """The end of what comes chunk by chunk: steps, ascending, and values beside them."""

    def __init__(self, nothing: NDArray[Any]) -> None:
        self.parts: list[tuple[I64, NDArray[Any]]] = [(np.empty(0, np.int64), nothing)]

    def add(self, steps: I64, values: NDArray[Any], window: int) -> None:
        """Take in a chunk; earlier ones go once they are more than `window` steps ago."""
        if steps.size:
            self.parts.append((steps, values))
            while len(self.parts) > 1 and self.parts[0][0].max(initial=-1) < steps[-1] - window:
                del self.parts[0]

    def since(self, step: int) -> tuple[I64, NDArray[Any]]:
        """What there was from this step on."""
        steps, values = (np.concatenate(found) for found in zip(*self.parts, strict=True))
        return steps[steps >= step], values[steps >= step]
