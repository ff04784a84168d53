"""Reading synapses back from the packed tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.engine.building.build import Built
from biosnn.propagation.backend import Backend, Synapse
from biosnn.propagation.table import Table

BLOCK = 2**20  # synapses that are read at once, or all of one source


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
    read = [
        read_table(built, backend, table, begin, end)
        for backend in built.plan.backends for table in backend.trip.tables
    ]  # fmt: skip
    sources, targets, weights, delays, slots = _columns(read)
    if target is not None:
        mine = (targets >= first[target]) & (targets < first[target] + built.net.populations[target].n)
        sources, targets, slots = sources[mine], targets[mine], slots[mine]
        weights, delays = weights[mine], delays[mine]
    order = np.lexsort((targets, sources))
    sources = sources - (first[source] if source is not None else 0)
    targets = targets - (first[target] if target is not None else 0)
    return Synapses(sources[order], targets[order], weights[order], delays[order], slots[order])


def out_degrees(built: Built) -> NDArray[np.int64]:
    """Synapses of each id."""
    found = np.zeros(built.plan.layout.n_ids, np.int64)
    for table in built.plan.tables:
        found += np.diff(built.arrays[f"row_first{table.suffix}"])
    return found


def sample_synapses(built: Built, most: int | None) -> Synapses:
    """At most so many synapses (None: all), evenly spaced among all of them as they are stored; ids, not indices."""
    tables = [(backend, table) for backend in built.plan.backends for table in backend.trip.tables]
    ends = np.cumsum([0, *(int(built.arrays[f"row_first{table.suffix}"][-1]) for _, table in tables)])
    total = int(ends[-1])
    n = total if most is None else min(most, total)
    chosen = (np.arange(n) * (total / max(n, 1))).astype(np.int64)
    read = []
    for k, (backend, table) in enumerate(tables):
        here = chosen[(chosen >= ends[k]) & (chosen < ends[k + 1])] - ends[k]
        read.append(_as_weights(built, table, backend.entries(built.arrays, table, here)))
    return Synapses(*_columns(read))


def _columns(read: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Sources, targets, weights, delays and slots, of all tables."""
    columns = [np.concatenate([r[k] for r in read]) if read else np.empty(0) for k in range(5)]
    return [column.astype(np.float64 if k in (2, 3) else np.int64) for k, column in enumerate(columns)]


def in_blocks(built: Built) -> Iterator[Synapses]:
    """All synapses between any populations, by ids: block by block of sources, in order of these within each table.

    So only a million or so are in memory at once; a backend that keeps no rows looks at all of them, whatever is asked.
    """
    for backend in built.plan.backends:
        for table in backend.trip.tables:
            at = built.arrays[f"row_first{table.suffix}"]
            begins = np.searchsorted(at, np.arange(0, at[-1], BLOCK)) if backend.keeps_rows else [0]
            for begin, end in itertools.pairwise(np.unique([*begins, at.size - 1]).tolist()):
                yield Synapses(*read_table(built, backend, table, begin, end))


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


def read_table(built: Built, backend: Backend, table: Table, begin: int, end: int) -> list[NDArray[Any]]:
    """Source, target, weight, delay and number of the receptor's slot of the synapses of sources begin..end-1."""
    return _as_weights(built, table, backend.read(built.arrays, table, begin, end))


def _as_weights(built: Built, table: Table, found: Synapse) -> list[NDArray[Any]]:
    """Source, target, weight, delay and number of the receptor's slot of synapses of a table."""
    target, unit, slot = _neurons(built, found.part, found.slot)
    weights = table.store.decoded(found.weight, unit)
    return [found.source, target, weights, found.steps * built.net.dt, slot]


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
