"""The input of each neuron: one integer for each of its slots, in which all that arrives in a step is summed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from biosnn.address.address import Address
from biosnn.parts.array import Array, Axis, Keep, Row, row, small
from biosnn.parts.part import Part, Phase


class Slots(Part):
    """The int32 input that 16-bit weights are summed in, and the int64 input of float32 weights, if there are some."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @staticmethod
    def make(address: Address) -> Iterator[Part]:
        """One."""
        yield Slots(address)

    def rows(self) -> Iterator[Row]:
        n, scale, ends = self.address.n_slots, self.address.precision.wide_scale, self.address.layout.drive_at
        axes = [(n, "slots")]
        yield row("rings", "input", axes, Array("drive", (n,), "int32", Keep.STATE, Axis.SLOT))
        if self.address.precision.any_wide:
            yield row("rings", "input, wide", axes, Array("wide_drive", (n,), "int64", Keep.STATE, Axis.SLOT))
            yield small(
                "rings", "input, wide: scale and unit",
                Array("wide_scale", (1,), "float64", Keep.FIXED, fill=scale),
                Array("wide_unit", (1,), "float64", Keep.FIXED, fill=float(np.float64(1) / scale)),
            )  # fmt: skip
        first = Array("drive_at", (ends.size,), "int64", Keep.FIXED, Axis.PARTITION, ends)
        yield small("rings", "input: first slots of partitions", first)

    def statements(self, phase: Phase) -> list[str]:
        """What is delivered is put into the slots of a partition, from `base` on."""
        return ["base = u64(drive_at[p])"] if phase is Phase.DELIVER and self.address.net.connections else []
