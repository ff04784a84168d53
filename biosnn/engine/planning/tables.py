"""Which connections share a table of synapses, and what traffic there is between their neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosnn.address.address import Address
from biosnn.address.repeats import most_active
from biosnn.address.stores import STORES
from biosnn.description.items import Connection
from biosnn.propagation.table import Table
from biosnn.propagation.traffic import Traffic

ASSUMED_HZ = 10.0  # of all neurons


def tables_of(address: Address) -> list[Table]:
    """A table for each way in which weights are kept, if some are."""
    found = []
    for store in STORES:
        mine = [k for k, feed in enumerate(address.precision.connections) if feed.store is store]
        if mine:
            connections = [address.net.connections[k] for k in mine]
            n = sum(c.n_expected for c in connections)
            longest = _longest_row(connections)
            # uint8 would save no memory that counts, and be one more form of each driver to compile
            dtype = "uint16" if longest < 2**16 else "uint32"
            found.append(Table(store, mine, n, all(c.n_exact for c in connections), dtype))
    return found


def traffic_of(address: Address, tables: Sequence[Table]) -> Traffic:
    """What the choice of ways looks at."""
    net = address.net
    names = {p.name for c in net.connections for p in c.source.populations}
    n_sources = sum(net.populations[name].n for name in names)
    active = sum(net.populations[name].n * most_active(net.populations[name], net.dt) for name in names)
    return Traffic(
        n_ids=address.layout.n_ids,
        n_sources=n_sources,
        n_synapses=sum(t.n_synapses for t in tables),
        delays=address.delays,
        n_parts=address.layout.n_parts,
        n_slots=address.n_slots,
        exact_bytes=tuple(np.dtype(t.store.exact).itemsize for t in tables),
        most_active=active / max(n_sources, 1),
        active=ASSUMED_HZ * net.dt * 1e-3,
        repeats=max((address.repeats.of(c.source) for c in net.connections), default=1) > 1,
        overflows=address.repeats.overflow,
    )


def _longest_row(connections: Sequence[Connection]) -> float:
    """A bound of the number of synapses of any source."""
    total: dict[str, float] = {}
    for c in connections:
        for name in {p.name for p in c.source.populations}:
            total[name] = total.get(name, 0.0) + c.out_degree_bound
    return max(total.values(), default=0.0)
