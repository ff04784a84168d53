"""The clocks of a profiled driver, as a part: it is written beside the others only where a profile is asked for.

A thread takes a lap after each phase, and what has passed since its last one is charged to that phase. So no moment is
left out, and none is counted twice. A lap takes some 25 ns.
"""

from __future__ import annotations

from collections.abc import Iterator

from biosnn.parts.array import Array, Keep, Row, row
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call
from biosnn.profiling.phases import CHARGED, FIRST, MOST_LOGGED, NAMES

COLUMNS = 24  # int64 of a row: whole cache lines, so that threads share none
assert FIRST + 2 * len(NAMES) <= COLUMNS


class Laps(Part):
    """A row of times for each thread, or for each partition."""

    kernels = {"lap": "biosnn.profiling.laps_cpu"} | dict.fromkeys(
        (*CHARGED.values(), "LOOP", "WAIT"), "biosnn.profiling.phases"
    )

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows

    def rows(self) -> Iterator[Row]:
        n, log = self.n_rows, (self.n_rows, MOST_LOGGED, 2)
        axes = [(n, "threads"), (COLUMNS, "numbers")]
        yield row("recorders", "laps", axes, Array("laps", (n, COLUMNS), "int64", Keep.SCRATCH))
        axes = [(n, "threads"), (MOST_LOGGED, "laps"), (2, "numbers")]
        yield row("recorders", "log of laps", axes, Array("lap_log", log, "int64", Keep.SCRATCH))

    def lap(self, thread: str, phase: Phase | str) -> list[str]:
        """The line that charges what has passed to a phase, or to LOOP or WAIT; `thread` is an expression."""
        return call("lap", [thread, CHARGED[phase] if isinstance(phase, Phase) else phase, "laps", "lap_log"])
