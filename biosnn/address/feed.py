"""What a connection or a Poisson input asks of the unit of its weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from biosnn.address.exact import F64, TOP, exact_units
from biosnn.address.stores import PACKED, WIDE, Store

Node = tuple[int, int]  # (population, weight scale of its bank)


@dataclass
class Feed:
    """One connection or Poisson input, as seen by the receptors it reaches."""

    name: str
    largest: dict[Node, float]  # largest |weight| into each receptor scale
    mean: float  # mean |weight|
    least: float  # smallest |weight| other than zero
    exact: F64  # |weights| that should be represented as exactly as possible, ascending
    grid: float  # what all of them are multiples of; 0 if nothing large enough for 16 bits
    bound: float  # most arrivals per neuron and step
    n: float  # synapses
    wide: bool = False
    reason: str = ""

    @property
    def store(self) -> Store:
        """How its weights are kept and summed."""
        return WIDE if self.wide else PACKED

    @functools.cached_property
    def top(self) -> float:
        """Its largest |weight|."""
        return max(self.largest.values())

    @functools.cached_property
    def firm(self) -> bool:
        """Whether what arrives can be exact to the last bit."""
        return self.grid > 0 and exact_units(self.grid, self.exact, self.exact[-1] / TOP).size > 0

    @property
    def strict(self) -> bool:
        """Whether 16 bits have to hold them exactly. One or two numbers may be rounded, for the sake of others."""
        return self.grid > 0 and self.exact.size > 2
