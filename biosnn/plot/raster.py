"""A raster plot: one dot per spike, one row per neuron, populations from top to bottom in the order given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn.plot.trains import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 2000
FEW_ROWS = 100  # have room for strokes
APART = 0.03  # of the height, at least: between two names


def spacing(sizes: Iterable[int]) -> int:
    """k, where one neuron in k of these populations has a row, so that there are about MOST_ROWS of them."""
    return max(1, -(-sum(sizes) // MOST_ROWS))


def raster(ax: Axes, trains: Mapping[str, Trains], colours: Mapping[str, str]) -> Axes:
    """Draw the spikes of each population; of many neurons, of an evenly spaced sample, as the title says.

    Names stand beside their rows, as many as have room. Spikes are pixels, in vector graphics, too.
    """
    every = spacing(t.neurons.size for t in trains.values())
    shown = {name: np.sort(t.neurons)[::every] for name, t in trains.items()}
    n_rows = sum(neurons.size for neurons in shown.values())
    few: dict[str, Any] = {
        "marker": "|",
        "markersize": float(np.clip(200 / max(n_rows, 1), 2, 12)),
        "markeredgewidth": 1.0,
    }
    marks = few if n_rows <= FEW_ROWS else {"marker": ".", "markersize": 1.5, "markeredgewidth": 0.0}
    first, ticks = 0, dict[float, str]()
    for name, (times, senders, _) in trains.items():
        neurons = shown[name]
        row = np.searchsorted(neurons, senders)
        mine = row < neurons.size
        mine[mine] = neurons[row[mine]] == senders[mine]
        ax.plot(times[mine], first + row[mine], linestyle="", color=colours[name], rasterized=True, **marks)
        middle = first + (neurons.size - 1) / 2
        if not ticks or middle - max(ticks) >= APART * n_rows:
            ticks[middle] = name
        first += neurons.size
    ax.set_yticks(list(ticks), list(ticks.values()), parse_math=False)  # a name may hold dollars
    for text, name in zip(ax.get_yticklabels(), ticks.values(), strict=True):
        text.set_color(colours[name])
    ax.set_ylim(max(n_rows, 1) - 0.5, -0.5)
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("neurons")
    if every > 1:
        ax.set_title(f"one neuron in {every:,}", fontsize="small")
    return ax
