"""Making the fused matrix of a synapse table, and giving it back as scipy.sparse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.backends import interrupts
from biosnn.connectivity.matrix import fuse, fuse_on_one_thread
from biosnn.engine.building.memory import memory_for
from biosnn.engine.building.tables import Table
from biosnn.engine.planning.plan import Plan

I64 = NDArray[np.int64]


@dataclass
class Fused:
    """A fused matrix, partition by partition: see `propagation.spmm_fused` for its rows and columns."""

    part_row: I64  # first row of each partition
    starts: I64  # of each row, and the number of synapses at the end
    columns: NDArray[np.uint32]
    kept: NDArray[Any]  # csr: weights (int16 or float32); coo: words


@memory_for("the fused matrix of synapses")
def make_fused(plan: Plan, table: Table, sources: bool) -> Fused:
    """The matrix of the table, whose rows must be there; `sources`: the network has spike sources."""
    ways, layout, delays = plan.ways, plan.layout, plan.delays
    part_row, stride, by_slot, row_shift, column_shift = _shape(plan, sources)
    rows = plan.fused_rows()
    lags = delays if ways.by_delay else np.zeros(1, np.int64)
    shared = (
        table.row_first, table.segments, table.words, lags, table.waits, part_row, stride, by_slot, row_shift,
        column_shift, layout.bit_of(sources),
    )  # fmt: skip
    kept = np.int16 if not table.wide else np.float32
    dtype = table.words.dtype if ways.layout == "coo" else np.dtype(kept)
    starts = np.zeros(rows + 1, np.int64)
    write = fuse if plan.threads > 1 else fuse_on_one_thread
    with interrupts.held_back():  # the first call compiles
        write(*shared, starts[1:], np.empty(0, np.uint32), np.empty(0, dtype))
    np.cumsum(starts, out=starts)
    columns, found = np.empty(table.n_synapses, np.uint32), np.empty(table.n_synapses, dtype)
    write(*shared, starts[:-1].copy(), columns, found)
    return Fused(part_row, starts, columns, found)


def _shape(plan: Plan, sources: bool) -> tuple[I64, I64, int, I64, I64]:
    """First row and stride of each partition, does a slot shift the row?, shifts of row and column by the delay."""
    ways, layout, delays = plan.ways, plan.layout, plan.delays
    class_of = np.zeros(ways.ring_len + 1, np.int64)
    class_of[delays] = np.arange(delays.size)
    none = np.zeros(ways.ring_len + 1, np.int64)
    if ways.layout == "coo":
        ones = np.ones(layout.n_parts, np.int64)
        return np.arange(layout.n_parts, dtype=np.int64) * delays.size, ones, 0, class_of, none
    stacked = delays.size if ways.stacked_by_row else 1
    part_row = np.concatenate([[0], np.cumsum(layout.n_slots * stacked)])[:-1].astype(np.int64)
    width = 32 * int(layout.bit_words(sources)[-1])
    column_shift = none if ways.stacked_by_row else (ways.ring_len - np.arange(ways.ring_len + 1)) * width
    return part_row, layout.n_slots, 1, class_of if ways.stacked_by_row else none, column_shift
