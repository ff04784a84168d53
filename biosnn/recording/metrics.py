"""How much each population fires, bin by bin, as a file."""

from __future__ import annotations

import numpy as np

from biosnn.recording.file_sink import FileSink
from biosnn.recording.files import Lines, field
from biosnn.recording.sinks import I64, About, Ids

BIN_MS = 10.0


class MetricsCsv(FileSink):
    """A line `time_ms,population,neurons,spikes,rate_hz` per population and bin of 10 ms, named by the time of its end.

    A run that is no multiple of 10 ms long ends with a shorter bin.
    """

    def begin(self, about: About) -> None:
        self.names = [field(name) for name in about.names]
        self.neurons = np.diff(about.first_id).tolist()
        self.width = max(1, round(BIN_MS / about.dt))
        self.counts = np.zeros(len(about.names), np.int64)
        self.bin = about.first  # first step of the bin that is being counted; earlier ones are written
        self.file = Lines(self.path, "time_ms,population,neurons,spikes,rate_hz\n")

    def go_on(self, about: About) -> None:
        self.bin = about.first
        self.file.reopen()

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        populations, _ = self.about.members(ids)
        while steps.size:
            inside = int(np.searchsorted(steps, self.bin + self.width))
            self.counts += np.bincount(populations[:inside], minlength=self.counts.size)
            if inside == steps.size:
                break
            self._write(self.bin + self.width)
            steps, populations = steps[inside:], populations[inside:]

    def close(self, last: int) -> None:
        super().close(last)
        try:
            while self.bin < last:
                self._write(min(self.bin + self.width, last))
        finally:
            self.file.close()

    def _write(self, end: int) -> None:
        time = float(self.about.times(np.array(end - 1)))
        seconds = (end - self.bin) * self.about.dt * 1e-3
        rows = zip(self.names, self.neurons, self.counts.tolist(), strict=True)
        self.file.write(
            "".join([f"{time!r},{name},{n},{k},{k / (n * seconds) if n else 0.0:.6g}\n" for name, n, k in rows])
        )
        self.bin, self.counts = end, np.zeros_like(self.counts)
