"""Delays: from ms to whole steps, and what rounding did to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.description.space import TravelTime
from biosnn.distributions import F64, N_QUANTILES, Distribution, extremes
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel

MOST_STEPS = 2**31
TOGETHER = 2**20  # steps that are sorted at once


def delays_in_range(owner: str, delay: float | F64 | Distribution, dt: float) -> float | F64 | Distribution:
    """`delay` (ms), if it is of at least one step; of a distribution, if half of it is; by distance, if the longest."""
    longest = delay.last if isinstance(delay, TravelTime) else extremes(delay)[1]
    if isinstance(delay, TravelTime):
        shortest = longest if delay.factors().size else np.inf  # if there are no synapses at all
        what = f"the delay of {delay.longest:g} um, the longest distance,"
    elif isinstance(delay, Distribution):
        shortest, what = float(delay.quantile(np.array([0.5]))[0]), "median delay"
    else:
        shortest, what = float(np.min(delay, initial=np.inf)), "delay"
    if shortest < dt * (1 - 1e-6):  # 0.7 ms of 32 bits is a step of 0.7 ms
        raise DescriptionError(
            f"{owner}: {what} must be at least one step (dt = {dt:g} ms), got {shortest:g} ms; lower dt or raise it"
        )
    if longest > MOST_STEPS * dt:
        raise DescriptionError(f"{owner}: delay must be at most 2**31 steps of {dt:g} ms, got {longest:g} ms")
    if isinstance(delay, TravelTime) and longest > dt * N_QUANTILES:
        raise DescriptionError(
            f"{owner}: delays by distance must span at most {N_QUANTILES:,} steps of {dt:g} ms, got {longest:g} ms for "
            f"{delay.longest:g} um; are positions in um, and the velocity in m/s?"
        )
    return delay


def check_refractory(owner: str, model: NeuronModel, dt: float) -> None:
    """Raise DescriptionError for a refractory time that is not zero but of no step, or of more than can be counted."""
    name, longest = model.refractory_time, extremes(model.refractoriness)[1]
    if 0 < longest < dt / 2:
        raise DescriptionError(
            f"{owner}: {name} = {longest:g} ms is less than half a step (dt = {dt:g} ms) and would be none at all; "
            f"set it to 0, or give it in ms"
        )
    if longest / dt >= MOST_STEPS - 0.5:
        raise DescriptionError(
            f"{owner}: {name} must be at most 2**31 - 1 steps of {dt:g} ms, got {longest:g} ms; lower it or raise dt"
        )


def delay_steps(delay: float | F64 | Distribution, dt: float) -> NDArray[np.int64]:
    """Delays in whole steps, nearest, at least one: of the quantile table, the array or the one number."""
    if isinstance(delay, TravelTime):
        return delay.steps(dt)
    values: Any = delay.table() if isinstance(delay, Distribution) else np.atleast_1d(delay)
    found: NDArray[np.int64] = np.maximum(np.rint(values / dt), 1).astype(np.int64)
    return found


def distinct_steps(delays: Iterable[float | F64 | Distribution], dt: float) -> NDArray[np.int64]:
    """All delays in whole steps that there are, ascending; one distribution or number is looked at once."""
    each = {delay if isinstance(delay, (float, Distribution)) else id(delay): delay for delay in delays}
    found, n = np.empty(0, np.int64), 0
    pieces: list[NDArray[np.int64]] = []
    for delay in each.values():
        steps = delay_steps(delay, dt)
        pieces.append(steps[np.flatnonzero(np.diff(steps, prepend=-1))])  # sorted tables have long runs
        n += pieces[-1].size
        if n > TOGETHER:
            found, n, pieces = np.unique(np.concatenate([found, *pieces])), 0, []
    return np.unique(np.concatenate([found, *pieces]))


def rounding(delay: float | F64 | Distribution, dt: float) -> str:
    """What rounding to steps changed, in words; empty if nothing."""
    if not isinstance(delay, Distribution):
        values = np.atleast_1d(delay)
        off = float(np.abs(values - delay_steps(delay, dt) * dt).max(initial=0.0))
        return f"delays rounded to whole steps, by {off:.3g} ms at most" if off > 1e-6 * dt else ""
    if delay.quantile(np.array([0.5 / N_QUANTILES]))[0] >= dt * 0.5:  # the first of its table
        return ""
    raised = float((delay.table() < dt * 0.5).mean())
    if isinstance(delay, TravelTime):
        return f"delays below half a step become one step ({dt:g} ms): those up to {raised * delay.longest:.3g} um"
    return f"{raised:.1%} of the delays lie below half a step and become one step ({dt:g} ms)"
