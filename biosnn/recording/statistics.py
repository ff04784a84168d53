"""Statistics over all spikes as they come: counts, interspike intervals, fingerprint. Constant memory."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from biosnn.recording.kernels import accumulate_intervals
from biosnn.recording.results import PopulationStatistics


class Statistics:
    """Sums over the spikes of one run; `n` ids, of which only those of populations are reported."""

    def __init__(self, n: int) -> None:
        self.last = np.full(n, -1, np.int64)
        self.intervals, self.total, self.squares = np.zeros((3, n), np.int64)
        self.counts = np.zeros(n, np.int64)
        self._hash = hashlib.sha256()

    def add(self, steps: NDArray[np.int64], ids: NDArray[np.int32], is_neuron: NDArray[np.bool_] | None) -> None:
        """Take in spikes in order of time; those of ids that are no neurons leave the fingerprint alone."""
        self.counts += np.bincount(ids, minlength=self.counts.size)
        accumulate_intervals(steps, ids, self.last, self.intervals, self.total, self.squares)
        if is_neuron is not None:
            steps, ids = steps[is_neuron[ids]], ids[is_neuron[ids]]
        pairs = np.empty((steps.size, 2), "<i8")
        pairs[:, 0], pairs[:, 1] = steps, ids
        self._hash.update(pairs.tobytes())

    def fingerprint(self) -> str:
        """SHA-256 of the (step, neuron) pairs, as little-endian int64, sorted by step, then neuron."""
        return self._hash.hexdigest()

    def of(self, first: int, last: int, seconds: float) -> PopulationStatistics:
        """Statistics of ids first..last-1 over a run of so many (simulated) seconds."""
        here = slice(first, last)
        counts = self.counts[here]
        enough = self.intervals[here] >= 2
        n = self.intervals[here][enough]
        mean = self.total[here][enough] / n
        variance = np.maximum(self.squares[here][enough] / n - mean**2, 0.0)
        cv = float((np.sqrt(variance) / mean).mean()) if n.size else float("nan")
        rate = float(counts.mean() / seconds) if counts.size and seconds > 0 else 0.0
        return PopulationStatistics(counts.copy(), rate, cv)
