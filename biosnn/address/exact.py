"""Units of which given weights are whole multiples, so that 16 bits hold them exactly.

Multiples are meant to the precision of float32. Exact means that a spike brings what was asked for, to the last bit:
float32(count) * float32(unit), as a driver computes it, is float32(weight). For decimal fractions such a unit is found
up to some 2,000 of them. Sizes of weights are arrays of distinct positive numbers, ascending.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64

TOP = 32767  # largest 16-bit weight
NEAR = 2.0**-23  # as near as two numbers in float32 are to what they stand for
BLOCK = 2**17  # weights looked at together


def distinct_sizes(weights: F64) -> F64 | None:
    """The sizes of weights other than zero; None if there are more of them than 16 bits tell apart."""
    found = np.empty(0)
    for at in range(0, weights.size, BLOCK):
        found = np.union1d(found, np.abs(weights[at : at + BLOCK]))
        if found.size > TOP + 1:
            return None
    return found[found > 0]


def exact_units(grid: float, sizes: F64, finest: float, coarsest: float = math.inf) -> F64:
    """The parts of a grid, from `finest` to `coarsest`, of which all sizes are exact multiples; the finest first."""
    first, last = max(math.ceil(grid / coarsest * (1 - 1e-12)), 1), math.floor(grid / finest * (1 + 1e-12))
    parts = np.arange(last, first - 1, -1)  # of the grid; as many as 16 bits leave room for, so their table is small
    units = grid / parts
    counts = (np.rint(sizes / grid)[:, None] * parts).astype(np.float32)
    as_stored = units.astype(np.float32)  # the grid is right to a rounding: a neighbour may be what was meant
    for tried in (units, np.nextafter(as_stored, 0), np.nextafter(as_stored, np.float32(np.inf))):
        exact: F64 = tried[(counts * tried.astype(np.float32) == sizes.astype(np.float32)[:, None]).all(0)]
        if exact.size:
            return exact.astype(np.float64)
    return np.empty(0)


def are_exact(sizes: F64, unit: float) -> bool:
    """Whether all sizes are exact multiples of the unit."""
    arriving = np.rint(sizes / unit).astype(np.float32) * np.float32(unit)
    return bool((arriving == sizes.astype(np.float32)).all())


def grid_of(sizes: F64) -> float:
    """The largest number of which all sizes are multiples, to the precision of float32; 0 if 16 bits cannot count it.

    Found from the largest size: as long as some other is no multiple of what it was divided into, the denominator of
    that one divides it further.
    """
    steps = 1
    while sizes.size and steps <= TOP:
        ratios = sizes * (steps / sizes[-1])
        whole = _whole(ratios)
        if whole.all():
            return float(sizes[-1] / steps)
        ratio = Fraction(float(ratios[whole.argmin()]))
        steps *= _simplest(ratio * (1 - Fraction(NEAR)), ratio * (1 + Fraction(NEAR))).denominator
    return 0.0


def _whole(ratios: F64) -> NDArray[np.bool_]:
    return np.abs(np.rint(ratios) - ratios) <= NEAR * ratios


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator between two positive ones."""
    above = math.ceil(low)
    if above <= high:
        return Fraction(above)
    return above - 1 + 1 / _simplest(1 / (high - above + 1), 1 / (low - above + 1))
