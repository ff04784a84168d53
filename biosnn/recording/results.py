"""What a run returns: spikes, samples and statistics, as NumPy arrays in user units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.errors import DescriptionError

if TYPE_CHECKING:
    from biosnn.recording.plots import ResultPlots


@dataclass(frozen=True)
class Spikes:
    """Spikes in order of time: `times` (ms, float64) and `senders` (int64).

    A sender is an index into its population, or into the recorded group where that joins several populations; `n` is
    how many there are in that, `neurons` (int64) are those that were recorded.
    """

    times: NDArray[np.float64]
    senders: NDArray[np.int64]
    n: int
    neurons: NDArray[np.int64]

    def __len__(self) -> int:
        return self.times.size


@dataclass(frozen=True)
class Samples:
    """A sampled state variable: `values` (n_times, n_neurons) in its `unit`, `times` (ms), `senders` as of spikes."""

    times: NDArray[np.float64]
    senders: NDArray[np.int64]
    values: NDArray[np.float32]
    unit: str


@dataclass(frozen=True)
class PopulationStatistics:
    """Spike statistics of one population over one run.

    `counts` (n,) spikes per neuron; `rate` mean in Hz; `cv_isi` the mean over neurons with at least three spikes, not
    all in one step, of the coefficient of variation of their interspike intervals (0 between two spikes of one step),
    NaN without such neurons.
    """

    counts: NDArray[np.int64]
    rate: float
    cv_isi: float


@dataclass(frozen=True)
class Result:
    """One run: what was recorded, by recorder and variable, and statistics of every population.

    `spikes[name]` and `samples[name][variable]`; `fingerprint` is a SHA-256 of when and which neurons fired:
    equal for two runs that spiked alike. `synaptic_events` counts the synapses that the run's spikes were sent through:
    each spike, of neurons and sources, its out-degree; `backend_steps` the steps in which each synapse backend
    delivered (of `auto`, both may in one step). Times are absolute: a second run starts where the first ended.
    After a run with keep=False, `spikes` and `samples` say that they were not kept when they are looked at.
    """

    start_ms: float
    stop_ms: float
    dt: float
    spikes: Mapping[str, Spikes]
    samples: Mapping[str, Mapping[str, Samples]]
    populations: Mapping[str, PopulationStatistics]
    fingerprint: str
    synaptic_events: int
    backend_steps: Mapping[str, int]
    run_s: float

    @property
    def rates(self) -> dict[str, float]:
        """Mean rate of each population, Hz."""
        return {name: s.rate for name, s in self.populations.items()}

    @property
    def n_spikes(self) -> int:
        """Spikes of all neurons (spike sources left out), recorded or not."""
        return int(sum(s.counts.sum() for s in self.populations.values()))

    @property
    def rtf(self) -> float:
        """Real-time factor: wall-clock seconds per simulated second; smaller is faster."""
        return self.run_s / ((self.stop_ms - self.start_ms) * 1e-3) if self.stop_ms > self.start_ms else float("nan")

    @property
    def plot(self) -> ResultPlots:
        """Plots: `raster`, `rates`, `traces`, `isi`, `cv`, `correlation`; they take the `plot` extra."""
        from biosnn.recording.plots import ResultPlots

        return ResultPlots(self)

    def spike_counts(self, name: str, bin_ms: float) -> NDArray[np.int32]:
        """Recorded spikes per neuron and bin: an int32 array (n_neurons, n_bins); the last, partial bin is left out.

        Rows follow the population of what was recorded, or the recorded group where that joins several populations.
        Raises DescriptionError if bin_ms is no multiple of dt, UnknownNameError if no spikes were recorded under that
        name.
        """
        _validate.known("spike_counts", "recorded group", name, self.spikes)
        width = _validate.whole_steps("spike_counts", "bin_ms", bin_ms, self.dt, at_least=1)
        n_bins = round((self.stop_ms - self.start_ms) / self.dt) // width
        if n_bins == 0:
            raise DescriptionError(f"spike_counts: bin_ms = {width * self.dt:g} is longer than the run")
        found = self.spikes[name]
        # a spike at the end of step s belongs to the bin that contains the step
        bins = (np.rint((found.times - self.start_ms) / self.dt).astype(np.int64) - 1) // width
        inside = bins < n_bins
        flat = found.senders[inside] * n_bins + bins[inside]
        return np.bincount(flat, minlength=found.n * n_bins).reshape(found.n, n_bins).astype(np.int32)


class NotKept(Mapping[str, Any]):
    """What stands in a Result for what a run with keep=False handed to its sinks alone: a look at it says so."""

    def _refuse(self) -> NoReturn:
        raise DescriptionError(
            "run: what was recorded was handed to the sinks and not kept, as keep=False says; read what they wrote, or "
            "leave keep out"
        )

    def __getitem__(self, name: str) -> NoReturn:
        self._refuse()

    def __iter__(self) -> NoReturn:
        self._refuse()

    def __len__(self) -> NoReturn:
        self._refuse()

    def __repr__(self) -> str:
        return "<not kept: keep=False>"
