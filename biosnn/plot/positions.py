"""Where neurons stand, in one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn._arrays import F64
from biosnn.plot.axes import label, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DOTS = 20_000


def positions(ax: Any, places: Mapping[str, F64], colours: Mapping[str, str]) -> Axes:
    """A dot for each neuron, by population (n, n_dims), in um; of many, for an evenly spaced sample.

    On a line, populations stand above each other. Three dimensions take axes of projection "3d".
    """
    n = sum(len(xyz) for xyz in places.values())
    every = max(1, -(-n // MOST_DOTS))
    n_dims = next(iter(places.values())).shape[1]
    size = float(np.clip(20_000 / max(n, 1), 2.0, 30.0))  # points^2
    for k, (name, xyz) in enumerate(places.items()):
        shown = xyz[::every]
        across = [np.full(len(shown), k)] if n_dims == 1 else []
        ax.scatter(*shown.T, *across, s=size, linewidths=0, color=colours[name], label=label(name), rasterized=True)
    ax.set_xlabel("x (um)")
    if n_dims == 1:
        ax.set_yticks(range(len(places)), list(places), parse_math=False)
        ax.set_ylim(len(places) - 0.5, -0.5)
    else:
        ax.set_ylabel("y (um)")
        ax.set_aspect("equal")
        legend(ax, beside=True, markerscale=6.0 / size**0.5)  # of dots of 6 points
    if n_dims == 3:
        ax.set_zlabel("z (um)")
    if every > 1:
        ax.set_title(f"one neuron in {every:,}", fontsize="small")
    return ax  # type: ignore[no-any-return]
