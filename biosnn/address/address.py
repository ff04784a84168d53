"""The address of a network: all that its parts know of it when it is planned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosnn.address.layout import I64, Layout
from biosnn.address.precision import Precision
from biosnn.address.repeats import Repeats
from biosnn.description.description import Description


@dataclass(frozen=True)
class Address:
    """A description, and where everything of it stands."""

    net: Description  # as it was when it was planned
    layout: Layout
    precision: Precision
    delays: I64  # distinct delays of the network, in steps, ascending
    repeats: Repeats
    receptor_dtype: str  # that states of receptors are kept in

    @property
    def sources(self) -> bool:
        """Whether there are spike sources: their spikes are a list beside those of the partitions."""
        return bool(self.net.spike_trains)

    @property
    def n_lists(self) -> int:
        """Lists of spikes."""
        return self.layout.n_parts + self.sources

    @property
    def n_slots(self) -> int:
        """Input slots of all partitions, with the gaps between them."""
        return int(self.layout.drive_at[-1])

    @property
    def longest(self) -> int:
        """The longest delay, in steps; at least one."""
        return int(self.delays.max(initial=1))

    @property
    def wait_dtype(self) -> str:
        """Of delays, in steps, that stand beside synapses."""
        return np.min_scalar_type(self.longest).name
