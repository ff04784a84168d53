"""Spikes that the spike history had no room for in a step: it grows after the step, and they are appended.

How often parrots fire in a step is known when they have. A list takes what fits; the rest waits in `spiked`.
"""

from __future__ import annotations

import numpy as np

from biosnn.engine.building.build import Built
from biosnn.engine.planning.machine import free_memory
from biosnn.errors import RingFullError
from biosnn.propagation.spike_history_cpu import collect_rest

RECORDING_BYTES = 40  # of one spike, while the recorders take it in


def append_rest(built: Built) -> None:
    """Append what is left of the last step that was taken. Raises RingFullError where there is no room."""
    arrays, first = built.arrays, built.arrays["spike_first"]
    step, t = int(arrays["clock"][0]) - 1, int(arrays["clock"][0] - arrays["clock"][1])
    left = sum(int(arrays[spiked].sum(dtype=np.int64)) for spiked, _ in built.repeating)
    if not left:
        return
    _check_each(built, step)
    arrays["spike_ids"] = _grown(built, step, int(first[:, t].max()) + left)
    for spiked, sections in built.repeating:
        collect_rest(arrays[spiked], arrays[sections], t, built.plan.most_repeated, first, arrays["spike_ids"])


def _check_each(built: Built, step: int) -> None:
    """Raise RingFullError if a neuron fired more often than the sums of its targets have room for."""
    most = built.plan.most_repeated
    largest = max(int(built.arrays[spiked].max(initial=0)) for spiked, _ in built.repeating)
    if largest > most:
        raise RingFullError(
            f"run: a neuron fired {largest:,} times in the step to {_ms(built, step)} ms, over the {most:,} that sums "
            f"have room for; parrot neurons send on all spikes that reach them: break their loop, or connect fewer"
        )


def _grown(built: Built, step: int, needed: int) -> np.ndarray:
    """The lists of spikes, with room for twice as many as are needed."""
    old = built.arrays["spike_ids"]
    size = 2 * needed + int(built.plan.most_spikes.max(initial=0)) + 1
    size = max(size, old.shape[1])
    free, more = free_memory(), size * old.shape[0] * old.itemsize + needed * RECORDING_BYTES
    if free is not None and more > free:
        raise RingFullError(
            f"run: {needed:,} spikes until {_ms(built, step)} ms need {more / 2**20:,.0f} MiB, and {free / 2**20:,.0f} "
            f"are free; parrot neurons send on all spikes that reach them: break their loop, or connect fewer"
        )
    grown = np.zeros((old.shape[0], size), old.dtype)
    grown[:, : old.shape[1]] = old
    return grown


def _ms(built: Built, step: int) -> str:
    return f"{(step + 1) * built.net.dt:g}"
