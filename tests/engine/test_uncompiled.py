"""With BIOSNN_COMPILE=0 plain Python runs the kernels and drivers that Numba compiles otherwise: to the same bits."""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pytest
import uncompiled

from biosnn import _intrinsics, _jit, _lowering, _plain, half
from biosnn.connectivity import words
from biosnn.propagation import rings_cpu as rings
from biosnn.propagation.dense_cpu import Dense
from biosnn.propagation.event_bucketed_cpu import Buckets
from biosnn.propagation.spike_history_cpu import Now

i8, i16, i32, i64, u8, u16, u32, u64, f32 = (
    np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float32,
)  # fmt: skip


def run_plainly(*command, **environment):
    """What a process prints that compiles nothing."""
    environment = os.environ | {"BIOSNN_COMPILE": "0"} | environment
    done = subprocess.run([sys.executable, "-W", "error", *command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def by_python():
    return json.loads(run_plainly(str(Path(uncompiled.__file__))))


@pytest.mark.parametrize("name", uncompiled.NETWORKS)
def test_every_array_of_a_network_is_the_same_compiled_or_not(name):
    found = uncompiled.digests(name)
    assert {array: digest for array, digest in found.items() if digest != by_python()[name][array]} == {}
    assert len(found) == len(by_python()[name]) > 10


def test_nothing_of_numba_is_imported_where_nothing_is_compiled():
    script = (
        "import sys, uncompiled; uncompiled.digests('silent'); from biosnn.backends import cpu;"
        "print(sorted({'numba', 'llvmlite'} & set(sys.modules)), cpu.n_threads())"
    )
    assert run_plainly("-c", script, PYTHONPATH=os.pathsep.join(sys.path)) == "[] 1\n"


# One by one: what a call is compiled to, and what Python makes of it


def compiled(function, n):
    """A compiled function of n arguments that calls another; compiled here, not found in the cache."""
    names = ", ".join(f"x{k}" for k in range(n))
    found = {"called": function}
    exec(f"def calls({names}):\n    return called({names})", found)
    return numba.njit(found["calls"], error_model="numpy")


def same(function, *arguments):
    """What a function returns, and what its arrays hold then, if both ways give the same."""
    results = []
    for call in (compiled(function, len(arguments)), function):
        given = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
        results.append([call(*given), *(x for x in given if isinstance(x, np.ndarray))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    return results[0][0]


def test_what_is_asked_of_the_processor_is_the_same():
    octets = np.arange(1, 20, dtype=u8)
    assert same(_intrinsics.word_at, octets, u64(3)) == 0x0B0A090807060504
    assert same(_intrinsics.prefetch, octets, i64(3)) is None
    assert same(_intrinsics.align_stack) is None
    assert same(_intrinsics.nap) is None
    for kind in (i32, i64):
        assert same(_intrinsics.add_atomically, np.array([1, 5], kind), i64(1), kind(2)) == 5
        assert same(_intrinsics.load_atomically, np.array([1, 5], kind), i64(1)) == 5


def test_there_is_one_clock():
    clock = compiled(_intrinsics.nanoseconds, 0)
    times = [clock(), _intrinsics.nanoseconds(), time.monotonic_ns(), clock()]
    assert times == sorted(times)
    assert times[-1] - times[0] < 1e10


PATTERNS = np.arange(2**16, dtype=u16)
ANY = np.random.default_rng(1).integers(0, 2**32, 20_000, dtype=u32).view(f32)  # NaN, infinite and subnormal, too


@np.errstate(all="ignore")
def test_halves_are_widened_and_narrowed_alike_by_the_processor_in_integers_and_by_numpy():
    def of_each(convert, values):
        found = [convert(x) for x in values]
        return np.array(found, f32) if values is PATTERNS else np.array(found, u16).view(np.float16)

    for name, values in (("widen", PATTERNS), ("narrow", ANY)):
        plain = getattr(_intrinsics, name)
        for other in (compiled(plain, 1), getattr(_lowering, f"_{name}_in_integers")):
            np.testing.assert_array_equal(of_each(other, values), of_each(plain, values))


@pytest.mark.skipif(_intrinsics._library() is None, reason="plain Python flushes where it knows the C library")
def test_subnormal_numbers_are_flushed_and_kept_again():
    smallest = f32(2.0**-126)  # that is normal
    mode = _intrinsics.flush_subnormals()
    flushed = [smallest * f32(0.5), f32(2.0**-126) + f32(2.0**-149)]
    _intrinsics.restore_mode(mode)
    assert flushed == [0.0, smallest]
    assert smallest * f32(0.5) > 0

    @numba.njit
    def there_and_back(x):
        before = _intrinsics.flush_subnormals()
        half = x * f32(0.5)
        _intrinsics.restore_mode(before)
        return before, half

    assert there_and_back(smallest) == (mode, 0.0)


@pytest.mark.skipif(_intrinsics._library() is None, reason="plain Python flushes where it knows the C library")
def test_an_exception_in_a_kernel_leaves_the_mode_of_the_thread_as_it_was():
    @_plain.kernel
    def fails():
        _intrinsics.flush_subnormals()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert f32(2.0**-126) * f32(0.5) > 0


def test_synapses_are_read_alike():
    for word in (u32(0xFFFE8001), u32(0x00027FFF)):
        same(words.slot_of, word)
        same(words.amount_of, word, 1.0)
        same(words.stored, word, np.zeros(1, i16))
        same(words.stored, word, np.zeros(1, u32))
    for weight in (f32(-12.3456), f32(0.1)):
        word = u64(weight.view(u32)) << u64(32) | u64(77)
        assert same(words.slot_of, word) == 77
        assert same(words.amount_of, word, 2.0**40) == int(np.float64(weight) * 2.0**40)
        assert same(words.fixed, weight, 2.0**40) == int(np.float64(weight) * 2.0**40)
        assert same(words.stored, word, np.zeros(1, f32)) == weight
        same(words.stored, word, np.zeros(1, u64))
    assert same(words.fixed, i16(-3), 1.0) == -3
    assert [same(words.line_of, np.zeros(3, kind)) for kind in (u32, u64)] == [16, 8]
    assert same(words.delay_at, np.array([3, 4], u8), 1) == 4
    assert same(words.delay_at, None, 1) == 0
    for delays in (np.zeros(9, u8), None):
        same(words.prefetch_delays, delays, 1)


@pytest.mark.parametrize("name", half.STORAGE)
@np.errstate(all="ignore")
def test_numbers_in_16_bits_are_read_and_written_alike(name):
    array = half.encode(np.linspace(-3.0, 3.0, 5, dtype=f32), name).copy()
    for x in (f32(0.1), f32(-1e5), f32(np.inf)):
        same(half.load, array, i64(3))
        same(half.store, array, i64(3), x)
        for dither in (u32(0), u32(0xFFFFFFFF)) if name != "float32" else ():
            same(half.store_dithered, array, i64(3), x, dither)


@pytest.mark.parametrize("dtype", [i32, i64, f32, u16, i16])  # the last two hold the patterns of 16-bit floats
@pytest.mark.parametrize("drive", [i32, i64])
def test_rings_add_keep_and_give_back_alike(dtype, drive):
    values, scale = np.zeros(4, dtype), 2.0**-16
    for amount in (drive(1001), drive(-(2**30))):
        same(rings.keep, values, u64(2), amount, scale)
        rings.add(values, u64(2), amount, scale)
        same(rings.add, values, u64(2), amount, scale)
        same(rings.recovered, values, u64(2), scale, np.zeros(1, drive))
    if drive is i32:  # whose range is kept to
        same(
            rings.recovered,
            half.encode(np.array([np.inf, -np.inf], f32), "bfloat16"),
            u64(1),
            scale,
            np.zeros(1, drive),
        )


def test_what_is_put_arrives_alike_in_each_ring():
    def empty():
        drive, rows = np.zeros(9, i32), np.arange(3, dtype=u64) * u64(3)
        yield Now(drive, u64(2)), drive
        yield Dense(drive, rows, 1.0), drive
        value, post = np.zeros((1, 256), i32), np.zeros((1, 256), u16)
        free, n_free = np.arange(4, dtype=i32)[None], np.full((1, 3), 4)
        more = np.zeros((1, 4), i32), np.zeros((1, 3), i32), free, n_free
        yield Buckets(value, post, *more, u64(2), i64(3), 1.0), value

    put = compiled(rings.put, 5)
    for (a, sums), (b, by_python_alone) in zip(empty(), empty(), strict=True):
        for delay, slot, amount in ((1, 2, 5), (0, 0, -3), (1, 2, 7)):
            put(a, 0, delay, u64(slot), i32(amount))
            rings.put(b, 0, delay, u64(slot), i32(amount))
        assert sums.any()
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(sums, by_python_alone)


def test_both_ways_to_write_kernels_have_the_same_names():
    assert set(_jit.__all__) <= set(vars(_plain))


def test_numbers_of_32_bits_wrap_around_without_a_warning_in_plain_kernels():
    @_plain.kernel
    def wraps(x):
        return _plain.u32(x * 0x9E3779B1), _plain.u32(-1) * _plain.u32(3)

    for x in (7, i64(7)):
        assert wraps(x) == (7 * 0x9E3779B1 % 2**32, 2**32 - 3)
    assert np.dtype(_plain.u32) == u32
