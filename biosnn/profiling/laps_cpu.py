"""One reading of the clock in a profiled driver; `laps` tells what for."""

from __future__ import annotations

from biosnn._numba import kernel, nanoseconds
from biosnn.profiling.phases import ENDED, FIRST, LOGGED


@kernel
def lap(thread, phase, laps, log):
    """Charge what has passed since the last lap of this thread to a phase; log[thread, k] is (phase, end) of lap k."""
    now = nanoseconds()
    laps[thread, FIRST + 2 * phase] += now - laps[thread, ENDED]
    laps[thread, FIRST + 2 * phase + 1] += 1
    laps[thread, ENDED] = now
    k = laps[thread, LOGGED]
    if k < log.shape[1]:
        log[thread, k, 0] = phase
        log[thread, k, 1] = now
        laps[thread, LOGGED] = k + 1
