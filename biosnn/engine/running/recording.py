"""From the driver's history and sample buffers to what a run returns, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from biosnn.description.items import Recorder
from biosnn.engine.building.build import Built
from biosnn.propagation.spike_history_cpu import spikes_between
from biosnn.recording.kernels_cpu import are_in_order, sent
from biosnn.recording.probe import Probe
from biosnn.recording.results import PopulationStatistics, Samples, Spikes, in_ms
from biosnn.recording.statistics import Statistics

# Called after each chunk with (steps, ids) of its spikes, sorted by step and id.
SpikeSink = Callable[[NDArray[np.int64], NDArray[np.int32]], None]


class Recording:
    """Collects one run."""

    def __init__(self, built: Built, sink: SpikeSink | None) -> None:
        self.built, self.sink = built, sink
        layout = built.plan.layout
        self.statistics = Statistics(layout.n_ids)
        neurons = np.repeat(np.array(layout.group_of) >= 0, np.diff(layout.first_id))
        self.is_neuron = None if neurons.all() else neurons
        self.spike_recorders = [r for r in built.net.recorders if r.variable == "spikes"]
        self.labels = [_labels(r, layout.first_of(), layout.n_ids) for r in self.spike_recorders]
        self.spikes: list[list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = [[] for _ in self.spike_recorders]
        self.samples: list[list[NDArray[np.float32]]] = [[] for _ in built.plan.probes.probes]
        self.events = 0
        self.until = int(built.arrays["clock"][0])  # all up to this step has been taken in
        self.whole = True  # and nothing of what is later

    def take(self, first: int, last: int, origin: int) -> None:
        """Take in what happened in steps first..last-1."""
        self.whole = False
        arrays = self.built.arrays
        starts = arrays["spike_first"]
        n = int((starts[:, last - origin] - starts[:, first - origin]).sum())
        steps, ids = np.empty(n, np.int64), np.empty(n, np.int32)
        spikes_between(first - origin, last - origin, origin, starts, arrays["spike_ids"], steps, ids)
        if not are_in_order(steps, ids):  # several model groups, or spike sources: lists are not ranges of ids
            order = np.argsort(steps * self.built.plan.layout.n_ids + ids, kind="stable")
            steps, ids = steps[order], ids[order]
        self.statistics.add(steps, ids, self.is_neuron)
        self.events += sum(int(sent(ids, arrays[f"row_first{t.suffix}"])) for t in self.built.plan.tables)
        for found, label in zip(self.spikes, self.labels, strict=True):
            if label is None:
                found.append((steps, ids.astype(np.int64)))
            else:
                mine = label[ids] >= 0
                found.append((steps[mine], label[ids[mine]]))
        for kept, samples in zip(self.samples, self.built.plan.probes.samples(arrays, first, last), strict=True):
            kept.append(samples.copy())
        self.until, self.whole = last, True
        if self.sink is not None:
            self.sink(steps, ids)

    def recorded_spikes(self) -> dict[str, Spikes]:
        """Spikes by recorder name; a spike in step s happens at its end, (s + 1) dt."""
        dt, found = self.built.net.dt, {}
        for recorder, parts in zip(self.spike_recorders, self.spikes, strict=True):
            steps = np.concatenate([np.empty(0, np.int64), *(s for s, _ in parts)])
            senders = np.concatenate([np.empty(0, np.int64), *(i for _, i in parts)])
            found[recorder.name] = Spikes(in_ms(steps + 1, dt), senders, n_senders(recorder))
        return found

    def recorded_samples(self, start: int, stop: int) -> dict[str, dict[str, Samples]]:
        """Samples by recorder name and variable."""
        found: dict[str, dict[str, Samples]] = {}
        dt = self.built.net.dt
        for recorder in self.built.net.recorders:
            if recorder.variable == "spikes":
                continue
            steps = np.arange(start // recorder.every + 1, stop // recorder.every + 1) * recorder.every
            values = np.zeros((steps.size, len(recorder.target)), np.float32)
            for probe, parts in zip(self.built.plan.probes.probes, self.samples, strict=True):
                if probe.recorder is recorder and parts:
                    values[:, probe.positions] += np.concatenate(parts) + self._origins(probe)
            samples = Samples(in_ms(steps, dt), senders(recorder), values)
            found.setdefault(recorder.name, {})[recorder.variable] = samples
        return found

    def _origins(self, probe: Probe) -> NDArray[np.float64]:
        """The parameter that the stored values of a variable are relative to, for each of its columns."""
        layout, found = self.built.plan.layout, np.zeros(probe.positions.size)
        if probe.origin is None:
            return found
        ids = probe.recorder.target.ids(layout.first_of())[probe.positions]
        populations = np.searchsorted(layout.first_id, ids, side="right") - 1
        for a in np.unique(populations):
            mine, n = populations == a, int(np.diff(layout.first_id)[a])
            value = np.broadcast_to(self.built.draws.parameters(int(a))[probe.origin], n)
            found[mine] = value[ids[mine] - layout.first_id[a]]
        return found

    def populations(self, seconds: float) -> dict[str, PopulationStatistics]:
        """Statistics of every population of neurons."""
        layout = self.built.plan.layout
        return {
            name: self.statistics.of(int(layout.first_id[a]), int(layout.first_id[a + 1]), seconds)
            for a, name in enumerate(layout.names)
            if layout.group_of[a] >= 0
        }


def senders(recorder: Recorder) -> NDArray[np.int64]:
    """How the neurons of a recorder are numbered: by population, or by group where it joins several populations."""
    if len(recorder.target.populations) == 1:
        return recorder.target.flat()[1]
    return np.arange(len(recorder.target))


def n_senders(recorder: Recorder) -> int:
    """How many numbers `senders` takes them from."""
    populations = recorder.target.populations
    return populations[0].n if len(populations) == 1 else len(recorder.target)


def _labels(recorder: Recorder, first: dict[str, int], n: int) -> NDArray[np.int64] | None:
    """For each id, its number as a sender, or -1; None if every id is its own number."""
    label = np.full(n, -1, np.int64)
    label[recorder.target.ids(first)] = senders(recorder)
    return None if np.array_equal(label, np.arange(n)) else label
