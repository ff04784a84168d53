"""Population rates over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from biosnn._arrays import F64
from biosnn.plot.axes import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def rates(ax: Axes, found: Mapping[str, F64], edges: F64, colours: Mapping[str, str]) -> Axes:
    """The mean rate (Hz) of the neurons of each population, as steps between `edges` (ms); NaN leaves a gap."""
    for name, heights in found.items():
        # not Axes.stairs, which looks at each step by itself: for 1,000 populations it took 10 s, this takes 1
        outline = edges, np.append(heights, heights[-1])
        ax.plot(*outline, drawstyle="steps-post", linewidth=1.0, color=colours[name], label=label(name))
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("rate (Hz)")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
    ax.set_title(f"bins of {edges[1] - edges[0]:.4g} ms", fontsize="small")
    return ax
