"""Samples of state variables as files that grow as the run goes on: lines of text, or arrays for NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from biosnn.recording.file_sink import AnyPath, FileSink
from biosnn.recording.files import Lines, Rows, naming, new_folder, plain, whole
from biosnn.recording.lines import Csv, Jsonl
from biosnn.recording.sinks import I64, About, Sampled, Values

Key: TypeAlias = tuple[str, str]  # recorder and variable
LINES = 2**16  # of text made at once, or all samples of one time: a chunk of 32 MiB would be a gigabyte of it


class SampleLines(FileSink):
    """A line of text for each sample, in order of time for each recorder."""

    form: type[Csv | Jsonl]

    def begin(self, about: About) -> None:
        self.between = {(s.recorder, s.variable): self._columns(about, s) for s in about.sampled}
        names = ("time_ms", "recorder", "variable", "population", "neuron", "value")
        self.file = Lines(self.path, self.form.header(*names))

    def go_on(self, about: About) -> None:
        self.file.reopen()

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        begin, between, end = self.form.begin, self.between[what.recorder, what.variable], self.form.end
        at_once = max(1, LINES // max(1, len(between)))
        for k in range(0, steps.size, at_once):
            times = map(repr, self.about.times(steps[k : k + at_once]).tolist())
            rows = zip(times, self.form.numbers(values[k : k + at_once]).tolist(), strict=True)
            lines = [f"{begin}{t}{c}{v}{end}" for t, row in rows for c, v in zip(between, row, strict=True)]
            self.file.write("".join(lines))

    def close(self, last: int) -> None:
        super().close(last)
        self.file.close()

    def _columns(self, about: About, s: Sampled) -> list[str]:
        """What stands between time and value, for each neuron."""
        which = {"recorder": s.recorder, "variable": s.variable}
        before = [self.form.between({**which, "population": name}, "neuron") for name in about.names]
        behind = self.form.between({}, "value")
        return [f"{before[a]}{i}{behind}" for a, i in zip(s.populations.tolist(), s.neurons.tolist(), strict=True)]


class SamplesCsv(SampleLines):
    """A line `time_ms,recorder,variable,population,neuron,value` per sample, in order of time for each recorder.

    Neurons count from 0 in their population; a value has the digits that float32 needs, in the unit of its variable.
    """

    form = Csv


class SamplesJsonl(SampleLines):
    """A JSON object with these members in each line; a value that is NaN or infinite is null. Otherwise as CSV."""

    form = Jsonl


class SamplesNpy(FileSink):
    """A folder, new or empty, of .npy files: for each recorder and variable, named by them,

        exc.V_m.npy          entries `times` (ms, float64) and `values` (float32, all neurons), one for each sample
        exc.V_m.senders.npy  entries `population` (its name) and `neuron` (index there), one for each column of `values`

    `numpy.load(..., mmap_mode="r")["values"]`, (n_times, n_neurons), reads only what is looked at, and that while the
    run goes on, too. In names of files, what is no letter, digit or one of ` ,+-_=()[]` becomes a % and its number.
    """

    def _new(self, path: AnyPath) -> Path:
        return new_folder(type(self).__name__, path)

    def begin(self, about: About) -> None:
        self.files: dict[Key, Rows] = {}
        with naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        for s in about.sampled:
            name = f"{plain(s.recorder)}.{plain(s.variable)}"
            _write_senders(self.path / f"{name}.senders.npy", about, s)
            dtype = np.dtype([("times", "<f8"), ("values", "<f4", (s.neurons.size,))])
            self.files[s.recorder, s.variable] = Rows(self.path / f"{name}.npy", dtype)

    def go_on(self, about: About) -> None:
        for file in self.files.values():
            file.reopen()

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        file = self.files[what.recorder, what.variable]
        rows = np.empty(steps.size, file.dtype)
        rows["times"], rows["values"] = self.about.times(steps), values
        file.write(rows)

    def close(self, last: int) -> None:
        super().close(last)
        for file in self.files.values():
            file.close()


def _write_senders(path: Path, about: About, s: Sampled) -> None:
    names = np.array(about.names)[s.populations]
    senders = np.empty(s.neurons.size, [("population", names.dtype), ("neuron", np.int64)])
    senders["population"], senders["neuron"] = names, s.neurons
    with whole(path) as file:
        np.save(file, senders)
