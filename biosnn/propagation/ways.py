"""The rings and backends that there are: the one list of each."""

from __future__ import annotations

from biosnn.parts.array import Arrays
from biosnn.propagation.backend import Backend
from biosnn.propagation.dense import Dense
from biosnn.propagation.event_bucketed import Buckets
from biosnn.propagation.event_driven import EventDriven
from biosnn.propagation.ring import Ring
from biosnn.propagation.spike_history import SpikeHistory
from biosnn.propagation.spmm_fused import LAYOUTS, Product
from biosnn.propagation.switching import Auto

__all__ = ["BACKENDS", "LAYOUTS", "RINGS", "steps_of"]

# In the order in which they are tried where no other fits.
RINGS: dict[str, type[Ring]] = {ring.name: ring for ring in (SpikeHistory, Dense, Buckets)}
BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (Auto, EventDriven, Product)}


def steps_of(backends: list[Backend], arrays: Arrays) -> dict[str, int]:
    """Steps in which each backend delivered so far; of `auto`, both may in one step."""
    found = dict.fromkeys((EventDriven.name, Product.name), 0)
    for backend in backends:
        for name, steps in backend.steps(arrays).items():
            found[name] = found.get(name, 0) + steps
    return found
