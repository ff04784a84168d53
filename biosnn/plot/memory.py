"""What a network takes: its largest arrays, as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from biosnn.plot.axes import legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS = ("B", "KiB", "MiB", "GiB")


class Bar(NamedTuple):
    """Arrays that are counted together; `later`: they are allocated when they are needed, if they ever are."""

    section: str
    name: str
    bytes: int
    text: str  # how many, as the plan says it
    later: bool


def memory(ax: Axes, bars: Sequence[Bar], colours: Mapping[str, str], total: str) -> Axes:
    """A bar for each array, in the order given from top to bottom, coloured by section; hatched, if for later."""
    most = max((bar.bytes for bar in bars), default=0)
    power = max(k for k in range(len(UNITS)) if k == 0 or most >= 1024**k)
    for k, bar in enumerate(bars):
        is_first = bar.section not in {b.section for b in bars[:k]}
        drawn = ax.barh(
            k, bar.bytes / 1024**power, color="none" if bar.later else colours[bar.section],
            edgecolor=colours[bar.section], hatch="///" if bar.later else None,
            label=bar.section if is_first else None,
        )  # fmt: skip
        ax.bar_label(drawn, [bar.text], padding=3, fontsize="small")
    ax.set_yticks(range(len(bars)), [bar.name for bar in bars], parse_math=False, fontsize="small")
    ax.set_ylim(max(len(bars), 1) - 0.5, -0.5)
    ax.set_xlabel(f"memory ({UNITS[power]})")
    ax.margins(x=0.15)  # for the text beside the longest
    ax.set_title(total, fontsize="small")
    legend(ax)
    return ax
