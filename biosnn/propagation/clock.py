"""The step that a network has reached, its seed, and where its threads meet."""

from __future__ import annotations

from collections.abc import Iterator

from biosnn.address.address import Address
from biosnn.parts.array import Array, Arrays, Keep, Row, small
from biosnn.parts.part import Draws, Part

CACHE_LINE = 8  # int64 numbers: what threads write often has one of its own


class Clock(Part):
    """clock[0] is the step reached, clock[1] the step that the history of spikes begins with."""

    def __init__(self, address: Address, stride: int, kept: int, parallel: bool) -> None:
        self.address, self.stride, self.kept, self.parallel = address, stride, kept, parallel

    def rows(self) -> Iterator[Row]:
        yield small(
            "rings", "clock, stride and seed",
            Array("clock", (CACHE_LINE,), "int64", Keep.STATE),
            Array("stride", (1,), "int64", Keep.FIXED, fill=self.stride),
            Array("seed", (1,), "uint64", Keep.FIXED, fill=self.address.net.seed),
        )  # fmt: skip
        if self.parallel:
            workers = Array("workers", (1,), "int64", Keep.SCRATCH)
            yield small("rings", "threads", workers, Array("meetings", (CACHE_LINE,), "int64", Keep.SCRATCH))

    def draw(self, arrays: Arrays, draws: Draws) -> None:
        arrays["clock"][1] = -self.kept

    def between(self, arrays: Arrays, draws: Draws) -> None:
        """Count the threads: in a process that was forked from the one that built, one takes all partitions."""
        if self.parallel:
            arrays["workers"][0] = draws.n_threads
