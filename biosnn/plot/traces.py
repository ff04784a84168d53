"""State variables of single neurons over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from biosnn._arrays import F64
from biosnn.plot.axes import OKABE_ITO, label, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 5  # traces, by default: of more, none can be followed


def traces(
    ax: Axes, lines: Mapping[str, tuple[F64, NDArray[Any]]], n: int, variable: str, units: Iterable[str]
) -> Axes:
    """Draw the (times in ms, values) of some neurons; where more were recorded, n, the title says so."""
    unit = " or ".join(dict.fromkeys(filter(None, units)))
    for k, (name, (times, values)) in enumerate(lines.items()):
        ax.plot(times, values, color=OKABE_ITO[k % len(OKABE_ITO)], linewidth=1.0, label=label(name))
    ax.set_xlabel("time (ms)")
    ax.set_ylabel(f"{variable} ({unit})" if unit else variable, parse_math=False)
    if n > len(lines):
        ax.set_title(f"{len(lines)} of {n:,} neurons", fontsize="small")
    legend(ax, beside=True)
    return ax
