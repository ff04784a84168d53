"""How a plan prints: a table of its arrays, and what has to be said of it. A large one still takes a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from biosnn.engine.planning.entries import PARTS, Entry

if TYPE_CHECKING:
    from biosnn.engine.planning.plan import Plan

MOST_ROWS = 150  # arrays; of more, each part shows those that take most
LARGEST = 8
MOST_NOTES = 20  # of one sort; of more, the first stands for all
LONGEST = 60  # characters of a name
NAME, NUMBER = r"'[^']+'|\"[^\"]+\"", r"[\d.,]+(?:e[+-]?\d+)?"


def page(plan: Plan) -> str:
    """The plan as text."""
    rows: list[tuple[str, ...]] = []
    for part in PARTS:
        mine = [e for e in plan.entries if e.part == part]
        if mine:
            rows.append((f"{part}:", "", "", size_text(sum(e.bytes for e in mine if not e.later))))
            rows += _rows(mine, LARGEST if len(plan.entries) > MOST_ROWS else len(mine))
    rows.append(("total, host", "", "", size_text(plan.bytes)))
    rows.append(("total, device", "", "", "0 B"))
    if plan.later_bytes:
        rows.append(("(when activity asks for it)", "", "", f"({size_text(plan.later_bytes)})"))
    widths = [max(len(r[c]) for r in rows) for c in range(4)]
    table = "\n".join(
        f"  {n:<{widths[0]}}  {f:<{widths[1]}}  {d:<{widths[2]}}  {b:>{widths[3]}}" for n, f, d, b in rows
    )
    about = "" if all(t.exact for t in plan.tables) else "about "
    head = (
        f"plan: {plan.layout.n_neurons:,} neurons, {about}{plan.n_synapses:,.0f} synapses, "
        f"{plan.layout.n_parts} partition(s), {'parallel' if plan.parallel else 'serial'} driver, "
        f"synapse backend {plan.ways.backend}, ring {plan.ways.ring}"
    )
    return "\n".join([head, table, *(f"  note: {n}" for n in _notes(plan.notes))])


def size_text(n: float) -> str:
    """Bytes, in the unit that suits them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:,.1f} {unit}"
        n /= 1024
    raise AssertionError("unreachable")


def _rows(entries: Sequence[Entry], most: int) -> Iterator[tuple[str, ...]]:
    """One for each of the largest arrays, in their order, and one for all others."""
    shown = set(sorted(range(len(entries)), key=lambda k: -entries[k].bytes)[:most])
    for k in sorted(shown):
        e = entries[k]
        yield f"  {_shortened(e.name)}", e.formula, e.dtype, _size_of([e])
    for later in (False, True):
        others = [e for k, e in enumerate(entries) if k not in shown and e.later == later]
        if others:
            yield f"  {len(others):,} others", "", "", _size_of(others)


def _size_of(entries: Sequence[Entry]) -> str:
    """What arrays take, all now or all later."""
    text = size_text(sum(e.bytes for e in entries))
    return f"({text})" if entries[0].later else text


def _notes(notes: Sequence[str]) -> Iterator[str]:
    """The notes; where many differ in names and numbers alone, the first with the names of the others."""
    sorts: dict[str, list[str]] = {}
    for note in notes:
        sorts.setdefault(re.sub(f"{NAME}|{NUMBER}", "", note), []).append(note)
    for alike in sorts.values():
        first, *others = (re.sub(NAME, lambda name: _shortened(name[0]), note) for note in alike)
        if len(alike) <= MOST_NOTES:
            yield from (first, *others)
        else:
            names = ", ".join(found[0] for note in others[:3] if (found := re.search(NAME, note)))
            yield f"{first}; the like of {len(others):,} others ({names}, ...)"


def _shortened(name: str) -> str:
    """A name with its middle left out, if it is long: that of a thousand populations joined."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}...{name[-LONGEST // 3 :]}"
