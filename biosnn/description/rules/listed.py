"""Synapses that are listed rather than drawn: scipy.sparse matrices, index arrays, one_to_one, dense weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.description.items import Pairs
from biosnn.description.rules.base import Rule, Sides
from biosnn.description.rules.near import NearBernoulli, NearIndegree
from biosnn.description.rules.uniform import AllToAll, OneToOne
from biosnn.description.space import Conduction, OfDistance, Profile, TravelTime
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError

Resolved = tuple[Rule, Pairs | None, Any, Any]


class Listed(OneToOne):
    """The rule of synapses that are given one by one."""

    name = "listed"

    def check(self, owner: str, sides: Sides) -> None:
        """Nothing: the indices have been checked."""


def resolve(owner: str, rule: Any, sides: Sides, weight: Any, delay: Any, unit: str) -> Resolved:
    """(rule, listed pairs or None, weight in `unit`, delay in ms), with arrays in the order of the pairs.

    What depends on distances is computed where the pairs are known, and becomes a table or a formula elsewhere.
    """
    weight = _validate.array(owner, "weight", weight, unit) if _is_array(weight) else weight
    delay = _validate.array(owner, "delay", delay, "ms") if _is_array(delay) else delay
    conduction = delay if isinstance(delay, Conduction) else None
    factor = delay if conduction is None else conduction.myelination  # which may be given in all ways of a delay
    rule, pairs, weight, factor = _resolve(owner, rule, sides, weight, factor)
    near = isinstance(rule, (NearBernoulli, NearIndegree))
    if not near and conduction is None and not isinstance(weight, Profile):
        return rule, pairs, weight, factor
    if pairs is not None:
        distances = sides.space.distances(pairs.sources, pairs.targets)
        longest, n_pairs = float(distances.max(initial=0.0)), distances.size
    else:
        longest, n_pairs = min(sides.space.longest, rule.p.fades_at if near else math.inf), None
    if isinstance(weight, Profile):
        weight = OfDistance(weight, longest) if pairs is None else weight(distances)
    delay = factor if conduction is None else TravelTime(owner, conduction, factor, n_pairs, longest)
    return rule, pairs, weight, delay


def _resolve(owner: str, rule: Any, sides: Sides, weight: Any, delay: Any) -> Resolved:
    if isinstance(rule, Rule):
        _given(owner, weight)
        if isinstance(rule, OneToOne):
            rule.check(owner, sides)
            each = np.arange(sides.n_source)
            return rule, Pairs(each, each), weight, delay
        if isinstance(rule, AllToAll) and (_is_array(weight) or _is_array(delay)):
            return _dense(owner, rule, sides, weight, delay)
        return rule, None, weight, delay
    if hasattr(rule, "tocoo"):
        return _matrix(owner, rule, sides, weight, delay)
    if isinstance(rule, tuple) and len(rule) == 2:
        _given(owner, weight)
        return _indices(owner, rule, sides, weight, delay)
    hint = "; call it, as in one_to_one()" if callable(rule) else ""
    if getattr(rule, "ndim", 0) == 2:
        hint = "; for a matrix of weights use all_to_all(), weight=matrix"
    raise DescriptionError(
        f"{owner}: expected a rule such as fixed_indegree(100), a scipy.sparse matrix or (sources, targets), "
        f"got {_validate.shown(rule)}{hint}"
    )


def _matrix(owner: str, matrix: Any, sides: Sides, weight: Any, delay: Any) -> Resolved:
    if weight is not None:
        raise DescriptionError(f"{owner}: the weights come from the matrix; leave `weight` out, or scale the matrix")
    pair, weights = _entries(owner, "matrix", matrix, sides)
    if hasattr(delay, "tocoo"):
        its_pair, delay = _entries(owner, "matrix of delays", delay, sides)
        order = np.argsort(its_pair, kind="stable")
        kept, delay = its_pair[order], delay[order]
        weights = _beside(owner, pair, weights, kept)
    elif _is_array(delay):
        if delay.shape != pair.shape:
            raise DescriptionError(
                f"{owner}: delay must be of shape ({pair.size},), one for each entry of the matrix, got {delay.shape}"
            )
        order = np.argsort(pair, kind="stable")
        kept, weights, delay = pair[order], weights[order], delay[order]
    else:
        kept = np.unique(pair)
        weights = _beside(owner, pair, weights, kept)
    sources, targets = np.divmod(kept, max(sides.n_target, 1))
    return Listed(), Pairs(sources, targets), weights, delay


def _entries(owner: str, what: str, matrix: Any, sides: Sides) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs, as numbers source * n_target + target, and data of a matrix's entries as they stand, repeated ones too."""
    if matrix.shape != (sides.n_source, sides.n_target):
        raise DescriptionError(
            f"{owner}: the {what} must be of shape (n_source, n_target) = ({sides.n_source}, {sides.n_target}), "
            f"got {matrix.shape}"
        )
    coo = matrix.tocoo()
    sources = _validate.indices(owner, f"rows of the {what}", coo.row, sides.n_source)
    targets = _validate.indices(owner, f"columns of the {what}", coo.col, sides.n_target)
    return sources * sides.n_target + targets, _validate.array(owner, f"data of the {what}", coo.data, bools=True)


def _beside(
    owner: str, pair: NDArray[np.int64], weights: NDArray[np.float64], kept: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The weight of each of the synapses `kept` (sorted pairs), of entries that are repeated or not.

    Where a pair is kept as often as it has entries, each is a synapse, in their order; where it is kept once, their sum
    is its weight, as in scipy.sparse.
    """
    order = np.argsort(pair, kind="stable")
    pairs, first, n = np.unique(pair[order], return_index=True, return_counts=True)
    others, at, n_kept = np.unique(kept, return_index=True, return_counts=True)
    if not np.array_equal(pairs, others) or not ((n_kept == n) | (n_kept == 1)).all():
        raise DescriptionError(
            f"{owner}: a matrix of delays must have an entry for each entry of the weights, or one for all of a pair, "
            f"and no other"
        )
    rank = np.arange(pair.size) - np.repeat(first, n)
    synapse = np.repeat(at, n) + np.where(np.repeat(n_kept, n) > 1, rank, 0)
    return np.bincount(synapse, weights[order], kept.size).astype(np.float64)


def _indices(owner: str, rule: tuple[Any, Any], sides: Sides, weight: Any, delay: Any) -> Resolved:
    sources = _validate.indices(owner, "sources", rule[0], sides.n_source)
    targets = _validate.indices(owner, "targets", rule[1], sides.n_target)
    if sources.shape != targets.shape:
        raise DescriptionError(
            f"{owner}: sources and targets must be of one length, got {sources.size} and {targets.size}"
        )
    order = np.argsort(sources, kind="stable")
    pairs = Pairs(sources[order], targets[order])
    return Listed(), pairs, _ordered(owner, "weight", weight, order), _ordered(owner, "delay", delay, order)


def _dense(owner: str, rule: AllToAll, sides: Sides, weight: Any, delay: Any) -> Resolved:
    shape = (sides.n_source, sides.n_target)
    keep = np.ones(shape, np.bool_)
    if not rule.allow_autapses:
        keep[sides.shared, sides.own[sides.shared]] = False
    found = []
    for what, values in (("weight", weight), ("delay", delay)):
        if _is_array(values):
            if values.shape != shape:
                raise DescriptionError(f"{owner}: {what} of all_to_all must be of shape {shape}, got {values.shape}")
            values = values[keep]
        found.append(values)
    sources, targets = np.nonzero(keep)
    return rule, Pairs(sources, targets), found[0], found[1]


def _ordered(owner: str, what: str, values: Any, order: NDArray[np.intp]) -> Any:
    if not _is_array(values):
        return values
    if values.shape != order.shape:
        raise DescriptionError(
            f"{owner}: {what} must be of shape ({order.size},), one for each synapse, got {values.shape}"
        )
    return values[order]


def _is_array(values: Any) -> bool:
    given = not isinstance(values, Distribution) and not hasattr(values, "ppf") and not hasattr(values, "tocoo")
    return given and _validate.is_array(values)


def _given(owner: str, weight: Any) -> None:
    if weight is None:
        raise DescriptionError(
            f"{owner}: weight is missing: a number, an array or a distribution, in the unit of the target's model"
        )
