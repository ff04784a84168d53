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

from numba import types
from numba.extending import overload

from biosnn._numba import f32, f64, i32
from biosnn.half import load, store

LARGEST = 2.0**31 - 1


def put(ring, p, delay, slot, amount):
    """Let `amount` reach input slot `slot` of partition p, `delay` steps after the spikes that are being sent."""


def add(values, at, amount, scale):
    """values[at] += amount: exact in a ring of integers; amount * scale, rounded to its format, in one of floats."""


def keep(values, at, amount, scale):
    """values[at] = amount, likewise."""


def recovered(values, at, scale, drive):
    """What stands in values[at], as an integer amount for the input; what was rounded beyond its range stays within."""


@overload(add)
def _add(values, at, amount, scale):
    if values.dtype in (types.int32, types.int64):

        def of_integers(values, at, amount, scale):
            values[at] += amount

        return of_integers

    def of_floats(values, at, amount, scale):
        store(values, at, load(values, at) + f32(f64(amount) * scale))

    return of_floats


@overload(keep)
def _keep(values, at, amount, scale):
    if values.dtype in (types.int32, types.int64):

        def of_integers(values, at, amount, scale):
            values[at] = amount

        return of_integers

    def of_floats(values, at, amount, scale):
        store(values, at, f32(f64(amount) * scale))

    return of_floats


@overload(recovered)
def _recovered(values, at, scale, drive):
    if values.dtype in (types.int32, types.int64):
        return lambda values, at, scale, drive: values[at]
    if drive.dtype == types.int32:
        return lambda values, at, scale, drive: i32(round(min(max(f64(load(values, at)) / scale, -LARGEST), LARGEST)))
    return lambda values, at, scale, drive: round(f64(load(values, at)) / scale)
