"""How a plan prints: a table of its arrays, and what has to be said of it. A large one still takes a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from biosnn.parts.array import SECTIONS, Row

MOST_ROWS = 150  # arrays; of more, each part shows those that take most
LARGEST = 8
MOST_NOTES = 20  # of one sort; of more, the first stands for all
LONGEST = 60  # characters of a name
NAME, NUMBER = r"'[^']+'|\"[^\"]+\"", r"[\d.,]+(?:e[+-]?\d+)?"


def page(head: str, planned: Sequence[Row], notes: Sequence[str]) -> str:
    """A plan as text: what it is of, its arrays, and what has to be said."""
    rows: list[tuple[str, ...]] = []
    for section in SECTIONS:
        mine = [row for row in planned if row.section == section]
        if mine:
            rows.append((f"{section}:", "", "", size_text(sum(row.bytes for row in mine if not row.later))))
            rows += _rows(mine, LARGEST if len(planned) > MOST_ROWS else len(mine))
    rows.append(("total, host", "", "", size_text(sum(row.bytes for row in planned if not row.later))))
    rows.append(("total, device", "", "", "0 B"))
    if any(row.later for row in planned):
        later = sum(row.bytes for row in planned if row.later)
        rows.append(("(when activity asks for it)", "", "", f"({size_text(later)})"))
    widths = [max(len(r[c]) for r in rows) for c in range(4)]
    table = "\n".join(
        f"  {n:<{widths[0]}}  {f:<{widths[1]}}  {d:<{widths[2]}}  {b:>{widths[3]}}" for n, f, d, b in rows
    )
    return "\n".join([head, table, *(f"  note: {n}" for n in _notes(notes))])


def size_text(n: float) -> str:
    """Bytes, in the unit that suits them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:,.1f} {unit}"
        n /= 1024
    raise AssertionError("unreachable")


def shortened(name: str) -> str:
    """A name with its middle left out, if it is long: that of a thousand populations joined."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}...{name[-LONGEST // 3 :]}"


def _rows(rows: Sequence[Row], most: int) -> Iterator[tuple[str, ...]]:
    """One for each of the largest arrays, in their order, and one for all others."""
    by_size = sorted((k for k, row in enumerate(rows) if not row.minor), key=lambda k: -rows[k].bytes)
    shown = set(by_size[:most])
    for k in sorted(shown):
        yield f"  {shortened(rows[k].name)}", rows[k].formula, rows[k].dtype, _size_of([rows[k]])
    for later in (False, True):
        others = [row for k, row in enumerate(rows) if k not in shown and row.later == later]
        if others:
            yield f"  {len(others):,} others", "", "", _size_of(others)


def _size_of(rows: Sequence[Row]) -> str:
    """What arrays take, all now or all later."""
    text = size_text(sum(row.bytes for row in rows))
    return f"({text})" if rows[0].later else text


def _notes(notes: Sequence[str]) -> Iterator[str]:
    """The notes; where many differ in names and numbers alone, the first with the names of the others."""
    sorts: dict[str, list[str]] = {}
    for note in notes:
        sorts.setdefault(re.sub(f"{NAME}|{NUMBER}", "", note), []).append(note)
    for alike in sorts.values():
        first, *others = (re.sub(NAME, lambda name: shortened(name[0]), note) for note in alike)
        if len(alike) <= MOST_NOTES:
            yield from (first, *others)
        else:
            names = ", ".join(found[0] for note in others[:3] if (found := re.search(NAME, note)))
            yield f"{first}; the like of {len(others):,} others ({names}, ...)"
