"""Which runs of ids an input reaches, partition by partition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from biosnn.address.layout import I64, Layout
from biosnn.description.population import Group


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
