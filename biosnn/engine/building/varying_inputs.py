"""The arrays of what is new in each step: Poisson input of varying rates; sinusoidal and fluctuating currents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.address.layout import Layout, ModelGroup
from biosnn.description.description import Description
from biosnn.description.items import PoissonInput, VaryingCurrent
from biosnn.description.population import Group
from biosnn.description.stimuli import Levels, Noise, Sinusoidal, waves
from biosnn.inputs.sizes import TILE, table_length

Arrays = dict[str, NDArray[Any]]
I64 = NDArray[np.int64]
NEVER = 2**62  # a step that no run reaches


def varying_rates(net: Description, layout: Layout, inputs: list[PoissonInput]) -> Arrays:
    """Sources, levels and means of `arrive_varying`, and room to work in."""
    sources, turns, steps, means = [], [], list[I64](), list[NDArray[Any]]()
    n_steps = n_means = 0
    for source in inputs:
        rate = source.rate
        if isinstance(rate, Sinusoidal):
            values = np.stack(_rows(waves(rate), len(source.target)))
            at, wave, frequency = np.empty(0, np.int64), True, rate.frequency
        else:
            assert isinstance(rate, Levels)
            values, at, wave, frequency = rate.values, rate.steps, False, 0.0
        if values.shape[1] > 1:  # columns in the order of ids, as the rows are
            values = values[:, np.argsort(source.target.ids(layout.first_of()))]
        sources.append([source.index, wave, n_steps, n_steps + at.size, n_means, values.shape[1]])
        turns.append(frequency * net.dt * 1e-3)
        steps.append(at)
        means.append((values * (net.dt * 1e-3)).astype(np.float32).ravel())
        n_steps, n_means = n_steps + at.size, n_means + values.size
    largest = max(s.largest_rate for s in inputs) * net.dt * 1e-3
    return {
        "sources": np.array(sources, np.int64),
        "turns": np.array(turns),
        "step": np.concatenate(steps),
        "mean": np.concatenate(means),
        "table": np.zeros((layout.n_parts, table_length(largest)), np.uint32),
        "counting": np.zeros((layout.n_parts, 3 * TILE), np.float64),
    }


def varying_currents(net: Description, layout: Layout, group: ModelGroup) -> Arrays:
    """The tables of `oscillate` and `fluctuate` for one group, of those that it needs."""
    found: Arrays = {}
    here = [c for c in net.currents if isinstance(c, VaryingCurrent)]
    waving = [c for c in here if isinstance(c.source, Sinusoidal)]
    rows, columns = _reached(layout, group, waving)
    if rows.size:
        values = [np.stack(_rows(waves(c.source), len(c.target))) for c in waving if isinstance(c.source, Sinusoidal)]
        found |= {
            "wave_part": starts(layout, rows),
            "wave_rows": rows[:, 1:].copy(),
            "wave_between": np.array([[c.start, NEVER if c.stop is None else c.stop] for c in waving], np.int64),
            "wave_turns": np.array([c.source.frequency * net.dt * 1e-3 for c in waving]),  # type: ignore[union-attr]
            "wave": _chosen(values, columns),
        }
    noisy = [c for c in here if not isinstance(c.source, Sinusoidal)]
    rows, columns = _reached(layout, group, noisy)
    if rows.size:
        sources, forget, values = [], [], list[NDArray[np.float64]]()
        for c in noisy:
            assert not isinstance(c.source, Sinusoidal)
            every = round(c.source.dt / net.dt) if isinstance(c.source, Noise) else 1
            kept = 0.0 if isinstance(c.source, Noise) else float(np.exp(-net.dt / c.source.tau))
            sources.append([c.index, c.start, NEVER if c.stop is None else c.stop, every])
            forget.append([kept, np.sqrt(1 - kept**2)])
            values.append(np.stack(_rows((c.source.mean, c.source.std, 0.0), len(c.target))))
        found |= {
            "noise_part": starts(layout, rows),
            "noise_rows": rows[:, 1:].copy(),
            "noise_sources": np.array(sources, np.int64),
            "noise_forget": np.array(forget, np.float32),
            "noise": _chosen(values, columns),
        }
    return found


def runs(layout: Layout, target: Group) -> Iterator[tuple[int, int, int]]:
    """(cell, first id, last id + 1) of the unbroken runs of ids that make up a group."""
    ids = np.sort(target.ids(layout.first_of()))
    if not ids.size:
        return
    cell_of = layout.cell_table()[ids]
    breaks = np.flatnonzero((np.diff(ids) != 1) | (np.diff(cell_of.astype(np.int64)) != 0)) + 1
    for run in np.split(np.arange(ids.size), breaks):
        yield int(cell_of[run[0]]), int(ids[run[0]]), int(ids[run[-1]]) + 1


def by_partition(rows: list[tuple[int, ...]]) -> I64:
    """Rows sorted by their first column, the partition."""
    return np.array(sorted(rows, key=lambda row: row[0]), np.int64)


def starts(layout: Layout, rows: I64) -> I64:
    """Where the rows of each partition start; their number at the end."""
    return np.searchsorted(rows[:, 0], np.arange(layout.n_parts + 1)).astype(np.int64)


def _reached(layout: Layout, group: ModelGroup, inputs: list[VaryingCurrent]) -> tuple[I64, list[I64]]:
    """Rows (partition, first id, last id + 1, state index - id, number, column) of the neurons of a group.

    And for each input, the positions in its target that its columns stand for.
    """
    rows, chosen, column = list[tuple[int, ...]](), [], 0
    for number, source in enumerate(inputs):
        order = np.argsort(source.target.ids(layout.first_of()))
        positions, at = [np.empty(0, np.int64)], 0
        for c, first, last in runs(layout, source.target):
            cell = layout.cells[c]
            if layout.groups[layout.group_of[cell.population]] is group:
                rows.append((cell.part, first, last, -cell.to_state, number, column))
                positions.append(order[at : at + last - first])
                column += last - first
            at += last - first
        chosen.append(np.concatenate(positions))
    return by_partition(rows), chosen


def _rows(values: tuple[Any, ...], n: int) -> list[NDArray[np.float64]]:
    """The values as rows of one length: one number each, or one per neuron where any of them differs."""
    width = n if any(np.ndim(x) for x in values) else 1
    return [np.broadcast_to(np.asarray(x, np.float64), width) for x in values]


def _chosen(values: list[NDArray[np.float64]], columns: list[I64]) -> NDArray[np.float32]:
    """Tables of each input, side by side, with one column for each of the chosen positions."""
    wide = [
        x if x.shape[1] > 1 else np.repeat(x, c.max(initial=0) + 1, 1) for x, c in zip(values, columns, strict=True)
    ]
    return np.concatenate([x[:, c] for x, c in zip(wide, columns, strict=True)], 1).astype(np.float32)
