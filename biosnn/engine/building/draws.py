"""What parts ask for when they draw: random parameters and initial values, rows of synapses, fused matrices."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _forks, half
from biosnn.address.address import Address
from biosnn.backends import cpu
from biosnn.engine.building import values
from biosnn.engine.building.matrix import make_matrix
from biosnn.engine.building.tables import draw_table
from biosnn.models.base import Resolved
from biosnn.parts.array import Arrays
from biosnn.propagation.spmm_fused import Product
from biosnn.propagation.table import Table


class Drawing:
    """Draws what a network leaves to chance: the same for any number of threads."""

    def __init__(self, address: Address, threads: int) -> None:
        self.address, self.threads = address, threads
        self.compile_s = 0.0  # of the kernels that draw, on their first use
        self.parameters = functools.cache(self._parameters)

    @property
    def n_threads(self) -> int:
        """Threads that a parallel region has now. (Asking starts them.)"""
        return 1 if _forks.is_alone() else cpu.n_threads()

    def initial(self, population: int, variable: str) -> float | NDArray[np.float64] | None:
        """What the user gave a variable at time 0; None if nothing."""
        return values.initial(self.address.net, population, variable)

    def encoded(self, values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
        """Values in a format of 16 bits, or as they are."""
        return half.encode(values, dtype)

    def synapses(self, tables: Sequence[Table], by_delay: bool) -> Iterator[Arrays]:
        """The rows of each table."""
        for table in tables:
            found, seconds = draw_table(self.address, table, by_delay, self.threads)
            self.compile_s += seconds
            yield found

    def matrix(self, product: Product, table: Table, rows: Arrays, by_delay: bool) -> Arrays:
        """The fused matrix of a table, made from its rows, by name without suffix."""
        return make_matrix(product, table, rows, by_delay, self.threads)

    def _parameters(self, population: int) -> Resolved:
        return values.parameters(self.address.net, population)
