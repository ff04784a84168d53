"""Between two chunks of a run: what is past is dropped, buffers that have become too small grow, `auto` gets the matrix
that it asks for, and states that are no numbers any more are found.

What Python does here is put in place at once, when all of it is made: an exception in between changes nothing.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.engine.building.build import Built, StateArray
from biosnn.engine.building.travel import kind_of, matrix_arrays
from biosnn.engine.planning.machine import free_memory
from biosnn.errors import RingFullError
from biosnn.half import decode, is_finite
from biosnn.propagation import switching_cpu as switching
from biosnn.propagation.event_bucketed_cpu import are_full
from biosnn.propagation.sizes import BLOCK, POST_BYTES
from biosnn.propagation.spike_history_cpu import is_crowded, keep_latest

_log = logging.getLogger("biosnn")


def drop_past(built: Built) -> None:
    """Forget the spikes that no delay needs any more: those of the last chunk, however it ended."""
    arrays, keep = built.arrays, built.plan.ways.kept
    if arrays["clock"][0] - arrays["clock"][1] > keep:
        keep_latest(keep, arrays["clock"], arrays["spike_first"], arrays["spike_ids"])


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


def bad_state(built: Built) -> StateArray | None:
    """A state that is NaN or infinite in some neuron, and remains so; None if all are numbers."""
    for state in built.states:
        values = built.arrays[state.array]
        if (values.dtype.kind == "f" or state.halved) and not is_finite(values):
            return state
    return None


def said_of(built: Built, state: StateArray, first: int) -> str:
    """Whose bad state it is, what it is, and when it became that: not yet at step `first`."""
    layout, dt = built.plan.layout, built.net.dt
    values = decode(built.arrays[state.array])
    i = int(np.flatnonzero(~np.isfinite(values))[0])
    group = layout.groups[state.group]
    first_index = np.cumsum([0, *np.diff(layout.first_id)[group.populations]])
    k = int(np.searchsorted(first_index, i, side="right")) - 1
    who = f"{group.model.name} neuron {i - first_index[k]} of population {layout.names[group.populations[k]]!r}"
    when = f"between {first * dt:g} and {int(built.arrays['clock'][0]) * dt:g} ms"
    what = "NaN" if np.isnan(values[i]) else "infinite"
    text = f"run: {state.variable} of {who} became {what} {when}"
    if state.halved and what == "infinite":
        return (
            f"{text}: it has left the range of {built.plan.receptor_dtype}; take receptor_state_dtype 'bfloat16', "
            f"which has that of float32, or 'none' (--receptor-state-dtype)"
        )
    return f"{text}; look at its input and its parameters, or take a smaller dt"


def _doubled(old: NDArray[Any], size: int | None = None) -> NDArray[Any]:
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
        sizes = {"value": new, "post": new, "previous": new // BLOCK, "free": new // BLOCK}
        grown = {event[name]: _doubled(arrays[event[name]], size) for name, size in sizes.items()}
        n_free = grown[event["n_free"]] = arrays[event["n_free"]].copy()
        for p in range(n_free.shape[0]):
            fresh = np.arange(new // BLOCK - 1, old // BLOCK - 1, -1)
            grown[event["free"]][p, n_free[p, 0] : n_free[p, 0] + fresh.size] = fresh
            n_free[p, 0] += fresh.size
        arrays.update(grown)


def _make_matrix(built: Built) -> None:
    """Make the fused matrix once event-driven delivery has taken half as long as its product is planned to."""
    arrays, plan = built.arrays, built.plan
    if arrays["way_costs"][switching.MOST_NS] < arrays["way_costs"][switching.PLANNED_NS] / 2:
        return
    free = free_memory()
    try:
        if free is not None and plan.later_bytes > free:
            raise MemoryError(f"{free / 2**20:.1f} MiB are free")
        made = {name: m for table in built.tables for name, m in matrix_arrays(built.net, plan, table).items()}
    except MemoryError as error:
        arrays["way_costs"][switching.PLANNED_NS] = np.inf
        _log.warning(
            "the sparse product of all synapses would pay now, but there is no room for %.1f MiB of its matrix (%s); "
            "delivery stays event-driven", plan.later_bytes / 2**20, error,
        )  # fmt: skip
        return
    made["way_counts"] = arrays["way_counts"].copy()
    made["way_counts"][switching.READY] = 1
    arrays.update(made)
    plan.take_later()
