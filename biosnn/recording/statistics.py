"""Statistics over all spikes as they come: counts, interspike intervals, fingerprint. Constant memory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.recording.kernels import SUMS, accumulate
from biosnn.recording.results import PopulationStatistics


class Statistics:
    """Sums over the spikes of one run; `n` ids, of which only those of populations are reported."""

    def __init__(self, n: int) -> None:
        self.sums = np.zeros((n, len(SUMS)), np.int64)  # a cache line for each spike, not five
        self.sums[:, SUMS.index("last")] = -1
        self._hash = hashlib.sha256()

    def add(self, steps: NDArray[np.int64], ids: NDArray[np.int32], is_neuron: NDArray[np.bool_] | None) -> None:
        """Take in spikes in order of time; those of ids that are no neurons leave the fingerprint alone."""
        accumulate(steps, ids, self.sums)
        if is_neuron is not None:
            steps, ids = steps[is_neuron[ids]], ids[is_neuron[ids]]
        pairs: Any = np.empty((steps.size, 2), "<i8")
        pairs[:, 0], pairs[:, 1] = steps, ids
        self._hash.update(pairs)

    def fingerprint(self) -> str:
        """SHA-256 of the (step, neuron) pairs, as little-endian int64, sorted by step, then neuron."""
        return self._hash.hexdigest()

    def of(self, first: int, last: int, seconds: float) -> PopulationStatistics:
        """Statistics of ids first..last-1 over a run of so many (simulated) seconds."""
        counts, _, intervals, total, squares = self.sums[first:last].T
        enough = intervals >= 2
        n = intervals[enough]
        mean = total[enough] / n
        variance = np.maximum(squares[enough] / n - mean**2, 0.0)
        cv = float((np.sqrt(variance) / mean).mean()) if n.size else float("nan")
        rate = float(counts.mean() / seconds) if counts.size and seconds > 0 else 0.0
        return PopulationStatistics(counts.copy(), rate, cv)
