"""Advice that follows from a profile and from docs/performance.md: what else would be faster, and by how much.

A piece of advice is a function of what was seen, and a line in ADVICE. It changes what was measured of a step as
much as another way is expected to take more or less, and is given where the step would be 1.25 times as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from biosnn.propagation.event_driven import EventDriven
from biosnn.propagation.ring import Ring
from biosnn.propagation.spike_history import SpikeHistory
from biosnn.propagation.spmm_fused import MOST_COLUMNS, NS_GATHER, NS_ROW, Product, columns_of
from biosnn.propagation.traffic import Traffic, Wanted
from biosnn.propagation.ways import RINGS

WORTH_SAYING = 1.25  # times as fast
MEETING_US = 2.0  # what threads take to meet, for each step
SHORT_US = 20.0  # steps that are not worth dividing


class Seen(NamedTuple):
    """What advice goes by. Times are of one step, in us of wall time, without what laps take."""

    traffic: Traffic
    wanted: Wanted
    backend: str
    ring: str
    threads: int  # that a step was shared out among
    cores: int
    activity: float  # part of all synapses that a step's spikes went through
    step_us: float
    travel_us: float  # delivery, and what waited in rings
    wait_us: float
    record_us: float

    def faster(self, us: float) -> float:
        """How many times as fast a step would be if it took so many us."""
        return self.step_us / max(us, 1e-3)

    def travelling(self, ns: float, instead: float) -> float:
        """The same, if spikes were expected to travel for so many ns of a step now, and for so many others instead."""
        return self.faster(self.step_us - self.travel_us * (1 - instead / ns)) if ns else 1.0

    def rows_ns(self, ring: type[Ring]) -> float:
        """What the spikes of a step are expected to cost one core, sent by rows into a ring."""
        return self.activity * self.traffic.n_sources * ring.spike_ns(self.traffic, self.wanted)

    @property
    def product_ns(self) -> float:
        """What a sparse product is expected to."""
        return self.traffic.n_synapses * NS_GATHER + self.traffic.n_slots * NS_ROW

    @property
    def best_ring(self) -> type[Ring]:
        """The ring in which spikes are expected to cost least, of those that fit."""
        fit = [ring for ring in RINGS.values() if ring.fits(self.traffic, self.wanted)]
        return min(fit or [RINGS[self.ring]], key=lambda ring: ring.spike_ns(self.traffic, self.wanted))


def product(seen: Seen) -> str:
    """A sparse product of all synapses, where so many fire that it takes less than their rows."""
    traffic = seen.traffic
    if seen.backend != EventDriven.name or traffic.repeats or not seen.wanted.exact or not traffic.n_synapses:
        return ""
    if columns_of(traffic, traffic.ring_len) >= MOST_COLUMNS:
        return ""
    ring = "" if seen.ring == SpikeHistory.name else f" --ring-strategy {SpikeHistory.name}"
    times = seen.travelling(seen.rows_ns(RINGS[seen.ring]), seen.product_ns)
    return _should(f"activity {seen.activity:.2g}", f"--synapse-backend {Product.name}{ring}", times)


def rows(seen: Seen) -> str:
    """The rows of those who fired, where they are few."""
    if seen.backend != Product.name:
        return ""
    ring = seen.best_ring
    more = "" if seen.ring == ring.name else f" --ring-strategy {ring.name}"
    times = seen.travelling(seen.product_ns, seen.rows_ns(ring))
    return _should(f"activity {seen.activity:.2g}", f"--synapse-backend {EventDriven.name}{more}", times)


def ring(seen: Seen) -> str:
    """Another ring for the same backend: delivery takes as much less as spikes are expected to cost less in it."""
    if seen.backend != EventDriven.name or not seen.traffic.n_synapses:
        return ""
    best, each, n = seen.best_ring, seen.traffic.each, seen.traffic.delays.size
    times = seen.travelling(seen.rows_ns(RINGS[seen.ring]), seen.rows_ns(best))
    return _should(f"{each:,.0f} synapses a source, {n:,} delays", f"--ring-strategy {best.name}", times)


def fewer_threads(seen: Seen) -> str:
    """One thread, where several wait for one another longer than they gain."""
    if seen.threads == 1:
        return ""
    alone = (seen.step_us - seen.wait_us) * seen.threads
    why = f"threads wait for {seen.wait_us / seen.step_us:.0%} of the time"
    return _should(why, "--threads 1", seen.faster(alone))


def more_threads(seen: Seen) -> str:
    """All cores, where one thread has much to do in a step."""
    if seen.threads > 1 or seen.cores == 1 or seen.step_us < SHORT_US:
        return ""
    shared = (seen.step_us - seen.record_us) / seen.cores + seen.record_us + MEETING_US
    why = f"a step takes {seen.step_us:,.0f} us on one of {seen.cores} cores"
    return _should(why, f"--threads {seen.cores}", seen.faster(shared))


def recording(seen: Seen) -> str:
    """Fewer samples, where taking them in takes much of the time."""
    why = f"recording takes {seen.record_us / seen.step_us:.0%} of the time"
    times = seen.faster(seen.step_us - seen.record_us)
    return _should(why, "fewer neurons, or every few steps (`every`)", times, quoted=False)


ADVICE: tuple[Callable[[Seen], str], ...] = (product, rows, ring, fewer_threads, more_threads, recording)


def advice(seen: Seen) -> Iterator[str]:
    """All that there is to be said."""
    for piece in ADVICE:
        if said := piece(seen):
            yield said


def _should(why: str, how: str, times: float, quoted: bool = True) -> str:
    """The sentence, if following it is worth saying."""
    if times < WORTH_SAYING:
        return ""
    return f"{why}: {f'`{how}`' if quoted else how} should be {times:,.2g} x faster"
