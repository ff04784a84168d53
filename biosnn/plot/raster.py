"""A raster plot: one dot per spike, one row per neuron, populations from top to bottom in the order given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from biosnn.recording.results import Spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def raster(ax: Axes, spikes: Mapping[str, Spikes], sizes: Mapping[str, int]) -> Axes:
    """Draw the spikes of each population (time in ms), `sizes[name]` rows high, into Matplotlib axes; returns them."""
    first, ticks = 0, []
    for name, size in sizes.items():
        found = spikes[name]
        ax.plot(found.times, first + found.senders, ".", markersize=1.5, markeredgewidth=0, rasterized=True)
        ticks.append(first + size / 2)
        first += size
    ax.set_yticks(ticks, list(sizes), parse_math=False)  # a name may hold dollars
    ax.set_ylim(max(first, 1) - 0.5, -0.5)
    ax.set_xlabel("time (ms)")
    return ax
