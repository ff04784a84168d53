"""Populations and groups of their neurons: slices, sums and index lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError, SelectionError
from biosnn.network.positions import Place

if TYPE_CHECKING:
    from biosnn.models.base import NeuronModel

Index = range | NDArray[np.int64]
MOST_IDS = 2**31 - 1  # neurons and sources of a network; ids have 32 bits


class Group:
    """Neurons of one or more populations, in a fixed order: what connections, stimuli and recorders act on.

    Groups are sliced and indexed like one-dimensional NumPy arrays and joined with +. No neuron stands in one twice.
    """

    def __init__(self, pieces: Sequence[tuple[Population, Index]]) -> None:
        self.pieces = list(pieces)
        self._distinct()

    def __len__(self) -> int:
        return sum(len(index) for _, index in self.pieces)

    def __add__(self, other: Group) -> Group:
        if not isinstance(other, Group):
            return NotImplemented
        return Group(self.pieces + other.pieces)

    def __getitem__(self, key: Any) -> Group:
        """The neurons selected by an integer, a slice, a boolean mask or an index array."""
        taken = _select(self, key)
        if isinstance(taken, range) and taken.step > 0 and len(self.pieces) == 1:
            population, index = self.pieces[0]
            return Group([(population, index[taken.start : taken.stop : taken.step] if len(taken) else index[:0])])
        positions = as_array(taken)
        ends = np.cumsum([len(index) for _, index in self.pieces])
        piece = np.searchsorted(ends, positions, side="right")
        indices = [as_array(index) for _, index in self.pieces]
        pieces: list[tuple[Population, Index]] = []
        for run in np.split(np.arange(positions.size), np.flatnonzero(np.diff(piece)) + 1):
            if run.size:
                k = piece[run[0]]
                pieces.append((self.pieces[k][0], as_range(indices[k][positions[run] - ends[k] + len(indices[k])])))
        return Group(pieces)

    def __iter__(self) -> Iterator[Group]:
        return (self[k] for k in range(len(self)))

    def ids(self, first: Mapping[str, int]) -> NDArray[np.int64]:
        """Network-wide ids, given the first id of each population."""
        parts = [first[p.name] + as_array(index) for p, index in self.pieces]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def __repr__(self) -> str:
        return " + ".join(f"{p.name}[{_span(i)}]" for p, i in self.pieces) or "no neurons"

    def _distinct(self) -> None:
        by_population: dict[str, list[Index]] = {}
        for population, index in self.pieces:
            by_population.setdefault(population.name, []).append(index)
        for name, indices in by_population.items():
            if len(indices) == 1 and isinstance(indices[0], range):
                continue
            every = np.concatenate([as_array(i) for i in indices])
            values, counts = np.unique(every, return_counts=True)
            if (counts > 1).any():
                twice = int(values[counts > 1][0])
                raise DescriptionError(
                    f"group: neuron {twice} of population {name!r} stands in it twice; join disjoint parts"
                )


class Population(Group):
    """`n` neurons of one model, or `n` spike sources (model None); made by `Network.population` and its like.

    With a `shape` (H, W) they stand for the pixels of an image, row by row.
    """

    def __init__(
        self,
        name: str,
        n: int,
        model: NeuronModel | None,
        initial: dict[str, float | NDArray[np.float64] | Distribution],
        shape: tuple[int, ...] | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = name
        self.n = n
        self.model = model
        self.initial = initial
        self.place = place
        self.shape = shape
        super().__init__([(self, range(n))])

    @property
    def positions(self) -> NDArray[np.float64] | None:
        """Where the neurons stand, (n, n_dims) in um, not to be written to; None if they were given no positions."""
        return None if self.place is None else self.place.xyz

    def __repr__(self) -> str:
        return f"<population {self.name!r}: {self.n} x {self.model if self.model is not None else 'spike source'}>"


def as_group(owner: str, what: Any) -> Group:
    """A Group from a population, a group or a list of them."""
    if isinstance(what, Group):
        return what
    if isinstance(what, (list, tuple)) and what and all(isinstance(g, Group) for g in what):
        return Group([piece for group in what for piece in group.pieces])
    raise DescriptionError(f"{owner}: expected a population, a group or a list of them, got {_validate.shown(what)}")


def as_array(index: Index) -> NDArray[np.int64]:
    """The indices as an array; np.asarray of a range takes each integer from Python, and makes floats of none."""
    return np.arange(index.start, index.stop, index.step) if isinstance(index, range) else index


def as_range(index: NDArray[np.int64]) -> Index:
    """The same indices as a range where they are evenly spaced: a thousand times smaller, and faster to draw from."""
    if index.size and (index.size == 1 or (np.diff(index) == 1).all()):
        return range(int(index[0]), int(index[-1]) + 1)
    return index


def _select(group: Group, key: Any) -> range | NDArray[np.int64]:
    n = len(group)
    try:
        if isinstance(key, slice):
            return range(n)[key]
        positions = _validate.selection(key)
    except (TypeError, ValueError):
        positions = None
    if positions is not None and positions.dtype == bool and positions.shape == (n,):
        return np.flatnonzero(positions)
    if positions is None or positions.ndim > 1 or (positions.size and positions.dtype.kind not in "iu"):
        raise SelectionError(
            f"{_validate.shown(group)}: select by an integer, a slice, a mask of shape ({n},) or a list of integers, "
            f"got {_validate.shown(key)}"
        )
    outside = positions[(positions < -n) | (positions >= n)]
    if outside.size:
        raise SelectionError(f"{_validate.shown(group)}: index {outside.flat[0]} is out of range of its {n} neurons")
    if positions.ndim == 0:
        return range(int(positions) % n, int(positions) % n + 1)
    return positions.astype(np.int64) % max(n, 1)


def _span(index: Index) -> str:
    if isinstance(index, range):
        return f"{index.start}:{index.stop}" + (f":{index.step}" if index.step != 1 else "")
    return f"{len(index)} chosen"
