"""Elementary functions in float32, without branch or table: Numba compiles them into the loops that call them.

They are plain functions of scalars, and vectorise: `math.exp` takes 2.3 ns in a loop over float32, `exp` 0.2 ns.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

F, U = np.float32, np.uint32

# Where e^x is a normal number, with some room for rounding.
_LOWEST, _HIGHEST = F(-87.3), F(88.3)
_PER_LN2 = F(1.4426950408889634)
# Added to a float32, this leaves the nearest integer in its lowest bits.
_INTEGER = F(1.5 * 2**23)
# ln 2 in two parts; the first has 16 bits, so that its multiples are exact
_LN2_HIGH, _LN2_LOW = F(0.693145751953125), F(1.4286068203094172e-06)
# e^r = 1 + r + r^2 p(r) for |r| <= ln(2) / 2: p interpolates at Chebyshev's nodes, to 1.1e-8.
_P0, _P1, _P2, _P3, _P4 = (
    F(0.5),
    F(0.16666573381900904),
    F(0.04166655011030537),
    F(0.008363773874400975),
    F(0.0013926926614161142),
)
_ONE = F(1)


def exp(x: Any) -> Any:
    """e^x of a float32, to 8.4e-8 relative; x is held within -87.3 and 88.3, NaN stays NaN.

    With k the integer next to x / ln 2: e^x = 2^k e^(x - k ln 2), where a polynomial gives the second factor, and the
    bits of a float32 the first.
    """
    x = _LOWEST if x < _LOWEST else x
    x = _HIGHEST if x > _HIGHEST else x
    shifted = x * _PER_LN2 + _INTEGER
    k = shifted - _INTEGER
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = (((_P4 * r + _P3) * r + _P2) * r + _P1) * r + _P0
    power = U(U(F(shifted).view(U) << U(23)) + U(0x3F800000)).view(F)
    return (r * r * p + r + _ONE) * power


def sqrt(x: Any) -> Any:
    """The square root of a float32, rounded to nearest; NaN below zero."""
    return F(math.sqrt(x))
