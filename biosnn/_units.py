"""Values that carry a unit, of whichever package: rescaled to ours. None of these packages is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.errors import DescriptionError

# What else our units are called, where a package does not know them by our name.
ALIASES = {"degrees": "deg", "mM": "mol/m**3", "nS": "nA/V"}
# What Brian2 tells: the unit in SI, and its exponents of m, kg, s, A, K, mol, cd.
SI = {
    "": (1.0, (0, 0, 0, 0, 0, 0, 0)),
    "ms": (1e-3, (0, 0, 1, 0, 0, 0, 0)),
    "1/ms": (1e3, (0, 0, -1, 0, 0, 0, 0)),
    "Hz": (1.0, (0, 0, -1, 0, 0, 0, 0)),
    "mV": (1e-3, (2, 1, -3, -1, 0, 0, 0)),
    "pA": (1e-12, (0, 0, 0, 1, 0, 0, 0)),
    "pF": (1e-12, (-2, -1, 4, 2, 0, 0, 0)),
    "nS": (1e-9, (-2, -1, 3, 2, 0, 0, 0)),
    "mM": (1.0, (-3, 0, 0, 0, 0, 1, 0)),
    "um": (1e-6, (1, 0, 0, 0, 0, 0, 0)),
    "m/s": (1.0, (1, 0, -1, 0, 0, 0, 0)),
}


def has_unit(value: Any) -> bool:
    """Whether `value` is a quantity of quantities or Neo, pint, astropy, unyt or Brian2, or names its unit (xarray)."""
    kind = type(value)
    return any(hasattr(kind, way) for way in ("rescale", "m_as", "to_value", "in_unit")) or _named(value) is not None


def plain(owner: str, name: str, value: Any, unit: str) -> Any:
    """A quantity as numbers in `unit`, and what carries no unit as it is.

    `unit` "" is that of plain numbers, or not known: only what is dimensionless is then taken. Raises DescriptionError
    for what cannot be converted.
    """
    if not has_unit(value):
        return value
    # Of two units a quantity can have one only; and quantities 0.16.1 evaluates "pA or nS" as Python, to pA.
    spellings = () if " or " in unit else (unit, ALIASES.get(unit, unit))
    for spelling in spellings:
        try:
            return _in(value, spelling)
        except Exception:  # each package has its own for a unit that it does not know, or cannot convert
            continue
    got = " ".join(repr(value).split())
    got = got if len(got) <= 100 else got[:97] + "..."
    if unit:
        raise DescriptionError(f"{owner}: {name} must be in {unit}, got {got}; give it in that unit, or a plain number")
    raise DescriptionError(
        f"{owner}: {name} takes plain numbers, in the unit of what they are for, got {got}; leave the unit out"
    )


def _in(value: Any, unit: str) -> Any:
    if hasattr(value, "rescale"):  # quantities, Neo
        return value.rescale(unit).magnitude
    if hasattr(value, "m_as"):  # pint
        return value.m_as(unit)
    if hasattr(value, "to_value"):  # astropy, unyt
        return value.to_value(unit)
    if _named(value) is not None:
        if _named(value) != unit:
            raise ValueError
        return np.asarray(value)
    scale, exponents = SI[unit]
    if tuple(value.dim._dims) != exponents:
        raise ValueError
    return np.asarray(value) / scale


def _named(value: Any) -> str | None:
    """The unit that the attributes of an xarray.DataArray name."""
    attributes = getattr(value, "attrs", None)
    named = attributes.get("units") if isinstance(attributes, dict) else None
    return named if isinstance(named, str) else None
