"""How weights are stored: 16-bit fixed point where that loses nothing that matters, float32 elsewhere.

All input to one receptor is summed as an integer number of one unit, so sums do not depend on their order. A unit is
shared by the receptors that one connection can reach. 16 bits are taken if half a unit is at most 0.1 % of a
connection's largest weight and at most 1 % of its mean weight (heavy tails), and if no possible sum exceeds 31 bits:
the bound is the in-degree, times the largest weight. Arrays of weights that 16 bits could hold exactly are held so, or
not in 16 bits. What does not pass keeps float32 weights and is summed in 64 bits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from biosnn._arrays import F64
from biosnn.address.exact import distinct_sizes, grid_of
from biosnn.address.feed import Feed, Node
from biosnn.address.layout import Layout
from biosnn.address.repeats import Repeats
from biosnn.address.stores import Store
from biosnn.address.units import FEW, components, keep_exact, store, unit_of
from biosnn.description.description import Description
from biosnn.description.items import Connection, PoissonInput, Values
from biosnn.description.rules.base import tail_bound
from biosnn.description.space import OfDistance
from biosnn.description.weights import weight_unit
from biosnn.distributions import Distribution

SMALLEST = 2.0**-126  # float32 that is not subnormal: those count as zero


class Sizes(NamedTuple):
    """What counts of the weights of a connection: the largest of either sign, and of all that are not zero."""

    plus: float
    minus: float
    mean: float
    least: float


@dataclass
class Precision:
    """Units of all receptors, and the feeds that need float32."""

    units: dict[Node, float]
    connections: list[Feed]
    poisson: list[Feed]
    wide_scale: float  # 64-bit sums count multiples of 1/wide_scale; a power of two
    notes: list[str] = field(default_factory=list)

    def counted(self, weight: float, node: Node, store: Store) -> int:
        """A weight onto a receptor scale, in counts of the input of a store."""
        return round(weight / self.units[node] if store.in_units else weight * self.wide_scale)

    @property
    def any_wide(self) -> bool:
        """Whether a second, 64-bit input is needed."""
        return any(f.wide for f in self.connections + self.poisson)


def choose(net: Description, layout: Layout, repeats: Repeats) -> Precision:
    """Units and storage for every weight of the network, from its description alone."""
    number = {name: a for a, name in enumerate(layout.names)}
    connections = [
        _feed(layout, number, c, c.in_degree_bound * repeats.of(c.source), c.n_expected) for c in net.connections
    ]
    poisson = [
        _feed(layout, number, s, tail_bound(s.largest_rate * net.dt * 1e-3), len(s.target)) for s in net.poisson_inputs
    ]
    feeds = connections + poisson
    units: dict[Node, float] = {}
    for component in components(feeds):  # a feed that is wide at one of its receptors is wide at all
        store(component)
        keep_exact(component)
        unit = unit_of(component)
        units.update((node, unit) for f in component.feeds for node in f.largest)
    for a, group in enumerate(layout.group_of):
        if group >= 0:
            for scale in layout.groups[group].bank.scale:
                units.setdefault((a, scale), 1.0)
    found = Precision(units, connections, poisson, _wide_scale(feeds))
    described: list[tuple[str, Connection | PoissonInput]] = [("connection", c) for c in net.connections]
    described += [("poisson", s) for s in net.poisson_inputs]
    for (kind, of), feed in zip(described, feeds, strict=True):
        found.notes += [f"{kind} {feed.name!r}{note}" for note in _notes(found, of, feed)]
    return found


def node_of(layout: Layout, population: int, negative: bool, receptor: str | None = None) -> Node:
    """The receptor scale that weights of this sign (or onto this receptor) reach in a population."""
    bank = layout.groups[layout.group_of[population]].bank
    return population, bank.scale[bank.slot(receptor) if receptor is not None else bank.inh if negative else bank.exc]


def _feed(layout: Layout, number: dict[str, int], of: Connection | PoissonInput, bound: float, n: float) -> Feed:
    weight = of.weight
    if isinstance(weight, Distribution):
        sizes, median = _sizes_of(weight)
        exact, grid = np.abs([median] if median else []), 0.0
    else:
        values = np.atleast_1d(np.asarray(weight, np.float64))
        sizes = _sizes(values)
        exact, grid = _levels(values)
    largest: dict[Node, float] = {}
    for population in of.target.populations:
        if population.model is not None and population.model.counts:
            continue  # weights onto it, and their unit, are 1; how many arrive, `repeats` bounds
        for size, negative in ((sizes.plus, False), (sizes.minus, True)):
            if size:
                node = node_of(layout, number[population.name], negative, of.receptor)
                largest[node] = max(largest.get(node, 0.0), size)
    return Feed(of.name, largest, sizes.mean, sizes.least, exact, grid, bound, n)


@functools.lru_cache(maxsize=2**14)  # of what a thousand connections share, a table of 65,536 is looked at once
def _sizes_of(distribution: Distribution) -> tuple[Sizes, float]:
    """The same of a distribution, and its median: the table is sorted."""
    values = distribution.table()
    return _sizes(values), float(values[values.size // 2 - 1] + values[values.size // 2]) / 2


def _sizes(values: F64) -> Sizes:
    size = np.abs(values[values != 0])
    plus, minus = float(values.max(initial=0.0)), float(-values.min(initial=0.0))
    return Sizes(plus, minus, float(size.mean()), float(size.min())) if size.size else Sizes(plus, minus, 0.0, 0.0)


def _levels(values: F64) -> tuple[F64, float]:
    """The distinct |weights| that should be exact, and what all of them are multiples of, or 0."""
    sizes = distinct_sizes(values)
    if sizes is None or not sizes.size:
        return np.empty(0), 0.0
    grid = grid_of(sizes)
    return (sizes if grid or sizes.size <= FEW else np.empty(0)), grid


def _wide_scale(feeds: Sequence[Feed]) -> float:
    """The largest power of two at which the sum of everything stored as float32 stays below 2^62."""
    total = sum(f.bound * f.top for f in feeds if f.wide)
    return 2.0 ** math.floor(62 - math.log2(total)) if total > 0 else 1.0


def _notes(found: Precision, of: Connection | PoissonInput, feed: Feed) -> Iterator[str]:
    """What happens to the weights of one feed: that they are float32, or rounded, or lost."""
    if not feed.largest:
        return
    unit = found.units[next(iter(feed.largest))]
    name = weight_unit(of.name, of.target, of.receptor)
    if feed.wide:
        yield f" keeps float32 weights: {feed.reason}"
        least, why = max(1 / found.wide_scale, SMALLEST), "what 64-bit sums count"
    else:
        off = np.abs(np.rint(feed.exact / unit) * unit - feed.exact)
        if feed.grid and (off > 1e-6 * feed.exact).any():
            yield f": weights rounded by {off.max():.2g} {name} at most, for the other weights of the receptor"
        least, why = math.nextafter(unit / 2, math.inf), "half a unit"  # which rounds to zero, too
    if feed.least < least:
        yield f": {_which(of.weight, least)} below {why} ({least:.2g} {name}) and count as zero"


def _which(weight: Values, least: float) -> str:
    """Which weights are smaller than the least that counts, as a subject; those that are zero are not meant."""
    values = weight.table() if isinstance(weight, Distribution) else np.atleast_1d(weight)
    lost = (np.abs(values) < least) & (values != 0)
    if isinstance(weight, OfDistance):
        return f"weights beyond {lost.argmax() / weight.per_um:.4g} um are"
    if isinstance(weight, Distribution):
        return f"{100 * lost.mean():.2g} % of its weights are"
    return f"{lost.sum():,} of its {lost.size:,} weights are"
