"""How weights are stored: 16-bit fixed point where that loses nothing that matters, float32 elsewhere.

All input to one receptor is summed as an integer number of one unit, so sums do not depend on their order. A unit is
shared by the receptors that one connection can reach. 16 bits are taken if half a unit is at most 0.1 % of a
connection's largest weight and at most 1 % of its mean weight (heavy tails), and if no possible sum exceeds 31 bits:
the bound is the in-degree, times the largest weight. What does not pass keeps float32 weights and is summed in 64 bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biosnn.distributions import Distribution
from biosnn.engine.layout import Layout
from biosnn.engine.repeats import Repeats
from biosnn.network.description import Description
from biosnn.network.items import F64, Connection, PoissonInput
from biosnn.network.rule import tail_bound

TOP = 32767  # largest 16-bit weight
MOST = 2**31 * (1 - 2**-7)  # largest int32 sum, less what a ring of 16-bit floats may round up
LARGEST_ERROR, MEAN_ERROR = 1e-3, 1e-2
Node = tuple[int, int]  # (population, weight scale of its bank)


@dataclass
class Feed:
    """One connection or Poisson input, as seen by the receptors it reaches."""

    name: str
    largest: dict[Node, float]  # largest |weight| into each receptor scale
    mean: float  # mean |weight|
    exact: list[float]  # |weights| that should be represented as exactly as possible
    bound: float  # most arrivals per neuron and step
    n: float  # synapses
    wide: bool = False
    reason: str = ""


@dataclass
class Precision:
    """Units of all receptors, and the feeds that need float32."""

    units: dict[Node, float]
    connections: list[Feed]
    poisson: list[Feed]
    wide_scale: float  # 64-bit sums count multiples of 1/wide_scale; a power of two
    notes: list[str] = field(default_factory=list)

    @property
    def any_wide(self) -> bool:
        """Whether a second, 64-bit input is needed."""
        return any(f.wide for f in self.connections + self.poisson)


def choose(net: Description, layout: Layout, repeats: Repeats) -> Precision:
    """Units and storage for every weight of the network, from its description alone."""
    connections = [_feed(layout, c, c.in_degree_bound * repeats.of(c.source), c.n_expected) for c in net.connections]
    poisson = [_feed(layout, s, tail_bound(s.largest_rate * net.dt * 1e-3), len(s.target)) for s in net.poisson_inputs]
    feeds = connections + poisson
    components = _components(feeds)
    for nodes in components:  # a feed that is wide at one of its receptors is wide at all
        _store(feeds, nodes)
    units = {}
    for nodes in components:
        unit = _unit([f for f in feeds if not f.wide], nodes)
        units.update(dict.fromkeys(nodes, unit))
    for a, group in enumerate(layout.group_of):
        if group >= 0:
            for scale in layout.groups[group].bank.scale:
                units.setdefault((a, scale), 1.0)
    return Precision(units, connections, poisson, _wide_scale(feeds), _notes(feeds, len(connections)))


def encode(weights: F64, units: NDArray[np.float64] | float) -> NDArray[np.int16]:
    """Weights as 16-bit multiples of their unit."""
    return np.rint(weights / units).astype(np.int16)


def node_of(layout: Layout, population: int, negative: bool, receptor: str | None = None) -> Node:
    """The receptor scale that weights of this sign (or onto this receptor) reach in a population."""
    bank = layout.groups[layout.group_of[population]].bank
    return population, bank.scale[bank.slot(receptor) if receptor is not None else bank.inh if negative else bank.exc]


def _feed(layout: Layout, of: Connection | PoissonInput, bound: float, n: float) -> Feed:
    weight = of.weight
    values = weight.table() if isinstance(weight, Distribution) else np.atleast_1d(np.asarray(weight, np.float64))
    if isinstance(weight, Distribution):
        exact = [float(values[values.size // 2 - 1] + values[values.size // 2]) / 2]  # the median: the table is sorted
    else:
        exact = [float(x) for x in np.unique(values)] if values.size <= 64 else []
    largest: dict[Node, float] = {}
    number = {name: a for a, name in enumerate(layout.names)}
    for population, _ in of.target.pieces:
        if population.model is not None and population.model.counts:
            continue  # weights onto it, and their unit, are 1; how many arrive, `repeats` bounds
        for negative in (False, True):
            side = values[values < 0] if negative else values[values > 0]
            if side.size:
                node = node_of(layout, number[population.name], negative, of.receptor)
                largest[node] = max(largest.get(node, 0.0), float(np.abs(side).max()))
    size = np.abs(values[values != 0])
    return Feed(of.name, largest, float(size.mean()) if size.size else 0.0, [abs(x) for x in exact if x], bound, n)


def _components(feeds: Sequence[Feed]) -> list[set[Node]]:
    """Receptor scales that must share a unit, because one feed reaches them with one table of weights."""
    components: list[set[Node]] = []
    for feed in feeds:
        joined = set(feed.largest)
        if not joined:
            continue
        apart = []
        for component in components:
            if component & joined:
                joined |= component
            else:
                apart.append(component)
        components = [*apart, joined]
    return components


def _store(feeds: Sequence[Feed], nodes: set[Node]) -> None:
    """Mark as wide the feeds that 16 bits do not serve: as few synapses as possible."""
    here = [f for f in feeds if nodes & set(f.largest) and not f.wide]
    best: tuple[float, list[tuple[Feed, str]]] | None = None
    for top in sorted({max(f.largest.values()) for f in here}, reverse=True):
        out = [(f, f"its largest weight is over {top:.3g}") for f in here if max(f.largest.values()) > top]
        packed = [f for f in here if max(f.largest.values()) <= top]
        while packed:
            unit = _smallest_unit(packed, nodes)
            worst = [(f, why) for f in packed if (why := _loss(f, unit, packed))]
            if not worst:
                break
            out += worst
            packed = [f for f in packed if all(f is not g for g, _ in worst)]
        kept = sum(f.n for f in packed)
        if best is None or kept > best[0]:
            best = kept, out
    for feed, why in best[1] if best else []:
        feed.wide, feed.reason = True, why


def _smallest_unit(packed: Sequence[Feed], nodes: set[Node]) -> float:
    """The finest unit at which the largest weight fits 16 bits, and the largest possible sum 31."""
    top = max(max(f.largest.values()) for f in packed) / TOP
    sums = []
    for node in nodes:
        reach = [(f.bound, f.largest[node]) for f in packed if node in f.largest]
        arrivals = sum(b for b, _ in reach)  # each arrival is rounded by up to half a unit
        sums.append(sum(b * w for b, w in reach) / max(MOST - 0.5 * arrivals, 1.0))
    return max(top, *sums)


def _loss(feed: Feed, unit: float, packed: Sequence[Feed]) -> str:
    largest = max(feed.largest.values())
    if unit / 2 > LARGEST_ERROR * largest:
        reason = "in-degree" if unit > 1.001 * max(max(f.largest.values()) for f in packed) / TOP else "other weights"
        return (
            f"16 bits would round by {unit / 2 / largest:.2%} of its largest weight, for the {reason} of the receptor"
        )
    if unit / 2 > MEAN_ERROR * feed.mean:
        return f"16 bits would round by {unit / 2 / feed.mean:.1%} of its mean weight (heavy tail)"
    return ""


def _unit(packed: Sequence[Feed], nodes: set[Node]) -> float:
    """The unit of one component: within 10 % of the finest, the one that best represents the weights that stand alone.

    Weights in simple ratios (0.1 and -0.5 mV) come out exact, so no rounding adds up over thousands of synapses.
    """
    here = [f for f in packed if nodes & set(f.largest)]
    if not here:
        return 1.0
    finest = _smallest_unit(here, nodes)
    exact = np.unique([x for f in here for x in f.exact])
    if not exact.size:
        return finest
    coarsest = min(2 * min(LARGEST_ERROR * max(f.largest.values()), MEAN_ERROR * f.mean) for f in here)
    most = int(exact[-1] / finest)
    candidates = exact[-1] / np.arange(max(most - most // 10, 1), max(most, 1) + 1)
    candidates = candidates[(candidates >= finest * (1 - 1e-12)) & (candidates <= coarsest)]
    if not candidates.size:
        return finest
    error = np.abs(np.rint(exact[:, None] / candidates) * candidates / exact[:, None] - 1).max(0)
    good = candidates[error <= error.min() + 1e-9]
    return float(good.min())


def _wide_scale(feeds: Sequence[Feed]) -> float:
    """The largest power of two at which the sum of everything stored as float32 stays below 2^62."""
    total = sum(f.bound * max(f.largest.values(), default=0.0) for f in feeds if f.wide)
    return 2.0 ** math.floor(62 - math.log2(total)) if total > 0 else 1.0


def _notes(feeds: Sequence[Feed], n_connections: int) -> list[str]:
    kinds = ["connection"] * n_connections + ["poisson"] * (len(feeds) - n_connections)
    return [
        f"{kind} {f.name!r} keeps float32 weights: {f.reason}" for kind, f in zip(kinds, feeds, strict=True) if f.wide
    ]
