"""Injected currents into one model group: their part of a driver.

What is constant between steps is set when it changes; what is not is added in each step.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.address.layout import Layout, ModelGroup
from biosnn.address.reach import by_partition, runs, starts
from biosnn.description.items import CurrentInput, VaryingCurrent
from biosnn.description.stimuli import Noise, Sinusoidal, broadcast, waves
from biosnn.inputs.changes import change_arrays
from biosnn.inputs.shared import TILE
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, row, small
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call

DRAWN = TILE + 2  # normal numbers of a tile: it may begin and end with half a pair
NEVER = 2**62  # a step that no run reaches


class Currents(Part):
    """All currents into the neurons of a group."""

    kernels = dict.fromkeys(("begin_currents", "change", "fluctuate", "oscillate"), "biosnn.inputs.currents_cpu")

    def __init__(self, address: Address, group: ModelGroup, prefix: str) -> None:
        self.address, self.group, self.prefix = address, group, prefix
        self.reaching = _reaching(address, group)
        steps = [c for c in self.reaching if isinstance(c, CurrentInput)]
        self.synchronous = bool(steps)
        self.waits = any(c.steps.size for c in steps)  # partitions, for what changes
        self.waving = [c for c in self.reaching if isinstance(c, VaryingCurrent) and isinstance(c.source, Sinusoidal)]
        self.noisy = [
            c for c in self.reaching if isinstance(c, VaryingCurrent) and not isinstance(c.source, Sinusoidal)
        ]

    @property
    def varies(self) -> bool:
        """Whether some current is new in each step."""
        return bool(self.waving or self.noisy)

    def statements(self, phase: Phase) -> list[str]:
        pre = self.prefix
        if phase is Phase.BEFORE and self.waits:
            into = "held" if self.varies else "injected"
            names = ("change_cursor", "change_step", "change_range", "change_value", into)
            return call("change", ["step", *(pre + name for name in names)])
        if phase is not Phase.UPDATE or not self.varies:
            return []
        lines = call("begin_currents", ["p", f"{pre}sections", f"{pre}held", f"{pre}injected"])
        if self.waving:
            tables = ["wave_part", "wave_rows", "wave_between", "wave_turns", "wave", "injected"]
            lines += call("oscillate", ["step", "p", *(pre + x for x in tables)])
        if self.noisy:
            tables = [f"{pre}noise_{x}" for x in ("part", "rows", "sources", "forget")]
            tables += [f"{pre}noise", "drawing", f"{pre}injected"]
            lines += call("fluctuate", ["step", "seed[0]", "p", *tables])
        return lines

    def rows(self) -> Iterator[Row]:
        name, n_parts = self.group.name, self.address.layout.n_parts
        if self.waits:
            yield from self._change_rows()
        if self.varies:
            held = self._array("held", (self.group.n,), "float32", Keep.STATE, Axis.NEURON)
            yield row("inputs", f"{name}: currents between changes", [(self.group.n, "neurons")], held)
        for kind, currents, what in (
            ("wave", self.waving, "offset, sine, cosine"), ("noise", self.noisy, "mean, std, noise")
        ):  # fmt: skip
            if currents:
                yield from self._varying_rows(kind, currents, what)
        if self.noisy:  # room to work in, of all groups
            drawing = Array("drawing", (n_parts, 2, DRAWN), "float32", Keep.SCRATCH, Axis.PARTITION)
            yield row("inputs", "drawing noise", [(n_parts, "partitions"), (2 * DRAWN, "numbers")], drawing)

    def _change_rows(self) -> Iterator[Row]:
        name, tables = self.group.name, self._changes
        value, step, ranges = (
            self._array(f"change_{x}", tables[x].shape, tables[x].dtype.name, fill=tables[x])
            for x in ("value", "step", "range")
        )
        yield row("inputs", f"{name}: levels of currents", [(value.shape[0], "levels")], value)
        axes = [(5, "columns"), (step.shape[0], "changes")]
        yield row("inputs", f"{name}: changes of currents", axes, step, ranges)
        cursor = self._array("change_cursor", (1,), "int64", Keep.STATE)
        yield small("inputs", f"{name}: the next change of a current", cursor)

    def _varying_rows(self, kind: str, currents: Sequence[VaryingCurrent], what: str) -> Iterator[Row]:
        """Tables of currents that are new in each step; see `oscillate` and `fluctuate`."""
        name, layout = self.group.name, self.address.layout
        rows, columns = _places(layout, self.group, currents)
        n = sum(c.size for c in columns)
        make = _waves if kind == "wave" else _noise
        keep = Keep.FIXED if kind == "wave" else Keep.STATE
        values = self._array(kind, (3, n), "float32", keep, fill=lambda: _chosen([make(c) for c in currents], columns))
        for current, column in zip(currents, columns, strict=True):
            axes = [(3, "variables"), (column.size, "neurons")]
            yield row("inputs", f"{name}: {what} of {current.name}", axes, values, share=column.size / n)
        given = {
            "part": starts(layout, rows),
            "rows": rows[:, 1:].copy(),
            **_TABLES[kind](currents, self.address.net.dt),
        }
        tables = (self._array(f"{kind}_{x}", v.shape, v.dtype.name, fill=v) for x, v in given.items())
        yield small("inputs", f"{name}: where and when of {what}", *tables)

    @functools.cached_property
    def _changes(self) -> Arrays:
        return change_arrays(self.address.net, self.address.layout, self.group)

    def _array(
        self, name: str, shape: tuple[float, ...], dtype: str, keep: Keep = Keep.FIXED, axis: Axis = Axis.NONE,
        fill: Any = 0,
    ) -> Array:  # fmt: skip
        return Array(self.prefix + name, shape, dtype, keep, axis, fill)


def _reaching(address: Address, group: ModelGroup) -> list[CurrentInput | VaryingCurrent]:
    """The currents that reach a neuron of a group."""
    names = {address.layout.names[a] for a in group.populations}
    return [c for c in address.net.currents if any(p.name in names and len(i) for p, i, _ in c.target.by_population())]


def _places(layout: Layout, group: ModelGroup, currents: Sequence[VaryingCurrent]) -> tuple[I64, list[I64]]:
    """Rows (partition, first id, last id + 1, state index - id, number, column) of the neurons of a group.

    And for each current, the positions in its target that its columns stand for.
    """
    rows, chosen, column = list[tuple[int, ...]](), [], 0
    for number, source in enumerate(currents):
        order = np.argsort(source.target.ids(layout.first_of()))
        positions, at = [np.empty(0, np.int64)], 0
        for c, first, last in runs(layout, source.target):
            cell = layout.cells[c]
            if layout.groups[layout.group_of[cell.population]] is group:
                rows.append((cell.part, first, last, -cell.to_state, number, column))
                positions.append(order[at : at + last - first])
                column += last - first
            at += last - first
        chosen.append(np.concatenate(positions))
    return by_partition(rows), chosen


def _waves(current: VaryingCurrent) -> NDArray[np.float64]:
    assert isinstance(current.source, Sinusoidal)
    return np.stack(broadcast(waves(current.source), len(current.target)))


def _noise(current: VaryingCurrent) -> NDArray[np.float64]:
    assert not isinstance(current.source, Sinusoidal)
    return np.stack(broadcast((current.source.mean, current.source.std, 0.0), len(current.target)))


def _chosen(values: list[NDArray[np.float64]], columns: list[I64]) -> NDArray[np.float32]:
    """Tables of each current, side by side, with one column for each of the chosen positions."""
    wide = [
        x if x.shape[1] > 1 else np.repeat(x, c.max(initial=0) + 1, 1) for x, c in zip(values, columns, strict=True)
    ]
    return np.concatenate([x[:, c] for x, c in zip(wide, columns, strict=True)], 1).astype(np.float32)


def _wave_tables(currents: Sequence[VaryingCurrent], dt: float) -> Arrays:
    turns = [c.source.frequency * dt * 1e-3 for c in currents if isinstance(c.source, Sinusoidal)]
    return {"between": np.array([_between(c) for c in currents], np.int64), "turns": np.array(turns)}


def _noise_tables(currents: Sequence[VaryingCurrent], dt: float) -> Arrays:
    sources, forget = [], []
    for c in currents:
        assert not isinstance(c.source, Sinusoidal)
        every = round(c.source.dt / dt) if isinstance(c.source, Noise) else 1
        kept = 0.0 if isinstance(c.source, Noise) else float(np.exp(-dt / c.source.tau))
        sources.append([c.index, *_between(c), every])
        forget.append([kept, np.sqrt(1 - kept**2)])
    return {"sources": np.array(sources, np.int64), "forget": np.array(forget, np.float32)}


def _between(current: VaryingCurrent) -> tuple[int, int]:
    return current.start, NEVER if current.stop is None else current.stop


_TABLES = {"wave": _wave_tables, "noise": _noise_tables}
