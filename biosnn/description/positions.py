"""Where neurons stand: on a grid, at random in a box, or at given places, in 1, 2 or 3 dimensions; in um.

`extent`, `center` and `edge_wrap` are NEST's. NEST leaves the unit open; here it is the micrometre, so that velocities
of conduction are in m/s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.errors import DescriptionError

STREAM = 255  # of NumPy's generator: apart from those in biosnn.random, which only a network that is built loads


@dataclass(frozen=True)
class Place:
    """Where the neurons of one population stand.

    `xyz` is a float64 array (n, n_dims), in um, which is not to be written to; `period` the side lengths of a space
    whose opposite edges are one (a ring, a torus), or None.
    """

    xyz: F64
    period: F64 | None


@dataclass(frozen=True)
class Positions(ABC):
    """Base of what `positions=` takes: a box of side lengths `extent` around `center`, in um."""

    extent: F64
    center: F64
    edge_wrap: bool

    def place(self, owner: str, n: int, seed: int, item: int) -> Place:
        """Where n neurons stand; what is random depends on (seed, item) alone."""
        xyz = self.stand(owner, n, seed, item)
        xyz.flags.writeable = False
        return Place(xyz, self.extent if self.edge_wrap else None)

    @abstractmethod
    def stand(self, owner: str, n: int, seed: int, item: int) -> F64:
        """Their places, (n, n_dims)."""


@dataclass(frozen=True)
class Grid(Positions):
    """One neuron in the middle of each of `shape` equal cells."""

    shape: tuple[int, ...]

    def stand(self, owner: str, n: int, seed: int, item: int) -> F64:
        if n != np.prod(self.shape):
            raise DescriptionError(
                f"{owner}: a grid of {' x '.join(map(str, self.shape))} = {np.prod(self.shape)} places is for as many "
                f"neurons, got {n}"
            )
        index = np.stack(np.unravel_index(np.arange(n), self.shape), axis=1)
        # in this order, whole numbers of um stay whole, and neighbours at a max_distance stand exactly there
        return np.asarray(self.center + (index + 0.5 - np.array(self.shape) / 2) * (self.extent / self.shape))


@dataclass(frozen=True)
class Random(Positions):
    """Each place in the box is equally likely."""

    def stand(self, owner: str, n: int, seed: int, item: int) -> F64:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, STREAM, item])))
        return np.asarray(self.center + self.extent * (rng.random((n, self.extent.size)) - 0.5))


@dataclass(frozen=True)
class Given(Positions):
    """An array of places."""

    xyz: F64

    def stand(self, owner: str, n: int, seed: int, item: int) -> F64:
        if self.xyz.shape[0] != n:
            raise DescriptionError(f"{owner}: positions must be given for each of {n} neurons, got {len(self.xyz)}")
        return self.xyz.copy()


def grid(
    shape: Any, spacing: Any = None, *, extent: Any = None, center: Any = 0.0, edge_wrap: bool = False
) -> Positions:
    """A regular grid: neuron k stands at index np.unravel_index(k, shape), whose a-th number counts along axis a.

        x_a = center_a + (index_a + 1/2 - shape_a / 2) spacing_a                      in um

    `shape` has one to three whole numbers. Give either `spacing`, the distance between neighbours, or `extent`, the
    side lengths of the whole box (shape * spacing, as in NEST: the outermost neurons stand half a spacing inside); each
    is a number or one per axis. With `edge_wrap` opposite edges of the box are one, and distances the shortest around.
    """
    where = "grid"
    listed = isinstance(shape, (list, tuple, range, np.ndarray)) and getattr(shape, "ndim", 1) == 1
    if not listed or not 1 <= len(shape) <= 3:
        raise DescriptionError(f"{where}: shape must be one to three whole numbers, got {_validate.shown(shape)}")
    counts = tuple(_validate.count(where, "shape", k, at_least=1) for k in shape)
    if (spacing is None) == (extent is None):
        raise DescriptionError(f"{where}: give either spacing or extent (um)")
    given = ("spacing", spacing) if extent is None else ("extent", extent)
    sides = _per_axis(where, *given, len(counts), above=0) * (1 if extent is not None else np.array(counts))
    wrap = _validate.flag(where, "edge_wrap", edge_wrap)
    return Grid(sides, _per_axis(where, "center", center, len(counts)), wrap, counts)


def random_positions(extent: Any, *, center: Any = 0.0, edge_wrap: bool = False) -> Positions:
    """Uniform in a box of side lengths `extent` (um; one to three of them) around `center`.

    The places depend on the network's seed and on the number of the population, as all that is random does: by NumPy's
    Philox generator. With `edge_wrap` opposite edges of the box are one.
    """
    owner = "random_positions"
    sides = _per_axis(owner, "extent", extent, None, above=0)
    center = _per_axis(owner, "center", center, sides.size)
    return Random(sides, center, _validate.flag(owner, "edge_wrap", edge_wrap))


def given_positions(xyz: Any, extent: Any = None, *, edge_wrap: bool = False) -> Positions:
    """Places (um) as an array (n, 1 | 2 | 3); `positions=` takes such an array as it is, too.

    With `edge_wrap` space repeats after `extent` (a number or one per axis), wherever the places lie.
    """
    owner = "given_positions"
    places = _validate.array(owner, "positions", xyz, "um")
    wrap = _validate.flag(owner, "edge_wrap", edge_wrap)
    if places.ndim != 2 or not 1 <= places.shape[1] <= 3:
        raise DescriptionError(f"{owner}: positions must be of shape (n, 1), (n, 2) or (n, 3), got {places.shape}")
    if wrap and extent is None:
        raise DescriptionError(f"{owner}: edge_wrap needs the extent (um) after which space repeats")
    n_dims = places.shape[1]
    sides = np.zeros(n_dims) if extent is None else _per_axis(owner, "extent", extent, n_dims, above=0)
    return Given(sides, np.zeros(n_dims), wrap, places)


def as_place(owner: str, positions: Any, n: int, seed: int, item: int) -> Place | None:
    """The place of a population from what its `positions=` was given; None if that was left out."""
    if positions is None:
        return None
    found = positions if isinstance(positions, Positions) else given_positions(positions)
    return found.place(owner, n, seed, item)


def _per_axis(owner: str, name: str, value: Any, n_dims: int | None, above: float | None = None) -> F64:
    """`value`, a number or one per axis (um), as an array of one per axis; n_dims None: of as many as it has."""
    found = np.atleast_1d(_validate.array(owner, name, value, "um"))
    n_dims = found.size if n_dims is None else n_dims
    if not 1 <= n_dims <= 3 or found.ndim != 1 or found.size not in (1, n_dims):
        want = f"one or {n_dims} numbers" if 1 <= n_dims <= 3 and n_dims > 1 else "one to three numbers"
        raise DescriptionError(f"{owner}: {name} must be {want} (um), got {_validate.shown(value)}")
    _validate.check_range(owner, name, found, "um", above=above)
    return np.broadcast_to(found, n_dims).copy()
