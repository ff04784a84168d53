"""Checks of what users hand in. Each raises one clear line; none is called from a kernel."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import DescriptionError, UnknownNameError

SMALLEST, LARGEST = 1e-6, 3e38  # pA or mV: what is smaller was given in A or V, what is larger does not fit float32
FARTHEST = 1e30  # of parameters and initial values: what constants are made of them still fits float32
MOST_STEPS = 2**53  # beyond it, a time in ms no longer names one step


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
        if is_array(value) or isinstance(value, (str, bytes, bool, np.bool_)):
            raise TypeError
        x = float(value)
    except (TypeError, ValueError, OverflowError):
        raise DescriptionError(f"{owner}: {name} must be a number{_in(unit)}, got {shown(value)}") from None
    check_range(owner, name, np.array(x), unit, above=above, at_least=at_least, at_most=at_most)
    return x


def count(owner: str, name: str, value: Any, *, at_least: int = 0, at_most: int = 2**63 - 1) -> int:
    """`value` as a whole number within the given bounds, or DescriptionError."""
    whole = isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool):
        raise DescriptionError(f"{owner}: {name} must be a whole number, got {shown(value)}")
    if value < at_least:
        raise DescriptionError(f"{owner}: {name} must be at least {at_least}, got {shown(int(value))}")
    if value > at_most:
        raise DescriptionError(f"{owner}: {name} must be at most {at_most}, got {shown(int(value))}")
    return int(value)


def flag(owner: str, name: str, value: Any) -> bool:
    """`value` as True or False, or DescriptionError."""
    if not isinstance(value, (bool, np.bool_)):
        raise DescriptionError(f"{owner}: {name} must be True or False, got {shown(value)}")
    return bool(value)


def array(owner: str, name: str, value: Any) -> NDArray[np.float64]:
    """`value` as an array of finite floats, or DescriptionError."""
    try:
        x = np.asarray(value)
        if x.dtype.kind not in "biufO":
            raise TypeError
        x = x.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        raise DescriptionError(f"{owner}: {name} must be an array of numbers, got {shown(value)}") from None
    check_range(owner, name, x)
    return x


def indices(owner: str, name: str, value: Any, n: int) -> NDArray[np.int64]:
    """`value` as a list of whole numbers from 0 to n - 1, or DescriptionError."""
    try:
        x = np.asarray(value)
    except ValueError:
        x = np.array(None)
    if x.ndim != 1 or (x.size and not np.issubdtype(x.dtype, np.integer)):
        raise DescriptionError(f"{owner}: {name} must be a list of whole numbers, got {shown(value)}")
    bad = np.flatnonzero((x < 0) | (x >= n))
    if bad.size:
        raise DescriptionError(f"{owner}: {name} must be at least 0 and below {n}, got {x[bad[0]]} (at index {bad[0]})")
    return x.astype(np.int64)


def check_range(
    owner: str,
    name: str,
    values: NDArray[Any],
    unit: str = "",
    where: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Raise DescriptionError for the first of `values` that is not finite or lies outside the bounds.

    `where` says where they come from, in place of the index of that value.
    """
    values = np.asarray(values)
    rules = [(~np.isfinite(values), "must be finite")]
    if above is not None:
        rules.append((values <= above, f"must be above {above:g}"))
    if at_least is not None:
        rules.append((values < at_least, f"must be at least {at_least:g}"))
    if at_most is not None:
        rules.append((values > at_most, f"must be at most {at_most:g}"))
    for bad, rule in rules:
        if bad.any():
            index = ", ".join(map(str, np.argwhere(bad)[0])) if values.ndim else ""
            where = where or (f" (at index {index})" if index else "")
            worst = float(values[bad].flat[0])
            text = f"{worst:g}"
            if rule.endswith(f" {text}") and float(text) != worst:  # so near that six digits show the bound itself
                text = repr(worst)
            raise DescriptionError(f"{owner}: {name} {rule}{_in(unit)}, got {text}{where}")


def check_unit(owner: str, name: str, values: NDArray[Any] | float, unit: str) -> None:
    """Raise DescriptionError if the largest of `values`, currents or weights, cannot be in pA or mV."""
    largest = float(np.abs(values).max(initial=0.0))
    if 0 < largest < SMALLEST:
        raise DescriptionError(f"{owner}: {name} must be in {unit}, got {largest:g}; was it given in SI units?")
    if largest > LARGEST:
        raise DescriptionError(f"{owner}: {name} must be at most {LARGEST:g} {unit} in size, got {largest:g}")


def check_size(owner: str, name: str, values: NDArray[Any], unit: str) -> None:
    """Raise DescriptionError if the largest of `values`, parameters or initial values, leaves no room in float32."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > FARTHEST:
        raise DescriptionError(f"{owner}: {name} must be at most {FARTHEST:g}{_in(unit)} in size, got {largest:g}")


def known(owner: str, kind: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is one of `names`, or UnknownNameError with the nearest of them."""
    choices = sorted(names)
    if isinstance(name, str) and name in choices:
        return name
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    if not near:  # capitals are the usual slip: v_th for V_th
        near = [c for c in choices if c.lower() == str(name).lower()]
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownNameError(f"{owner}: unknown {kind} {shown(name)}; {hint}known: {', '.join(choices)}")


def whole_steps(owner: str, name: str, ms: Any, dt: float, *, at_least: int = 0) -> int:
    """The time `ms` as a number of steps; it must be a multiple of dt (to a millionth of a step)."""
    x = number(owner, name, ms, "ms") / dt
    if abs(x) > MOST_STEPS:
        raise DescriptionError(f"{owner}: {name} must be at most 2**53 steps of {dt:g} ms, got {float(ms):g} ms")
    steps = round(x)
    if not math.isclose(x, steps, rel_tol=1e-9, abs_tol=1e-6):
        raise DescriptionError(f"{owner}: {name} must be a multiple of dt = {dt:g} ms, got {float(ms):g} ms")
    if steps < at_least:
        raise DescriptionError(f"{owner}: {name} must be at least {at_least * dt:g} ms, got {float(ms):g} ms")
    return steps


def is_array(value: Any) -> bool:
    """Whether `value` is a sequence or an array rather than one thing."""
    return getattr(value, "ndim", 0) > 0 or (isinstance(value, Sequence) and not isinstance(value, (str, bytes)))


def optional_name(owner: str, name: Any) -> str | None:
    """`name` if it is None or a string to call something by, or DescriptionError."""
    if name is not None and (not isinstance(name, str) or not name):
        raise DescriptionError(f"{owner}: the name must be a non-empty string, got {shown(name)}")
    return name


def shown(value: Any) -> str:
    """`value` as a message shows it: on one line, and not a long one."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else text[:97] + "..."


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
