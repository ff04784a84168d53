"""Reading synapses back from the packed tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.engine.build import Built
from biosnn.engine.tables import Table


@dataclass(frozen=True)
class Synapses:
    """Synapses by source: indices into their populations (or ids, between any populations), weights, delays (ms)."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]

    def __len__(self) -> int:
        return self.sources.size


def read_synapses(built: Built, source: str | None, target: str | None) -> Synapses:
    """All synapses of a network between two populations; weights as stored, so rounded to their unit."""
    layout = built.plan.layout
    ids = np.arange(layout.n_ids)
    first = layout.first_of()
    if source is not None:
        n = built.net.populations[source].n
        ids = np.arange(first[source], first[source] + n)
    parts = [_read(built, table, ids) for table in built.tables]
    columns = [np.concatenate([p[k] for p in parts]) if parts else np.empty(0) for k in range(4)]
    sources, targets = columns[0].astype(np.int64), columns[1].astype(np.int64)
    weights, delays = columns[2], columns[3]
    if target is not None:
        mine = (targets >= first[target]) & (targets < first[target] + built.net.populations[target].n)
        sources, targets, weights, delays = sources[mine], targets[mine], weights[mine], delays[mine]
    order = np.lexsort((targets, sources))
    sources = sources - (first[source] if source is not None else 0)
    targets = targets - (first[target] if target is not None else 0)
    return Synapses(sources[order], targets[order], weights[order], delays[order])


def _read(built: Built, table: Table, ids: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    plan = built.plan
    n_keys = table.segments.shape[1] - 1
    segments = table.segments[ids].astype(np.int64)
    lengths = np.diff(segments, axis=1).ravel()
    sources = np.repeat(ids, segments[:, -1])
    keys = np.repeat(np.tile(np.arange(n_keys), ids.size), lengths)
    at = np.repeat(table.row_first[ids], segments[:, -1]) + _counter(segments[:, -1])
    words = table.words[at]
    part, delay = keys // plan.delays.size, plan.delays[keys % plan.delays.size] * built.net.dt
    if table.wide:
        slots = (words & np.uint64(0xFFFFFFFF)).astype(np.int64)
        target, _ = _neurons(built, part, slots)
        weights = (words >> np.uint64(32)).astype(np.uint32).view(np.float32).astype(np.float64)
    else:
        slots = (words & np.uint32(0xFFFF)).astype(np.int64)
        target, unit = _neurons(built, part, slots)
        weights = (words.view(np.int32) >> 16) * unit
    return [sources, target, weights, delay]


def _neurons(
    built: Built, part: NDArray[np.int64], slots: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Target id and weight unit of each (partition, slot)."""
    layout, units = built.plan.layout, built.plan.precision.units
    size = int(layout.n_slots.max(initial=0))
    target = np.full((layout.n_parts, max(size, 1)), -1, np.int64)
    unit = np.ones((layout.n_parts, max(size, 1)))
    for g, group in enumerate(layout.groups):
        for c, cell in enumerate(layout.cells):
            if cell.population in group.populations:
                ids = np.arange(cell.first, cell.last)
                for k, shift in enumerate(layout.slots_of[g]):
                    target[cell.part, ids + shift[c]] = ids
                    unit[cell.part, ids + shift[c]] = units[(cell.population, group.bank.scale[k])]
    return target[part, slots], unit[part, slots]


def _counter(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..n-1 for each of the lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
