"""Between two chunks of a run: buffers that have become too small grow, `auto` gets the matrix it asks for, and states
that 16 bits no longer hold end the run."""

from __future__ import annotations

import logging

import numpy as np

from biosnn.engine.build import Built
from biosnn.engine.plan import free_memory
from biosnn.engine.travel import kind_of, matrix_arrays
from biosnn.errors import RingFullError, StateRangeError
from biosnn.half import decode
from biosnn.propagation import switching
from biosnn.propagation.event_bucketed import are_full
from biosnn.propagation.sizes import BLOCK, POST_BYTES
from biosnn.propagation.spike_history import is_crowded

_log = logging.getLogger("biosnn")


def make_room(built: Built, step: int) -> None:
    """Grow what has become too small for the next step. Raises RingFullError where a ring of events may not grow."""
    arrays, t = built.arrays, built.plan.ways.kept - 1
    # Room for as many spikes as are kept: what is kept is moved after each chunk. 20,000 neurons, 20 steps kept, 6,000
    # spikes a step: chunks of two steps took 640 us a step, those of 27 540.
    most = arrays["most_spikes"] + arrays["spike_first"][:, t + 1]
    while is_crowded(t, arrays["spike_first"], most, arrays["spike_ids"].shape[1]):
        arrays["spike_ids"] = _doubled(arrays["spike_ids"])
    pushed = built.plan.ways.backend != "auto" or arrays["way"][step % 4, switching.EVENTS]
    if built.plan.ways.ring == "event_bucketed" and pushed:
        for table in built.tables:
            _grow_buckets(built, kind_of(table), t, step)
    if built.plan.ways.backend == "auto" and not arrays["way_counts"][switching.READY]:
        _make_matrix(built)


def check_range(built: Built) -> None:
    """Raise StateRangeError where a state of 16 bits has left their range: it is infinite then, and remains so."""
    for name, what in built.halved.items():
        if not np.isfinite(decode(built.arrays[name])).all():
            raise StateRangeError(
                f"run: {what} has left the range of {built.plan.receptor_dtype}; take receptor_state_dtype 'bfloat16', "
                f"which has that of float32, or 'none' (--receptor-state-dtype)"
            )


def _doubled(old: np.ndarray, size: int | None = None) -> np.ndarray:
    grown = np.zeros((old.shape[0], size or 2 * old.shape[1]), old.dtype)
    grown[:, : old.shape[1]] = old
    return grown


def _grow_buckets(built: Built, kind: str, t: int, step: int) -> None:
    arrays, ways = built.arrays, built.plan.ways
    event = {name: f"event_{name}{kind}" for name in ("value", "post", "previous", "free", "n_free")}
    while are_full(
        t, ways.stride, arrays["spike_first"], arrays["spike_ids"], arrays[f"row_first{kind}"],
        arrays[f"segments{kind}"], arrays["most_put"], arrays[event["n_free"]][:, 0], ways.ring_len,
    ):  # fmt: skip
        old, parts = arrays[event["value"]].shape[1], built.plan.layout.n_parts
        new = min(2 * old, ways.capacity_max)
        free, needed = free_memory(), (new + old) * parts * (arrays[event["value"]].itemsize + POST_BYTES)
        if new == old or (free is not None and needed > free):
            why = "all there may be" if new == old else "all that memory has room for"
            raise RingFullError(
                f"the event_bucketed ring is full at {step * built.net.dt:g} ms: its {old * parts:,} events ({parts} "
                f"partition(s) x {old:,}) are {why}; raise --ring-capacity-max or --max-ring-mib, or use "
                f"--ring-strategy spike_history"
            )
        for name, size in (("value", new), ("post", new), ("previous", new // BLOCK), ("free", new // BLOCK)):
            arrays[event[name]] = _doubled(arrays[event[name]], size)
        n_free = arrays[event["n_free"]]
        for p in range(n_free.shape[0]):
            fresh = np.arange(new // BLOCK - 1, old // BLOCK - 1, -1)
            arrays[event["free"]][p, n_free[p, 0] : n_free[p, 0] + fresh.size] = fresh
            n_free[p, 0] += fresh.size


def _make_matrix(built: Built) -> None:
    """Make the fused matrix once event-driven delivery has taken half as long as its product is planned to."""
    arrays, plan = built.arrays, built.plan
    if arrays["way_costs"][switching.MOST_NS] < arrays["way_costs"][switching.PLANNED_NS] / 2:
        return
    free = free_memory()
    if free is not None and plan.later_bytes > free:
        arrays["way_costs"][switching.PLANNED_NS] = np.inf
        _log.warning(
            "the sparse product of all synapses would pay now, but its matrix needs %.1f MiB, and %.1f are free; "
            "delivery stays event-driven", plan.later_bytes / 2**20, free / 2**20,
        )  # fmt: skip
        return
    for table in built.tables:
        arrays |= matrix_arrays(built.net, plan, table)
    plan.take_later()
    arrays["way_counts"][switching.READY] = 1
