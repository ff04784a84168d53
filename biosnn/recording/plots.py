"""`result.plot`: what a run recorded, as pictures. The drawing is in biosnn/plot; here is what of a result it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.errors import DescriptionError
from biosnn.plot.axes import axes, checked, colours, evenly, legend, new_figure
from biosnn.plot.correlation import correlation
from biosnn.plot.histograms import MOST_BINS
from biosnn.plot.intervals import cv, isi
from biosnn.plot.raster import raster
from biosnn.plot.rates import rates
from biosnn.plot.traces import MOST, traces
from biosnn.plot.trains import Trains, mean_rates
from biosnn.recording.times import in_ms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Names = str | Sequence[str] | None
Window = tuple[float, float] | None
N_BINS = 100  # of rates over time
COUNTED_MS = 50.0  # bins of counts that are correlated
PAIR = (7.0, 5.5)  # inches: a raster with rates below


class ResultPlots:
    """Plots of one result, each into Matplotlib axes `ax`, which are made if none are given; returns the axes.

    `names` are recorded populations or groups (default: all), `window` a part of the run: (start, stop) in ms. Raises
    DescriptionError where what a plot shows was not recorded, and where Matplotlib is missing.
    """

    def __init__(self, result: Any) -> None:
        self._result = result  # a Result, which imports this file

    def raster(self, names: Names = None, *, window: Window = None, bin_ms: float | None = None, ax: Any = None) -> Any:
        """Spikes, a row for each neuron, coloured by population; below them the populations' rates, as in `rates`.

        Of more than 2,000 neurons, an evenly spaced sample is drawn, and the title says so. `ax` is a pair of axes, or
        one for the spikes alone; returns a pair, or that one.
        """
        owner = "result.plot.raster"
        trains = self._trains(owner, names, window)
        edges = self._edges(owner, window, bin_ms, N_BINS)
        if ax is None:
            figure = new_figure(owner, PAIR)
            pair = list(figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)))
        elif np.ndim(ax) == 1 and len(ax) == 2:
            pair = checked(owner, ax, "Matplotlib axes, or a pair of them")
        else:
            pair = checked(owner, [ax], "Matplotlib axes, or a pair of them")
        raster(pair[0], trains, self._colours())
        pair[0].set_xlim(edges[0], edges[-1])
        if len(pair) == 1:
            return pair[0]
        rates(pair[1], {name: mean_rates(t, edges) for name, t in trains.items()}, edges, self._colours())
        pair[0].set_xlabel("")
        return tuple(pair)

    def rates(self, names: Names = None, *, window: Window = None, bin_ms: float | None = None, ax: Any = None) -> Axes:
        """The mean rate of each population over time, in bins of `bin_ms` (default: a hundredth of the window).

        A last bin that is shorter counts for as long as it is.
        """
        owner = "result.plot.rates"
        trains = self._trains(owner, names, window)
        edges = self._edges(owner, window, bin_ms, N_BINS)
        ax = axes(owner, ax)
        rates(ax, {name: mean_rates(t, edges) for name, t in trains.items()}, edges, self._colours())
        legend(ax)
        return ax  # type: ignore[no-any-return]

    def traces(
        self,
        variable: str | None = None,
        names: Names = None,
        *,
        most: int = MOST,
        window: Window = None,
        ax: Any = None,
    ) -> Axes:
        """A recorded variable (default: V_m, or the first) of at most so many neurons, evenly spaced, over time."""
        owner = "result.plot.traces"
        most = _validate.count(owner, "most", most, at_least=1)
        samples = self._result.samples
        variables = dict.fromkeys(v for of in samples.values() for v in of)
        if not variables:
            raise DescriptionError(
                f"{owner}: no variable was recorded; call net.record(population, 'V_m') before net.build()"
            )
        if variable is None:
            variable = "V_m" if "V_m" in variables else next(iter(variables))
        _validate.known(owner, "recorded variable", variable, variables)
        having = {name: of[variable] for name, of in samples.items() if variable in of}
        chosen = {name: having[name] for name in self._names(owner, names, having, variable)}
        start, stop = (x * self._result.dt for x in self._steps(owner, window))
        columns = [(name, k) for name, s in chosen.items() for k in range(s.senders.size)]
        lines = {}
        for name, k in (columns[at] for at in evenly(len(columns), most)):
            s = chosen[name]
            a, b = np.searchsorted(s.times, [start - self._result.dt / 2, stop + self._result.dt / 2])
            lines[f"{name} {s.senders[k]}"] = s.times[a:b], s.values[a:b, k]
        ax = axes(owner, ax)
        traces(ax, lines, len(columns), variable, [s.unit for s in chosen.values()])
        ax.set_xlim(start, stop)
        return ax  # type: ignore[no-any-return]

    def isi(self, names: Names = None, *, bins: int = 100, window: Window = None, ax: Any = None) -> Axes:
        """The distribution of the interspike intervals of each population."""
        owner = "result.plot.isi"
        trains, bins = self._trains(owner, names, window), _bins(owner, bins)
        return isi(axes(owner, ax), trains, self._result.dt, bins, self._colours())

    def cv(self, names: Names = None, *, bins: int = 50, window: Window = None, ax: Any = None) -> Axes:
        """The distribution over neurons of the coefficient of variation of their interspike intervals.

        Of neurons with three spikes or more; the means are those of `result.populations[name].cv_isi`.
        """
        owner = "result.plot.cv"
        trains, bins = self._trains(owner, names, window), _bins(owner, bins)
        return cv(axes(owner, ax), trains, bins, self._colours())

    def correlation(
        self,
        names: Names = None,
        *,
        bin_ms: float | None = None,
        neurons: int = 100,
        bins: int = 50,
        window: Window = None,
        ax: Any = None,
    ) -> Axes:
        """The distribution, over pairs of neurons of a population, of the correlation of their spike counts.

        Counts are those in bins of `bin_ms` (default: 50 ms, in whole steps) of at most so many neurons, evenly spaced;
        neurons whose counts are all equal are left out. The legend has the means.
        """
        owner = "result.plot.correlation"
        neurons = _validate.count(owner, "neurons", neurons, at_least=2)
        trains, bins = self._trains(owner, names, window), _bins(owner, bins)
        first, last = self._steps(owner, window)
        width = self._width(owner, bin_ms, max(1, round(COUNTED_MS / self._result.dt)))
        if last - first < 2 * width:
            raise DescriptionError(
                f"{owner}: two bins of {width * self._result.dt:g} ms at least are needed, and "
                f"{(last - first) * self._result.dt:g} ms have fewer; give a shorter bin_ms, or run longer"
            )
        edges = in_ms(np.arange(first, last + 1, width), self._result.dt)
        return correlation(axes(owner, ax), trains, edges, neurons, bins, self._colours())

    def _trains(self, owner: str, names: Names, window: Window) -> dict[str, Trains]:
        """The spikes of what was recorded under these names, in the window."""
        spikes = self._result.spikes
        if not len(spikes):
            raise DescriptionError(f"{owner}: no spikes were recorded; call net.record(population) before net.build()")
        start, stop = in_ms(np.array(self._steps(owner, window)), self._result.dt)
        found = {name: spikes[name] for name in self._names(owner, names, spikes)}
        return {name: Trains(s.times, s.senders, s.neurons).within(start, stop) for name, s in found.items()}

    def _names(self, owner: str, names: Names, known: Mapping[str, Any], what: str = "spikes") -> list[str]:
        """The names that are asked for, or all."""
        asked = [names] if isinstance(names, str) else names if names is not None else list(known)
        if not isinstance(asked, (list, tuple)) or not asked:
            raise DescriptionError(f"{owner}: names must be a name or a list of them, got {_validate.shown(names)}")
        for name in asked:
            if isinstance(name, str) and name in self._result.populations and name not in known:
                how = "" if what == "spikes" else f", {what!r}"
                raise DescriptionError(
                    f"{owner}: {name!r} has no recorded {what}; call net.record(population{how}) before net.build()"
                )
            _validate.known(owner, "recorded group", name, known)
        return list(asked)

    def _steps(self, owner: str, window: Window) -> tuple[int, int]:
        """First step of the window, and the one after its last."""
        dt = self._result.dt
        first, last = (round(t / dt) for t in (self._result.start_ms, self._result.stop_ms))
        if first == last:
            raise DescriptionError(f"{owner}: the run took no time; run longer")
        if window is None:
            return first, last
        if not isinstance(window, (tuple, list)) or len(window) != 2:
            raise DescriptionError(f"{owner}: window must be (start, stop) in ms, got {_validate.shown(window)}")
        a, b = (_validate.whole_steps(owner, "window", t, dt) for t in window)
        if not first <= a < b <= last:
            raise DescriptionError(
                f"{owner}: window must be a part of the run, {first * dt:g} to {last * dt:g} ms, got "
                f"{_validate.shown(window)}"
            )
        return a, b

    def _edges(self, owner: str, window: Window, bin_ms: float | None, n_bins: int) -> F64:
        """The edges of the bins of rates, ms; the last one may be shorter."""
        first, last = self._steps(owner, window)
        width = self._width(owner, bin_ms, -(-(last - first) // n_bins))
        return in_ms(np.append(np.arange(first, last, width), last), self._result.dt)

    def _width(self, owner: str, bin_ms: float | None, default: int) -> int:
        """Steps of a bin."""
        return (
            default if bin_ms is None else _validate.whole_steps(owner, "bin_ms", bin_ms, self._result.dt, at_least=1)
        )

    def _colours(self) -> dict[str, str]:
        """The same for a population, whichever of them are shown."""
        return colours(dict.fromkeys([*self._result.populations, *self._result.spikes]))


def _bins(owner: str, bins: int) -> int:
    return _validate.count(owner, "bins", bins, at_least=1, at_most=MOST_BINS)
