"""Elementary functions in float32, without branch or table: Numba compiles them into the loops that call them.

They are plain functions of scalars, and vectorise: `math.exp` takes 2.3 ns in a loop over float32, `exp` 0.2 ns.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

F, U, S = np.float32, np.uint32, np.int32

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
_NONE, _ONE, _TWO, _HALF, _INFINITY = F(0), F(1), F(2), F(0.5), F(np.inf)

_LN2 = F(math.log(2))
_SQRT_HALF = U(0x3F3504F3)  # its bits
_L3, _L5, _L7, _L9 = F(1 / 3), F(1 / 5), F(1 / 7), F(1 / 9)

_PER_PI = F(1 / math.pi)
# pi in three parts; the first two have few bits, so that their multiples are exact
_PI_1 = F(3.140625)
_PI_2 = F(9.67502593994140625e-4)
_PI_3 = F(math.pi - 3.140625 - 9.67502593994140625e-4)
_S3, _S5, _S7, _S9, _S11 = F(-1 / 6), F(1 / 120), F(-1 / 5040), F(1 / 362880), F(-1 / 39916800)


def exp(x: Any) -> Any:
    """e^x of a float32, to 8.5e-8 relative; x is held within -87.3 and 88.3, NaN stays NaN.

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


def log(x: Any) -> Any:
    """Natural logarithm of a normal float32, to 2.3e-7 relative; 0.4 ns. -inf of zero, NaN of what is below.

    With x = 2^e m and m between sqrt(1/2) and sqrt(2): log x = e ln 2 + 2 artanh((m - 1) / (m + 1)), by its series.
    """
    bits = F(x).view(U)
    e = S(S(U(bits - _SQRT_HALF)) >> S(23))
    m = U(bits - U(U(e) << U(23))).view(F)
    s = (m - _ONE) / (m + _ONE)
    z = s * s
    found = F(e) * _LN2 + _TWO * s * (_ONE + z * (_L3 + z * (_L5 + z * (_L7 + z * _L9))))
    return found if x > _NONE else (-_INFINITY if x == _NONE else _INFINITY - _INFINITY)


def sin(x: Any) -> Any:
    """Sine of a float32 angle (radians), to 2e-7 where |x| is at most 1e4; 0.4 ns."""
    shifted = x * _PER_PI + _INTEGER
    k = shifted - _INTEGER
    return _near_zero(((x - k * _PI_1) - k * _PI_2) - k * _PI_3, F(shifted).view(U))


def cos(x: Any) -> Any:
    """Cosine of a float32 angle (radians), to 2e-7 where |x| is at most 1e4; 0.5 ns."""
    shifted = (x * _PER_PI + _HALF) + _INTEGER
    k = (shifted - _INTEGER) - _HALF
    return _near_zero(((x - k * _PI_1) - k * _PI_2) - k * _PI_3, F(shifted).view(U))


def _near_zero(y: Any, turns: Any) -> Any:
    """Sine of |y| <= pi/2, by its series; of the other sign if the number of half turns is odd."""
    z = y * y
    found = y + y * z * (_S3 + z * (_S5 + z * (_S7 + z * (_S9 + z * _S11))))
    return U(F(found).view(U) ^ U(turns << U(31))).view(F)
