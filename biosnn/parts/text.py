"""Lines of a driver's text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence


def call(function: str, arguments: Sequence[str], end: str = "") -> list[str]:
    """A call or a signature, on as many lines as it takes."""
    close = ")" + end if end != "," else ",)"  # a tuple keeps its comma
    one = f"{function}({', '.join(arguments)}{close}"
    if len(one) <= 110:
        return [one]
    wrapped = textwrap.wrap(", ".join(arguments) + ",", 100, break_long_words=False, break_on_hyphens=False)
    return [f"{function}(", *indented(wrapped, 8 if end == ":" else 4), ")" + end.strip(",")]


def indented(lines: Sequence[str], by: int = 4) -> list[str]:
    """Lines further to the right."""
    return [" " * by + line for line in lines]


def when(condition: str, lines: Sequence[str]) -> list[str]:
    """Lines under a condition; none if there are none."""
    return [f"if {condition}:", *indented(lines)] if lines else []
