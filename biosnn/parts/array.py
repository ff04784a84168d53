"""Arrays of a driver, as their part declares them: planned, allocated and kept by what is said here once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
# What stands in memory for a number format that NumPy does not know, or that kernels read as bits.
STORED = {"bfloat16": "int16", "float16": "uint16"}
LINE = 64  # bytes of a cache line, and of the widest registers
SECTIONS = ("populations", "receptors", "projections", "rings", "inputs", "recorders")  # of a plan, in its order


class Keep(Enum):
    """What becomes of an array when a network is written to disk, and read again."""

    STATE = "changes while the network runs: it has to be kept"
    FIXED = "follows from description, seed and plan: it is made anew"
    SCRATCH = "means nothing between two strides"


class Axis(Enum):
    """What the first axis counts: how other numbers of threads, ranks or devices divide it."""

    NONE = "nothing that is divided"
    PARTITION = "partitions"
    SLOT = "input slots, partition by partition"
    NEURON = "neurons of a group"
    SOURCE = "neurons and spike sources"
    SYNAPSE = "synapses"


@dataclass(frozen=True)
class Array:
    """An array: `shape` is expected where chance decides it; `dtype` a name of NumPy's, or of STORED.

    `fill` is what it holds at time 0: a number, values, or a function that makes them; None: its part draws it.
    """

    name: str  # as the driver calls it
    shape: tuple[float, ...]
    dtype: str
    keep: Keep
    axis: Axis = Axis.NONE
    fill: float | NDArray[Any] | Callable[[], NDArray[Any]] | None = 0

    @property
    def bytes(self) -> float:
        """Expected bytes."""
        return math.prod(self.shape) * self.stored.itemsize

    @property
    def stored(self) -> np.dtype[Any]:
        """The dtype that NumPy has for it."""
        return np.dtype(STORED.get(self.dtype, self.dtype))

    def make(self) -> NDArray[Any]:
        """The array at time 0."""
        shape = tuple(int(n) for n in self.shape)
        if callable(self.fill):
            return np.ascontiguousarray(self.fill(), self.stored).reshape(shape)
        if isinstance(self.fill, np.ndarray):
            return np.array(self.fill, self.stored).reshape(shape)
        return np.full(shape, self.fill, self.stored) if self.fill else np.zeros(shape, self.stored)

    def empty(self) -> NDArray[Any]:
        """What stands for an array that is not there yet."""
        return np.empty((0, *(int(n) for n in self.shape[1:])), self.stored)


@dataclass(frozen=True)
class Row:
    """A row of a plan: arrays that are counted together, or a share of them, with the formula of their size.

    `later`: they are allocated when they are needed, if they ever are.
    """

    section: str  # of SECTIONS
    name: str
    formula: str
    arrays: tuple[Array, ...]
    share: float = 1.0  # that this row has of them
    later: bool = False
    minor: bool = False  # too small to be told of by itself

    @property
    def bytes(self) -> int:
        """Bytes, which are expected where chance decides them."""
        return round(self.share * sum(a.bytes for a in self.arrays))

    @property
    def dtype(self) -> str:
        """The formats, each once."""
        return ", ".join(dict.fromkeys(a.dtype for a in self.arrays))


def sized(axes: Sequence[tuple[float, str]], dtype: str) -> str:
    """The formula of a size: "4,000 neurons x 3 variables x 4 B"."""
    width = np.dtype(STORED.get(dtype, dtype)).itemsize
    return f"{' x '.join(f'{count:,.0f} {what}' for count, what in axes)} x {width} B"


def row(
    section: str, name: str, axes: Sequence[tuple[float, str]], *arrays: Array, share: float = 1.0, later: bool = False
) -> Row:
    """A row whose formula is a product: of counts, with what each one counts."""
    return Row(section, name, sized(axes, arrays[0].dtype), arrays, share, later)


def small(section: str, name: str, *arrays: Array) -> Row:
    """A row of arrays that are too small to be told one by one."""
    return Row(section, name, "numbers", arrays, minor=True)


def apart(values: NDArray[Any]) -> NDArray[Any]:
    """A copy in cache lines of its own: what one thread writes does not slow another that reads what stands beside it.

    NumPy puts small arrays side by side, sixteen bytes apart.
    """
    raw = np.empty(values.nbytes + 2 * LINE, np.uint8)
    first = -raw.ctypes.data % LINE
    found = raw[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    found[...] = values
    return found


def longer(old: NDArray[Any], size: int) -> NDArray[Any]:
    """The rows of an array, with room for `size` numbers each."""
    grown = np.zeros((old.shape[0], size), old.dtype)
    grown[:, : old.shape[1]] = old
    return grown
