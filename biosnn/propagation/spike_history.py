"""The ring in which the spikes wait, not the amounts: what is put is due."""

from __future__ import annotations

from biosnn.propagation.ring import Ring
from biosnn.propagation.traffic import NS_SEGMENT, Traffic, Wanted

# ns on one core: finding out whether a (spike, delay, partition) has synapses; adding a synapse to the input
NS_LOOK, NS_ADD = 2.0, 0.8


class SpikeHistory(Ring):
    """The history of spikes is all that it needs: it has no array of its own."""

    name = "spike_history"
    kernels = {"Now": "biosnn.propagation.spike_history_cpu"}
    spikes_wait = True

    @classmethod
    def refusal(cls, wanted: Wanted) -> str:
        if wanted.exact:
            return ""
        return (
            f"ring_dtype {wanted.dtype!r} needs a ring of values, and spike_history keeps spikes, not values; "
            f"use ring_strategy 'dense' or 'event_bucketed', or ring_dtype 'none'"
        )

    @classmethod
    def at_once(cls, traffic: Traffic, wanted: Wanted, gathers: bool) -> str:
        if not wanted.exact or wanted.capacity_max:
            return ""
        if not traffic.n_synapses:
            return "there are no synapses"
        if traffic.delays.size == 1:
            return "all delays are the same"
        return "a sparse product gathers best from spikes that wait" if gathers else ""

    @classmethod
    def fits(cls, traffic: Traffic, wanted: Wanted) -> bool:
        # else its table of segments would be larger than the synapses
        is_short = traffic.delays.size * traffic.n_parts <= 4 * traffic.each + 64
        return wanted.exact and wanted.capacity_max is None and is_short

    @classmethod
    def spike_ns(cls, traffic: Traffic, wanted: Wanted) -> float:
        looks = traffic.delays.size * traffic.n_parts
        return looks * NS_LOOK + min(float(looks), traffic.each) * NS_SEGMENT + traffic.each * NS_ADD

    def into(self) -> str:
        return f"Now({self.table.store.drive}, base)"
