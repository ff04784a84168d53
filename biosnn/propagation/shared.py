"""Numbers that parts and kernels share: kernels depend on nothing else of a part, and a part on no compiler."""

BLOCK = 64  # events of the event-bucketed ring that are chained; with int32 values it is four cache lines

# Of `auto`.
# way[step % 4]: is there event-driven delivery in that step, is there a product, are its spikes marked?
EVENTS, PRODUCT, MARKED = range(3)
# costs: event-driven ns and the spikes that took them, both fading; ns of a product; the planned ns, until it is known;
# the most that event-driven delivery was expected to take
EVENT_NS, EVENT_SPIKES, PRODUCT_NS, PLANNED_NS, MOST_NS = range(5)
# counts: steps with event-driven delivery, with a product; is the matrix there; products measured; was a product wanted
# in the last step; the last step whose spikes were marked; the last step in which that was changed
EVENT_STEPS, PRODUCT_STEPS, READY, MEASURED, WANTED, LAST_MARKED, LAST_CHANGED = range(7)
