"""Reading synapses back from the packed tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.engine.building.build import Built
from biosnn.engine.building.tables import Table
from biosnn.engine.building.travel import matrix_names


@dataclass(frozen=True)
class Synapses:
    """Synapses by source: indices into their populations (or ids, between any populations), weights, delays (ms)."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]
    slots: NDArray[np.int64]  # number of the receptor's slot, of those of the target's bank

    def __len__(self) -> int:
        return self.sources.size


def read_synapses(built: Built, source: str | None, target: str | None) -> Synapses:
    """All synapses of a network between two populations; weights as stored, so rounded to their unit."""
    layout = built.plan.layout
    first = layout.first_of()
    begin, end = 0, layout.n_ids
    if source is not None:
        begin, end = first[source], first[source] + built.net.populations[source].n
    read = _from_rows if built.plan.ways.rows else _from_matrix
    parts = [read(built, table, begin, end) for table in built.tables]
    columns = [np.concatenate([p[k] for p in parts]) if parts else np.empty(0) for k in range(5)]
    sources, targets, slots = (columns[k].astype(np.int64) for k in (0, 1, 4))
    weights, delays = columns[2], columns[3]
    if target is not None:
        mine = (targets >= first[target]) & (targets < first[target] + built.net.populations[target].n)
        sources, targets, slots = sources[mine], targets[mine], slots[mine]
        weights, delays = weights[mine], delays[mine]
    order = np.lexsort((targets, sources))
    sources = sources - (first[source] if source is not None else 0)
    targets = targets - (first[target] if target is not None else 0)
    return Synapses(sources[order], targets[order], weights[order], delays[order], slots[order])


def read_fused(built: Built, source: str, target: str, receptor: str | None) -> Any:
    """See `Simulation.fused_matrix`."""
    from scipy.sparse import csr_matrix

    layout = built.plan.layout
    for name in (source, target):
        _validate.known("fused_matrix", "population", name, layout.names)
    neurons = [name for name, group in zip(layout.names, layout.group_of, strict=True) if group >= 0]
    _validate.known("fused_matrix", "target", target, neurons)
    found = read_synapses(built, source, target)
    bank = layout.groups[layout.group_of[layout.names.index(target)]].bank
    mine = np.ones(len(found), np.bool_)
    if receptor is not None:
        names = [name for name, _ in bank.addresses]
        mine = found.slots == bank.slot(_validate.known("fused_matrix", "receptor", receptor, names))
    n_source, n_target = built.net.populations[source].n, built.net.populations[target].n
    k = np.searchsorted(built.plan.delays, np.rint(found.delays[mine] / built.net.dt))
    columns = k * n_source + found.sources[mine]
    shape = (n_target, built.plan.delays.size * n_source)
    return csr_matrix((found.weights[mine], (found.targets[mine], columns)), shape=shape)


def _from_rows(built: Built, table: Table, begin: int, end: int) -> list[NDArray[np.float64]]:
    """Source, target, weight and delay of the synapses in the rows of sources begin..end-1."""
    plan, ids = built.plan, np.arange(begin, end)
    segments = table.segments[begin:end].astype(np.int64)
    lengths = np.diff(segments, axis=1).ravel()
    sources = np.repeat(ids, segments[:, -1])
    keys = np.repeat(np.tile(np.arange(segments.shape[1] - 1), ids.size), lengths)
    at = np.repeat(table.row_first[ids], segments[:, -1]) + _counter(segments[:, -1])
    if table.waits is None:
        part, steps = keys // plan.delays.size, plan.delays[keys % plan.delays.size]
    else:
        part, steps = keys, table.waits[at]
    words = table.words[at]
    slots, weights = _unpacked(words)
    return _described(built, table, sources, part, slots, weights, steps)


def _from_matrix(built: Built, table: Table, begin: int, end: int) -> list[NDArray[np.float64]]:
    """The same, of a network that keeps its fused matrix only."""
    plan, layout, ways = built.plan, built.plan.layout, built.plan.ways
    starts, columns, kept, part_row = (built.arrays[name] for name in matrix_names(table, ways.layout))
    row = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    width = 32 * int(built.arrays["list_at"][-1])
    source_of = np.zeros(width, np.int64)
    source_of[built.arrays["bit_of"]] = np.arange(layout.n_ids)
    sources = source_of[columns % width]
    part = np.searchsorted(part_row, row, side="right") - 1
    if ways.layout == "coo":
        steps, (slots, weights) = plan.delays[row % plan.delays.size], _unpacked(kept)
    else:
        within, slots_of_part = row - part_row[part], layout.n_slots[part]
        slots, weights = within % slots_of_part, kept.astype(np.float64)
        steps = plan.delays[within // slots_of_part] if ways.stacked_by_row else ways.ring_len - columns // width
    mine = (sources >= begin) & (sources < end)
    return _described(built, table, *(x[mine] for x in (sources, part, slots, weights, steps)))


def _described(
    built: Built, table: Table, sources: Any, part: Any, slots: Any, weights: Any, steps: Any
) -> list[NDArray[np.float64]]:
    target, unit, slot = _neurons(built, part, slots)
    return [sources, target, weights if table.wide else weights * unit, steps * built.net.dt, slot]


def _unpacked(words: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Slot and weight of each word: float32 of a wide one, a multiple of its unit of a packed one."""
    if words.dtype == np.uint64:
        weights = (words >> 32).astype(np.uint32).view(np.float32)
        return (words & 0xFFFFFFFF).astype(np.int64), weights.astype(np.float64)
    return (words & 0xFFFF).astype(np.int64), (words.view(np.int32) >> 16).astype(np.float64)


def _neurons(
    built: Built, part: NDArray[np.int64], slots: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Target id, weight unit and number of the slot in the target's bank, of each (partition, slot)."""
    layout, units = built.plan.layout, built.plan.precision.units
    size = int(layout.n_slots.max(initial=0))
    target = np.full((layout.n_parts, max(size, 1)), -1, np.int64)
    unit = np.ones((layout.n_parts, max(size, 1)))
    number = np.zeros((layout.n_parts, max(size, 1)), np.int64)
    for g, group in enumerate(layout.groups):
        for c, cell in enumerate(layout.cells):
            if layout.group_of[cell.population] == g:
                ids = np.arange(cell.first, cell.last)
                for k, shift in enumerate(layout.slots_of[g]):
                    target[cell.part, ids + shift[c]] = ids
                    unit[cell.part, ids + shift[c]] = units[(cell.population, group.bank.scale[k])]
                    number[cell.part, ids + shift[c]] = k
    return target[part, slots], unit[part, slots], number[part, slots]


def _counter(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..n-1 for each of the lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
