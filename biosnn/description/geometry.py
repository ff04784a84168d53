"""Source and target of a connection in one space: distances, and how many neurons a profile finds.

The numbers that a plan needs are computed from counts of neurons in the cells of a grid: what a neuron finds is the
convolution of these counts with the profile, by FFT. So planning takes milliseconds for any number of pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64
from biosnn.description.population import Group
from biosnn.description.space import ROUNDING, Profile, within
from biosnn.errors import DescriptionError

MOST_CELLS = (4096, 256, 40)  # per axis, in 1, 2 and 3 dimensions
# Three points that average a quintic over the difference of two uniform variates, in units of their range.
POINTS, SHARES = np.array([-1.0, 0.0, 1.0]) * math.sqrt(0.4), np.array([5.0, 14.0, 5.0]) / 24.0


@dataclass(frozen=True)
class Geometry:
    """Places of the source and the target group, (n, n_dims) in um, and the period of space or None."""

    source: F64
    target: F64
    period: F64 | None

    def distances(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> F64:
        """Distances (um) of pairs of positions in the two groups."""
        apart = self.target[targets] - self.source[sources]
        if self.period is not None:
            apart -= self.period * np.rint(apart / self.period)
        return np.asarray(np.sqrt((apart * apart).sum(axis=1)))

    def sources_within(self, reach: float, enough: int) -> NDArray[np.int64]:
        """Sources within `reach` um of each target: exact where that is below `enough`, a lower bound elsewhere."""
        from scipy.spatial import cKDTree

        near = within(reach)
        field = Field(self, near)
        found = np.floor(field.least(field.sources)).astype(np.int64).ravel()[field.at["target"]]
        few = np.flatnonzero(found < enough)
        if few.size:
            source, target = self.source, self.target[few]
            if self.period is not None:
                source, target = (
                    np.where((x := places % self.period) < self.period, x, 0.0) for places in (source, target)
                )
            found[few] = cKDTree(source, boxsize=self.period).query_ball_point(target, near.reach, return_length=True)
        return found

    @property
    def longest(self) -> float:
        """No pair is farther apart than this (um), whatever is lost in rounding."""
        if self.period is not None:
            most = self.period / 2
        elif not self.source.size or not self.target.size:
            return 0.0
        else:
            most = np.maximum(self.target.max(0) - self.source.min(0), self.source.max(0) - self.target.min(0))
        return float(np.sqrt((most * most).sum()) * (1 + 1e-9))


class Field:
    """What neurons find of each other within one profile: `field(side, how)`, in the cells of a common grid."""

    def __init__(self, space: Geometry, profile: Profile) -> None:
        self.space, self.profile = space, profile
        low, size = _box(space)
        n_dims = low.size
        scale = profile.scale / 4
        most = MOST_CELLS[n_dims - 1]
        self.shape = tuple(int(np.clip(math.ceil(side / scale), 1, most)) for side in size)
        self.width = size / self.shape
        # without a period, room for the offsets of the farthest cells: the FFT is cyclic
        self.cycle = tuple(m if space.period is not None else 2 * m for m in self.shape)
        self.at = {"source": self._cells(space.source, low), "target": self._cells(space.target, low)}
        self.sources, self.targets = self.counts("source"), self.counts("target")

    def counts(self, side: str, each: F64 | None = None) -> F64:
        """Neurons of one side in each cell; or the sum of a value of each."""
        n = int(np.prod(self.shape))
        return np.bincount(self.at[side], each, n).astype(np.float64).reshape(self.shape)

    def mean(self, counts: F64) -> F64:
        """The sum of profile over what was counted, around each cell: for places uniform in their cells."""
        points = np.stack(np.meshgrid(*[POINTS] * len(self.shape), indexing="ij"), -1).reshape(-1, len(self.shape))
        shares = np.prod(np.meshgrid(*[SHARES] * len(self.shape), indexing="ij"), axis=0).ravel()
        kernel = np.zeros(self.shape)
        for point, share in zip(points, shares, strict=True):
            kernel += share * self.profile(self._apart(point))
        return self._convolved(counts, kernel)

    def most(self, counts: F64) -> F64:
        """No neuron in a cell finds more than this, wherever it and the others stand in their cells."""
        nearest = self._apart(-1.0)
        inside = nearest <= self.profile.reach * (1 + ROUNDING)  # of the edges of the cells, too
        kernel = np.where(inside, self.profile.peak * self.profile.shape(nearest), 0.0)
        return self._convolved(counts, kernel) + self._slack(counts)

    def least(self, counts: F64) -> F64:
        """And none finds less."""
        found = self._convolved(counts, self.profile(self._apart(1.0)))
        return np.maximum(found - self._slack(counts), 0.0)

    def _apart(self, more: F64 | float) -> F64:
        """Distances from the first cell to each: between their middles, and by so many cells more along each axis."""
        total = np.zeros(self.shape)
        more = np.broadcast_to(more, len(self.shape))
        for a, m in enumerate(self.shape):
            k = np.arange(m, dtype=np.float64)
            if self.space.period is not None:
                k = np.minimum(k, m - k)
            apart = np.maximum(k - 1, 0) if more[a] == -1 else np.abs(k + more[a])
            total += np.expand_dims((apart * self.width[a]) ** 2, tuple(b for b in range(total.ndim) if b != a))
        return np.sqrt(total)

    def _convolved(self, counts: F64, kernel: F64) -> F64:
        for a, (m, cycle) in enumerate(zip(self.shape, self.cycle, strict=True)):
            if cycle > m:  # offsets of both signs
                k = np.arange(cycle)
                kernel = np.take(kernel, np.minimum(np.minimum(k, cycle - k), m - 1), axis=a)
        axes = tuple(range(len(self.shape)))
        spectrum = np.fft.rfftn(counts, self.cycle, axes) * np.fft.rfftn(kernel, self.cycle, axes)
        found = np.fft.irfftn(spectrum, self.cycle, axes)[tuple(slice(m) for m in self.shape)]
        return np.maximum(found, 0.0)

    def _slack(self, counts: F64) -> float:
        """More than the rounding errors of the transform."""
        return float(1e-9 * counts.sum() * self.profile.peak)

    def _cells(self, places: F64, low: F64) -> NDArray[np.int64]:
        """The cell of each place, in the order of a flat array."""
        with np.errstate(divide="ignore", invalid="ignore"):
            index = np.floor((places - low) / self.width)
        index = np.where(self.width > 0, index, 0)
        if self.space.period is not None:
            index %= self.shape
        index = np.clip(index, 0, np.array(self.shape) - 1).astype(np.int64)
        return np.asarray(np.ravel_multi_index(tuple(index.T), self.shape))


def geometry(owner: str, source: Group, target: Group) -> Geometry:
    """The common space of two groups; DescriptionError if they have none."""
    (a, period), (b, other) = _places(owner, source), _places(owner, target)
    if a.shape[1] != b.shape[1] or not _equal(period, other):
        raise DescriptionError(
            f"{owner}: source and target must stand in one space, got {_space(a, period)} and {_space(b, other)}"
        )
    return Geometry(a, b, period)


def _places(owner: str, group: Group) -> tuple[F64, F64 | None]:
    """Places of the neurons of a group, and its period."""
    found: list[F64] = []
    first: dict[str, int] = {}
    period: F64 | None = None
    for k, population in enumerate(group.populations):
        place = population.place
        if place is None:
            raise DescriptionError(
                f"{owner}: {population.name!r} has no positions; give it some, as in positions=grid(...)"
            )
        if k and (place.xyz.shape[1] != found[0].shape[1] or not _equal(place.period, period)):
            raise DescriptionError(f"{owner}: the neurons of {group} must stand in one space")
        first[population.name] = sum(map(len, found))
        found.append(place.xyz)
        period = place.period
    return (np.concatenate(found)[group.ids(first)] if found else np.empty((0, 2))), period


def _equal(a: F64 | None, b: F64 | None) -> bool:
    return (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))


def _space(places: F64, period: F64 | None) -> str:
    around = "" if period is None else ", repeating after " + " x ".join(f"{side:g}" for side in period) + " um"
    return f"{places.shape[1]} dimension(s){around}"


def _box(space: Geometry) -> tuple[F64, F64]:
    """Lower corner and side lengths of the box that holds all."""
    if space.period is not None:
        return np.zeros(space.period.size), space.period
    both = np.concatenate([space.source, space.target])
    if not both.size:
        return np.zeros(both.shape[1]), np.zeros(both.shape[1])
    return both.min(0), both.max(0) - both.min(0)
