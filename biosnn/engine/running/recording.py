"""From the driver's history and sample buffers to what a run returns, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from biosnn.description.items import Recorder
from biosnn.engine.building.build import Built
from biosnn.engine.planning.plan import KEPT_SAMPLE, KEPT_SPIKE
from biosnn.engine.running.handing_out import HandingOut, sampled_steps
from biosnn.errors import RecordingFullError
from biosnn.propagation.spike_history_cpu import spikes_between
from biosnn.recording.probe import Probe
from biosnn.recording.results import NotKept, PopulationStatistics, Samples, Spikes
from biosnn.recording.sinks import Sink
from biosnn.recording.statistics import Statistics
from biosnn.recording.times import in_ms


class Recording:
    """Collects one run, and hands it to sinks."""

    def __init__(self, built: Built, sinks: Sequence[Sink], keep: bool) -> None:
        self.built, self.keep = built, keep
        self.sinks = HandingOut(built, sinks)
        layout = built.plan.layout
        self.statistics = Statistics(layout.n_ids)
        neurons = np.repeat(np.array(layout.group_of) >= 0, np.diff(layout.first_id))
        self.is_neuron = None if neurons.all() else neurons
        self.spike_recorders = [r for r in built.net.recorders if r.variable == "spikes"]
        self.labels = [_labels(r, layout.first_of(), layout.n_ids) for r in self.spike_recorders]
        self.spikes: list[list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = [[] for _ in self.spike_recorders]
        self.sample_recorders = [r for r in built.net.recorders if r.variable != "spikes"]
        # by number of the recorder; those of monitors have theirs, and nothing is kept of it
        self.samples: dict[int, list[NDArray[np.float32]]] = {
            k: [] for k, recorder in enumerate(self.sample_recorders) if recorder.owner is None
        }
        self.events = self.n_spikes = 0
        self.kept = 0  # bytes, as they are counted against what a run may keep
        self.until = int(built.arrays["clock"][0])  # all up to this step has been taken in
        self.whole = True  # and nothing of what is later

    def take(self, first: int, last: int) -> None:
        """Take in what happened in steps first..last-1."""
        self.whole = False
        arrays = self.built.arrays
        starts, origin = arrays["spike_first"], int(arrays["clock"][1])
        n = int((starts[:, last - origin] - starts[:, first - origin]).sum())
        steps, ids = np.empty(n, np.int64), np.empty(n, np.int32)
        spikes_between(first - origin, last - origin, origin, starts, arrays["spike_ids"], steps, ids)
        if not _are_in_order(steps, ids):  # several model groups, or spike sources: lists are not ranges of ids
            order = np.argsort(steps * self.built.plan.layout.n_ids + ids, kind="stable")
            steps, ids = steps[order], ids[order]
        self.statistics.add(steps, ids, self.is_neuron)
        self.n_spikes += ids.size
        self.events += sum(_sent(ids, arrays[f"row_first{t.suffix}"]) for t in self.built.plan.tables)
        samples = self._sampled(first, last)
        if self.keep:
            self._keep(steps, ids, samples)
        self.until, self.whole = last, True
        if self.sinks.sinks:
            self.sinks.take(first, last, steps, ids, samples)
        self._check_room()

    def _keep(self, steps: NDArray[np.int64], ids: NDArray[np.int32], samples: list[NDArray[np.float32]]) -> None:
        for found, label in zip(self.spikes, self.labels, strict=True):
            if label is None:
                found.append((steps, ids.astype(np.int64)))
            else:
                mine = label[ids] >= 0
                found.append((steps[mine], label[ids[mine]]))
            self.kept += KEPT_SPIKE * found[-1][0].size
        for k, kept in self.samples.items():
            kept.append(samples[k])
            self.kept += KEPT_SAMPLE * samples[k].size

    def _check_room(self) -> None:
        """Raise RecordingFullError if a run may keep no more."""
        most = self.built.plan.asked["max_record_mib"]
        if 0 < most * 2**20 < self.kept:
            raise RecordingFullError(
                f"run: what was recorded until {self.until * self.built.net.dt:g} ms fills the {most:,.6g} MiB that a "
                f"run may keep; hand it to sinks with keep=False, record less, or raise max_record_mib"
            )

    def _sampled(self, first: int, last: int) -> list[NDArray[np.float32]]:
        """What each recorder sampled in these steps: (n_times, n_neurons), the terms of its variable added up."""
        probes, found = self.built.plan.probes, {}
        for recorder in self.sample_recorders:
            rows = last // recorder.every - first // recorder.every
            found[id(recorder)] = np.zeros((rows, len(recorder.target)), np.float32)
        for probe, values in zip(probes.probes, probes.samples(self.built.arrays, first, last), strict=True):
            found[id(probe.recorder)][:, probe.positions] += values + self._origins(probe)
        return list(found.values())

    def recorded_spikes(self) -> Mapping[str, Spikes]:
        """Spikes by recorder name; a spike in step s happens at its end, (s + 1) dt."""
        if not self.keep:
            return NotKept()
        dt, found = self.built.net.dt, {}
        for recorder, parts in zip(self.spike_recorders, self.spikes, strict=True):
            steps = np.concatenate([np.empty(0, np.int64), *(s for s, _ in parts)])
            ids = np.concatenate([np.empty(0, np.int64), *(i for _, i in parts)])
            found[recorder.name] = Spikes(in_ms(steps + 1, dt), ids, n_senders(recorder), senders(recorder))
        return found

    def recorded_samples(self, start: int, stop: int) -> Mapping[str, Mapping[str, Samples]]:
        """Samples by recorder name and variable."""
        if not self.keep:
            return NotKept()
        found: dict[str, dict[str, Samples]] = {}
        for k, parts in self.samples.items():
            recorder = self.sample_recorders[k]
            times = in_ms(sampled_steps(start, stop, recorder.every), self.built.net.dt)
            values = np.concatenate([np.empty((0, len(recorder.target)), np.float32), *parts])
            sampled = Samples(times, senders(recorder), values, recorder.unit)
            found.setdefault(recorder.name, {})[recorder.variable] = sampled
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


def _are_in_order(steps: NDArray[np.int64], ids: NDArray[np.int32]) -> bool:
    """Whether spikes are sorted by step, then id."""
    later = np.diff(steps)
    return bool(((later > 0) | ((later == 0) & (np.diff(ids) >= 0))).all())


def _sent(ids: NDArray[np.int32], row_first: NDArray[np.int64]) -> int:
    """Synapses in the rows of these ids, each id counted as often as it is there."""
    return int((row_first[ids + 1] - row_first[ids]).sum())
