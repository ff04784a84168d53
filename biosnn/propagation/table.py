"""A table of synapses: those connections whose weights are kept alike."""

from __future__ import annotations

from dataclasses import dataclass

from biosnn.address.stores import Store


@dataclass(frozen=True, eq=False)
class Table:
    """Connections (by number) whose weights one table holds; it has a backend and a ring of its own."""

    store: Store
    connections: list[int]
    n_synapses: float
    exact: bool  # the number of synapses: no rule leaves it to chance
    segment_dtype: str

    @property
    def suffix(self) -> str:
        """What the names of its arrays end with."""
        return self.store.suffix
