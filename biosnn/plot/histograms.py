"""Histograms, one outline for each name, and their bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64, I64
from biosnn.plot.axes import label, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BINS = 10_000


def densities(
    ax: Axes, values: Mapping[str, NDArray[Any]], edges: F64, colours: Mapping[str, str], what: str, unit: str = ""
) -> Axes:
    """The distribution of the values of each name, as an outline of area one; the legend has their means."""
    for name, x in values.items():
        counts, _ = np.histogram(x, edges)
        heights = counts / (max(x.size, 1) * np.diff(edges))
        said = f": mean {' '.join(f'{x.mean():.4g} {unit}'.split())}" if x.size else ": none"
        outline = np.concatenate([edges[:1], edges]), np.concatenate([[0.0], heights, [0.0]])
        ax.plot(*outline, drawstyle="steps-post", color=colours[name], label=label(name, said))
    ax.set_xlabel(f"{what} ({unit})" if unit else what)
    ax.set_ylabel(f"density (1/({unit}))" if " " in unit else f"density (1/{unit})" if unit else "density")
    ax.set_ylim(bottom=0)
    legend(ax)
    return ax


def edges_between(values: Mapping[str, F64], bins: int) -> F64:
    """The edges of so many bins, from the smallest of all values to the largest."""
    found = np.concatenate([np.empty(0), *values.values()])
    low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    size = max(abs(low), abs(high))
    if high - low <= 1e-6 * size or size == 0:  # one value, but for rounding
        low, high = low - (0.1 * size or 0.5), high + (0.1 * size or 0.5)
    return np.linspace(low, high, bins + 1)


def edges_around(values: Mapping[str, I64], bins: int) -> F64:
    """The edges of at most so many bins that hold the same number of whole numbers each, and all of the values."""
    found = np.concatenate([np.empty(0, np.int64), *values.values()])
    low, high = (int(found.min()), int(found.max())) if found.size else (0, 0)
    width = -(-(high - low + 1) // bins)
    n = -(-(high - low + 1) // width)
    return np.asarray(low - 0.5 + width * np.arange(n + 1), np.float64)
