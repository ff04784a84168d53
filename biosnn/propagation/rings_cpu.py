"""Rings: where an amount waits until its delay has passed. What backends know of them is `put`.

A backend goes through synapses, and puts what each adds to its target into the ring. A ring is a named tuple of arrays
with a `put` of its own, in a file beside this one, and says how due amounts reach the input:

    Now             spike_history.py    the spikes wait, not the amounts: what is put is due
    Dense           dense.py            [ring_len, n_slots] sums
    Buckets         event_bucketed.py   single events, in buckets by due step

Amounts are integers, and so are the sums of a ring of integers: they are the same in any order. A ring of floats (see
`half` for 16 bits) takes less memory and rounds as it adds.
"""

from __future__ import annotations

from typing import Any

from biosnn._numba import by_type, dtype_of, f32, f64, i32, i64
from biosnn.half import load, store

LARGEST = 2.0**31 - 1
_PUTS: dict[type, Any] = {}  # of each ring, by its named tuple


def ring(kind):
    """Make the decorated function the `put` of a kind of ring."""

    def register(put_there):
        _PUTS[kind] = put_there
        return put_there

    return register


@by_type
def put(ring, p, delay, slot, amount):
    """Let `amount` reach input slot `slot` of partition p, `delay` steps after the spikes that are being sent."""
    return _PUTS[getattr(ring, "instance_class", type(ring))]  # what Numba knows of a named tuple tells the same


@by_type
def add(values, at, amount, scale):
    """values[at] += amount: exact in a ring of integers; amount * scale, rounded to its format, in one of floats."""
    return _add_integer if _are_integers(values) else _add_float


@by_type
def keep(values, at, amount, scale):
    """values[at] = amount, likewise."""
    return _keep_integer if _are_integers(values) else _keep_float


@by_type
def recovered(values, at, scale, drive):
    """What stands in values[at], as an integer amount for the input; what was rounded beyond its range stays within."""
    if _are_integers(values):
        return lambda values, at, scale, drive: values[at]
    if dtype_of(drive) == i32:
        return lambda values, at, scale, drive: i32(round(min(max(f64(load(values, at)) / scale, -LARGEST), LARGEST)))
    return lambda values, at, scale, drive: round(f64(load(values, at)) / scale)


def _are_integers(values):
    return dtype_of(values) in (i32, i64)  # in 16 bits, integers are the patterns of floats


def _add_integer(values, at, amount, scale):
    values[at] += amount


def _add_float(values, at, amount, scale):
    store(values, at, load(values, at) + f32(f64(amount) * scale))


def _keep_integer(values, at, amount, scale):
    values[at] = amount


def _keep_float(values, at, amount, scale):
    store(values, at, f32(f64(amount) * scale))
