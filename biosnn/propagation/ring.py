"""What a ring is: where something waits until its delay has passed. The ring of one table of synapses.

A backend goes through synapses and puts what each adds to its target into the ring; `put` of the ring's kernels does
it. A new ring is a file beside this one, with a class here and kernels in `..._cpu.py`, and a line in RINGS of `ways`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosnn.address.address import Address
from biosnn.parts.array import STORED, Array, Keep
from biosnn.parts.part import Part
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic, Wanted

LINE = 16  # int32 numbers in a cache line


@dataclass(frozen=True)
class Size:
    """What a ring was planned to hold."""

    dtype: str  # of its values; "none": integers
    ring_len: int  # steps: the longest delay
    capacity: int = 0  # events of each partition's pool, at first
    capacity_max: int = 0


class Ring(Part, ABC):
    """A ring of amounts. What a subclass says of itself, as a class, is what the choice between rings looks at."""

    name: ClassVar[str]
    spikes_wait: ClassVar[bool] = False  # else the amounts do
    reads_segments: ClassVar[bool] = False  # of the rows of synapses, to know how much may be put
    emptied_by_events: ClassVar[bool] = False  # emptying it is a part of what events take
    is_limited: ClassVar[bool] = False  # by ring_capacity_max

    def __init__(self, address: Address, table: Table, size: Size, lags: str, gathered: bool) -> None:
        """`lags`: the array of steps since what is sent was fired; `gathered`: each slot and delay is put to once."""
        self.address, self.table, self.size, self.lags, self.gathered = address, table, size, lags, gathered

    @classmethod
    def refusal(cls, wanted: Wanted) -> str:
        """Why it cannot be what was asked for; "" if it can."""
        return ""

    @classmethod
    def at_once(cls, traffic: Traffic, wanted: Wanted, gathers: bool) -> str:
        """Why no other ring has to be looked at; "" if others do. `gathers`: only a sparse product delivers."""
        return ""

    @classmethod
    def fits(cls, traffic: Traffic, wanted: Wanted) -> bool:
        """Whether it may be chosen."""
        return not cls.refusal(wanted)

    @classmethod
    @abstractmethod
    def spike_ns(cls, traffic: Traffic, wanted: Wanted) -> float:
        """What one spike is expected to cost, in ns of one core."""

    @classmethod
    def settle(cls, traffic: Traffic, wanted: Wanted) -> Size:
        """How large it will be. Raises MemoryPlanError if that is too large, or too small."""
        return Size(wanted.dtype, traffic.ring_len)

    @abstractmethod
    def into(self) -> str:
        """What amounts are put into, as an expression."""

    def take(self) -> list[str]:
        """Lines that bring what is due to the input; none where what is put is due."""
        return []

    def after(self) -> list[str]:
        """Lines after each stride of a partition."""
        return []

    def common(self) -> tuple[Array, ...]:
        """What rings of amounts share: their scale, and their length."""
        return (
            Array(f"ring_scale{self.table.suffix}", (1,), "float64", Keep.FIXED, fill=self._scale()),
            Array("ring_len", (1,), "int64", Keep.FIXED, fill=self.size.ring_len),
        )

    @property
    def value(self) -> str:
        """Format of its values."""
        return self.table.store.exact if self.size.dtype == "none" else self.size.dtype

    @property
    def widths(self) -> tuple[int, int]:
        """Bytes of one of its values, and of the input slot that takes it."""
        return np.dtype(STORED.get(self.value, self.value)).itemsize, np.dtype(self.table.store.exact).itemsize

    def _scale(self) -> float:
        """What one unit of an integer amount is in a ring of floats.

        Integers below 2^31, or 2^62, become float16 below 2^15, whose least is 2^-24. The other formats have the range
        of float32; there the sums of wide amounts only move to where powers of two are small.
        """
        bits = {"int32": 31, "int64": 62}[self.table.store.exact]
        if self.size.dtype == "float16":
            return 2.0 ** (15 - bits)
        return 2.0**-62 if bits > 31 else 1.0


def padded(n: int) -> int:
    """Numbers in a row of which n are used, so that rows of different threads share no cache line."""
    return (-(-n // LINE) + 1) * LINE
