"""Recorded variables as a part: which neurons, how often, and the buffer that a chunk fills.

What is recorded is data, not text: a driver is the same whatever is recorded of its neurons.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.description.items import Recorder
from biosnn.parts.array import Array, Arrays, Keep, Row, row
from biosnn.parts.part import Done, Draws, Part, Phase, Work
from biosnn.parts.text import call
from biosnn.recording.shared import COLUMNS


@dataclass(frozen=True)
class Probe:
    """One recorded variable of one model group, or a term of it: which neurons, in the column order of its buffer."""

    recorder: Recorder
    group: int
    array: str  # that it is in, without the prefix of the group
    origin: str | None  # parameter that the stored values are relative to
    positions: I64  # in the recorder's target, of each column
    index: I64  # in the array, of each column
    ends: I64  # [partition]: columns before those of its neurons, and their number at the end

    def rows_in(self, steps: int) -> int:
        """Samples that so many steps can give, at most."""
        return steps // self.recorder.every + 1


class Probes(Part):
    """All recorders of variables."""

    kernels = {"sample": "biosnn.recording.kernels_cpu"}

    def __init__(self, address: Address, prefixes: list[str], chunk_steps: int) -> None:
        self.address, self.prefixes, self.chunk_steps = address, prefixes, chunk_steps

    @functools.cached_property
    def probes(self) -> list[Probe]:
        """Recorder by recorder, group by group, term by term."""
        return [
            probe for r in self.address.net.recorders if r.variable != "spikes" for probe in _probes(self.address, r)
        ]

    def rows(self) -> Iterator[Row]:
        sizes = [p.rows_in(self.chunk_steps) * p.index.size for p in self.probes]
        widths = [p.index.size for p in self.probes]
        samples = Array("probe_samples", (sum(sizes),), "uint32", Keep.SCRATCH)  # bits, in the format of each
        index = Array("probe_index", (sum(widths),), "int64", Keep.FIXED, fill=self._index)
        for recorder in {id(p.recorder): p.recorder for p in self.probes}.values():
            mine = [k for k, p in enumerate(self.probes) if p.recorder is recorder]
            n_terms = len(mine) / len({self.probes[k].group for k in mine})
            axes: list[tuple[float, str]] = [
                (self.probes[mine[0]].rows_in(self.chunk_steps), "samples"),
                (len(recorder.target), "neurons"),
            ]
            axes += [(n_terms, "terms")] if n_terms > 1 else []
            share = sum(sizes[k] for k in mine) / sum(sizes)
            yield row("recorders", f"{recorder.name}.{recorder.variable}", axes, samples, share=share)
        n_parts = self.address.layout.n_parts
        if not self.probes:
            yield Row("recorders", "nothing", "no variable", (samples,))
        yield row("recorders", "neurons", [(sum(widths), "neurons")], index)
        yield row(
            "recorders", "what is recorded", [(len(self.probes), "variables"), (len(COLUMNS) + n_parts + 1, "numbers")],
            Array("probe_table", (len(self.probes), len(COLUMNS)), "int64", Keep.SCRATCH),
            Array("probe_columns", (len(self.probes), n_parts + 1), "int64", Keep.FIXED, fill=self._ends),
        )  # fmt: skip

    def statements(self, phase: Phase) -> list[str]:
        if phase is not Phase.SAMPLE:
            return []
        return call(
            "sample", ["p", "step", "first_step", *(f"probe_{x}" for x in ("table", "columns", "index", "samples"))]
        )

    def work(self, phase: Phase, done: Done) -> Work:
        if phase is not Phase.SAMPLE:
            return super().work(phase, done)
        n = sum(done.steps / p.recorder.every * p.index.size for p in self.probes)
        return Work(n, n * (4 + 8 + 4))  # the value, where it stands, the sample

    def between(self, arrays: Arrays, draws: Draws) -> None:
        """Say where the values stand now."""
        table, at, samples = arrays["probe_table"], 0, 0
        for k, probe in enumerate(self.probes):
            values, width = arrays[self.prefixes[probe.group] + probe.array], probe.index.size
            table[k] = values.ctypes.data, values.size, values.itemsize, probe.recorder.every, at, width, samples
            at, samples = at + width, samples + probe.rows_in(self.chunk_steps) * width

    def samples(self, arrays: Arrays, first: int, last: int) -> Iterator[NDArray[np.float32]]:
        """What each probe has taken in steps first..last-1: a row for each sample."""
        at = 0
        for probe in self.probes:
            n, width = last // probe.recorder.every - first // probe.recorder.every, probe.index.size
            bits = arrays["probe_samples"][at : at + n * width].reshape(n, width)
            yield _decoded(bits, self._dtype(probe))
            at += probe.rows_in(self.chunk_steps) * width

    def _dtype(self, probe: Probe) -> str:
        group = self.address.layout.groups[probe.group]
        if probe.array in (s.name for s in group.bank.states):
            return self.address.receptor_dtype
        return next(np.dtype(s.dtype).name for s in group.model.states if group.model.array(s.name) == probe.array)

    def _index(self) -> I64:
        return np.concatenate([np.empty(0, np.int64), *(p.index for p in self.probes)])

    def _ends(self) -> I64:
        return np.array([p.ends for p in self.probes], np.int64)


def _decoded(bits: NDArray[np.uint32], dtype: str) -> NDArray[np.float32]:
    """The numbers that bits stand for in a format."""
    if dtype == "float16":
        return bits.astype(np.uint16).view(np.float16).astype(np.float32)
    if dtype == "bfloat16":
        return (bits << 16).view(np.float32)
    return bits.view(dtype).astype(np.float32)


def _probes(address: Address, recorder: Recorder) -> Iterator[Probe]:
    """The probes of a recorder of a variable: one for each group that it reaches, and each term of the variable."""
    layout = address.layout
    ids = recorder.target.ids(layout.first_of())
    cell_of, group_of_id = layout.cell_table(), np.repeat(layout.group_of, np.diff(layout.first_id))
    for g in np.unique(group_of_id[ids]):
        position = np.flatnonzero(group_of_id[ids] == g)
        parts = np.array([layout.cells[c].part for c in cell_of[ids[position]]])
        position = position[np.argsort(parts, kind="stable")]
        index = ids[position] - np.array([layout.cells[c].to_state for c in cell_of[ids[position]]])
        ends = np.searchsorted(np.sort(parts), np.arange(layout.n_parts + 1)).astype(np.int64)
        model = layout.groups[g].model
        recorded = model.terms(recorder.variable)
        for k, term in enumerate(recorded.terms):  # the origin is added once
            origin = recorded.origin if k == 0 else None
            yield Probe(recorder, int(g), model.array(term), origin, position, index.astype(np.int64), ends)
