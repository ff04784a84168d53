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
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from biosnn._numba import f32, kernel, u16, u32

STORAGE = {"float32": np.float32, "float16": np.uint16, "bfloat16": np.int16}
SPARE = {"float32": 0, "float16": 13, "bfloat16": 16}  # bits of a float32's fraction that the format lacks
_FORMAT = {np.dtype(kept): name for name, kept in STORAGE.items()}

# a[i] = 0.9 a[i] + b[i], in ns, n = 1e4, 1e7 (AVX-512): float32 0.17, 0.31; float16 0.18, 0.22; bfloat16 0.28, 0.24.


def load(array: NDArray[Any], i: int | tuple[int, ...]) -> np.float32:
    """The float32 that array[i] stands for."""
    return np.float32(decode(array[i]))


def store(array: NDArray[Any], i: int | tuple[int, ...], x: float | np.float32) -> None:
    """Round the float32 x to the format of the array, and write it to array[i]."""
    array[i] = encode(np.float32(x), _FORMAT[array.dtype])


def store_dithered(array: NDArray[Any], i: int | tuple[int, ...], x: float | np.float32, dither: int) -> None:
    """The same, rounded down or up: up if the 32 bits of `dither`, as a fraction of 2^32, are above what is missing.

    With dithers that are spread evenly in time, the mean of what is stored is x: what decays by less than a spacing of
    the format in a step then decays at its rate all the same, where rounding to nearest would stop it or speed it up.
    """
    spare = SPARE[_FORMAT[array.dtype]]
    bits = int(np.float32(x).view(np.uint32)) + (dither >> (32 - spare) if spare else 0)
    store(array, i, np.uint32(bits >> spare << spare).view(np.float32))


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
    """Whether no value of an array of a dtype in STORAGE is NaN or infinite: its exponent would be all ones."""
    exponent: dict[str, Any] = {
        "float32": np.uint32(0x7F800000),
        "float16": np.uint16(0x7C00),
        "bfloat16": np.uint16(0x7F80),
    }
    mask = exponent[_FORMAT[array.dtype]]
    return not _some_have(array.view(mask.dtype), mask)


@kernel
def _some_have(words, mask):
    """Whether some word has all bits of the mask: 0.06 ns each, as no branch depends on one."""
    some = False
    for i in range(words.size):
        some |= words[i] & mask == mask
    return some


# What Numba compiles in place of load and store


@overload(load, jit_options={"forceinline": True})
def _choose_load(array, i):  # noqa: ARG001
    return {types.float32: _load_float32, types.uint16: _load_float16, types.int16: _load_bfloat16}.get(array.dtype)


@overload(store, jit_options={"forceinline": True})
def _choose_store(array, i, x):  # noqa: ARG001
    return {types.float32: _store_float32, types.uint16: _store_float16, types.int16: _store_bfloat16}.get(array.dtype)


@overload(store_dithered, jit_options={"forceinline": True})
def _choose_store_dithered(array, i, x, dither):  # noqa: ARG001
    return {types.uint16: _dither_float16, types.int16: _dither_bfloat16}.get(array.dtype)


def _dither_float16(array, i, x, dither):
    bits = u32(u32(f32(x).view(u32) + u32(u32(dither) >> u32(19))) & u32(0xFFFFE000))
    array[i] = _narrow(bits.view(f32))


def _dither_bfloat16(array, i, x, dither):
    array[i] = np.int16(u32(f32(x).view(u32) + u32(u32(dither) >> u32(16))) >> u32(16))


def _load_float32(array, i):
    return array[i]


def _store_float32(array, i, x):
    array[i] = f32(x)


def _load_float16(array, i):
    return _widen(array[i])


def _store_float16(array, i, x):
    array[i] = _narrow(f32(x))


def _load_bfloat16(array, i):
    return u32(u32(array[i]) << u32(16)).view(f32)


def _store_bfloat16(array, i, x):
    bits = f32(x).view(u32)
    rounded = u32(bits + u32(0x7FFF) + u32(u32(bits >> u32(16)) & u32(1)))
    # a NaN is made quiet, not rounded: its upper half might be that of infinity
    array[i] = np.int16((rounded if f32(x) == f32(x) else u32(bits | u32(0x400000))) >> u32(16))


@intrinsic
def _widen(_typing, bits):
    """float32 of the bits of a float16."""

    def codegen(context, builder, signature, args):
        if not _is_native(context, builder):
            return context.compile_internal(builder, _widen_in_integers, signature, args)
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(bits), codegen


@intrinsic
def _narrow(_typing, x):
    """The bits of the float16 next to a float32."""

    def codegen(context, builder, signature, args):
        if not _is_native(context, builder):
            return context.compile_internal(builder, _narrow_in_integers, signature, args)
        return builder.bitcast(builder.fptrunc(args[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(x), codegen


def _is_native(context, builder):
    """Whether the processor converts float16: without, LLVM calls __extendhfsf2, which is not there, and crashes.

    So it is on x86 without F16C (before 2012, or NUMBA_CPU_NAME=generic), and where Numba forgoes AVX (Ivy Bridge).
    """
    if builder.module.triple.startswith(("aarch64", "arm64", "nvptx")):
        return True
    return {"+avx", "+f16c"} <= set(context.codegen().magic_tuple()[2].split(","))


# The same in integers (after F. Giesen's variants of float_to_half, public domain): 1.6 ns in the loop above, with SSE2


def _widen_in_integers(bits):
    shifted = u32(u32(u32(bits) & u32(0x7FFF)) << u32(13))
    magnitude = f32(shifted.view(f32) * f32(2.0**112)).view(u32)  # the exponent's bias grows from 15 to 127
    magnitude = u32(magnitude | u32(0x7F800000)) if shifted >= u32(0x0F800000) else magnitude  # infinity, NaN
    return u32(magnitude | u32(u32(u32(bits) & u32(0x8000)) << u32(16))).view(f32)


def _narrow_in_integers(x):
    bits = f32(x).view(u32)
    magnitude = u32(bits & u32(0x7FFFFFFF))
    odd = u32(u32(magnitude >> u32(13)) & u32(1))
    normal = u32(u32(magnitude - u32(0x38000000 - 0xFFF) + odd) >> u32(13))
    # below 2^-14: the addition rounds to a multiple of 2^-24, the unit of 0.5's last place
    subnormal = u32(f32(u32(magnitude).view(f32) + f32(0.5)).view(u32) - u32(0x3F000000))
    result = subnormal if magnitude < u32(0x38800000) else normal
    result = u32(0x7C00) if magnitude >= u32(0x47800000) else result
    result = u32(0x7E00) if magnitude > u32(0x7F800000) else result
    return u16(result | u32(u32(bits >> u32(16)) & u32(0x8000)))
