"""The one policy by which BioSNN compiles: strict IEEE arithmetic, cached by the hash of the sources, bounds unchecked.

Strict (no fastmath) because the same neuron may stand in the vector body of a loop in one run and in its scalar
remainder in another, with another number of threads: without reassociation or contraction both give the same bits.
A product and a sum rounded as one are had by name, as `fastmath.fma`.

With NUMBA_BOUNDSCHECK=1 in the environment every access to an array is checked, for tests: IndexError.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
from llvmlite import binding
from numba import prange, types
from numba.core.registry import CPUDispatcher
from numba.extending import overload
from numba.np import numpy_support
from numpy import uint32 as u32

from biosnn import _intrinsics, _lowering, _plain, fastmath
from biosnn._compiled import Kept
from biosnn._lazy import Collecting
from biosnn._regions import Parallel

__all__ = ["allocating_kernel", "by_type", "dtype_of", "kernel", "parallel_kernel", "prange", "scalar", "seldom", "u32"]

# Two settings of LLVM. They hold for the whole process, as the compiler knows them no narrower, and change no result.
#
# By default it does not vectorise a loop that takes more than 128 comparisons to know that no two arrays overlap;
# with states, receptors and input slots of three compartments there are twenty arrays (adex_3c: 81 ns a neuron and step
# instead of 12). The comparisons are made once a call.
binding.set_option("biosnn", "--vectorize-memory-check-threshold=1024")


def _use_whole_vectors() -> None:
    """Have LLVM use all 512 bits of vectors where that does not slow the processor down: Intel from Sapphire Rapids on.

    It uses 256 on all of Intel's, because the first that had more took their clock down with them. Microcircuit 7 %
    faster, AdEx and Hodgkin-Huxley 25 to 30 %. Without effect if Numba has compiled something before.
    """
    features = binding.get_host_cpu_features()
    if numba.config.CPU_NAME is None and numba.config.CPU_FEATURES is None and features.get("avx512fp16"):
        numba.config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


_use_whole_vectors()


class _Compiled(CPUDispatcher):  # type: ignore[misc]
    """A function as Python calls it; code that is compiled itself sees another form of it, that has no wrapper.

    The wrapper takes Python's objects apart, in the driver 30 arrays, and takes longer to compile than a small kernel.
    """

    def __init__(self, function: Callable, options: dict[str, Any], is_kept: bool) -> None:
        super().__init__(function, targetoptions=options, pipeline_class=Collecting)
        self._is_kept = is_kept and function.__closure__ is None  # what it closes over would be a part of its name
        if self._is_kept:
            self._cache = Kept(function, options)

    @functools.cached_property
    def _inner(self) -> CPUDispatcher:
        options = {**self.targetoptions, "no_cpython_wrapper": True}
        inner = CPUDispatcher(self.py_func, targetoptions=options, pipeline_class=Collecting)
        if self._is_kept:
            inner._cache = Kept(self.py_func, options)
        return inner

    @property
    def _numba_type_(self) -> types.Dispatcher:
        return types.Dispatcher(self._inner)


def _jit(function: Callable, is_kept: bool = True, **options) -> Any:
    options |= {"nopython": True, "boundscheck": None, "error_model": "numpy", "no_cfunc_wrapper": True}
    return _Compiled(function, options, is_kept)


def kernel(function: Callable) -> Any:
    """Compile a function of arrays for one thread, which may make views of them, but no arrays of its own.

    So arrays need not be counted: for each that a function hands on, Numba adds one to a number and takes it off again,
    atomically, which was a fifth of the time of CUBA with 4,000 neurons.
    """
    return _jit(function, _nrt=False)


def allocating_kernel(function: Callable) -> Any:
    """Compile a function of arrays for one thread, which makes arrays of its own."""
    return _jit(function)


def parallel_kernel(function: Callable) -> Any:
    """Compile a function whose `prange` loops run on all threads, or on one where a process has no more.

    On one as well if bounds are checked: what a worker thread raises is lost.
    """
    return _jit(function) if _lowering.CHECKED else Parallel(function, _jit)


@functools.cache
def scalar(function: Callable) -> Any:
    """Compile a function of scalars, to be inlined into the loops that call it; so are the functions it calls.

    Those of `fastmath`, for one, are plain Python, and may be called as such.
    """
    compiled = _fma if function is fastmath.fma else _with_callees(function)
    return _jit(compiled, is_kept=False, forceinline=True)


@functools.cache
def seldom(function: Callable) -> Any:
    """Compile a function of scalars that is called for few of a loop's items.

    It stays a call. Inlined, it would be computed for all of them: LLVM vectorises such a loop with masks.
    """
    return _jit(_with_callees(function), is_kept=False)


def _with_callees(function: Callable) -> Callable:
    """The function, with the plain functions that it calls compiled as scalars."""
    names = function.__globals__
    loaded = {i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL"}
    plain = [name for name in sorted(loaded) if isinstance(names.get(name), FunctionType)]
    calls = {name: scalar(names[name]) for name in plain if names[name].__module__ != _intrinsics.__name__}
    return FunctionType(function.__code__, {**names, **calls}, function.__name__) if calls else function


def _fma(x, y, z):
    """`fastmath.fma`, which Numba knows as one instruction, as a compiled function."""
    return fastmath.fma(x, y, z)


def by_type(choose: Callable | None = None, **options: Any) -> Any:
    """Compile calls of a function into what `choose` returns, given the types of the arguments.

    Uncompiled, the same text is given the arguments themselves: it asks them no more than `dtype_of`, or of which named
    tuple they are. `options` are of Numba's `jit`, for the functions that are chosen from.
    """
    if choose is None:
        return functools.partial(by_type, **options)
    function = _plain.by_type(choose)
    overload(function, jit_options=options)(choose)
    return function


def dtype_of(value: Any) -> Any:
    """The dtype of an array or a number, or of the Numba type of one; None of what has none."""
    kind = getattr(value, "dtype", value)
    return numpy_support.as_dtype(kind) if isinstance(kind, types.Number) else _plain.dtype_of(value)
