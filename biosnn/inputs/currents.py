"""Injected currents: constant between steps, so each neuron's value is set when it changes and read in between."""

from __future__ import annotations

from biosnn._numba import kernel


@kernel
def change(step, cursor, k, change_step, change_range, change_value, injected):
    """Set the currents that change at or before this step; cursor[k] is the next change to come.

    Change c gives injected[first:last] the values change_value[at : at + last - first], or the one value at `at` if
    uniform; change_range[c] = (first, last, at, uniform).
    """
    c = cursor[k]
    while c < change_step.size and change_step[c] <= step:
        first, last, at, uniform = change_range[c]
        for i in range(first, last):
            injected[i] = change_value[at if uniform else at + i - first]
        c += 1
    cursor[k] = c
