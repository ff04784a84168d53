"""A part: one ring, backend, input, group of neurons or recorder of one network, and all that is to know of it.

A plan is the rows of all parts; an allocated network, the arrays of those rows; a driver, their statements, phase by
phase; what happens between two chunks of a run, their `between`. So each of these is a loop over parts, and a new part
is one file. Parts are written without Numba: a network can be planned, and its driver be read, in milliseconds.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from biosnn.parts.array import Array, Arrays, Row


class Phase(Enum):
    """When the statements of a part have their turn, in the order of a step."""

    BEFORE = "once a step, before the partitions"
    DELIVER = "what is due is sent through the synapses of a partition"
    TAKE = "and reaches its input, where it has waited in a ring"
    ARRIVE = "what comes from outside is added to it"
    UPDATE = "neurons take it in"
    COLLECT = "the spikes of the partition are listed"
    MARK = "and prepared for delivery"
    SAMPLE = "states are recorded"
    AFTER = "once a stride of a partition"


class Done(NamedTuple):
    """What happened in some steps."""

    steps: int
    spikes: int
    events: int  # synaptic ones, counted as they are sent
    backend_steps: Mapping[str, int]


class Work(NamedTuple):
    """What a part went through in a phase: its items, and the bytes that it read and wrote for them, at least."""

    events: float
    bytes: float


NOTHING = Work(0.0, 0.0)


class Draws(Protocol):
    """What a part may ask for when it draws: it needs a compiler, which parts do not know."""

    @property
    def n_threads(self) -> int:
        """Threads that a parallel region has now."""

    def parameters(self, population: int) -> Mapping[str, float | NDArray[np.float64]]:
        """Parameters of a population by name: a number, or one for each neuron."""

    def initial(self, population: int, variable: str) -> float | NDArray[np.float64] | None:
        """What the user gave a variable at time 0; None if nothing."""

    def encoded(self, values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
        """Values in a format of 16 bits, or as they are."""

    def synapses(self, tables: Sequence[Any], by_delay: bool) -> Iterator[Arrays]:
        """The rows of each table: row_first, segments, words, and waits where they are not sorted by delay."""

    def matrix(self, product: Any, table: Any, rows: Arrays, by_delay: bool) -> Arrays:
        """The fused matrix of a table, made from its rows, by name without suffix."""


class Part:
    """What a driver is made of; each method has a default for those that have nothing to say."""

    kernels: Mapping[str, str] = {}  # what its statements call: name, and the module where it stands
    synchronous = False  # partitions have to be at the same step: a stride is one step
    waits = False  # partitions must see in a step what is done before it

    def rows(self) -> Iterator[Row]:
        """Its arrays, by row of the plan."""
        yield from ()

    def statements(self, phase: Phase) -> list[str]:
        """Lines of the driver."""
        return []

    def work(self, phase: Phase, done: Done) -> Work:
        """What its statements of a phase went through, as a profile tells it."""
        return NOTHING

    def functions(self) -> list[list[str]]:
        """Blocks of lines of the driver's module, before its time loop."""
        return []

    def full(self) -> list[str]:
        """Conditions under which there is no room for the next stride; `step` is the last that was taken."""
        return []

    def draw(self, arrays: Arrays, draws: Draws) -> None:
        """Put in place the arrays that are no plain fill."""

    def between(self, arrays: Arrays, draws: Draws) -> None:
        """What is done between two chunks of a run. What is made is put in place at once, when all of it is made."""

    def finish(self, arrays: Arrays) -> None:
        """What is done at the end of a chunk, before what happened in it is handed out."""

    def arrays(self) -> Iterator[Array]:
        """All its arrays, those of several rows once."""
        yield from {a.name: a for row in self.rows() for a in row.arrays}.values()

    def kernel(self, name: str) -> Any:
        """One of its kernels, compiled."""
        return getattr(importlib.import_module(self.kernels[name]), name)
