"""A ring that `auto` chose and that is full is changed for the spike history, which has room for any activity.

Description, seed and layout are the same, so the synapses are drawn again as they were, and all other arrays go on. A
ring that may be changed keeps the spikes of the longest delay: those have sent what waits in it, and the history sends
what is still to come anew.
"""

from __future__ import annotations

import logging

from biosnn.engine.building.build import Built, build
from biosnn.engine.planning.plan import make_plan
from biosnn.errors import MemoryPlanError, RingFullError
from biosnn.propagation.spike_history import SpikeHistory

_log = logging.getLogger("biosnn")


def change_ring(built: Built, full: RingFullError) -> None:
    """Let the spikes of `built` wait in the history from here on. Raises `full` where there is no memory for that."""
    before = built.plan
    wanted = {**before.asked, "ring_strategy": SpikeHistory.name, "ring_capacity_max": None}
    plan = make_plan(built.net, before.threads, wanted)  # type: ignore[arg-type]
    plan.parallel = before.parallel
    try:
        plan.check_memory()
    except MemoryPlanError:
        raise full from None
    message = "the ring that was chosen, %s, is full: the spikes wait in a history from here on"
    _log.info(message, before.ways.ring)
    found = build(built.net, plan)
    travelling = {array.name for backend in before.backends for array in backend.arrays()}
    found.arrays |= {name: values for name, values in built.arrays.items() if name not in travelling}
    for backend in plan.backends:
        backend.catch_up(found.arrays)
    found.described = built.described
    vars(built).update(vars(found))  # at once: whoever holds it has all of one or all of the other
