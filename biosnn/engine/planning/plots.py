"""`plan.plot`: what a plan plans, as a picture. The drawing is in biosnn/plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from biosnn import _validate
from biosnn.engine.planning.page import shortened, size_text
from biosnn.parts.array import SECTIONS, Row
from biosnn.plot.axes import axes, colours
from biosnn.plot.memory import Bar, memory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 15
LARGEST = 100


class PlanPlots:
    """Plots of one plan into Matplotlib axes `ax`, which are made if none are given; returns the axes."""

    def __init__(self, rows: Sequence[Row], now: int, later: int) -> None:
        self._rows, self._now, self._later = rows, now, later  # bytes of all that is allocated then

    def memory(self, *, most: int = MOST, ax: Any = None) -> Axes:
        """The bytes of the largest arrays, at most so many of them, and of all others; hatched: not allocated yet."""
        owner = "plan.plot.memory"
        most = _validate.count(owner, "most", most, at_least=1, at_most=LARGEST)
        by_size = sorted(self._rows, key=lambda row: -row.bytes)
        bars = [_bar(row.section, shortened(row.name), [row]) for row in by_size[:most] if row.bytes]
        others = [row for row in by_size[most:] if row.bytes and not row.later]
        if others:
            bars.append(_bar("others", f"{len(others):,} others", others))
        total = f"total: {size_text(self._now)}"
        if self._later:
            total += f", and {size_text(self._later)} when activity asks for it"
        size = (7.0, 1.2 + 0.25 * max(len(bars), 4))
        return memory(axes(owner, ax, size), bars, colours([*SECTIONS, "others"]), total)


def _bar(section: str, name: str, rows: list[Row]) -> Bar:
    size = sum(row.bytes for row in rows)
    return Bar(section, name, size, size_text(size), rows[0].later)
