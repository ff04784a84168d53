"""The arrays of the inputs: Poisson rows and thresholds, current changes, spike trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.engine.driver import Shape, prefix
from biosnn.engine.layout import Layout
from biosnn.engine.plan import Plan
from biosnn.engine.precision import node_of
from biosnn.inputs.poisson import thresholds
from biosnn.network.description import Description
from biosnn.network.items import CurrentInput
from biosnn.network.population import Group, as_array

Arrays = dict[str, NDArray[Any]]


def poisson_arrays(net: Description, plan: Plan, shape: Shape) -> Arrays:
    """Rows (first id, last id + 1, input index - id, number) per partition, for the int32 and the int64 input."""
    layout, found = plan.layout, dict[str, NDArray[Any]]()
    for wide in (False, True):
        rows: list[list[tuple[int, int, int, int]]] = [[] for _ in range(layout.n_parts)]
        weights = []
        inputs = [
            s for s, f in zip(net.poisson_inputs, plan.precision.poisson, strict=True) if f.wide == wide and s.rate > 0
        ]
        for number, source in enumerate(inputs):
            weight = 0.0
            for c, first, last in _runs(layout, source.target):
                cell = layout.cells[c]
                row = layout.shift_row(source.receptor, source.weight < 0)
                shift = int(layout.slot_shift[row, c] + layout.drive_at[cell.part])
                rows[cell.part].append((first, last, shift, number))
                unit = plan.precision.units[node_of(layout, cell.population, source.weight < 0, source.receptor)]
                weight = source.weight * plan.precision.wide_scale if wide else source.weight / unit
            weights.append(round(weight))
        shape.poisson[wide] = any(rows)
        if any(rows):
            kind = "_wide" if wide else ""
            table, start = thresholds(np.array([s.rate for s in inputs]) * net.dt * 1e-3)
            # the stream is keyed by the number of the call, whatever input it goes to
            flat = np.array([row for of_part in rows for row in of_part], np.int64)
            found |= {
                f"poisson_part{kind}": np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64),
                f"poisson_rows{kind}": flat,
                f"poisson_key{kind}": np.array([s.index for s in inputs], np.int64),
                f"poisson_table{kind}": table,
                f"poisson_start{kind}": start,
                f"poisson_weight{kind}": np.array(weights, np.int64 if wide else np.int32),
            }
    return found


def current_arrays(net: Description, layout: Layout, shape: Shape) -> Arrays:
    """For each group with injected currents: the steps at which the sum of all currents changes, where, and to what."""
    found: Arrays = {}
    counter = 0
    for g, group in enumerate(layout.groups):
        if not group.injected:
            continue
        counter += 1
        steps: list[int] = []
        ranges: list[tuple[int, int, int, bool]] = []
        values: list[NDArray[np.float64]] = []
        at = 0
        for step, first, last, total in sorted(_changes(net, layout, g), key=lambda change: change[:2]):
            uniform = bool((total == total[0]).all())
            steps.append(step)
            ranges.append((first, last, at, uniform))
            values.append(total[:1] if uniform else total)
            at += values[-1].size
        pre = prefix(shape, g)
        found |= {
            f"{pre}change_step": np.array(steps, np.int64),
            f"{pre}change_range": np.array(ranges, np.int64).reshape(-1, 4),
            f"{pre}change_value": np.concatenate([*values, np.zeros(1)]).astype(np.float32),
        }
    found["cursor"] = np.zeros(counter + 1, np.int64)
    return found


def train_arrays(net: Description, layout: Layout) -> Arrays:
    """All given spikes, sorted by step and id."""
    if not net.spike_trains:
        return {}
    first = layout.first_of()
    steps = np.concatenate([t.steps for t in net.spike_trains])
    ids = np.concatenate([t.senders + first[t.population.name] for t in net.spike_trains])
    order = np.lexsort((ids, steps))
    return {"train_step": steps[order], "train_id": ids[order]}


def _runs(layout: Layout, target: Group) -> Iterator[tuple[int, int, int]]:
    """(cell, first id, last id + 1) of the unbroken runs of ids that make up a group."""
    ids = np.sort(target.ids(layout.first_of()))
    if not ids.size:
        return
    cell_of = layout.cell_table()[ids]
    breaks = np.flatnonzero((np.diff(ids) != 1) | (np.diff(cell_of.astype(np.int64)) != 0)) + 1
    for run in np.split(np.arange(ids.size), breaks):
        yield int(cell_of[run[0]]), int(ids[run[0]]), int(ids[run[-1]]) + 1


def _changes(net: Description, layout: Layout, g: int) -> Iterator[tuple[int, int, int, NDArray[np.float64]]]:
    """(step, first, last, totals): each stretch of state indices that the same currents reach, at each change."""
    group = layout.groups[g]
    start = 0
    for a in group.populations:
        n = int(np.diff(layout.first_id)[a])
        reach = [(c, _members(c, layout.names[a], n)) for c in net.currents]
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
    at = 0
    for piece, index in current.target.pieces:
        if piece.name == population:
            found[as_array(index)] = at + np.arange(len(index))
        at += len(index)
    return found


def _level(current: CurrentInput, step: int, position: NDArray[np.int64]) -> NDArray[np.float64]:
    """The current at a step, for the given positions in its target."""
    k = int(np.searchsorted(current.steps, step, side="right")) - 1
    if k < 0:
        return np.zeros(position.size)
    row = current.amplitudes[k]
    return np.broadcast_to(row, position.size) if row.size == 1 else row[position]
