"""Kernels as the plain Python functions that they are, where nothing is compiled: by the names that _jit.py has, too.

What is compiled wraps around, overflows and divides by zero without a word. So NumPy says none here either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from biosnn._intrinsics import unwind

prange = range  # there is one thread


class u32(np.uint32):  # noqa: N801 - as kernels call it
    """NumPy's, of any whole number: of Python's, which know no 32 bits, NumPy would refuse what has more."""

    def __new__(cls, x: Any) -> Any:
        """x modulo 2^32."""
        return np.uint32(x & 0xFFFFFFFF if type(x) is int else x)


def kernel(function: Callable) -> Any:
    """The function, without NumPy's warnings; as it is, it is its own `py_func`, as of one that was compiled."""

    @functools.wraps(function)
    def silent(*arguments):
        with np.errstate(all="ignore"):
            try:
                return function(*arguments)
            except BaseException:
                unwind()
                raise

    silent.py_func = function  # type: ignore[attr-defined]
    return silent


allocating_kernel = parallel_kernel = scalar = seldom = kernel


def by_type(choose: Callable | None = None, **options: Any) -> Any:
    """A function that calls what `choose` returns, given the same arguments; `options` are for compiling it."""
    if choose is None:
        return by_type

    @functools.wraps(choose)
    def chosen(*arguments):
        with np.errstate(all="ignore"):
            return choose(*arguments)(*arguments)

    return chosen


def dtype_of(value: Any) -> Any:
    """The dtype of an array or of one of NumPy's numbers; None of what has none."""
    return getattr(value, "dtype", None)
