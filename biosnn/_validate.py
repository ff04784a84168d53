"""Checks of what users hand in. Each raises one clear line; none is called from a kernel."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _units
from biosnn.errors import DescriptionError, MemoryPlanError, UnknownNameError

SMALLEST, LARGEST = 1e-6, 3e38  # pA or mV: what is smaller was given in A or V, what is larger does not fit float32
FARTHEST = 1e30  # of parameters and initial values: what constants are made of them still fits float32
MOST_STEPS = 2**53  # beyond it, a time in ms no longer names one step
PLAIN = (int, float, np.integer, np.floating)
NO_NUMBER = (str, bytes, bytearray, bool)  # that Python or NumPy would make a float of


def number(
    owner: str,
    name: str,
    value: Any,
    unit: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    endless: bool = False,
) -> float:
    """`value`, rescaled to `unit` if it has one, as a finite (or `endless`: inf) float within the given bounds.

    Raises DescriptionError for anything else.
    """
    x = real(owner, name, value, unit)
    check_range(owner, name, np.array(x), unit, above=above, at_least=at_least, at_most=at_most, endless=endless)
    return x


def real(owner: str, name: str, value: Any, unit: str = "") -> float:
    """The same, but it may be infinite or NaN."""
    try:
        return _float(owner, name, value, unit)
    except DescriptionError:
        raise
    except (TypeError, ValueError, OverflowError):
        raise DescriptionError(f"{owner}: {name} must be a number{_in(unit)}, got {shown(value)}") from None


def count(owner: str, name: str, value: Any, *, at_least: int = 0, at_most: int = 2**63 - 1) -> int:
    """`value` as a whole number within the given bounds, or DescriptionError."""
    whole = isinstance(value, (int, np.integer)) or (isinstance(value, (float, np.floating)) and value.is_integer())
    if not whole or isinstance(value, (bool, np.timedelta64)):
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


def array(
    owner: str, name: str, value: Any, unit: str = "", *, bools: bool = False, endless: bool = False
) -> NDArray[np.float64]:
    """`value`, rescaled to `unit` if it has one, as an array of finite (or `endless`: inf) floats of our own.

    What a user writes to the original later changes nothing. With `bools`, True counts as 1. Raises DescriptionError.
    """
    with _room_for(owner, name):
        x = np.array(_numbers(owner, name, value, unit, bools), np.float64)
        check_range(owner, name, x, endless=endless)
    return x


def indices(owner: str, name: str, value: Any, n: int) -> NDArray[np.int64]:
    """`value` as a list of whole numbers from 0 to n - 1, or DescriptionError."""
    x = selection(value) if is_array(value) else None
    if x is None or x.ndim != 1 or (x.size and x.dtype.kind not in "iu"):
        raise DescriptionError(f"{owner}: {name} must be a list of whole numbers, got {shown(value)}")
    bad = np.flatnonzero((x < 0) | (x >= n))
    if bad.size:
        raise DescriptionError(f"{owner}: {name} must be at least 0 and below {n}, got {x[bad[0]]} (at index {bad[0]})")
    return x.astype(np.int64)


def selection(value: Any) -> NDArray[Any] | None:
    """What may select: `value` as an array of integers or truths, or of nothing; else None."""
    if isinstance(value, (list, tuple)):  # NumPy would take [True, 2] for [1, 2]
        kinds = set(map(type, value))
        if not (kinds <= {bool, np.bool_} or all(issubclass(k, (int, np.integer)) and k is not bool for k in kinds)):
            return None
    if is_masked(value) or _units.has_unit(value):
        return None
    try:
        x = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return None if (x.size and x.dtype.kind not in "biu") else x


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
    endless: bool = False,
) -> None:
    """Raise DescriptionError for the first of `values` that is not finite (or `endless`: inf) or outside the bounds.

    `where` says where they come from, in place of the index of that value.
    """
    values = np.asarray(values)
    rules = [(~(values > -np.inf), "must be finite or inf") if endless else (~np.isfinite(values), "must be finite")]
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
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
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


def times(owner: str, name: str, value: Any) -> NDArray[Any]:
    """`value` (ms) as an array of finite times of our own, in the precision that it was given in, or DescriptionError.

    Whether a time of 32 bits is meant to be a step can only be told by its bits.
    """
    with _room_for(owner, name):
        x = _numbers(owner, name, value, "ms")
        check_range(owner, name, x, "ms")
        return np.array(x, x.dtype if x.dtype in (np.float16, np.float32) else np.float64)


def time(owner: str, name: str, value: Any, *, above: float | None = None) -> np.floating[Any]:
    """One time (ms), likewise, or DescriptionError."""
    x = number(owner, name, value, "ms", above=above)
    kind = getattr(value, "dtype", np.float64)
    return np.dtype(kind).type(x) if kind in (np.float16, np.float32) else np.float64(x)


def whole_steps(owner: str, name: str, ms: Any, dt: float, *, at_least: int = 0) -> int:
    """The time `ms` as a number of steps; it must be a multiple of dt. See `steps`."""
    return int(steps(owner, name, time(owner, name, ms), dt, at_least=at_least))


def steps(owner: str, name: str, ms: Any, dt: float, *, at_least: int = 0) -> NDArray[np.int64]:
    """The times `ms`, as `times` gives them, in steps; each must be a multiple of dt, or DescriptionError.

    To a millionth of a step, and to what their format rounds: four times the distance to the next number that it has.
    Where that is a quarter of a step or more, it cannot be told which step is meant.
    """
    x, blur = np.asarray(ms, np.float64), 4 * np.asarray(np.spacing(np.abs(ms)), np.float64)
    with np.errstate(over="ignore"):
        found = np.rint(x / dt)
    a, many = ("a multiple", False) if x.ndim == 0 else ("multiples", True)
    bits = 8 * np.asarray(ms).dtype.itemsize
    for bad, rule in (
        (np.abs(found) > MOST_STEPS, f"must be at most 2**53 steps of {dt:g} ms"),
        (blur >= dt / 4, f"must be given in more than {bits} bits to name one step of {dt:g} ms"),
        (np.abs(x - found * dt) > 1e-6 * dt + blur, f"must be {a} of dt = {dt:g} ms"),
        (found < at_least, f"must be at least {at_least * dt:g} ms"),
    ):
        if bad.any():
            index = f" (at index {np.flatnonzero(bad)[0]})" if many else ""
            worst = np.asarray(ms)[bad].flat[0]
            text = f"{worst:g}"
            text = text if float(text) == float(worst) else str(worst)
            raise DescriptionError(f"{owner}: {name} {rule}, got {text} ms{index}")
    return found.astype(np.int64)


def is_array(value: Any) -> bool:
    """Whether `value` is a sequence or an array rather than one thing."""
    ndim = getattr(value, "ndim", 0)  # of a module it is a function
    sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))
    return sequence or (isinstance(ndim, int) and ndim > 0)


def is_masked(value: Any) -> bool:
    """Whether some elements of an array are masked: their numbers mean nothing."""
    mask = getattr(value, "mask", None)  # of pandas, a method
    return isinstance(mask, (np.ndarray, np.bool_)) and bool(mask.any())


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


@contextlib.contextmanager
def _room_for(owner: str, name: str) -> Iterator[None]:
    """In the block, a MemoryError tells what it was for: by broadcasting, an array may be larger than any memory."""
    try:
        yield
    except MemoryError as error:
        raise MemoryPlanError(f"{owner}: no memory left for a copy of {name} ({error}); give fewer values") from None


def _float(owner: str, name: str, value: Any, unit: str) -> float:
    """`value` as a float; TypeError for what is no real number. NumPy would make floats of all of these."""
    found = _units.plain(owner, name, value, unit)
    kind = getattr(getattr(found, "dtype", None), "kind", "O")
    if is_array(found) or is_masked(found) or kind not in "iufO" or isinstance(found, NO_NUMBER):
        raise TypeError
    return float(found)


def _numbers(owner: str, name: str, value: Any, unit: str, bools: bool = False) -> NDArray[Any]:
    """`value` as an array of real numbers in `unit`, in its own format; it may still be the user's."""
    try:
        found = _without_units(owner, name, value, unit)
        if is_masked(found):
            raise DescriptionError(f"{owner}: {name} has masked elements; fill them in first, as in x.filled(0.0)")
        x = np.asarray(found)
        if x.dtype.kind == "O":
            x = np.array([_float(owner, name, each, unit) for each in x.flat]).reshape(x.shape)
        if x.dtype.kind not in ("biuf" if bools else "iuf") and x.size:
            raise TypeError
    except DescriptionError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise DescriptionError(f"{owner}: {name} must be an array of numbers, got {shown(value)}") from None
    return x


def _without_units(owner: str, name: str, value: Any, unit: str) -> Any:
    """`value` without its unit, or those of its elements."""
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if kinds == {bool} or all(issubclass(kind, PLAIN) and kind is not bool for kind in kinds):
            return value  # as it mostly is: a million numbers are looked at in 25 ms
        return [_without_units(owner, name, each, unit) for each in value]
    image = not hasattr(value, "ndim") and (hasattr(value, "__array__") or hasattr(value, "__array_interface__"))
    if is_array(value) or image:
        return _units.plain(owner, name, value, unit)
    return _float(owner, name, value, unit)
