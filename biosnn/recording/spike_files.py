"""Spikes as files: a line or an array's entry each."""

from __future__ import annotations

import numpy as np

from biosnn.recording.file_sink import SpikeFileSink
from biosnn.recording.files import Lines, field, whole
from biosnn.recording.sinks import I64, About, Ids


class SpikesCsv(SpikeFileSink):
    """A line `time_ms,population,neuron` per spike, in order of time; neurons count from 0 in their population.

    The file grows as the run goes on; nothing of it is kept in memory.
    """

    def begin(self, about: About) -> None:
        self.names = [field(name) for name in about.names]
        self.file = Lines(self.path, "time_ms,population,neuron\n")

    def go_on(self, about: About) -> None:
        self.file.reopen()

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        steps, ids = self.chosen(steps, ids)
        populations, neurons = self.about.members(ids)
        rows = zip(self.about.times(steps).tolist(), populations.tolist(), neurons.tolist(), strict=True)
        self.file.write("".join([f"{t!r},{self.names[a]},{i}\n" for t, a, i in rows]))

    def close(self, last: int) -> None:
        super().close(last)
        self.file.close()


class SpikesNpz(SpikeFileSink):
    """Arrays `times` (ms), `population` (index into `populations`, their names) and `neuron`, one entry per spike.

    Spikes are kept in memory, 12 bytes each, until the end of the run: then the file is written, whole or not at all.
    """

    def begin(self, about: About) -> None:
        self.steps: list[I64] = [np.empty(0, np.int64)]
        self.ids: list[Ids] = [np.empty(0, np.int32)]

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        steps, ids = self.chosen(steps, ids)
        self.steps.append(steps)
        self.ids.append(ids)

    def close(self, last: int) -> None:
        super().close(last)
        number = np.int16 if len(self.about.names) <= 2**15 else np.int32
        with whole(self.path) as file:
            populations, neurons = self.about.members(np.concatenate(self.ids))
            np.savez_compressed(
                file, times=self.about.times(np.concatenate(self.steps)), population=populations.astype(number),
                neuron=neurons.astype(np.int32), populations=np.array(self.about.names),
            )  # fmt: skip
