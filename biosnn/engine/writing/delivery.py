"""Writing the part of a driver that delivers: which backend puts what into which ring, and what the ring gives back.

A table of synapses is delivered by event-driven rows, by the fused matrix, or (`auto`) by one of them in each step. The
names of the arrays are those that `engine.travel` makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Call = Callable[[str, list[str]], list[str]]  # writes a call


@dataclass(frozen=True)
class Travel:
    """What the text depends on: of `Ways`, and of the network."""

    backend: str
    layout: str
    ring: str
    by_delay: bool
    tables: tuple[bool, ...]  # wide?

    @property
    def marks(self) -> bool:
        """Whether spikes are kept as bits, for a fused matrix."""
        return bool(self.tables) and self.backend != "event_driven"


def write_delivery(travel: Travel, call: Call) -> list[str]:
    """The lines of a partition's step that bring its input up to date."""
    if not travel.tables:
        return []
    events = [line for wide in travel.tables for line in _rows(travel, wide, call)]
    product = [line for wide in travel.tables for line in _matrix(travel, wide, call)]
    taken = [line for wide in travel.tables for line in _taken(travel, wide, call)]
    base = "base = u64(drive_at[p])"
    if travel.backend == "event_driven":
        return [base, *events, *taken]
    if travel.backend == "spmm_fused":
        return [base, *product, *taken]
    # emptying buckets is part of what events take; a row of sums is taken whichever way is gone
    with_events, after = (taken, []) if travel.ring == "event_bucketed" else ([], taken)
    return [
        base,
        "began = nanoseconds()",
        "if way[step % 4, EVENTS]:",
        *(f"    {line}" for line in events),
        *with_events,
        "between = nanoseconds()",
        "if way[step % 4, PRODUCT]:",
        *(f"    {line}" for line in product),
        "if p == 0:",
        *(f"    {line}" for line in _choice(travel, call)),
        *after,
    ]


def write_mark(travel: Travel, q: str, call: Call) -> list[str]:
    """The line that marks the spikes of list q, once they are there."""
    marked = "way[step % 4, MARKED]" if travel.backend == "auto" else "True"
    names = ["step", "origin", q, marked, "spike_first", "spike_ids", "bit_of", "list_at", "bits"]
    return call("mark", names) if travel.marks else []


def write_left(travel: Travel) -> list[str]:
    """The lines by which a partition tells the others, after each stride, how many blocks it has left."""
    if travel.ring != "event_bucketed":
        return []
    return [f"event_n_free{_kind(wide)}[p, 1 + turn] = event_n_free{_kind(wide)}[p, 0]" for wide in travel.tables]


def write_fullness(travel: Travel) -> list[str]:
    """For each pool of buckets, the question whether it lacks blocks for what the last spikes will put there."""
    if travel.ring != "event_bucketed":
        return []
    full = [
        "are_full(step - origin, lags[0], spike_first, spike_ids, row_first{0}, segments{0}, most_put, "
        "event_n_free{0}[:, 1 + turn], ring_len[0])".format(_kind(wide))
        for wide in travel.tables
    ]
    # spikes that are marked for the product put nothing
    return [f"way[(step + 1) % 4, EVENTS] and {x}" for x in full] if travel.backend == "auto" else full


def _kind(wide: bool) -> str:
    return "_wide" if wide else ""


def _drive(wide: bool) -> str:
    return "wide_drive" if wide else "drive"


def _scale(wide: bool) -> str:
    return "wide_scale[0]" if wide else "1.0"


def _ring(travel: Travel, wide: bool) -> str:
    """The ring that amounts are put into, as an expression."""
    kind = _kind(wide)
    if travel.ring == "dense":
        return f"dense(step - lags[0], p, ring{kind}, ring_rows, ring_len[0], base, ring_scale{kind}[0])"
    if travel.ring == "event_bucketed":
        fields = [f"event_{x}{kind}" for x in ("value", "post", "previous", "end", "free", "n_free")]
        now = "u64((step - lags[0]) % ring_len[0]), ring_len[0]"
        return f"Buckets({', '.join(fields)}, {now}, ring_scale{kind}[0])"
    return f"Now({_drive(wide)}, base)"


def _rows(travel: Travel, wide: bool, call: Call) -> list[str]:
    kind, ring = _kind(wide), _ring(travel, wide)
    names = ["step", "origin", "p", "lags", "spike_first", "spike_ids", f"row_first{kind}", f"segments{kind}"]
    names += [f"words{kind}", "None" if travel.by_delay else f"waits{kind}", _scale(wide), "due_begin", "due_end", ring]
    return call("deliver", names)


def _matrix(travel: Travel, wide: bool, call: Call) -> list[str]:
    # `auto` gathers what is due, whatever the ring
    kind, ring = _kind(wide), _ring(travel, wide) if travel.backend == "spmm_fused" else f"Now({_drive(wide)}, base)"
    if travel.layout == "coo":
        names = ["step", "p", "product_lags", "product_delays", f"fused_starts{kind}", f"fused_columns{kind}"]
        return call("multiply_coo", [*names, f"fused_words{kind}", _scale(wide), "bits", ring])
    names = ["step", "p", "product_lags[0]", f"fused_row{kind}", "n_slots", "product_delays", f"fused_starts{kind}"]
    names += [f"fused_columns{kind}", f"fused_weights{kind}", _scale(wide), "bits", ring]
    return call("multiply_csr", names)


def _choice(travel: Travel, call: Call) -> list[str]:
    waits = str(travel.ring == "spike_history")
    names = ["step", "origin", "spike_first", "bits.shape[0] // 2 - 1", waits, "between - began"]
    return call("choose", [*names, "nanoseconds() - between", "way", "way_costs", "way_counts"])


def _taken(travel: Travel, wide: bool, call: Call) -> list[str]:
    kind = _kind(wide)
    if travel.ring == "dense":
        names = ["step", f"ring{kind}", "ring_len[0]", f"ring_scale{kind}[0]", "drive_at[p]", "drive_at[p + 1]"]
        names.append(_drive(wide))
        return call("take_dense", names)
    if travel.ring == "event_bucketed":
        return call("take_events", ["step", "p", _ring(travel, wide), "base", _drive(wide)])
    return []
