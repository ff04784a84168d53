"""Given spike times, as users hand them in: from lists of times to steps and senders."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn import _validate
from biosnn.errors import DescriptionError
from biosnn.network.population import MOST_IDS


def given_trains(owner: str, times: Any, senders: Any, n: int | None, dt: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Steps and senders of all spikes, sorted, and the number of sources; or DescriptionError."""
    times, senders, n = _flat(owner, times, senders, n)
    _validate.check_range(owner, "times", times, "ms", at_most=_validate.MOST_STEPS * dt)
    if times.size and times.min() < dt / 2:
        raise DescriptionError(f"{owner}: times must be at least dt = {dt:g} ms, got {times.min():g} ms")
    steps = np.rint(times / dt).astype(np.int64)
    off = ~np.isclose(times, steps * dt, rtol=1e-9, atol=1e-6 * dt)
    if off.any():
        raise DescriptionError(f"{owner}: times must be multiples of dt = {dt:g} ms, got {times[off][0]:g} ms")
    order = np.lexsort((senders, steps))
    return steps[order], senders[order], n


def _flat(owner: str, times: Any, senders: Any, n: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Times and senders as flat arrays, and the number of sources."""
    if _validate.is_array(times) and any(map(_validate.is_array, times[:1])):
        if senders is not None:
            raise DescriptionError(f"{owner}: give either a list of trains, or one list of times with senders")
        trains = [_train(owner, f"times[{k}]", t) for k, t in enumerate(times)]
        senders = np.repeat(np.arange(len(trains)), [t.size for t in trains])
        n = len(trains) if n is None else n
        times = np.concatenate(trains)
    times = _train(owner, "times", times)
    n = None if n is None else _validate.count(owner, "n", n)
    senders = np.zeros(times.size, np.int64) if senders is None else senders
    senders = _validate.indices(owner, "senders", senders, MOST_IDS if n is None else n)
    if times.shape != senders.shape:
        raise DescriptionError(f"{owner}: times and senders must be of one length, got {times.size} and {senders.size}")
    return times, senders, int(senders.max(initial=0)) + 1 if n is None else n


def _train(owner: str, name: str, times: Any) -> np.ndarray:
    found = _validate.array(owner, name, times)
    if found.ndim != 1:
        raise DescriptionError(f"{owner}: {name} must be a list of times (ms), got {_validate.shown(times)}")
    return found
