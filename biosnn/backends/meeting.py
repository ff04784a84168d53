"""Threads that meet after each step, inside one parallel region for many steps.

A region for each step costs microseconds when the cores are free. But where other processes want them, a thread that
looks for the others all the time keeps the system from moving anybody to its core, and one that sleeps for each step is
woken late. Here a thread that waits looks for longer than the steps of two threads differ, then sleeps as briefly as it
can. Brunel's network on two cores: beside two busy processes RTF 2.2 instead of 9; beside one 2.1, no less than the
1.6 to 2.6 of a region for each step; on free cores the same within the noise.
"""

from __future__ import annotations

import functools
import os

import numpy as np

from biosnn._numba import add_atomically, i64, kernel, load_atomically, nap, parallel_kernel, prange

# Before a thread sleeps, some 0.4 ms. Full microcircuit on free cores: RTF 1.6 with 40,000, 1.25 with 400,000. Beside a
# busy process: 3.5 with 400,000, 12 with 4,000,000.
LOOKS = 400_000
PATIENCE = 10_000  # naps, some 0.6 s, until a thread that has not come is not coming


@kernel
def meet(meetings, n):
    """Wait until n threads have come: what each wrote before is seen by all. meetings[0] is 0 before the first."""
    came = add_atomically(meetings, i64(0), i64(1))
    all_here = (came // n + 1) * n
    looks = 0
    while load_atomically(meetings, i64(0)) < all_here:
        looks += 1
        if looks > LOOKS:
            nap()


@parallel_kernel
def _call_the_roll(n, meetings, here):
    for w in prange(n):
        add_atomically(meetings, i64(0), i64(1))
        for _ in range(PATIENCE):
            if load_atomically(meetings, i64(0)) >= n:
                here[w] = 1
                break
            nap()


@functools.cache
def can_meet(n: int) -> bool:
    """Whether n threads run n iterations at the same time: not where a scheduler gives one thread two in turn (TBB)."""
    if os.environ.get("OMP_DYNAMIC", "").lower() == "true":
        return False  # OpenMP may then give a later region fewer threads than this one
    here = np.zeros(n, np.uint8)
    _call_the_roll(n, np.zeros(8, np.int64), here)
    return bool(here.all())
