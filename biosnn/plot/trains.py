"""Spike trains as plots take them, and what is computed of them: counts, intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from biosnn._arrays import F64, I64


class Trains(NamedTuple):
    """Spikes of some neurons: `times` (ms, ascending), who sent each, and all the `neurons` that might have.

    What is at the end of a step belongs to it, so intervals of time are half-open: (start, stop].
    """

    times: F64
    senders: I64
    neurons: I64

    def within(self, start: float, stop: float) -> Trains:
        """Those of some interval, ms."""
        a, b = np.searchsorted(self.times, [start, stop], side="right")
        return Trains(self.times[a:b], self.senders[a:b], self.neurons)


def mean_rates(trains: Trains, edges: F64) -> F64:
    """Spikes per neuron and second in each of the bins between `edges` (ms), Hz: (n_edges - 1,)."""
    counts = np.diff(np.searchsorted(trains.times, edges, side="right"))
    return np.asarray(counts / (max(trains.neurons.size, 1) * np.diff(edges) * 1e-3))


def intervals(trains: Trains) -> tuple[F64, I64]:
    """Interspike intervals (ms) of all neurons, one neuron after the other, and whose they are."""
    order = np.argsort(trains.senders, kind="stable")
    times, senders = trains.times[order], trains.senders[order]
    same = senders[1:] == senders[:-1]
    return np.diff(times)[same], senders[1:][same]


def cv_of_intervals(trains: Trains) -> F64:
    """Coefficient of variation of each neuron's interspike intervals: standard deviation / mean.

    Of neurons with three spikes or more, not all in one step, as in `PopulationStatistics`.
    """
    found, senders = intervals(trains)
    _, who, n = np.unique(senders, return_inverse=True, return_counts=True)
    mean = np.bincount(who, found) / n
    variance = np.bincount(who, (found - mean[who]) ** 2) / n
    enough = (n >= 2) & (mean > 0)
    return np.asarray(np.sqrt(variance[enough]) / mean[enough])


def binned(trains: Trains, neurons: I64, edges: F64) -> I64:
    """Spikes of each of these neurons, ascending, in each bin between `edges` (ms): (n_neurons, n_edges - 1)."""
    row = np.searchsorted(neurons, trains.senders)
    column = np.searchsorted(edges, trains.times, side="left") - 1
    n_bins = edges.size - 1
    mine = (row < neurons.size) & (column >= 0) & (column < n_bins)
    mine[mine] = neurons[row[mine]] == trains.senders[mine]
    flat = np.bincount(row[mine] * n_bins + column[mine], minlength=neurons.size * n_bins)
    return flat.reshape(neurons.size, n_bins)
