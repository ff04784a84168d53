"""Memory: that which was free when a network was planned and is gone when it is built; and where in it arrays begin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import MemoryPlanError
from biosnn.parts.array import LINE

PAGE = 4096  # bytes: of what loads and stores are told apart by


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


def in_lines(arrays: dict[str, NDArray[Any]], places: Iterator[int]) -> dict[str, NDArray[Any]]:
    """What kernels go through in every step: copies that begin with a cache line, each ten lines further in its page.

    `places` numbers those of the whole network: a group of neurons reads its states and its input side by side.

    NumPy's begin with any 16 bytes, and so each access of 64 bytes took two lines in most; and where a load comes from
    the place in its page that a store has just gone to, it waits for that. Both differ from one process to the next:
    the update of 4,000 conductance-based neurons took up to 20 % longer. What is smaller than a page stays as it is.
    """
    named = zip(arrays.items(), places, strict=False)
    return {name: _placed(values, 10 * k * LINE % PAGE) for (name, values), k in named}


def _placed(values: NDArray[Any], offset: int) -> NDArray[Any]:
    if values.nbytes < PAGE:
        return values
    raw = np.empty(values.nbytes + PAGE, np.uint8)
    first = (offset - raw.ctypes.data) % PAGE
    found = raw[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    found[...] = values
    return found
