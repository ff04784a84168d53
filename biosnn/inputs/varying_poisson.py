"""Poisson input of rates that change in time, or differ between neurons: its part of a driver."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.address.reach import starts
from biosnn.address.stores import STORES, Store
from biosnn.description.items import PoissonInput
from biosnn.description.stimuli import Levels, Sinusoidal, broadcast, waves
from biosnn.inputs.poisson import driven, feeds, inputs_of, table_length
from biosnn.inputs.shared import TILE
from biosnn.parts.array import Array, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Part, Phase, Work
from biosnn.parts.text import call

NAMES = ("part", "rows", "sources", "turns", "step", "mean", "table", "counting", "weight")


class VaryingPoisson(Part):
    """The inputs of varying rates whose weights are summed in one store."""

    kernels = {"arrive_varying": "biosnn.inputs.varying_poisson_cpu"}

    def __init__(self, address: Address, store: Store, inputs: Sequence[PoissonInput]) -> None:
        self.address, self.store, self.inputs = address, store, inputs

    @staticmethod
    def make(address: Address) -> Iterator[Part]:
        """One for each store that there is input of varying rates to."""
        for store in STORES:
            inputs = [s for s in inputs_of(address, store) if not isinstance(s.rate, float)]
            if inputs:
                yield VaryingPoisson(address, store, inputs)

    def rows(self) -> Iterator[Row]:
        n_parts, n, label = self.address.layout.n_parts, len(self.inputs), self.store.label
        rows, weights = feeds(self.address, self.inputs, self.store)
        levels, shapes = self._levels, [_shape(s) for s in self.inputs]
        n_means = sum(a * b for a, b in shapes)
        mean = self._array("mean", (n_means,), "float32", fill=self._means)
        for source, (a, b) in zip(self.inputs, shapes, strict=True):
            axes = [(a, "levels"), (b, "neurons")]
            yield row("inputs", f"{source.name}: rates", axes, mean, share=a * b / n_means)
        counting = self._array("counting", (n_parts, 3 * TILE), "float64", Keep.SCRATCH, Axis.PARTITION)
        axes = [(n_parts, "partitions"), (3 * TILE, "numbers")]
        yield row("inputs", f"counting arrivals, {label}", axes, counting)
        length = table_length(max(s.largest_rate for s in self.inputs) * self.address.net.dt * 1e-3)
        table = self._array("table", (n_parts, length), "uint32", Keep.SCRATCH, Axis.PARTITION)
        axes = [(n_parts, "partitions"), (length, "thresholds")]
        yield row("inputs", f"thresholds of varying rates, {label}", axes, table)
        reached = self._array("rows", (len(rows), 5), "int64", fill=rows[:, 1:])
        axes = [(len(rows), "runs of neurons"), (5, "columns")]
        yield row("inputs", f"input of varying rates, {label}", axes, reached)
        yield small(
            "inputs", f"input of varying rates, {label}: keys, levels and weights",
            self._array("part", (n_parts + 1,), "int64", axis=Axis.PARTITION, fill=starts(self.address.layout, rows)),
            self._array("sources", (n, 7), "int64", fill=self._sources()),
            self._array("turns", (n,), "float64", fill=np.array([_turns(s, self.address.net.dt) for s in self.inputs])),
            self._array("step", (levels.size,), "int64", fill=levels),
            self._array("weight", (n,), self.store.exact, fill=weights),
        )  # fmt: skip

    def statements(self, phase: Phase) -> list[str]:
        if phase is not Phase.ARRIVE:
            return []
        tables = [f"varying_{x}{self.store.suffix}" for x in NAMES]
        return call("arrive_varying", ["step", "seed[0]", "p", *tables, self.store.drive])

    def work(self, phase: Phase, done: Done) -> Work:
        return driven(self.inputs, self.store, done.steps) if phase is Phase.ARRIVE else super().work(phase, done)

    @functools.cached_property
    def _levels(self) -> I64:
        """The steps at which levels begin, input by input."""
        return np.concatenate(
            [np.empty(0, np.int64), *(s.rate.steps for s in self.inputs if isinstance(s.rate, Levels))]
        )

    def _sources(self) -> I64:
        """See `arrive_varying` for the columns."""
        found, n_steps, n_means = [], 0, 0
        for source in self.inputs:
            levels, width = _shape(source)
            steps = source.rate.steps.size if isinstance(source.rate, Levels) else 0
            is_wave = isinstance(source.rate, Sinusoidal)
            period = source.rate.period if isinstance(source.rate, Levels) else 0
            found.append([source.index, is_wave, n_steps, n_steps + steps, n_means, width, period])
            n_steps, n_means = n_steps + steps, n_means + levels * width
        return np.array(found, np.int64)

    def _means(self) -> NDArray[np.float32]:
        """Mean counts per step, level by level."""
        dt, first, found = self.address.net.dt, self.address.layout.first_of(), []
        for source in self.inputs:
            values = _values(source)
            if values.shape[1] > 1:  # columns in the order of ids, as the rows are
                values = values[:, np.argsort(source.target.ids(first))]
            found.append((values * (dt * 1e-3)).astype(np.float32).ravel())
        return np.concatenate(found)

    def _array(
        self, name: str, shape: tuple[float, ...], dtype: str, keep: Keep = Keep.FIXED, axis: Axis = Axis.NONE,
        fill: Any = 0,
    ) -> Array:  # fmt: skip
        return Array(f"varying_{name}{self.store.suffix}", shape, dtype, keep, axis, fill)


def _shape(source: PoissonInput) -> tuple[int, int]:
    """Of the means kept for a varying rate: levels, and one or one per neuron."""
    rate = source.rate
    if isinstance(rate, Levels):
        return rate.values.shape[0], rate.values.shape[1]
    assert isinstance(rate, Sinusoidal)
    each = any(np.ndim(x) for x in (rate.offset, rate.amplitude, rate.phase))
    return 3, len(source.target) if each else 1


def _values(source: PoissonInput) -> NDArray[np.float64]:
    rate = source.rate
    if isinstance(rate, Levels):
        return np.asarray(rate.values, np.float64)
    assert isinstance(rate, Sinusoidal)
    return np.stack(broadcast(waves(rate), len(source.target)))


def _turns(source: PoissonInput, dt: float) -> float:
    """Of a sine per step."""
    return source.rate.frequency * dt * 1e-3 if isinstance(source.rate, Sinusoidal) else 0.0
