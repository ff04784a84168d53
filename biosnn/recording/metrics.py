"""How much each population fires, bin by bin, as a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from biosnn.recording.file_sink import FileSink
from biosnn.recording.files import Lines, field
from biosnn.recording.sinks import I64, About, Ids

BIN_MS = 10.0


class BinnedCsv(FileSink, ABC):
    """A line `time_ms,population,...` per population and bin, named by the time of its end.

    Bins end at multiples of their width; a run that begins or ends between two of them has a shorter bin there.
    """

    columns: ClassVar[str]  # after time and population
    width: int  # steps

    @abstractmethod
    def count(self, ids: Ids) -> None:
        """Take in spikes of the bin that is not written yet."""

    @abstractmethod
    def rows(self, first: int, end: int) -> list[str]:
        """What is said of each population in steps first..end-1, and is forgotten then."""

    def begin(self, about: About) -> None:
        self.names = [field(name) for name in about.names]
        self.neurons = np.diff(about.first_id)
        self.bin = about.first  # first step of the bin that is being counted; earlier ones are written
        self.file = Lines(self.path, f"time_ms,population,{self.columns}\n")

    def go_on(self, about: About) -> None:
        self.bin = about.first
        self.file.reopen()

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        self.steps, self.ids = steps, ids

    def end_chunk(self, last: int) -> None:
        done = 0
        while (end := (self.bin // self.width + 1) * self.width) <= last:
            until = int(np.searchsorted(self.steps, end))
            self.count(self.ids[done:until])
            self._write(end)
            done = until
        self.count(self.ids[done:])

    def close(self, last: int) -> None:
        super().close(last)
        try:
            if self.bin < last:
                self._write(last)
        finally:
            self.file.close()

    def _write(self, end: int) -> None:
        time = float(self.about.times(np.array(end - 1)))
        found = zip(self.names, self.rows(self.bin, end), strict=True)
        self.file.write("".join([f"{time!r},{name},{row}\n" for name, row in found]))
        self.bin = end


class MetricsCsv(BinnedCsv):
    """A line `time_ms,population,neurons,spikes,rate_hz` per population and bin of 10 ms."""

    columns = "neurons,spikes,rate_hz"

    def begin(self, about: About) -> None:
        self.width = max(1, round(BIN_MS / about.dt))
        self.counts = np.zeros(len(about.names), np.int64)
        super().begin(about)

    def count(self, ids: Ids) -> None:
        populations, _ = self.about.members(ids)
        self.counts += np.bincount(populations, minlength=self.counts.size)

    def rows(self, first: int, end: int) -> list[str]:
        seconds = (end - first) * self.about.dt * 1e-3
        pairs = zip(self.neurons.tolist(), self.counts.tolist(), strict=True)
        self.counts = np.zeros_like(self.counts)
        return [f"{n},{k},{k / (n * seconds) if n else 0.0:.6g}" for n, k in pairs]
