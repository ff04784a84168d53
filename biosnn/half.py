"""Numbers kept in 16 bits and computed in 32: a kernel reads them with `load`, and writes them with `store`.

    float16    (-1)^s (1 + f/2^10) 2^(e-15)     1 + 5 + 10 bits, to 65504, one part in 2^11    kept in uint16
    bfloat16   (-1)^s (1 + f/2^7)  2^(e-127)    1 + 8 + 7 bits, float32's range, one in 2^8    kept in int16
    float32    itself

NumPy has no bfloat16 and Numba no float16, so an array holds bit patterns; its dtype tells the formats apart, and one
kernel text is compiled for each. Rounding is to nearest, ties to even; what is too large becomes infinite, NaN stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._numba import by_type, dtype_of, f32, narrow, u32, widen

STORAGE = {"float32": np.float32, "float16": np.uint16, "bfloat16": np.int16}
SPARE = {"float32": 0, "float16": 13, "bfloat16": 16}  # bits of a float32's fraction that the format lacks
_FORMAT = {np.dtype(kept): name for name, kept in STORAGE.items()}

# a[i] = 0.9 a[i] + b[i], in ns, n = 1e4, 1e7 (AVX-512): float32 0.17, 0.31; float16 0.18, 0.22; bfloat16 0.28, 0.24.


@by_type(forceinline=True)
def load(array, i):
    """The float32 that array[i] stands for."""
    return {"float32": _load_float32, "float16": _load_float16, "bfloat16": _load_bfloat16}[_FORMAT[dtype_of(array)]]


@by_type(forceinline=True)
def store(array, i, x):
    """Round the float32 x to the format of the array, and write it to array[i]."""
    return {"float32": _store_float32, "float16": _store_float16, "bfloat16": _store_bfloat16}[_FORMAT[dtype_of(array)]]


@by_type(forceinline=True)
def store_dithered(array, i, x, dither):
    """The same in 16 bits, down or up: up if the 32 bits of `dither`, as a fraction of 2^32, are above what is missing.

    With dithers that are spread evenly in time, the mean of what is stored is x: what decays by less than a spacing of
    the format in a step then decays at its rate all the same, where rounding to nearest would stop it or speed it up.
    """
    return {"float16": _dither_float16, "bfloat16": _dither_bfloat16}[_FORMAT[dtype_of(array)]]


def encode(values: NDArray[np.float32] | np.float32, name: str) -> NDArray[Any]:
    """float32 values in the format of that name, as an array of dtype STORAGE[name]; float32 is not copied."""
    x = np.asarray(values, np.float32)
    if name == "float32":
        return x
    with np.errstate(all="ignore"):
        if name == "float16":
            return x.astype(np.float16).view(np.uint16)
        bits = x.view(np.uint32)
        rounded = bits + 0x7FFF + (bits >> 16 & 1)
        return (np.where(np.isnan(x), bits | 0x400000, rounded) >> 16).astype(np.uint16).view(np.int16)


def decode(array: NDArray[Any]) -> NDArray[np.float32]:
    """The float32 values that an array of a dtype in STORAGE stands for; float32 is not copied."""
    name = _FORMAT[array.dtype]
    if name == "float32":
        return array
    if name == "float16":
        return array.view(np.float16).astype(np.float32)
    return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def is_finite(array: NDArray[Any]) -> bool:
    """Whether no value of an array of a dtype in STORAGE is NaN or infinite."""
    name = _FORMAT[array.dtype]
    if name == "bfloat16":  # the exponent would be all ones
        return not (array & 0x7F80 == 0x7F80).any()
    return bool(np.isfinite(array.view(name)).all())


# What `load`, `store` and `store_dithered` are, by the format


def _dither_float16(array, i, x, dither):
    bits = u32(u32(f32(x).view(u32) + u32(u32(dither) >> u32(19))) & u32(0xFFFFE000))
    array[i] = narrow(bits.view(f32))


def _dither_bfloat16(array, i, x, dither):
    array[i] = np.int16(u32(f32(x).view(u32) + u32(u32(dither) >> u32(16))) >> u32(16))


def _load_float32(array, i):
    return array[i]


def _store_float32(array, i, x):
    array[i] = f32(x)


def _load_float16(array, i):
    return widen(array[i])


def _store_float16(array, i, x):
    array[i] = narrow(f32(x))


def _load_bfloat16(array, i):
    return u32(u32(array[i]) << u32(16)).view(f32)


def _store_bfloat16(array, i, x):
    bits = f32(x).view(u32)
    rounded = u32(bits + u32(0x7FFF) + u32(u32(bits >> u32(16)) & u32(1)))
    # a NaN is made quiet, not rounded: its upper half might be that of infinity
    array[i] = np.int16((rounded if f32(x) == f32(x) else u32(bits | u32(0x400000))) >> u32(16))
