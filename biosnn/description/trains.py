"""Given spike times, as users hand them in: from lists of times to steps and senders."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from biosnn import _validate
from biosnn.description.population import MOST_IDS
from biosnn.errors import DescriptionError


def given_trains(owner: str, times: Any, senders: Any, n: int | None, dt: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Steps and senders of all spikes, sorted, and the number of sources; or DescriptionError."""
    steps, senders, n = _flat(owner, times, senders, n, dt)
    order = np.lexsort((senders, steps))
    return steps[order], senders[order], n


def _flat(owner: str, times: Any, senders: Any, n: int | None, dt: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Steps and senders as flat arrays, and the number of sources."""
    if _validate.is_array(times) and any(map(_validate.is_array, itertools.islice(times, 1))):
        if senders is not None:
            raise DescriptionError(f"{owner}: give either a list of trains, or one list of times with senders")
        trains = [_train(owner, f"times[{k}]", t) for k, t in enumerate(times)]
        senders = np.repeat(np.arange(len(trains)), [t.size for t in trains])
        n = len(trains) if n is None else n
        if len({t.dtype for t in trains}) == 1:
            trains = [np.concatenate(trains)]
    else:
        trains = [_train(owner, "times", times)]
    steps = np.concatenate([_validate.steps(owner, "times", t, dt, at_least=1) for t in trains])
    n = None if n is None else _validate.count(owner, "n", n)
    senders = np.zeros(steps.size, np.int64) if senders is None else senders
    senders = _validate.indices(owner, "senders", senders, MOST_IDS if n is None else n)
    if steps.shape != senders.shape:
        raise DescriptionError(f"{owner}: times and senders must be of one length, got {steps.size} and {senders.size}")
    return steps, senders, int(senders.max(initial=0)) + 1 if n is None else n


def _train(owner: str, name: str, times: Any) -> np.ndarray:
    found = _validate.times(owner, name, times)
    if found.ndim != 1:
        raise DescriptionError(f"{owner}: {name} must be a list of times (ms), got {_validate.shown(times)}")
    return found
