"""Memory that was free when a network was planned, and is gone when it is built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from biosnn.errors import MemoryPlanError


@contextlib.contextmanager
def memory_for(what: str) -> Iterator[None]:
    """In the block, or in a function that this decorates, a MemoryError tells what it was for; NumPy tells the size."""
    try:
        yield
    except MemoryPlanError:
        raise
    except MemoryError as error:
        size = f" ({error})" if str(error) else ""
        raise MemoryPlanError(
            f"no memory left for {what}{size}, though the plan fitted into what was free when it was made; "
            f"use fewer neurons, synapses or threads, or end what else takes memory"
        ) from None
