"""Samples of state variables as files that grow as the run goes on: lines of text, or arrays for NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from biosnn.recording.file_sink import AnyPath, FileSink
from biosnn.recording.files import Lines, Rows, field, naming, new_folder, whole
from biosnn.recording.sinks import I64, About, Sampled, Values

Key: TypeAlias = tuple[str, str]  # recorder and variable
LINES = 2**16  # of text made at once, or all samples of one time: a chunk of 32 MiB would be a gigabyte of it
PLAIN = " ,+-_=()[]"  # in the name of a file, besides letters and digits


class SamplesCsv(FileSink):
    """A line `time_ms,recorder,variable,population,neuron,value` per sample, in order of time for each recorder.

    Neurons count from 0 in their population; a value has the digits that float32 needs, in the unit of its variable.
    """

    def begin(self, about: About) -> None:
        self.columns = {(s.recorder, s.variable): _fields(about, s) for s in about.sampled}
        self.file = Lines(self.path, "time_ms,recorder,variable,population,neuron,value\n")

    def go_on(self, about: About) -> None:
        self.file.reopen()

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        columns = self.columns[what.recorder, what.variable]
        at_once = max(1, LINES // max(1, len(columns)))
        for k in range(0, steps.size, at_once):
            times = map(repr, self.about.times(steps[k : k + at_once]).tolist())
            rows = zip(times, values[k : k + at_once].astype(str).tolist(), strict=True)
            lines = [f"{t},{c},{v}\n" for t, row in rows for c, v in zip(columns, row, strict=True)]
            self.file.write("".join(lines))

    def close(self, last: int) -> None:
        super().close(last)
        self.file.close()


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
            name = f"{_plain(s.recorder)}.{_plain(s.variable)}"
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


def _fields(about: About, s: Sampled) -> list[str]:
    """The fields between time and value, for each neuron."""
    names = [field(name) for name in about.names]
    members = zip(s.populations.tolist(), s.neurons.tolist(), strict=True)
    return [f"{field(s.recorder)},{s.variable},{names[a]},{i}" for a, i in members]


def _write_senders(path: Path, about: About, s: Sampled) -> None:
    names = np.array(about.names)[s.populations]
    senders = np.empty(s.neurons.size, [("population", names.dtype), ("neuron", np.int64)])
    senders["population"], senders["neuron"] = names, s.neurons
    with whole(path) as file:
        np.save(file, senders)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in PLAIN else f"%{ord(c):02x}" for c in name)
