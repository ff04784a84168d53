"""16-bit floats against NumPy's float16, and against bfloat16 rounded in exact rational numbers."""

import os
import re
import struct
import subprocess
import sys
from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from biosnn._numba import f32, kernel, u64
from biosnn.half import STORAGE, decode, encode, load, store

FORMATS = list(STORAGE)
PATTERNS = np.arange(2**16, dtype=np.uint16)  # every 16-bit number there is


@kernel
def read(array, values):
    for i in range(u64(array.size)):
        values[i] = load(array, i)


@kernel
def write(values, array):
    for i in range(u64(array.size)):
        store(array, i, values[i])


@kernel
def decay(array, factor, arriving):
    for i in range(u64(array.shape[0])):
        for j in range(u64(array.shape[1])):
            store(array, (i, j), load(array, (i, j)) * factor + arriving[i, j])


def decoded(array):
    """The values as a kernel reads them; on the way, that the host and plain Python read the same."""
    values = np.empty(array.size, np.float32)
    read(array, values)
    np.testing.assert_array_equal(decode(array), values)
    for i in range(0, array.size, 1 + array.size // 99):
        np.testing.assert_equal(load(array, i), values[i])
    return values


def encoded(values, name):
    """The array as a kernel writes it; on the way, that the host and plain Python write the same, NaN apart."""
    array = np.empty(values.size, STORAGE[name])
    write(values, array)
    np.testing.assert_array_equal(decode(encode(values, name)), decode(array))
    by_python = np.zeros(1, STORAGE[name])
    for i in range(0, array.size, 1 + array.size // 99):
        store(by_python, 0, values[i])
        np.testing.assert_array_equal(decode(by_python), decode(array[i : i + 1]))
    return array


def numbers(array):
    """The array without its NaN: a NaN has many patterns, and which one is nobody's concern."""
    return array[~np.isnan(decode(array))]


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def to_float16(values):
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float32)


def to_bfloat16(x):
    """x rounded to bfloat16, in rational numbers: to a multiple of the unit of its exponent, half to even."""
    if not np.isfinite(x):
        return x
    exact = Fraction(float(x))
    exponent = max(int(np.frexp(abs(np.float64(x)))[1]), -125)  # of a subnormal: that of the smallest normal
    rounded = round(exact / Fraction(2) ** (exponent - 8)) * Fraction(2) ** (exponent - 8)
    return np.float32(np.copysign(np.inf if abs(rounded) >= 2**128 else float(abs(rounded)), x))


def around_the_halves(values):
    """The points halfway between neighbours, with the float32 below and above each."""
    values = np.sort(values[np.isfinite(values)].astype(np.float64))
    half = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    return np.concatenate([half, np.nextafter(half, f32(-np.inf)), np.nextafter(half, f32(np.inf))])


def any_bits(n):
    return np.random.default_rng(1).integers(0, 2**32, n, dtype=np.uint32).view(np.float32)


def test_every_float16_is_read_as_numpy_reads_it():
    np.testing.assert_array_equal(decoded(PATTERNS), PATTERNS.view(np.float16).astype(np.float32))


def test_every_bfloat16_is_read_as_the_upper_half_of_a_float32():
    expected = [struct.unpack("<f", struct.pack("<HH", 0, pattern))[0] for pattern in PATTERNS.tolist()]
    np.testing.assert_array_equal(decoded(PATTERNS.view(np.int16)), np.array(expected, np.float32))


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_every_pattern_that_was_read_is_written_back(name):
    array = PATTERNS.view(STORAGE[name])
    back = encoded(decoded(array), name)
    np.testing.assert_array_equal(np.isnan(decode(back)), np.isnan(decode(array)))
    np.testing.assert_array_equal(numbers(back), numbers(array))


def test_float32_is_rounded_to_float16_as_numpy_rounds_it():
    values = np.concatenate([any_bits(200_000), around_the_halves(decode(PATTERNS))])
    np.testing.assert_array_equal(decode(encoded(values, "float16")), to_float16(values))


def test_float32_is_rounded_to_the_next_bfloat16_and_halves_to_the_even_one():
    some = PATTERNS[::37].view(np.int16)
    values = np.concatenate([any_bits(3000), around_the_halves(decode(np.concatenate([some, some + np.int16(1)])))])
    np.testing.assert_array_equal(decode(encoded(values, "bfloat16")), [to_bfloat16(x) for x in values])


@settings(deadline=None)  # the first example waits for the compiler
@given(st.floats(width=32))
@example(65519.996)  # the last that is not infinite
@example(65520.0)
@example(2.0**-25)  # half of the smallest float16: to zero, which is even
@example(float(np.nextafter(f32(2.0**-25), f32(1))))
@example(3.3961775292304957e38)  # the same two of bfloat16
@example(2.0**-134)
@example(struct.unpack("<f", struct.pack("<I", 0xFFFFFFFF))[0])  # NaN, that addition would turn into a zero
@example(struct.unpack("<f", struct.pack("<I", 0x7F800001))[0])  # NaN, that has infinity's upper half
def test_any_float32_is_rounded_right_and_keeps_its_sign(x):
    values = np.array([x], np.float32)
    for name, expected in ("float16", to_float16(values)), ("bfloat16", [to_bfloat16(values[0])]):
        found = decode(encoded(values, name))
        np.testing.assert_array_equal(found, expected)
        if not np.isnan(x):
            assert np.signbit(found) == np.signbit(x)
    assert np.isnan(x) or bits(encoded(values, "float32")[0]) == bits(x)


@pytest.mark.parametrize(
    ("name", "largest"), [("float32", 3.4028235e38), ("float16", 65504.0), ("bfloat16", 3.3895314e38)]
)
def test_the_largest_number_infinity_and_nan_stay(name, largest):
    values = np.array([largest, np.inf, np.nan, 0.0, -0.0, -np.nan, -np.inf, -largest], np.float32)
    np.testing.assert_array_equal(decode(encoded(values, name)), values)


@pytest.mark.parametrize(("name", "digits"), [("float32", 24), ("float16", 11), ("bfloat16", 8)])
def test_formats_are_as_fine_as_documented(name, digits):
    step = 2.0 ** (1 - digits)  # from one to the next number; half of it is rounded to one, which is even
    values = np.array([1 + step, 1 + step / 2, 1 - step / 2], np.float32)
    np.testing.assert_array_equal(decode(encoded(values, name)), [1 + step, 1.0, 1 - step / 2])


@pytest.mark.parametrize("name", FORMATS)
def test_one_kernel_serves_all_formats_and_matrices(name):
    rng = np.random.default_rng(2)
    start, arriving = rng.normal(size=(2, 37, 53)).astype(np.float32)
    array = encode(start, name).copy()
    expected = encode(decode(array) * f32(0.9) + arriving, name)
    by_python = array.copy()
    decay(array, f32(0.9), arriving)
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == STORAGE[name]
    np.testing.assert_allclose(decode(array), start * 0.9 + arriving, atol=0.05)

    decay.py_func(by_python, f32(0.9), arriving)
    np.testing.assert_array_equal(by_python, expected)


def test_an_array_of_no_format_is_refused():
    with pytest.raises(KeyError):
        decode(np.zeros(3))


@pytest.mark.skipif("BIOSNN_TEST_OLD_CPU" in os.environ, reason="this is the process that it starts")
def test_processors_that_cannot_convert_give_the_same(tmp_path):
    old = {"NUMBA_CPU_NAME": "generic", "BIOSNN_TEST_OLD_CPU": "1", "BIOSNN_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", "float16", __file__]
    subprocess.run(command, check=True, env=os.environ | old, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the processor's abilities from /proc/cpuinfo")
@pytest.mark.skipif(bool(numba.config.CPU_NAME) or not numba.config.ENABLE_AVX, reason="Numba may not use AVX")
def test_loops_over_float16_use_the_instructions_of_the_processor():
    with open("/proc/cpuinfo") as file:
        if " f16c" not in file.read():
            pytest.skip("no F16C")
    compiled = numba.njit(decay.py_func)  # what comes from the cache shows no assembly
    compiled(np.zeros((2, 9), np.uint16), f32(0.9), np.zeros((2, 9), np.float32))
    (assembly,) = compiled.inspect_asm().values()
    for name in "vcvtph2ps", "vcvtps2ph":
        assert re.search(rf"{name}.*[yz]mm", assembly), f"{name} of one number at a time"
