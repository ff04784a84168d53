"""Populations and groups of their neurons: slices, sums and index lists."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.description.positions import Place
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError, SelectionError
from biosnn.models.base import NeuronModel

Index = range | NDArray[np.int64]
MOST_PIECES = 1000  # runs of neurons of one population, of a group that is kept as such
MOST_SHOWN = 10  # parts of a group, where it is printed
MOST_IDS = 2**31 - 1  # neurons and sources of a network; ids have 32 bits


class Group:
    """Neurons of one or more populations, in a fixed order: what connections, stimuli and recorders act on.

    Groups are sliced and indexed like one-dimensional NumPy arrays and joined with +. No neuron stands in one twice.
    """

    __array_ufunc__ = None  # an array before + is a TypeError, not an attempt to make an array of neurons

    def __init__(self, pieces: Sequence[tuple[Population, Index]]) -> None:
        self._pieces = list(pieces)
        if len(self._pieces) > len(self.populations) or not all(isinstance(index, range) for _, index in self._pieces):
            _check_distinct(self.populations, *self.flat())

    @property
    def pieces(self) -> list[tuple[Population, Index]]:
        """The runs of neurons of one population, in order. There may be as many as neurons: see `by_population`."""
        return self._pieces

    @functools.cached_property
    def populations(self) -> list[Population]:
        """Those whose neurons are in it, each once, in the order of their first."""
        return list(dict.fromkeys(population for population, _ in self.pieces))

    def flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each neuron, the number of its population among `populations`, and its index there."""
        number = {population: k for k, population in enumerate(self.populations)}
        which = np.repeat([number[p] for p, _ in self.pieces], [len(index) for _, index in self.pieces])
        return which.astype(np.int64), np.concatenate([np.empty(0, np.int64), *(as_array(i) for _, i in self.pieces)])

    def by_population(self) -> Iterator[tuple[Population, Index, slice | NDArray[np.int64]]]:
        """Each population once, with the indices of its neurons in the group, and their positions there."""
        if len(self._pieces) == len(self.populations):
            end = 0
            for population, its in self._pieces:
                end += len(its)
                yield population, its, slice(end - len(its), end)
            return
        which, index = self.flat()
        ends = np.cumsum(np.bincount(which, minlength=len(self.populations)))
        parts = np.split(np.argsort(which, kind="stable"), ends[:-1])
        for population, at in zip(self.populations, parts, strict=True):
            yield population, index[at], at

    def __len__(self) -> int:
        return sum(len(index) for _, index in self.pieces)

    def __add__(self, other: Group) -> Group:
        if not isinstance(other, Group):  # not NotImplemented: a masked array would take this one apart
            raise DescriptionError(f"{self!r} + ...: a group is joined with groups only, got {_validate.shown(other)}")
        return joined([self, other])

    def __getitem__(self, key: Any) -> Group:
        """The neurons selected by an integer, a slice, a boolean mask or an index array."""
        taken = _select(self, key)
        if isinstance(taken, range) and taken.step > 0 and len(self.populations) == 1 == len(self.pieces):
            population, index = self.pieces[0]
            return Group([(population, index[taken.start : taken.stop : taken.step] if len(taken) else index[:0])])
        which, index = self.flat()
        positions = as_array(taken)
        return _group(self.populations, which[positions], index[positions])

    def __iter__(self) -> Iterator[Group]:
        which, index = (numbers.tolist() for numbers in self.flat())
        return (Group([(self.populations[k], range(i, i + 1))]) for k, i in zip(which, index, strict=True))

    def ids(self, first: Mapping[str, int]) -> NDArray[np.int64]:
        """Network-wide ids, given the first id of each population."""
        which, index = self.flat()
        return np.array([first[p.name] for p in self.populations], np.int64)[which] + index

    def __repr__(self) -> str:
        shown = [f"{p.name}[{_span(i)}]" for p, i in self.pieces[:MOST_SHOWN]]
        more = len(self.pieces) - len(shown)
        return " + ".join(shown + ([f"{more:,} more parts"] if more else [])) or "no neurons"


class _Mixed(Group):
    """A group that goes to and fro between its populations so often that it is kept neuron by neuron."""

    def __init__(self, populations: list[Population], which: NDArray[np.int64], index: NDArray[np.int64]) -> None:
        _check_distinct(populations, which, index)
        self.populations, self._flat, self._pieces = populations, (which, index), []

    def flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._flat

    @property
    def pieces(self) -> list[tuple[Population, Index]]:
        return _pieces(self.populations, *self._flat)

    def __len__(self) -> int:
        return self._flat[1].size

    def __repr__(self) -> str:
        return f"{len(self)} neurons of {', '.join(p.name for p in self.populations)}"


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
        return joined(what)
    raise DescriptionError(f"{owner}: expected a population, a group or a list of them, got {_validate.shown(what)}")


def joined(groups: Sequence[Group]) -> Group:
    """The neurons of several groups, one after the other."""
    if not any(isinstance(group, _Mixed) for group in groups):
        return Group([piece for group in groups for piece in group.pieces])
    populations = list(dict.fromkeys(p for group in groups for p in group.populations))
    number = {population: k for k, population in enumerate(populations)}
    parts = [group.flat() for group in groups]
    numbers = [np.array([number[p] for p in group.populations], np.int64) for group in groups]
    which = np.concatenate([numbers[k][which] for k, (which, _) in enumerate(parts)])
    return _group(populations, which, np.concatenate([index for _, index in parts]))


def as_array(index: Index) -> NDArray[np.int64]:
    """The indices as an array; np.asarray of a range takes each integer from Python, and makes floats of none."""
    return np.arange(index.start, index.stop, index.step) if isinstance(index, range) else index


def as_range(index: NDArray[np.int64]) -> Index:
    """The same indices as a range where they are evenly spaced: a thousand times smaller, and faster to draw from."""
    if index.size and (index.size == 1 or (np.diff(index) == 1).all()):
        return range(int(index[0]), int(index[-1]) + 1)
    return index


def _group(populations: list[Population], which: NDArray[np.int64], index: NDArray[np.int64]) -> Group:
    """A group of these neurons, in this order."""
    used, first = np.unique(which, return_index=True)
    used = used[np.argsort(first)]
    number = np.zeros(len(populations), np.int64)
    number[used] = np.arange(used.size)
    populations, which = [populations[k] for k in used], number[which]
    if np.count_nonzero(np.diff(which)) < MOST_PIECES:
        return Group(_pieces(populations, which, index))
    return _Mixed(populations, which, index)


def _pieces(
    populations: list[Population], which: NDArray[np.int64], index: NDArray[np.int64]
) -> list[tuple[Population, Index]]:
    """The runs of neurons of one population."""
    if not which.size:
        return []
    breaks = np.flatnonzero(np.diff(which)) + 1
    begins, ends = [0, *breaks.tolist()], [*breaks.tolist(), which.size]
    return [
        (populations[k], as_range(index[begin:end]))
        for k, begin, end in zip(which[begins].tolist(), begins, ends, strict=True)
    ]


def _check_distinct(populations: list[Population], which: NDArray[np.int64], index: NDArray[np.int64]) -> None:
    """Raise DescriptionError if a neuron stands in a group twice."""
    first = np.cumsum([0, *(p.n for p in populations)])
    ids = np.sort(first[which] + index)
    twice = np.flatnonzero(ids[1:] == ids[:-1])
    if twice.size:
        k = int(np.searchsorted(first, ids[twice[0]], side="right")) - 1
        raise DescriptionError(
            f"group: neuron {ids[twice[0]] - first[k]} of population {populations[k].name!r} stands in it twice; join "
            f"disjoint parts"
        )


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
