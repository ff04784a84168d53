"""Given spike times: their part of a driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.address.address import Address
from biosnn.parts.array import Array, Keep, Row, row, small
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call


class SpikeTrains(Part):
    """All given spikes, sorted by step and id. Sources fire in a list beside those of the partitions."""

    kernels = {"fire": "biosnn.inputs.spike_trains_cpu"}

    def __init__(self, address: Address) -> None:
        self.address = address

    @staticmethod
    def make(address: Address) -> Iterator[Part]:
        """One, if there are spike sources."""
        if address.sources:
            yield SpikeTrains(address)

    def rows(self) -> Iterator[Row]:
        given = sum(t.steps.size for t in self.address.net.spike_trains)
        steps = Array("train_step", (given,), "int64", Keep.FIXED, fill=lambda: self._sorted()[0])
        ids = Array("train_id", (given,), "int64", Keep.FIXED, fill=lambda: self._sorted()[1])
        yield row("inputs", "given spikes: step, source", [(2, "columns"), (given, "spikes")], steps, ids)
        yield small("inputs", "given spikes: the next one", Array("train_cursor", (1,), "int64", Keep.STATE))

    def statements(self, phase: Phase) -> list[str]:
        if phase is not Phase.BEFORE:
            return []
        where = ["spike_ids.shape[0] - 1", "spike_first", "spike_ids"]
        return call("fire", ["step", "origin", "train_cursor", "train_step", "train_id", *where])

    def _sorted(self) -> tuple[NDArray[Any], NDArray[Any]]:
        first, trains = self.address.layout.first_of(), self.address.net.spike_trains
        steps = np.concatenate([t.steps for t in trains])
        ids = np.concatenate([t.senders + first[t.population.name] for t in trains])
        order = np.lexsort((ids, steps))
        return steps[order], ids[order]
