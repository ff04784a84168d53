"""Currents that are constant between steps: the steps at which their sum changes, where, and to what."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from biosnn.address.layout import Layout, ModelGroup
from biosnn.description.description import Description
from biosnn.description.items import CurrentInput
from biosnn.description.population import as_array
from biosnn.parts.array import Arrays

Change = tuple[int, int, int, NDArray[np.float64]]  # step, first, last, totals


def change_arrays(net: Description, layout: Layout, group: ModelGroup) -> Arrays:
    """The tables of `change` for one group: steps, ranges and values; empty if no current changes there."""
    ranges: list[tuple[int, int, int, bool]] = []
    values: list[NDArray[np.float64]] = [np.empty(0)]
    at = 0
    changes = sorted(_changes(net, layout, group), key=lambda change: change[:2])
    for _, first, last, total in changes:
        uniform = bool((total == total[0]).all())
        ranges.append((first, last, at, uniform))
        values.append(total[:1] if uniform else total)
        at += values[-1].size
    return {
        "step": np.array([step for step, *_ in changes], np.int64),
        "range": np.array(ranges, np.int64),
        "value": np.concatenate(values).astype(np.float32),
    }


def _changes(net: Description, layout: Layout, group: ModelGroup) -> Iterator[Change]:
    """Each stretch of state indices that the same currents reach, at each change."""
    onto: dict[str, list[CurrentInput]] = {}
    for current in net.currents:
        if isinstance(current, CurrentInput):
            for name in {p.name for p in current.target.populations}:
                onto.setdefault(name, []).append(current)
    start = 0
    for a in group.populations:
        n = net.population_at(a).n
        reach = [(c, _members(c, layout.names[a], n)) for c in onto.get(layout.names[a], [])]
        reach = [(c, member) for c, member in reach if (member >= 0).any()]
        if reach:
            key = np.array([member >= 0 for _, member in reach])
            breaks = np.flatnonzero((np.diff(key.astype(np.int8), axis=1) != 0).any(0)) + 1
            for stretch in np.split(np.arange(n), breaks):
                here = [(c, member[stretch]) for c, member in reach if member[stretch[0]] >= 0]
                for step in np.unique(np.concatenate([c.steps for c, _ in here])) if here else ():
                    total = np.sum([_level(c, int(step), position) for c, position in here], axis=0)
                    yield int(step), start + int(stretch[0]), start + int(stretch[-1]) + 1, total
        start += n


def _members(current: CurrentInput, population: str, n: int) -> NDArray[np.int64]:
    """For each neuron of a population, its position in the current's target; -1 outside."""
    found = np.full(n, -1, np.int64)
    position = np.arange(len(current.target))
    for one, index, at in current.target.by_population():
        if one.name == population:
            found[as_array(index)] = position[at]
    return found


def _level(current: CurrentInput, step: int, position: NDArray[np.int64]) -> NDArray[np.float64]:
    """The current at a step, for the given positions in its target."""
    k = int(np.searchsorted(current.steps, step, side="right")) - 1
    if k < 0:
        return np.zeros(position.size)
    row = current.amplitudes[k]
    return np.broadcast_to(row, position.size) if row.size == 1 else row[position]
