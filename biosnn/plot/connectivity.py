"""Synapses: how strong they are, and how many a neuron has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from biosnn._arrays import F64, I64
from biosnn.plot.histograms import densities, edges_around, edges_between

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def weights(ax: Axes, found: Mapping[str, F64], unit: str, every: int, bins: int, colours: Mapping[str, str]) -> Axes:
    """The distribution of the weights of each source's synapses; of many, one synapse in `every` was looked at."""
    densities(ax, found, edges_between(found, bins), colours, "weight", unit)
    if every > 1:
        ax.set_title(f"one synapse in {every:,}", fontsize="small")
    return ax


def degrees(ax: Axes, found: Mapping[str, I64], direction: str, bins: int, colours: Mapping[str, str]) -> Axes:
    """The distribution over neurons of the number of synapses that reach them ("in"), or that are their own ("out")."""
    return densities(ax, found, edges_around(found, bins), colours, f"{direction}degree")
