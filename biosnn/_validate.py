"""Checks of what users hand in. Each raises one clear line; none is called from a kernel."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import DescriptionError, UnknownNameError


def number(
    owner: str,
    name: str,
    value: Any,
    unit: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """`value` as a finite float within the given bounds, or DescriptionError."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise DescriptionError(f"{owner}: {name} must be a number{_in(unit)}, got {value!r}") from None
    check_range(owner, name, np.array(x), unit, above=above, at_least=at_least, at_most=at_most)
    return x


def count(owner: str, name: str, value: Any, *, at_least: int = 0) -> int:
    """`value` as a whole number of at least `at_least`, or DescriptionError."""
    whole = isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool):
        raise DescriptionError(f"{owner}: {name} must be a whole number, got {value!r}")
    if value < at_least:
        raise DescriptionError(f"{owner}: {name} must be at least {at_least}, got {int(value)}")
    return int(value)


def check_range(
    owner: str,
    name: str,
    values: NDArray[Any],
    unit: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Raise DescriptionError for the first of `values` that is not finite or lies outside the bounds."""
    values = np.asarray(values)
    for bad, rule in (
        (~np.isfinite(values), "must be finite"),
        (values <= above if above is not None else None, f"must be above {above:g}" if above is not None else ""),
        (values < at_least if at_least is not None else None, f"must be at least {at_least}"),
        (values > at_most if at_most is not None else None, f"must be at most {at_most}"),
    ):
        if bad is not None and bad.any():
            where = "" if values.ndim == 0 else f" (at index {int(np.flatnonzero(bad)[0])})"
            shown = float(values[bad].flat[0]) if values.ndim else float(values)
            raise DescriptionError(f"{owner}: {name} {rule}{_in(unit)}, got {shown:g}{where}")


def known(owner: str, kind: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is one of `names`, or UnknownNameError with the nearest of them."""
    choices = sorted(names)
    if name in choices:
        return name
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    if not near:  # capitals are the usual slip: v_th for V_th
        near = [c for c in choices if c.lower() == str(name).lower()]
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownNameError(f"{owner}: unknown {kind} {name!r}; {hint}known: {', '.join(choices)}")


def whole_steps(owner: str, name: str, ms: Any, dt: float, *, at_least: int = 0) -> int:
    """The time `ms` as a number of steps; it must be a multiple of dt (to a millionth of a step)."""
    x = number(owner, name, ms, "ms") / dt
    steps = round(x)
    if not math.isclose(x, steps, rel_tol=1e-9, abs_tol=1e-6):
        raise DescriptionError(f"{owner}: {name} must be a multiple of dt = {dt:g} ms, got {float(ms):g} ms")
    if steps < at_least:
        raise DescriptionError(f"{owner}: {name} must be at least {at_least * dt:g} ms, got {float(ms):g} ms")
    return steps


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
