"""What the machine can do at best, that a profile is held against: measured once, and kept beside the compiled code.

One of them takes a kernel: adding packed synapses into a vector that stays in the cache, without looking for them.

    copy       bytes read and bytes written a second, by all threads, between arrays that no cache holds
    scatter    synapses a second and core, added into 128 kB of input, in the order of chance
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from biosnn import _cache
from biosnn._machine import cores, processor
from biosnn._numba import COMPILES, kernel
from biosnn.connectivity.words import amount_of, slot_of
from biosnn.profiling.profile import Limits

COPIED = 128 * 2**20  # bytes that all threads copy together
SLOTS = 32_768
WORDS = 2**20 if COMPILES else 2**10  # 4 MiB: read in order
REPEATS = 7  # of which the fastest counts


def limits(threads: int) -> Limits:
    """The limits of some threads, no more than there are cores; measuring them takes some tenths of a second."""
    n = min(threads, cores())
    kind = repr((processor(), cores(), n, COMPILES, COPIED, SLOTS))
    name = f"limits-{hashlib.sha256(kind.encode()).hexdigest()[:32]}"
    kept = _cache.load(name)
    if kept is not None:
        return Limits(*json.loads(kept))
    found = Limits(n, _copy(n), n * _scatter())
    _cache.save(name, json.dumps(found).encode())
    return found


@kernel
def scatter(words, drive):
    """Add the weight of each synapse to its slot."""
    for s in range(words.size):
        drive[slot_of(words[s])] += amount_of(words[s], 1.0)


def _copy(n: int) -> float:
    pairs = [(np.ones(COPIED // 8 // n), np.zeros(COPIED // 8 // n)) for _ in range(n)]
    with ThreadPoolExecutor(n) as threads:

        def all_at_once() -> None:
            list(threads.map(lambda pair: np.copyto(pair[1], pair[0]), pairs))

        return 2 * COPIED / _least(all_at_once)


def _scatter() -> float:
    words = np.random.default_rng(1).integers(0, 2**32, WORDS, dtype=np.uint32)
    words = (words & np.uint32(0xFFFF0000)) | (words & np.uint32(SLOTS - 1))
    drive = np.zeros(SLOTS, np.int32)
    scatter(words, drive)  # compiles
    return WORDS / _least(lambda: scatter(words, drive))


def _least(call: Callable[[], None]) -> float:
    """Seconds that a call takes at best."""
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)
