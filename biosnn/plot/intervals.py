"""How regularly neurons fire: their interspike intervals, and the coefficients of variation of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from biosnn.plot.histograms import densities, edges_around, edges_between
from biosnn.plot.trains import Trains, cv_of_intervals, intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def isi(ax: Axes, trains: Mapping[str, Trains], dt: float, bins: int, colours: Mapping[str, str]) -> Axes:
    """The distribution of all interspike intervals of each population, in bins of whole steps of dt (ms)."""
    found = {name: intervals(t)[0] for name, t in trains.items()}
    steps = {name: np.rint(x / dt).astype(np.int64) for name, x in found.items()}
    densities(ax, found, edges_around(steps, bins) * dt, colours, "interspike interval", "ms")
    ax.set_xlim(left=0)
    return ax


def cv(ax: Axes, trains: Mapping[str, Trains], bins: int, colours: Mapping[str, str]) -> Axes:
    """The distribution, over neurons, of the coefficient of variation of their interspike intervals."""
    found = {name: cv_of_intervals(t) for name, t in trains.items()}
    return densities(ax, found, edges_between(found, bins), colours, "CV of interspike intervals")
