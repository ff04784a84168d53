"""How correlated the spike counts of pairs of neurons are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from biosnn._arrays import F64
from biosnn.plot.axes import evenly
from biosnn.plot.histograms import densities, edges_between
from biosnn.plot.trains import Trains, binned

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def coefficients(trains: Trains, edges: F64, most: int) -> F64:
    """Pearson's correlation of the spike counts of each pair of at most so many neurons, evenly spaced.

        r_ij = cov(n_i, n_j) / (sd(n_i) sd(n_j)),       n_i: spikes of neuron i in the bins between `edges` (ms)

    Neurons whose count is the same in every bin have no coefficient. Source: Cohen & Kohn 2011, Nat. Neurosci. 14:811.
    """
    neurons = np.sort(trains.neurons)[evenly(trains.neurons.size, most)]
    counts = binned(trains, neurons, edges)
    counts = counts[(counts != counts[:, :1]).any(axis=1)]
    if len(counts) < 2:
        return np.empty(0)
    return np.asarray(np.corrcoef(counts)[np.triu_indices(len(counts), 1)])


def correlation(
    ax: Axes, trains: Mapping[str, Trains], edges: F64, neurons: int, bins: int, colours: Mapping[str, str]
) -> Axes:
    """The distribution of the coefficients within each population, as in Renart et al. 2010, Science 327:587."""
    found = {name: coefficients(t, edges, neurons) for name, t in trains.items()}
    densities(ax, found, edges_between(found, bins), colours, "correlation of spike counts")
    said = f"bins of {edges[1] - edges[0]:.4g} ms"
    if any(t.neurons.size > neurons for t in trains.values()):
        said += f", {neurons:,} neurons of each population"
    ax.set_title(said, fontsize="small")
    return ax
