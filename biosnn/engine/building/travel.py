"""The arrays by which spikes travel: synapse tables, fused matrices, rings, and what decides between backends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.description.description import Description
from biosnn.engine.building.matrix import make_fused
from biosnn.engine.building.memory import memory_for
from biosnn.engine.building.tables import Table
from biosnn.engine.planning.choice import NO_LIMIT, NS_GATHER, NS_ROW
from biosnn.engine.planning.plan import Plan
from biosnn.half import STORAGE
from biosnn.propagation import switching_cpu as switching
from biosnn.propagation.sizes import BLOCK, LISTED, padded

Arrays = dict[str, NDArray[Any]]


def kind_of(table: Table) -> str:
    """What the names of a table's arrays end with."""
    return "_wide" if table.wide else ""


@memory_for("rings")
def travel_arrays(net: Description, plan: Plan, tables: list[Table]) -> Arrays:
    """All of them. Of a network that keeps no rows, the rows are dropped here, once the matrix is made."""
    ways, layout = plan.ways, plan.layout
    if not tables:
        return {}
    found: Arrays = {"lags": plan.delays if ways.by_delay else np.array([ways.stride])}
    for table in tables:
        kind = kind_of(table)
        found |= _ring(plan, table, kind)
        found[f"row_first{kind}"] = table.row_first
        if ways.rows or ways.ring == "event_bucketed":
            found[f"segments{kind}"] = table.segments
        if ways.rows:
            found[f"words{kind}"] = table.words
            if table.waits is not None:
                found[f"waits{kind}"] = table.waits
    if ways.rows:
        found |= {name: np.zeros((layout.n_parts, LISTED), np.int64) for name in ("due_begin", "due_end")}
    if ways.fused:
        found |= _bits(net, plan)
        for table in tables:
            if ways.rows:
                found |= _no_matrix(plan, table)
            else:
                found |= matrix_arrays(net, plan, table)
                table.words, table.waits = np.empty(0, table.words.dtype), None
    if ways.backend == "auto":
        found |= _choice(plan)
    return found


def matrix_names(table: Table, layout: str) -> tuple[str, str, str, str]:
    """Names of the arrays of a table's fused matrix: starts of its rows, columns, weights or words, first rows."""
    kind, kept = kind_of(table), "words" if layout == "coo" else "weights"
    return f"fused_starts{kind}", f"fused_columns{kind}", f"fused_{kept}{kind}", f"fused_row{kind}"


def matrix_arrays(net: Description, plan: Plan, table: Table) -> Arrays:
    """The fused matrix of a table."""
    fused = make_fused(plan, table, bool(net.spike_trains))
    arrays = fused.starts, fused.columns, fused.kept, fused.part_row
    return dict(zip(matrix_names(table, plan.ways.layout), arrays, strict=True))


def _no_matrix(plan: Plan, table: Table) -> Arrays:
    """What stands for a matrix that has not been made."""
    kept = table.words.dtype if plan.ways.layout == "coo" else np.dtype(np.float32 if table.wide else np.int16)
    arrays = np.zeros(1, np.int64), np.empty(0, np.uint32), np.empty(0, kept), np.zeros(1, np.int64)
    return dict(zip(matrix_names(table, plan.ways.layout), arrays, strict=True))


def _bits(net: Description, plan: Plan) -> Arrays:
    ways, layout, sources = plan.ways, plan.layout, bool(net.spike_trains)
    list_at = layout.bit_words(sources)
    pulls = not ways.stacked_by_row  # from the spikes of all steps that are due
    delays = np.zeros(1, np.int64) if pulls and ways.layout == "csr" else plan.delays
    lags = plan.delays if pulls and ways.layout == "coo" else np.full(delays.size, ways.window, np.int64)
    return {
        "list_at": list_at, "bit_of": layout.bit_of(sources),
        "bits": np.zeros((2 * (ways.window + ways.stride), list_at[-1]), np.uint32),
        "product_lags": lags, "product_delays": delays, "n_slots": layout.n_slots,
    }  # fmt: skip


def _ring(plan: Plan, table: Table, kind: str) -> Arrays:
    ways, parts = plan.ways, plan.layout.n_parts
    exact = np.int64 if table.wide else np.int32
    dtype = exact if ways.ring_dtype == "none" else STORAGE[ways.ring_dtype]
    if ways.ring == "spike_history":
        return {}
    found: Arrays = {
        f"ring_scale{kind}": np.array([_ring_scale(plan, table)]), "ring_len": np.array([ways.ring_len]),
    }  # fmt: skip
    if ways.ring == "dense":
        found[f"ring{kind}"] = np.zeros(ways.ring_len * int(plan.layout.drive_at[-1]), dtype)
        found["ring_rows"] = np.zeros((parts, padded(ways.ring_len)), np.uint64)
        return found
    blocks = ways.capacity // BLOCK
    n_free = np.zeros((parts, 16), np.int32)  # a cache line each
    n_free[:, 0] = blocks
    events: Arrays = {
        "value": np.zeros((parts, ways.capacity), dtype), "post": np.zeros((parts, ways.capacity), np.uint16),
        "previous": np.full((parts, blocks), -1, np.int32), "end": np.zeros((parts, padded(ways.ring_len)), np.int32),
        "free": np.tile(np.arange(blocks - 1, -1, -1, dtype=np.int32), (parts, 1)), "n_free": n_free,
    }  # fmt: skip
    gathers = ways.stacked_by_row and ways.layout == "csr"
    most = plan.layout.n_slots * plan.delays.size if gathers else np.full(parts, NO_LIMIT, np.int64)
    return found | {"most_put": most} | {f"event_{name}{kind}": values for name, values in events.items()}


def _ring_scale(plan: Plan, table: Table) -> float:
    """What one unit of an integer amount is in a ring of floats.

    Integers below 2^31, or 2^62, become float16 below 2^15, whose least is 2^-24. The other formats have the range of
    float32; there the sums of wide amounts only move to where powers of two are small.
    """
    bits = 62 if table.wide else 31
    if plan.ways.ring_dtype == "float16":
        return 2.0 ** (15 - bits)
    return 2.0**-62 if table.wide else 1.0


def _choice(plan: Plan) -> Arrays:
    way, costs, counts = np.zeros((4, 3), np.int64), np.zeros(5), np.zeros(7, np.int64)
    way[:, switching.EVENTS] = 1
    way[:, switching.MARKED] = plan.ways.ring == "spike_history"
    costs[switching.PLANNED_NS] = (plan.n_synapses * NS_GATHER + plan.fused_rows() * NS_ROW) / plan.layout.n_parts
    counts[switching.LAST_MARKED] = counts[switching.LAST_CHANGED] = -(2**62)
    return {"way": way, "way_costs": costs, "way_counts": counts}
