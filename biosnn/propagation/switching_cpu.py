"""`auto`: event-driven delivery while few fire, the sparse product while many do, decided in each step.

As in a direction-optimising graph search, the cost of either way is known from the last time that it was gone: the
product always takes the same time, event-driven delivery takes so many ns for each spike. Partition 0 measures both for
itself and decides for all, one step ahead, by the spikes of the steps that are due; partitions do equal work.

Where the amounts wait, a spike is either pushed into the ring in the next step, or marked, to be gathered by the
products of the steps to come. So each arrives once, whatever is decided: after the last marked step the product goes on
for as long as the longest delay.
"""

from __future__ import annotations

from biosnn._numba import i64, kernel
from biosnn.propagation.shared import (
    EVENT_NS,
    EVENT_SPIKES,
    EVENT_STEPS,
    EVENTS,
    LAST_CHANGED,
    LAST_MARKED,
    MARKED,
    MEASURED,
    MOST_NS,
    PLANNED_NS,
    PRODUCT,
    PRODUCT_NS,
    PRODUCT_STEPS,
    READY,
    WANTED,
)

FADE = 0.98
BAND = 0.05  # the other way has to be this much faster: near the crossing, changing costs more than staying
STAY = 20  # windows; where amounts wait, a change costs the products of a window
TRIALS = 4  # products that are measured before their cost is trusted
OUTLIER = 4.0  # times what was expected: somebody else had the core


@kernel
def choose(step, origin, spike_first, window, spikes_wait, event_ns, product_ns, way, costs, counts):
    """Take in what this step took, and say how spikes travel in the next one."""
    t = step - origin
    in_window, last = i64(0), i64(0)
    for q in range(spike_first.shape[0]):
        in_window += spike_first[q, t] - spike_first[q, t - window]
        last += spike_first[q, t] - spike_first[q, t - 1]
    here = step % 4
    if way[here, EVENTS]:
        counts[EVENT_STEPS] += 1
        _measure_events(event_ns, in_window if spikes_wait else window * last, costs)
    if way[here, PRODUCT]:
        counts[PRODUCT_STEPS] += 1
        _measure_product(product_ns, costs, counts)
    if way[here, MARKED]:
        counts[LAST_MARKED] = step
    wanted = _product_pays(in_window, costs, counts)
    trusted = counts[MEASURED] >= TRIALS
    if wanted != counts[WANTED] and trusted and not spikes_wait and step < counts[LAST_CHANGED] + STAY * window:
        wanted = not wanted
    if wanted != counts[WANTED] and trusted:
        counts[LAST_CHANGED] = step
    counts[WANTED] = wanted
    then = (step + 1) % 4
    way[then, EVENTS] = not (wanted if spikes_wait else way[here, MARKED])
    way[then, PRODUCT] = wanted if spikes_wait else step + 1 - counts[LAST_MARKED] <= window
    way[then, MARKED] = spikes_wait or wanted


@kernel
def _measure_events(ns, spikes, costs):
    if spikes:
        if costs[EVENT_SPIKES] > 0:
            ns = min(float(ns), OUTLIER * (spikes * costs[EVENT_NS] / costs[EVENT_SPIKES] + 1e3))
        costs[EVENT_NS] = FADE * costs[EVENT_NS] + ns
        costs[EVENT_SPIKES] = FADE * costs[EVENT_SPIKES] + spikes


@kernel
def _measure_product(ns, costs, counts):
    if counts[MEASURED] < TRIALS:
        costs[PRODUCT_NS] = ns if counts[MEASURED] == 0 else min(costs[PRODUCT_NS], float(ns))
        counts[MEASURED] += 1
    else:
        costs[PRODUCT_NS] += (1 - FADE) * (min(float(ns), OUTLIER * costs[PRODUCT_NS]) - costs[PRODUCT_NS])


@kernel
def _product_pays(in_window, costs, counts):
    expected = in_window * costs[EVENT_NS] / costs[EVENT_SPIKES] if costs[EVENT_SPIKES] > 0 else 0.0
    costs[MOST_NS] = max(costs[MOST_NS], expected)
    if not counts[READY]:
        return False
    if counts[MEASURED] < TRIALS:
        return expected > costs[PLANNED_NS] / 2
    return expected > costs[PRODUCT_NS] * (1 - BAND if counts[WANTED] else 1 + BAND)
