"""Making the fused matrix of a table of synapses."""

from __future__ import annotations

import numpy as np

from biosnn.backends import interrupts
from biosnn.connectivity.matrix import fuse, fuse_on_one_thread
from biosnn.engine.building.memory import memory_for
from biosnn.parts.array import Arrays
from biosnn.propagation.spmm_fused import Product
from biosnn.propagation.table import Table


@memory_for("the fused matrix of synapses")
def make_matrix(product: Product, table: Table, rows: Arrays, by_delay: bool, threads: int) -> Arrays:
    """The matrix of a table, by name without suffix; `by_delay`: its rows are sorted by delay."""
    address, where = product.address, product.geometry()
    lags = address.delays if by_delay else np.zeros(1, np.int64)
    shared = (
        rows["row_first"], rows["segments"], rows["words"], lags, rows.get("waits"), *where,
        address.layout.bit_of(address.sources),
    )  # fmt: skip
    n, dtype = int(rows["row_first"][-1]), np.dtype(product.kept_dtype(table))
    starts = np.zeros(product.n_rows + 1, np.int64)
    write = fuse if threads > 1 else fuse_on_one_thread
    with interrupts.held_back():  # the first call compiles
        write(*shared, starts[1:], np.empty(0, np.uint32), np.empty(0, dtype))
    np.cumsum(starts, out=starts)
    columns, kept = np.empty(n, np.uint32), np.empty(n, dtype)
    write(*shared, starts[:-1].copy(), columns, kept)
    names = (array.name.removesuffix(table.suffix) for array in product.matrix(table))
    return dict(zip(names, (starts, columns, kept, where.part_row), strict=True))
