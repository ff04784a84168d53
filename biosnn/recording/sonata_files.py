"""Spikes and samples as HDF5 files in the layout of SONATA, which its tools read.

Source: the SONATA developer guide, github.com/AllenInstitute/sonata, "Output file formats". It has one file for all
spikes, and one for each report; a report is a variable of some neurons, every so often. So a file for each recorder
and variable. Ids count from 0 in each population.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.recording.file_sink import AnyPath, FileSink, SpikeFileSink
from biosnn.recording.files import naming, new_folder, plain
from biosnn.recording.hdf5 import Hdf5, check_h5py, grown, linked
from biosnn.recording.sinks import I64, About, Ids, Sampled, Values

SORTING = {"none": 0, "by_id": 1, "by_time": 2}


class SpikesH5(SpikeFileSink):
    """An HDF5 file of `/spikes/POP/timestamps` (ms, float64) and `/spikes/POP/node_ids` (uint64), in order of time.

    POP is the name of a population, in which `/` is %2f and `%` is %25. The file grows as the run goes on, and can be
    read meanwhile, and whatever becomes of the run. It takes h5py.
    """

    def _new(self, path: AnyPath) -> Path:
        check_h5py(type(self).__name__)
        return super()._new(path)

    def begin(self, about: About) -> None:
        mine = about.names if self.of is None else {p.name for p in self.of.populations}
        self.groups = {a: linked(name) for a, name in enumerate(about.names) if name in mine}
        self.number = np.int16 if len(about.names) < 2**15 else np.int32  # of 16 bits, NumPy sorts them by counting
        self.file = Hdf5(self.path, self._describe)

    def go_on(self, about: About) -> None:
        self.file.reopen()

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        steps, ids = self.chosen(steps, ids)
        populations, neurons = self.about.members(ids)
        order = np.argsort(populations.astype(self.number), kind="stable")
        times, neurons = self.about.times(steps)[order], neurons[order]
        ends = np.cumsum(np.bincount(populations, minlength=len(self.about.names))).tolist()
        for a, group in self.groups.items():
            first, last = ends[a - 1] if a else 0, ends[a]
            if first < last:
                self.file.append(f"spikes/{group}/timestamps", times[first:last])
                self.file.append(f"spikes/{group}/node_ids", neurons[first:last])
        self.file.commit()

    def close(self, last: int) -> None:
        super().close(last)
        self.file.close()

    def _describe(self, file: Any) -> None:
        import h5py

        spikes, sorting = file.create_group("spikes"), h5py.enum_dtype(SORTING, basetype="i1")
        for name in self.groups.values():
            group = spikes.create_group(name)
            times, _ = grown(group, "timestamps", "<f8"), grown(group, "node_ids", "<u8")  # side by side: see `commit`
            times.attrs["units"] = "ms"
            group.attrs.create("sorting", SORTING["by_time"], dtype=sorting)


class SamplesH5(FileSink):
    """A folder, new or empty, of HDF5 files: for each recorder and variable, named by them, exc.V_m.h5, with

        /report/POP/data                 float32 (n_times, n_neurons), its `units`
        /report/POP/mapping/node_ids     uint64: the neuron of each column; index_pointers and element_ids are trivial
        /report/POP/mapping/time         ms: of the first row, of the row behind the last, and between two rows

    for each population in it. What passes between two runs with this sink is NaN. Otherwise as `SpikesH5`; files are
    named as by `SamplesNpy`.
    """

    def _new(self, path: AnyPath) -> Path:
        check_h5py(type(self).__name__)
        return new_folder(type(self).__name__, path)

    def begin(self, about: About) -> None:
        self.files: dict[tuple[str, str], _Report] = {}
        with naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        for s in about.sampled:
            path = self.path / f"{plain(s.recorder)}.{plain(s.variable)}.h5"
            self.files[s.recorder, s.variable] = _Report(path, about, s)

    def go_on(self, about: About) -> None:
        for report in self.files.values():
            report.file.reopen()

    def add_samples(self, what: Sampled, steps: I64, values: Values) -> None:
        self.files[what.recorder, what.variable].add(steps, values)

    def close(self, last: int) -> None:
        super().close(last)
        for report in self.files.values():
            report.file.close()


class _Report:
    """A file of one recorder and variable."""

    def __init__(self, path: Path, about: About, what: Sampled) -> None:
        self.about, self.what = about, what
        self.begin = about.first // what.every  # intervals before that which ends with the first sample
        self.columns = {
            linked(about.names[a]): np.flatnonzero(what.populations == a) for a in np.unique(what.populations)
        }
        self.file = Hdf5(path, self._describe)

    def add(self, steps: I64, values: Values) -> None:
        """Write the samples of a chunk."""
        row = int(steps[0] + 1) // self.what.every - self.begin - 1
        for name, columns in self.columns.items():
            self.file.append(f"report/{name}/data", values[:, columns], row)
            self.file.set(f"report/{name}/mapping/time", self._times(row + len(steps)))
        self.file.commit()

    def _describe(self, file: Any) -> None:
        reports = file.create_group("report")
        for name, columns in self.columns.items():
            report, neurons = reports.create_group(name), self.what.neurons[columns]
            data = grown(report, "data", "<f4", (columns.size,), fillvalue=np.nan)
            data.attrs["units"] = self.what.unit
            mapping = report.create_group("mapping")
            mapping["node_ids"] = neurons.astype("<u8")
            mapping["node_ids"].attrs["sorted"] = np.int8((np.diff(neurons) > 0).all())
            mapping["index_pointers"] = np.arange(columns.size + 1, dtype="<u8")
            mapping["element_ids"] = np.ones(columns.size, "<u4")  # of neurons that are points
            mapping["time"] = self._times(0)
            mapping["time"].attrs["units"] = "ms"

    def _times(self, rows: int) -> NDArray[np.float64]:
        counts = np.array([self.begin + 1, self.begin + 1 + rows, 1])
        return self.about.times(counts * self.what.every - 1)
