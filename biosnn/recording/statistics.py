"""Statistics over all spikes as they come: counts, interspike intervals, fingerprint. Constant memory."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from biosnn.recording.kernels_cpu import SUMS, accumulate
from biosnn.recording.results import PopulationStatistics


class Statistics:
    """Sums over the spikes of one run; `n` ids, of which only those of populations are reported."""

    def __init__(self, n: int) -> None:
        self.sums = np.zeros((n, len(SUMS)), np.int64)  # in one cache line for each spike
        self._busy, self._ids = hashlib.sha256(), hashlib.sha256()

    def add(self, steps: NDArray[np.int64], ids: NDArray[np.int32], is_neuron: NDArray[np.bool_] | None) -> None:
        """Take in spikes in order of time; those of ids that are no neurons leave the fingerprint alone.

        All spikes of a step must come at once.
        """
        accumulate(steps, ids, self.sums)
        if is_neuron is not None:
            steps, ids = steps[is_neuron[ids]], ids[is_neuron[ids]]
        if not ids.size:
            return
        # 4 bytes a spike take 3 ns, a pair of 16 bytes took 13
        counts = np.diff(np.searchsorted(steps, np.arange(steps[0], steps[-1] + 2)))
        busy = np.flatnonzero(counts)
        self._busy.update(np.column_stack([steps[0] + busy, counts[busy]]).astype("<i8").data)
        self._ids.update(ids.astype("<i4", copy=False).data)

    def fingerprint(self) -> str:
        """SHA-256 of two SHA-256 digests, one after the other, in bytes.

        The first is of (step, number of spikes) for each step in which there were any, as little-endian int64; the
        second of the neurons that fired, by step, then id, each as often as it did, as little-endian int32.
        """
        return hashlib.sha256(self._busy.digest() + self._ids.digest()).hexdigest()

    def of(self, first: int, last: int, seconds: float) -> PopulationStatistics:
        """Statistics of ids first..last-1 over a run of so many (simulated) seconds."""
        counts, earliest, latest, squares = self.sums[first:last].T
        enough = (counts >= 3) & (latest > earliest)
        n = counts[enough] - 1
        mean = (latest - earliest)[enough] / n
        variance = np.maximum(squares[enough] / n - mean**2, 0.0)
        cv = float((np.sqrt(variance) / mean).mean()) if n.size else float("nan")
        rate = float(counts.mean() / seconds) if counts.size and seconds > 0 else 0.0
        return PopulationStatistics(counts.copy(), rate, cv)
