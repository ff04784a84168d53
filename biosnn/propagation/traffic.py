"""What the choice of a ring and a backend looks at: how many synapses a spike meets, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ns on one core: a segment of a row that has synapses for a partition. Measured, as all costs of rings and backends, by
# benchmarks/propagation.py (docs/performance.md explains them).
NS_SEGMENT = 12.0
BURST = 2.0  # times the assumed activity that a ring of events chosen by `auto` has room for
MOST_STRIDE = 32  # steps


@dataclass(frozen=True)
class Traffic:
    """The synapses of one kind (packed, wide) per source, and where they go."""

    n_ids: int  # neurons and spike sources
    n_sources: int
    n_synapses: float
    delays: NDArray[np.int64]
    n_parts: int
    n_slots: int
    exact_bytes: tuple[int, ...]  # of an exact amount, of each table: int32 or int64
    most_active: float  # no larger part of the neurons can fire in a step, in the long run
    active: float  # the part that is assumed to
    repeats: bool = False  # a source may fire several times in a step
    overflows: bool = False  # lists of spikes may have to grow after any step

    @property
    def each(self) -> float:
        """Synapses of a source."""
        return self.n_synapses / max(self.n_sources, 1)

    @property
    def ring_len(self) -> int:
        """Steps of the longest delay."""
        return int(self.delays.max(initial=1))

    @property
    def stride(self) -> int:
        """Steps that a partition may take before it has to know of the others' spikes."""
        return int(min(self.delays.min(initial=MOST_STRIDE), MOST_STRIDE, self.ring_len))


@dataclass(frozen=True)
class Wanted:
    """What was asked of a ring."""

    dtype: str = "none"  # of its values; "none": integers
    capacity_max: int | None = None  # events
    max_mib: float = 0.0  # 0 or less: no limit

    @property
    def exact(self) -> bool:
        """Whether sums are to be integers."""
        return self.dtype == "none"

    def has_room(self, size: float) -> bool:
        """Whether a ring of so many bytes is allowed."""
        return self.max_mib <= 0 or size <= self.max_mib * 2**20

    def value_bytes(self, exact: int) -> int:
        """Bytes of one value of a ring whose exact values have so many."""
        return exact if self.exact else 4 if self.dtype == "float32" else 2

    def element_bytes(self, traffic: Traffic) -> int:
        """The same, summed over the tables: each has a ring of its own."""
        return sum(self.value_bytes(exact) for exact in traffic.exact_bytes)
