"""The unit that receptors share, and which weights it cannot serve: those keep float32. `precision` has the rules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64
from biosnn.address.exact import TOP, are_exact, exact_units, grid_of
from biosnn.address.feed import Feed, Node

MOST = 2**31 * (1 - 2**-7)  # largest int32 sum, less what a ring of 16-bit floats may round up
LARGEST_ERROR, MEAN_ERROR = 1e-3, 1e-2
FEW = 64  # sizes that are represented as well as possible where they cannot be exact


def components(feeds: Sequence[Feed]) -> list[Component]:
    """The feeds that must share a unit, because they reach receptor scales that one feed reaches with all its weights.

    A feed without weights reaches none.
    """
    above: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while (up := above.setdefault(node, node)) != node:
            above[node] = node = above[up]
        return node

    reaching = [f for f in feeds if f.largest]
    for feed in reaching:
        first, *others = feed.largest
        for node in others:
            above[root(node)] = root(first)
    found: dict[Node, list[Feed]] = {}
    for feed in reaching:
        found.setdefault(root(next(iter(feed.largest))), []).append(feed)
    return [Component(of_one) for of_one in found.values()]


class Component:
    """Feeds that share a unit: arrays of one value per feed, and per feed and receptor scale; and which are packed."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.feeds = feeds
        self.packed = np.ones(len(feeds), np.bool_)
        self.top, self.mean, self.n = (np.array([getattr(f, what) for f in feeds]) for what in ("top", "mean", "n"))
        number: dict[Node, int] = {}
        reached = [(k, number.setdefault(node, len(number))) for k, f in enumerate(feeds) for node in f.largest]
        self.feed, self.node = np.array(reached).T
        self.bound = np.array([f.bound for f in feeds])[self.feed]
        self.load = self.bound * [size for f in feeds for size in f.largest.values()]

    def here(self) -> list[Feed]:
        """The feeds that are packed."""
        return [f for f, packed in zip(self.feeds, self.packed, strict=True) if packed]

    def finest(self, packed: NDArray[np.bool_]) -> float:
        """The finest unit at which the largest weight fits 16 bits, and the largest possible sum 31."""
        mine = packed[self.feed]
        sums, arrivals = (np.bincount(self.node, x * mine) for x in (self.load, self.bound))
        # each arrival is rounded by up to half a unit
        return float(max(self.top[packed].max() / TOP, (sums / np.maximum(MOST - 0.5 * arrivals, 1.0)).max()))

    def lossy(self, packed: NDArray[np.bool_], unit: float) -> NDArray[np.bool_]:
        """Which of the packed feeds a unit would round too much."""
        return packed & (unit / 2 > np.minimum(LARGEST_ERROR * self.top, MEAN_ERROR * self.mean))

    def coarsest(self) -> float:
        """The coarsest unit that rounds none too much; those that are strict are not rounded."""
        return min(
            (2 * min(LARGEST_ERROR * f.top, MEAN_ERROR * f.mean) for f in self.here() if not f.strict), default=math.inf
        )

    def widen(self, k: int, reason: str) -> None:
        """Let a feed keep float32, for a reason."""
        self.packed[k] = False
        self.feeds[k].wide, self.feeds[k].reason = True, reason


def store(c: Component) -> None:
    """Mark as wide the feeds that 16 bits do not serve: as few synapses as possible."""
    best, choice = -1.0, (math.inf, list[tuple[NDArray[np.bool_], float, bool]]())
    for top in np.unique(c.top)[::-1]:
        packed, lost = c.top <= top, []
        if c.n[packed].sum() <= best:
            break  # to leave out more of the largest cannot keep more synapses
        while packed.any():
            unit = c.finest(packed)
            worst = c.lossy(packed, unit)
            if not worst.any():
                break
            lost.append((worst, unit, bool(unit > 1.001 * c.top[packed].max() / TOP)))
            packed = packed & ~worst
        kept = c.n[packed].sum()
        if kept > best:
            best, choice = kept, (top, lost)
    top, lost = choice
    for k in np.flatnonzero(c.top > top).tolist():
        c.widen(k, f"its largest weight is over {top:.3g}")
    for worst, unit, crowded in lost:
        for k in np.flatnonzero(worst).tolist():
            c.widen(k, _loss(c.feeds[k], unit, crowded))


def _loss(feed: Feed, unit: float, crowded: bool) -> str:
    if unit / 2 > LARGEST_ERROR * feed.top:
        reason = "in-degree" if crowded else "other weights"
        return (
            f"16 bits would round by {unit / 2 / feed.top:.2%} of its largest weight, for the {reason} of the receptor"
        )
    return f"16 bits would round by {unit / 2 / feed.mean:.1%} of its mean weight (heavy tail)"


def keep_exact(c: Component) -> None:
    """Mark as wide those strict feeds that 16 bits cannot hold exactly beside the others; the largest stay packed."""
    strict = [k for k in np.flatnonzero(c.packed).tolist() if c.feeds[k].strict]
    coarsest = c.coarsest()
    if not strict or _exact([c.feeds[k] for k in strict], c.finest(c.packed), coarsest).size:
        return
    kept: list[Feed] = []
    for k in sorted(strict, key=lambda k: -c.n[k]):
        feed = c.feeds[k]
        if _exact([*kept, feed], c.finest(c.packed), coarsest).size:
            kept.append(feed)
            continue
        reason = "other weights" if _exact([feed], c.finest(np.arange(c.n.size) == k), math.inf).size else "in-degree"
        c.widen(k, f"16 bits would not hold its {feed.exact.size:,} sizes exactly, for the {reason} of the receptor")


def unit_of(c: Component) -> float:
    """The unit of one component: where there is one, that of which the weights that should be exact are multiples.

    Within 10 % of the finest, the one that best represents the weights that stand alone: weights in simple ratios (0.1
    and -0.5 mV) come out exact, so no rounding adds up over thousands of synapses. If some are not exact then, the
    finest at which they are: with the medians of distributions; without; or at least those that are strict.
    """
    here = c.here()
    if not here:
        return 1.0
    finest, coarsest = c.finest(c.packed), c.coarsest()
    whole = [f for f in here if f.grid]
    usual = _near(_union(f.exact for f in here if f.exact.size <= FEW), finest, coarsest)
    if are_exact(_union(f.exact for f in whole), usual):
        return usual
    for feeds in (here, whole, [f for f in here if f.strict]):
        units = _exact(feeds, finest, coarsest)
        if units.size:
            return _best(_union(f.exact for f in here), units)
    return usual


def _exact(feeds: Sequence[Feed], finest: float, coarsest: float) -> F64:
    """The units of which all sizes of some feeds are multiples: exact to the last bit, or as many as can be so."""
    sizes = _union(f.exact for f in feeds)
    grid = grid_of(sizes)
    if not grid:
        return np.empty(0)
    units = exact_units(grid, sizes, finest, coarsest)
    return units if units.size else exact_units(grid, _union(f.exact for f in feeds if f.firm), finest, coarsest)


def _near(sizes: F64, finest: float, coarsest: float) -> float:
    """The unit within 10 % of the finest that represents the sizes best."""
    if not sizes.size:
        return finest
    most = int(sizes[-1] / finest)
    units = sizes[-1] / np.arange(max(most - most // 10, 1), max(most, 1) + 1)
    units = units[(units >= finest * (1 - 1e-12)) & (units <= coarsest)]
    return _best(sizes, units) if units.size else finest


def _best(sizes: F64, units: F64) -> float:
    """The finest of the units at which the worst represented size is represented best."""
    error = np.zeros(units.size)
    for some in np.array_split(sizes[:, None], sizes.size * units.size // 2**20 + 1):
        error = np.maximum(error, np.abs(np.rint(some / units) * units / some - 1).max(0, initial=0.0))
    return float(units[error <= error.min() + 1e-9].min())


def _union(sizes: Iterable[F64]) -> F64:
    return np.unique(np.concatenate([np.empty(0), *sizes]))
