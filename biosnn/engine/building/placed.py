"""What draws the pairs of rules that are `Placed`: their kernels, and what these are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from biosnn._arrays import I64
from biosnn.connectivity import near
from biosnn.connectivity.indegrees import draw, draw_sources
from biosnn.description.items import Connection
from biosnn.description.rules.base import Rule
from biosnn.description.rules.near import NearBernoulli, NearIndegree
from biosnn.description.rules.uniform import FixedIndegree
from biosnn.engine.building.spatial import near_sources, near_targets


@dataclass(frozen=True)
class Drawer:
    """Kernels that go over a range of sources, and the one in parallel over its parts.

    After range, seed and number of the connection they are given what `arguments` makes of the connection and the ids
    of its sources and targets, by name and in order; then `fill`, in which pairs are counted, and `words`, to which
    they are written where it has room. `each` names the argument of the ids that pairs are drawn for.
    """

    one: Any
    many: Any
    each: str
    arguments: Callable[[Connection, I64, I64], Mapping[str, Any]]
    finer: int = 1  # parts for each thread


def _indegree(c: Connection, source_ids: I64, target_ids: I64) -> Mapping[str, Any]:
    assert isinstance(c.rule, FixedIndegree)
    ids = {"source_ids": source_ids, "target_ids": target_ids}
    return {"indegree": c.rule.indegree, **ids, "distinct": not c.rule.allow_multapses, **_allowed(c)}


def _near_targets(c: Connection, source_ids: I64, target_ids: I64) -> Mapping[str, Any]:
    assert isinstance(c.rule, NearBernoulli)
    return {**near_targets(c.rule.p, c.sides.space, source_ids, target_ids), **_allowed(c)}


def _near_sources(c: Connection, source_ids: I64, target_ids: I64) -> Mapping[str, Any]:
    assert isinstance(c.rule, NearIndegree)
    found = near_sources(c.rule.p, c.rule.indegree, c.sides.space, source_ids, target_ids)
    return {**found, "distinct": not c.rule.allow_multapses, **_allowed(c)}


def _allowed(c: Connection) -> Mapping[str, bool]:
    return {"no_autapses": not c.rule.allow_autapses and c.sides.n_shared > 0}


DRAWERS: dict[type[Rule], Drawer] = {
    FixedIndegree: Drawer(draw, draw_sources, "target_ids", _indegree),
    NearBernoulli: Drawer(near.targets, near.draw_targets, "source_ids", _near_targets, finer=16),
    NearIndegree: Drawer(near.sources, near.draw_sources, "target_ids", _near_sources),
}
