"""Poisson input of constant rates: its part of a driver, and the thresholds that counts are drawn with."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.address.precision import node_of
from biosnn.address.reach import by_partition, runs, starts
from biosnn.address.stores import STORES, Store
from biosnn.description.items import PoissonInput
from biosnn.inputs.shared import WINDOW
from biosnn.parts.array import Array, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Part, Phase, Work
from biosnn.parts.text import call


class Poisson(Part):
    """The inputs of constant rates whose weights are summed in one store."""

    kernels = {"arrive": "biosnn.inputs.poisson_cpu"}

    def __init__(self, address: Address, store: Store, inputs: Sequence[PoissonInput]) -> None:
        self.address, self.store, self.inputs = address, store, inputs

    @staticmethod
    def make(address: Address) -> Iterator[Part]:
        """One for each store that there is input of constant rates to."""
        for store in STORES:
            inputs = [s for s in inputs_of(address, store) if isinstance(s.rate, float)]
            if inputs:
                yield Poisson(address, store, inputs)

    @functools.cached_property
    def means(self) -> NDArray[np.float64]:
        """Mean counts per step of each input."""
        return np.array([s.rate for s in self.inputs]) * self.address.net.dt * 1e-3

    def rows(self) -> Iterator[Row]:
        rows, weights = feeds(self.address, self.inputs, self.store)
        n, length, kind = len(self.inputs), table_length(float(self.means.max())), self.store.suffix
        table = Array(f"poisson_table{kind}", (n, length), "uint32", Keep.FIXED, fill=lambda: thresholds(self.means)[0])
        axes = [(n, "inputs"), (length, "thresholds")]
        yield row("inputs", f"Poisson thresholds, {self.store.label}", axes, table)
        # the stream is keyed by the number of the call, whatever input it goes to
        keys = np.array([s.index for s in self.inputs], np.int64)
        first = np.array(window_start(self.means, length), np.int64)
        reached = Array(f"poisson_rows{kind}", (len(rows), 4), "int64", Keep.FIXED, fill=rows[:, 1:5])
        yield row(
            "inputs", f"Poisson input, {self.store.label}", [(len(rows), "runs of neurons"), (4, "columns")], reached
        )
        yield small(
            "inputs", f"Poisson input, {self.store.label}: keys and weights",
            Array(f"poisson_part{kind}", (self.address.layout.n_parts + 1,), "int64", Keep.FIXED, Axis.PARTITION,
                  starts(self.address.layout, rows)),
            Array(f"poisson_key{kind}", (n,), "int64", Keep.FIXED, fill=keys),
            Array(f"poisson_start{kind}", (n,), "int64", Keep.FIXED, fill=first),
            Array(f"poisson_weight{kind}", (n,), self.store.exact, Keep.FIXED, fill=weights),
        )  # fmt: skip

    def statements(self, phase: Phase) -> list[str]:
        if phase is not Phase.ARRIVE:
            return []
        tables = [f"poisson_{x}{self.store.suffix}" for x in ("part", "rows", "key", "table", "start", "weight")]
        return call("arrive", ["step", "seed[0]", "p", *tables, self.store.drive])

    def work(self, phase: Phase, done: Done) -> Work:
        return driven(self.inputs, self.store, done.steps) if phase is Phase.ARRIVE else super().work(phase, done)


def driven(inputs: Sequence[PoissonInput], store: Store, steps: int) -> Work:
    """What Poisson inputs go through in some steps: each neuron, and its input slot, which is read and written."""
    n = float(sum(len(s.target) for s in inputs) * steps)
    return Work(n, 2 * n * np.dtype(store.exact).itemsize)


def inputs_of(address: Address, store: Store) -> list[PoissonInput]:
    """The Poisson inputs whose weights are summed in a store, without those that bring nothing."""
    inputs = zip(address.net.poisson_inputs, address.precision.poisson, strict=True)
    return [s for s, feed in inputs if feed.store is store and s.largest_rate > 0 and len(s.target)]


def feeds(address: Address, inputs: Sequence[PoissonInput], store: Store) -> tuple[I64, NDArray[Any]]:
    """Rows (partition, first id, last id + 1, input index - id, number, column), and the weight of each number."""
    layout, rows, weights = address.layout, list[tuple[int, ...]](), []
    for number, source in enumerate(inputs):
        weight, column = 0, 0
        for c, first, last in runs(layout, source.target):
            cell = layout.cells[c]
            shift = layout.slot_shift[layout.shift_row(source.receptor, source.weight < 0), c]
            rows.append((cell.part, first, last, int(shift + layout.drive_at[cell.part]), number, column))
            column += last - first
            node = node_of(layout, cell.population, source.weight < 0, source.receptor)
            weight = address.precision.counted(source.weight, node, store)
        weights.append(weight)
    return by_partition(rows), np.array(weights, store.exact)


def thresholds(mean: NDArray[np.float64]) -> tuple[NDArray[np.uint32], I64]:
    """Tables for given mean counts per step: thresholds uint32 [n, length], and where each window starts, int64 [n].

    A table ends where the tail falls below 2^-33; its last entries are 2^32 - 1, which no word exceeds.
    """
    from scipy.special import pdtr

    length = table_length(float(np.max(mean, initial=0)))
    cdf = pdtr(np.arange(length)[None, :], np.asarray(mean, np.float64)[:, None])
    table = np.clip(np.ceil(cdf * 2.0**32) - 1, 0, 2.0**32 - 1).astype(np.uint32)
    return table, window_start(mean, length)


def window_start(mean: NDArray[np.float64], length: int) -> I64:
    """Where the window of a table of thresholds starts."""
    start = np.maximum(np.floor(mean - WINDOW / 2), 0).astype(np.int64)
    start[mean < WINDOW / 2] = 0
    return np.minimum(start, length - WINDOW)


def table_length(largest_mean: float) -> int:
    """Thresholds of Poisson counts of a mean: beyond them, no count is likelier than 2^-33."""
    return int(max(WINDOW + 1, largest_mean + 12 * math.sqrt(largest_mean) + 24))
