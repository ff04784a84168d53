"""Spikes as files: a line or an array's entry each."""

from __future__ import annotations

import numpy as np

from biosnn.recording.file_sink import SpikeFileSink
from biosnn.recording.files import Lines, whole
from biosnn.recording.lines import Csv, Jsonl
from biosnn.recording.shared import PER_MS
from biosnn.recording.sinks import I64, About, Ids
from biosnn.recording.times import steps_per_ms

MANY = 10_000  # spikes of a chunk that a kernel writes: Python takes 4 ms for them, compiling it 0.5 s, once
EXACT = 10**11  # steps whose times have no more than the 15 digits that tell all numbers of float64 apart


class SpikeLines(SpikeFileSink):
    """A line of text for each spike, in order of time. The file grows with the run; nothing of it is kept in memory."""

    form: type[Csv | Jsonl]

    def begin(self, about: About) -> None:
        self.between = [self.form.between({"population": name}, "neuron") for name in about.names]
        texts = [text.encode() for text in (self.form.begin, self.form.end, *self.between)]
        self.texts = np.frombuffer(bytearray(b"".join(texts)), np.uint8)
        self.text_at = np.cumsum([0, *map(len, texts)])
        self.widest = len(texts[0]) + len(texts[1]) + max(map(len, texts[2:]), default=0) + 17 + 10
        per_ms = steps_per_ms(about.dt)  # where it does not divide PER_MS, only Python knows how a time is printed
        self.scale = PER_MS // per_ms if per_ms and PER_MS % per_ms == 0 else 0
        self.file = Lines(self.path, self.form.header("time_ms", "population", "neuron"))

    def go_on(self, about: About) -> None:
        self.file.reopen()

    def add_spikes(self, steps: I64, ids: Ids) -> None:
        steps, ids = self.chosen(steps, ids)
        if self.scale and steps.size > MANY and steps[-1] < EXACT:
            self.file.append(self._by_kernel(steps, ids))
        else:
            self.file.write(self._by_python(steps, ids))

    def close(self, last: int) -> None:
        super().close(last)
        self.file.close()

    def _by_python(self, steps: I64, ids: Ids) -> str:
        begin, between, end = self.form.begin, self.between, self.form.end
        populations, neurons = self.about.members(ids)
        rows = zip(self.about.times(steps).tolist(), populations.tolist(), neurons.tolist(), strict=True)
        return "".join([f"{begin}{t!r}{between[a]}{i}{end}" for t, a, i in rows])

    def _by_kernel(self, steps: I64, ids: Ids) -> memoryview:
        from biosnn.recording.lines_cpu import spike_lines

        out = np.empty(steps.size * self.widest, np.uint8)
        n = spike_lines(steps, ids, self.scale, self.about.first_id, self.texts, self.text_at, out)
        return out[:n].data


class SpikesCsv(SpikeLines):
    """A line `time_ms,population,neuron` per spike, in order of time; neurons count from 0 in their population.

    The file grows as the run goes on; nothing of it is kept in memory.
    """

    form = Csv


class SpikesJsonl(SpikeLines):
    """A line `{"time_ms": 0.3, "population": "exc", "neuron": 7}` per spike, in order of time; otherwise as CSV."""

    form = Jsonl


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
