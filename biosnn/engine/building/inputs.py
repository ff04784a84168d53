"""The arrays of the inputs: Poisson rows and thresholds, changes of currents, spike trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.address.layout import Layout
from biosnn.address.precision import node_of
from biosnn.description.description import Description
from biosnn.description.items import CurrentInput, PoissonInput
from biosnn.description.population import as_array
from biosnn.engine.building.memory import memory_for
from biosnn.engine.building.varying_inputs import by_partition, runs, starts, varying_currents, varying_rates
from biosnn.engine.planning.plan import Plan
from biosnn.engine.writing.shape import Shape, prefix
from biosnn.inputs.poisson_cpu import thresholds
from biosnn.inputs.sizes import DRAWN

Arrays = dict[str, NDArray[Any]]


@memory_for("Poisson input")
def poisson_arrays(net: Description, plan: Plan) -> Arrays:
    """The tables of `arrive` and `arrive_varying`, for the int32 and the int64 input."""
    found: Arrays = {}
    for wide in (False, True):
        inputs = [
            s
            for s, f in zip(net.poisson_inputs, plan.precision.poisson, strict=True)
            if f.wide == wide and s.largest_rate > 0
        ]
        kind = "_wide" if wide else ""
        constant = [s for s in inputs if isinstance(s.rate, float)]
        rows, weights = _feeds(plan, constant, wide)
        if rows.size:
            table, start = thresholds(np.array([s.rate for s in constant]) * net.dt * 1e-3)
            # the stream is keyed by the number of the call, whatever input it goes to
            found |= {
                f"poisson_part{kind}": starts(plan.layout, rows),
                f"poisson_rows{kind}": rows[:, 1:5].copy(),
                f"poisson_key{kind}": np.array([s.index for s in constant], np.int64),
                f"poisson_table{kind}": table,
                f"poisson_start{kind}": start,
                f"poisson_weight{kind}": weights,
            }
        varying = [s for s in inputs if not isinstance(s.rate, float)]
        rows, weights = _feeds(plan, varying, wide)
        if rows.size:
            tables = {"part": starts(plan.layout, rows), "rows": rows[:, 1:].copy(), "weight": weights}
            tables |= varying_rates(net, plan.layout, varying)
            found |= {f"varying_{name}{kind}": table for name, table in tables.items()}
    return found


def _feeds(plan: Plan, inputs: list[PoissonInput], wide: bool) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Rows (partition, first id, last id + 1, input index - id, number, column), and the weight of each number."""
    layout, rows, weights = plan.layout, list[tuple[int, ...]](), []
    for number, source in enumerate(inputs):
        weight, column = 0.0, 0
        for c, first, last in runs(layout, source.target):
            cell = layout.cells[c]
            row = layout.shift_row(source.receptor, source.weight < 0)
            shift = int(layout.slot_shift[row, c] + layout.drive_at[cell.part])
            rows.append((cell.part, first, last, shift, number, column))
            column += last - first
            unit = plan.precision.units[node_of(layout, cell.population, source.weight < 0, source.receptor)]
            weight = source.weight * plan.precision.wide_scale if wide else source.weight / unit
        weights.append(round(weight))
    return by_partition(rows), np.array(weights, np.int64 if wide else np.int32)


@memory_for("currents")
def current_arrays(net: Description, layout: Layout, shape: Shape) -> Arrays:
    """The tables of all currents, group by group."""
    found: Arrays = {}
    counter = 0
    for g, group in enumerate(layout.groups):
        tables = varying_currents(net, layout, group)
        changes = sorted(_changes(net, layout, g), key=lambda change: change[:2])
        if changes:
            counter += 1
            tables |= _change_arrays(changes)
        if shape.currents[g] & {"wave", "noise"}:
            tables["held"] = np.zeros(group.n, np.float32)
        found |= {prefix(shape, g) + name: table for name, table in tables.items()}
    if any("noise" in kinds for kinds in shape.currents):
        found["drawing"] = np.zeros((layout.n_parts, 2, DRAWN), np.float32)
    found["cursor"] = np.zeros(counter + 1, np.int64)
    return found


def _change_arrays(changes: list[tuple[int, int, int, NDArray[np.float64]]]) -> Arrays:
    """The steps at which the sum of all currents that are constant in between changes, where, and to what."""
    ranges: list[tuple[int, int, int, bool]] = []
    values: list[NDArray[np.float64]] = []
    at = 0
    for _, first, last, total in changes:
        uniform = bool((total == total[0]).all())
        ranges.append((first, last, at, uniform))
        values.append(total[:1] if uniform else total)
        at += values[-1].size
    return {
        "change_step": np.array([step for step, *_ in changes], np.int64),
        "change_range": np.array(ranges, np.int64),
        "change_value": np.concatenate(values).astype(np.float32),
    }


@memory_for("given spike times")
def train_arrays(net: Description, layout: Layout) -> Arrays:
    """All given spikes, sorted by step and id."""
    if not net.spike_trains:
        return {}
    first = layout.first_of()
    steps = np.concatenate([t.steps for t in net.spike_trains])
    ids = np.concatenate([t.senders + first[t.population.name] for t in net.spike_trains])
    order = np.lexsort((ids, steps))
    return {"train_step": steps[order], "train_id": ids[order]}


def _changes(net: Description, layout: Layout, g: int) -> Iterator[tuple[int, int, int, NDArray[np.float64]]]:
    """(step, first, last, totals): each stretch of state indices that the same currents reach, at each change."""
    group = layout.groups[g]
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
