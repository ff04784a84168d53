"""The one policy by which BioSNN compiles: strict IEEE arithmetic, cached by the hash of the sources, bounds unchecked.

Strict (no fastmath) because the same neuron may stand in the vector body of a loop in one run and in its scalar
remainder in another, with another number of threads: without reassociation or contraction both give the same bits.
A product and a sum rounded as one are had by name, as `fastmath.fma`.

With NUMBA_BOUNDSCHECK=1 in the environment every access to an array is checked, for tests: IndexError.
"""

from __future__ import annotations

import dis
import functools
import os
import platform
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import prange, types
from numba.core import cgutils
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic
from numba.np import arrayobj

from biosnn import fastmath
from biosnn._compiled import Kept
from biosnn._lazy import Collecting
from biosnn._regions import Parallel

__all__ = [
    "add_atomically",
    "align_stack",
    "allocating_kernel",
    "array_at",
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
    "word_at",
]

u8, u16, u32, u64 = np.uint8, np.uint16, np.uint32, np.uint64
i16, i32, i64, f32, f64 = np.int16, np.int32, np.int64, np.float32, np.float64

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


def _as_it_is(context, builder, kind, index, size):
    """What Numba makes of an index: by its own function, a negative one would count from the end."""
    return context.cast(builder, index, kind, types.intp)


CHECKED = bool(numba.config.BOUNDSCHECK)
if CHECKED:
    arrayobj.fix_integer_index = _as_it_is


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
    return _jit(function) if CHECKED else Parallel(function, _jit)


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
    calls = {name: scalar(names[name]) for name in sorted(loaded) if isinstance(names.get(name), FunctionType)}
    return FunctionType(function.__code__, {**names, **calls}, function.__name__) if calls else function


def _fma(x, y, z):
    """What `fastmath.fma` is compiled to."""
    return _rounded_once(x, y, z)


@intrinsic
def _rounded_once(typingctx, x, y, z):
    """x y + z of float32, as the processor does it."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), codegen


def _place(context, builder, signature, args, length=1):
    """The address of array[index], the first two arguments of an intrinsic that takes `length` elements from there."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    if CHECKED:
        for k in (0, length - 1):
            last = builder.add(args[1], args[1].type(k))
            cgutils.do_boundscheck(context, builder, last, builder.extract_value(array.shape, 0))
    return builder.gep(array.data, [args[1]])


@intrinsic
def word_at(typingctx, octets, index):
    """The eight bytes octets[index : index + 8] as one number, the first the lowest, at any address.

    A view as u64 has to begin at a multiple of eight.
    """

    def codegen(context, builder, signature, args):
        place = builder.bitcast(_place(context, builder, signature, args, 8), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(octets, index), codegen


@intrinsic
def array_at(typingctx, address, n, number):
    """The array of n numbers of a type that stands at an address: that which another array has its values at."""
    kind = types.Array(number.instance_type, 1, "C")

    def codegen(context, builder, signature, args):
        array = context.make_array(kind)(context, builder)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        data = builder.inttoptr(args[0], array.data.type)
        arrayobj.populate_array(array, data=data, shape=[args[1]], strides=[size], itemsize=size, meminfo=None)
        return array._getvalue()

    return kind(address, n, number), codegen


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the 64-byte line of array[index] ahead of its use; index must lie in the array."""

    def codegen(context, builder, signature, args):
        place = _place(context, builder, signature, args)
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte] + [ir.IntType(32)] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        hints = [ir.Constant(ir.IntType(32), hint) for hint in (0, 3, 1)]  # read, keep in all levels, data
        builder.call(function, [builder.bitcast(place, byte), *hints])
        return context.get_dummy_value()

    return types.void(array, index), codegen


@intrinsic
def add_atomically(typingctx, array, index, value):
    """array[index] += value, seen whole by other threads, after all that was written before it; the old value."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", _place(context, builder, signature, args), args[2], "acq_rel")

    return array.dtype(array, index, array.dtype), codegen


@intrinsic
def load_atomically(typingctx, array, index):
    """array[index] as other threads have it now, and all that they had written before."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", array.dtype.bitwidth // 8)

    return array.dtype(array, index), codegen


@intrinsic
def nap(typingctx):
    """Sleep for as short as the system can: some 60 us on Linux."""
    name, least = ("Sleep", 0) if os.name == "nt" else ("usleep", 1)

    def codegen(context, builder, signature, args):
        word = ir.IntType(32)
        kind = ir.FunctionType(word, [word])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [word(least)])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def nanoseconds(typingctx):
    """A clock that only goes forward, ns; reading it takes some 25 ns on Linux."""
    byte, word, long = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)

    def codegen(context, builder, signature, args):
        pair = cgutils.alloca_once(builder, ir.ArrayType(long, 2))
        fields = builder.bitcast(pair, long.as_pointer())
        if os.name == "nt":
            kind = ir.FunctionType(word, [byte])
            builder.call(
                cgutils.get_or_insert_function(builder.module, kind, "QueryPerformanceCounter"),
                [builder.bitcast(pair, byte)],
            )
            return builder.mul(builder.load(fields), long(100))  # its ticks are 100 ns
        kind = ir.FunctionType(word, [word, byte])
        clock = word(6 if sys.platform == "darwin" else 1)  # CLOCK_MONOTONIC
        function = cgutils.get_or_insert_function(builder.module, kind, "clock_gettime")
        builder.call(function, [clock, builder.bitcast(pair, byte)])
        seconds, rest = builder.load(fields), builder.load(builder.gep(fields, [long(1)]))
        return builder.add(builder.mul(seconds, long(1_000_000_000)), rest)

    return types.int64(), codegen


# Bits of the x86 control word: results, and operands, that are subnormal become zero.
_FLUSH = 0x8000 | 0x0040
_HAS_MXCSR = platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def flush_subnormals(typingctx):
    """From here on, numbers below 1.2e-38 are zero on this thread; returns the mode before, for `restore_mode`.

    A current that decays where nothing arrives passes through them, and each operation on one takes 150 cycles: a
    silent network of 20,000 neurons took 78 us a step instead of 15. Only x86 is that slow; elsewhere nothing is done.
    """

    def codegen(context, builder, signature, args):
        word = ir.IntType(32)
        if not _HAS_MXCSR:
            return word(0)
        before = _control_word(builder, "llvm.x86.sse.stmxcsr", cgutils.alloca_once(builder, word))
        _control_word(
            builder, "llvm.x86.sse.ldmxcsr", cgutils.alloca_once_value(builder, builder.or_(before, word(_FLUSH)))
        )
        return before

    return types.int32(), codegen


@intrinsic
def restore_mode(typingctx, mode):
    """Undo `flush_subnormals`, which returned `mode`: the user's own arithmetic on this thread is left alone."""

    def codegen(context, builder, signature, args):
        if _HAS_MXCSR:
            _control_word(builder, "llvm.x86.sse.ldmxcsr", cgutils.alloca_once_value(builder, args[0]))
        return context.get_dummy_value()

    return types.void(types.int32), codegen


@intrinsic
def align_stack(typingctx):
    """Have the function that calls it begin its stack with a cache line.

    Constants that find no register are read from there in each iteration, 64 bytes at a time; LLVM would align them to
    16, so that in three of four processes each read took two lines.
    """

    def codegen(context, builder, signature, args):
        builder.function.attributes.alignstack = 64
        builder.function.attributes.add("noinline")  # in a caller, that would be lost
        return context.get_dummy_value()

    return types.void(), codegen


def _control_word(builder, name, place):
    """Store the control word to a place, or load it from there; the word that then stands in both."""
    byte = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [byte]), name)
    builder.call(function, [builder.bitcast(place, byte)])
    return builder.load(place)
