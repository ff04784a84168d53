"""What Numba makes of the functions in _intrinsics.py, and of `fastmath.fma`: instructions, and calls of the system.

With NUMBA_BOUNDSCHECK=1 in the environment their accesses to arrays are checked like all others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import infer, infer_global, make_intrinsic_template
from numba.np import arrayobj

from biosnn import _intrinsics, fastmath

f32, u16, u32 = np.float32, np.uint16, np.uint32


def lowered(function: Callable) -> Any:
    """Have Numba compile calls of a Python function into what the definition below it says, that of an intrinsic.

    Numba's own `intrinsic` would make a function of the definition, and Python could not call that.
    """

    def register(definition: Callable) -> Callable:
        template = make_intrinsic_template(function, definition, function.__name__)
        infer(template)
        infer_global(function, types.Function(template))
        return definition

    return register


def _as_it_is(context, builder, kind, index, size):
    """What Numba makes of an index: by its own function, a negative one would count from the end."""
    return context.cast(builder, index, kind, types.intp)


CHECKED = bool(numba.config.BOUNDSCHECK)
if CHECKED:
    arrayobj.fix_integer_index = _as_it_is


@lowered(fastmath.fma)
def _fma(typingctx, x, y, z):
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


@lowered(_intrinsics.word_at)
def _word_at(typingctx, octets, index):
    def codegen(context, builder, signature, args):
        place = builder.bitcast(_place(context, builder, signature, args, 8), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(octets, index), codegen


@lowered(_intrinsics.array_at)
def _array_at(typingctx, address, n, number):
    kind = types.Array(number.instance_type, 1, "C")

    def codegen(context, builder, signature, args):
        array = context.make_array(kind)(context, builder)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        data = builder.inttoptr(args[0], array.data.type)
        arrayobj.populate_array(array, data=data, shape=[args[1]], strides=[size], itemsize=size, meminfo=None)
        return array._getvalue()

    return kind(address, n, number), codegen


@lowered(_intrinsics.prefetch)
def _prefetch(typingctx, array, index):
    def codegen(context, builder, signature, args):
        place = _place(context, builder, signature, args)
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte] + [ir.IntType(32)] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        hints = [ir.Constant(ir.IntType(32), hint) for hint in (0, 3, 1)]  # read, keep in all levels, data
        builder.call(function, [builder.bitcast(place, byte), *hints])
        return context.get_dummy_value()

    return types.void(array, index), codegen


@lowered(_intrinsics.add_atomically)
def _add_atomically(typingctx, array, index, value):
    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", _place(context, builder, signature, args), args[2], "acq_rel")

    return array.dtype(array, index, array.dtype), codegen


@lowered(_intrinsics.load_atomically)
def _load_atomically(typingctx, array, index):
    def codegen(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", array.dtype.bitwidth // 8)

    return array.dtype(array, index), codegen


@lowered(_intrinsics.nap)
def _nap(typingctx):
    name, least = ("Sleep", 0) if os.name == "nt" else ("usleep", 1)

    def codegen(context, builder, signature, args):
        word = ir.IntType(32)
        kind = ir.FunctionType(word, [word])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [word(least)])
        return context.get_dummy_value()

    return types.void(), codegen


@lowered(_intrinsics.nanoseconds)
def _nanoseconds(typingctx):
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


@lowered(_intrinsics.flush_subnormals)
def _flush_subnormals(typingctx):
    def codegen(context, builder, signature, args):
        word = ir.IntType(32)
        if not _intrinsics.HAS_MXCSR:
            return word(0)
        before = _control_word(builder, "llvm.x86.sse.stmxcsr", cgutils.alloca_once(builder, word))
        _control_word(
            builder,
            "llvm.x86.sse.ldmxcsr",
            cgutils.alloca_once_value(builder, builder.or_(before, word(_intrinsics.FLUSH))),
        )
        return before

    return types.int32(), codegen


@lowered(_intrinsics.restore_mode)
def _restore_mode(typingctx, mode):
    def codegen(context, builder, signature, args):
        if _intrinsics.HAS_MXCSR:
            _control_word(builder, "llvm.x86.sse.ldmxcsr", cgutils.alloca_once_value(builder, args[0]))
        return context.get_dummy_value()

    return types.void(types.int32), codegen


@lowered(_intrinsics.align_stack)
def _align_stack(typingctx):
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


@lowered(_intrinsics.widen)
def _widen(_typing, bits):
    def codegen(context, builder, signature, args):
        if not _is_native(context, builder):
            return context.compile_internal(builder, _widen_in_integers, signature, args)
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(bits), codegen


@lowered(_intrinsics.narrow)
def _narrow(_typing, x):
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
