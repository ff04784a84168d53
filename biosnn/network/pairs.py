"""Synapses that are listed rather than drawn: scipy.sparse matrices, index arrays, one_to_one, dense weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError
from biosnn.network.items import Pairs
from biosnn.network.near import NearBernoulli, NearIndegree
from biosnn.network.rule import Rule, Sides
from biosnn.network.rules import AllToAll, OneToOne
from biosnn.network.space import Conduction, OfDistance, Profile, TravelTime

Resolved = tuple[Rule, Pairs | None, Any, Any]


class Listed(OneToOne):
    """The rule of synapses that are given one by one."""

    name = "listed"

    def check(self, owner: str, sides: Sides) -> None:
        """Nothing: the indices have been checked."""


def resolve(owner: str, rule: Any, sides: Sides, weight: Any, delay: Any) -> Resolved:
    """(rule, listed pairs or None, weight, delay), with arrays in the order of the pairs.

    What depends on distances is computed where the pairs are known, and becomes a table or a formula elsewhere.
    """
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
    if hasattr(rule, "tocsr"):
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
    if matrix.shape != (sides.n_source, sides.n_target):
        raise DescriptionError(
            f"{owner}: the matrix must be of shape (n_source, n_target) = ({sides.n_source}, {sides.n_target}), "
            f"got {matrix.shape}"
        )
    if weight is not None:
        raise DescriptionError(f"{owner}: the weights come from the matrix; leave `weight` out, or scale the matrix")
    csr = _canonical(matrix)
    if hasattr(delay, "tocsr"):
        delay = _canonical(delay)
        if delay.shape != csr.shape or not (
            np.array_equal(delay.indptr, csr.indptr) and np.array_equal(delay.indices, csr.indices)
        ):
            raise DescriptionError(
                f"{owner}: a matrix of delays must have an entry for each entry of the weights, and no other"
            )
        delay = delay.data
    sources = np.repeat(np.arange(sides.n_source), np.diff(csr.indptr))
    weights = _validate.array(owner, "data of the matrix", csr.data)
    return Listed(), Pairs(sources, csr.indices.astype(np.int64)), weights, delay


def _canonical(matrix: Any) -> Any:
    """The matrix as CSR, its entries in order of row and column, repeated ones summed; the user's stays as it is."""
    csr = matrix.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return csr


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
            values = _validate.array(owner, what, values)
            if values.shape != shape:
                raise DescriptionError(f"{owner}: {what} of all_to_all must be of shape {shape}, got {values.shape}")
            values = values[keep]
        found.append(values)
    sources, targets = np.nonzero(keep)
    return rule, Pairs(sources, targets), found[0], found[1]


def _ordered(owner: str, what: str, values: Any, order: NDArray[np.intp]) -> Any:
    if not _is_array(values):
        return values
    values = _validate.array(owner, what, values)
    if values.shape != order.shape:
        raise DescriptionError(
            f"{owner}: {what} must be of shape ({order.size},), one for each synapse, got {values.shape}"
        )
    return values[order]


def _is_array(values: Any) -> bool:
    return not isinstance(values, Distribution) and not hasattr(values, "ppf") and _validate.is_array(values)


def _given(owner: str, weight: Any) -> None:
    if weight is None:
        raise DescriptionError(
            f"{owner}: weight is missing: a number, an array or a distribution, in the unit of the target's model"
        )
