"""What kernels are written with: how a function is compiled, the types of its numbers, and what no Python can say.

With BIOSNN_COMPILE=0 in the environment nothing is compiled, and Numba not even imported: kernels and drivers are the
plain Python functions that stand in their files, a debugger steps through them, and they give the same bits, slowly
and on one thread. Two things make it so. What depends on the types of arguments is chosen by one text, `by_type`, and
what has to be said to the processor stands beside a Python function of the same result (_intrinsics.py).
"""

from __future__ import annotations

import os

import numpy as np

from biosnn._intrinsics import (
    add_atomically,
    align_stack,
    array_at,
    flush_subnormals,
    load_atomically,
    nanoseconds,
    nap,
    narrow,
    prefetch,
    restore_mode,
    widen,
    word_at,
)

COMPILES = os.environ.get("BIOSNN_COMPILE") != "0"
if COMPILES:
    from biosnn._jit import allocating_kernel, by_type, dtype_of, kernel, parallel_kernel, prange, scalar, seldom, u32
else:
    from biosnn._plain import (  # type: ignore[assignment]
        allocating_kernel,
        by_type,
        dtype_of,
        kernel,
        parallel_kernel,
        prange,
        scalar,
        seldom,
        u32,
    )

__all__ = [
    "COMPILES",
    "add_atomically",
    "align_stack",
    "allocating_kernel",
    "array_at",
    "by_type",
    "dtype_of",
    "f32",
    "f64",
    "flush_subnormals",
    "i16",
    "i32",
    "i64",
    "kernel",
    "load_atomically",
    "nanoseconds",
    "nap",
    "narrow",
    "parallel_kernel",
    "prange",
    "prefetch",
    "restore_mode",
    "scalar",
    "seldom",
    "u8",
    "u16",
    "u32",
    "u64",
    "widen",
    "word_at",
]

u8, u16, u64 = np.uint8, np.uint16, np.uint64
i16, i32, i64, f32, f64 = np.int16, np.int32, np.int64, np.float32, np.float64
