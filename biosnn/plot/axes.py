"""What all plots share: axes where none are given, colours, samples that are evenly spaced, legends.

Where a plot makes its axes, their figure is one of pyplot's if pyplot is loaded or somebody sits at a prompt: then a
notebook shows it, and plt.show() and plt.savefig() find it. In a script without pyplot nothing but the axes holds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn import _validate
from biosnn._arrays import I64
from biosnn.errors import DescriptionError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart whatever colours one sees; on white, those that are seen best come first.
# Source: Okabe & Ito 2008, Color Universal Design, jfly.uni-koeln.de/color.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
SIZE = (7.0, 4.0)  # inches
MOST_NAMED = 12  # in a legend


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name; after eight they come again."""
    return {name: OKABE_ITO[k % len(OKABE_ITO)] for k, name in enumerate(names)}


def evenly(n: int, most: int) -> I64:
    """Positions of at most so many of n things, evenly spaced, the first and the last among them."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


def new_figure(owner: str, size: tuple[float, float] = SIZE) -> Figure:
    """An empty figure. Raises DescriptionError where Matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DescriptionError(f"{owner}: needs Matplotlib; pip install 'biosnn[plot]'") from None
    if "matplotlib.pyplot" in sys.modules or hasattr(sys, "ps1"):
        from matplotlib import pyplot

        return pyplot.figure(figsize=size, layout="constrained")
    return Figure(figsize=size, layout="constrained")


def axes(owner: str, ax: Any, size: tuple[float, float] = SIZE, **how: Any) -> Axes:
    """The axes that were given, or new ones of a figure of this size. Raises DescriptionError for what is no axes."""
    if ax is None:
        made: Axes = new_figure(owner, size).add_subplot(**how)
        return made
    (found,) = checked(owner, [ax], "Matplotlib axes")
    return found


def checked(owner: str, given: Iterable[Any], wanted: str) -> list[Axes]:
    """All of these, which must be axes. Raises DescriptionError."""
    found = list(given)
    module = sys.modules.get("matplotlib.axes")  # which has made them
    for ax in found:
        if module is None or not isinstance(ax, module.Axes):
            raise DescriptionError(f"{owner}: ax must be {wanted}, got {_validate.shown(ax)}")
    return found


def legend(ax: Axes, *, beside: bool = False, **how: Any) -> None:
    """A legend of what has a label, of many the first: where there is room, or `beside` axes that are full.

    `how`: further arguments of Matplotlib's. Looking for room among a million points would take it seconds.
    """
    handles, labels = ax.get_legend_handles_labels()
    more = len(labels) - MOST_NAMED
    title = f"and {more:,} more" if more > 0 else None
    how |= {"frameon": False, "fontsize": "small", "title_fontsize": "small"}
    how |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if beside else {}
    drawn = ax.legend(handles[:MOST_NAMED], labels[:MOST_NAMED], title=title, **how)
    for text in drawn.get_texts():
        text.set_parse_math(False)  # a name may hold dollars


def label(name: str, said: str = "") -> str:
    """A name as legends show it: Matplotlib leaves out what begins with an underscore."""
    return (f" {name}" if name.startswith("_") else name) + said
