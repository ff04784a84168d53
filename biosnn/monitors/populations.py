"""Populations, bin by bin: how much they fire and send, and where their potentials are."""

from __future__ import annotations

import numpy as np

from biosnn.description.description import Description
from biosnn.monitors.base import NEURONS, OfDirectory, as_bound, see_potentials
from biosnn.recording.file_sink import AnyPath
from biosnn.recording.metrics import BIN_MS, BinnedCsv
from biosnn.recording.sinks import I64, About, Ids, Sampled, Values


class Populations(BinnedCsv, OfDirectory):
    """A line `time_ms,population,rate_hz,active,events,V_mean,V_sd` per population and bin of `every` ms.

    rate_hz  spikes per neuron and second        active  fraction of the neurons that fired in the bin
    events   synapses that its spikes were sent through: each spike, its out-degree
    V_mean, V_sd  mean and standard deviation of the potential, in its unit (mV), over at most `neurons` neurons of all
                  populations (None: all), evenly spaced, at the end of the bin; empty where there is none
    """

    name, written_as = "populations", "populations.csv"
    columns = "rate_hz,active,events,V_mean,V_sd"

    def __init__(self, path: AnyPath | None = None, *, every: float = BIN_MS, neurons: int | None = NEURONS) -> None:
        self.every, self.most = every, as_bound("Populations", "neurons", neurons)
        if path is not None:
            super().__init__(path)

    @classmethod
    def bounded(cls, neurons: int | None, edges: int | None) -> Populations:
        return cls(neurons=neurons)

    def watch(self, net: Description) -> None:
        self.width = see_potentials(self, net, self.most, self.every)

    def begin(self, about: About) -> None:
        self.fired = np.zeros(int(about.first_id[-1]), np.bool_)
        self.spikes, self.events = (np.zeros(len(about.names), np.int64) for _ in range(2))
        self.potentials: dict[tuple[int, int], str] = {}  # by population and the step before which a bin ends
        super().begin(about)

    def count(self, ids: Ids) -> None:
        populations, _ = self.about.members(ids)
        n = self.spikes.size
        self.fired[ids] = True
        self.spikes += np.bincount(populations, minlength=n)
        self.events += np.bincount(populations, self.about.out_degrees[ids], n).astype(np.int64)

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        means, spreads = values.mean(1, np.float64), values.std(1, np.float64)
        for step, mean, spread in zip(steps.tolist(), means.tolist(), spreads.tolist(), strict=True):
            self.potentials[int(what.populations[0]), step + 1] = f"{mean:.6g},{spread:.6g}"

    def rows(self, first: int, end: int) -> list[str]:
        seconds, edges = (end - first) * self.about.dt * 1e-3, self.about.first_id
        ends = np.concatenate([[0], np.cumsum(self.fired)])[edges]  # so many fired before each population
        active, found = np.diff(ends), []
        for a, n in enumerate(self.neurons.tolist()):
            rate, fraction = (self.spikes[a] / (n * seconds), active[a] / n) if n else (0.0, 0.0)
            potential = self.potentials.pop((a, end), ",")
            found.append(f"{rate:.6g},{fraction:.6g},{self.events[a]},{potential}")
        self.fired[:], self.spikes[:], self.events[:] = False, 0, 0
        return found
