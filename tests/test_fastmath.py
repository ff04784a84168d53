"""Elementary functions in float32: the errors that their docstrings name, and what they make of special values."""

import hashlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from biosnn import fastmath
from biosnn._numba import kernel, scalar, u64

FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tanh")


@kernel
def _each(function, x, out):
    for i in range(u64(x.size)):
        out[i] = function(x[i])


@kernel
def _each_sum(function, x, y, z, out):
    for i in range(u64(x.size)):
        out[i] = function(x[i], y[i], z[i])


def values(name, x):
    """What the compiled function makes of an array, and what NumPy does in double precision."""
    x = np.asarray(x, np.float32)
    out = np.zeros_like(x)
    _each(scalar(getattr(fastmath, name)), x, out)
    with np.errstate(all="ignore"):
        return out, getattr(np, name)(x.astype(np.float64))


@pytest.mark.parametrize(
    ("name", "x", "largest"),
    [
        ("exp", np.linspace(-87.3, 88.3, 2_000_001), 9e-8),
        ("exp", np.linspace(-0.4, 0.4, 500_001), 9e-8),
        ("log", np.exp(np.linspace(-87.0, 88.0, 500_000)), 1.8e-7),
        ("log", np.linspace(0.5, 2.0, 500_000), 1.8e-7),
        ("tanh", np.linspace(-100.0, 100.0, 2_000_001), 2e-7),
        ("tanh", np.linspace(-1.0, 1.0, 2_000_001), 2e-7),
        ("tanh", np.exp(np.linspace(-87.0, 0.0, 500_000)), 2e-7),
        ("sqrt", np.exp(np.linspace(-87.0, 88.0, 500_000)), 2.0**-24),
    ],
)
def test_relative_errors(name, x, largest):
    out, exact = values(name, x)
    assert (np.abs(out - exact) <= largest * np.abs(exact)).all()


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_errors_of_sine_and_cosine(name):
    out, exact = values(name, np.concatenate([np.linspace(-4.0, 4.0, 500_000), np.linspace(-1e5, 1e5, 500_000)]))
    assert np.abs(out - exact).max() < 2e-7


def test_a_coarse_reciprocal():
    x = np.exp(np.linspace(-85.0, 85.0, 500_000)).astype(np.float32)
    out = np.zeros_like(x)
    _each(scalar(fastmath.coarse_reciprocal), x, out)
    assert np.abs(out * x.astype(np.float64) - 1).max() < 3e-3


def test_special_values():
    out, _ = values("exp", [-np.inf, -1000.0, 0.0, 1000.0, np.inf, np.nan])
    assert (out[:2] < 1.3e-38).all()
    assert (out[:2] > 0).all()
    assert out[2] == 1
    assert (out[3:5] > 2e38).all()
    assert np.isfinite(out[3:5]).all()
    assert np.isnan(out[5])
    out, _ = values("log", [0.0, -1.0, 1.0, np.nan])
    assert out[0] == -np.inf
    assert out[2] == 0
    assert np.isnan(out[[1, 3]]).all()
    out, exact = values("tanh", [-np.inf, 0.0, np.inf, np.nan])
    np.testing.assert_array_equal(out, exact)


def test_the_plain_functions_give_what_the_compiled_ones_do():
    x = np.linspace(0.1, 3.0, 30, dtype=np.float32)
    for name in FUNCTIONS:
        with np.errstate(over="ignore"):  # words wrap around, of which NumPy's scalars warn
            plain = [getattr(fastmath, name)(v) for v in x]
        np.testing.assert_array_equal(plain, values(name, x)[0])


def test_a_product_and_a_sum_are_rounded_once():
    draw = np.random.default_rng(1)
    x, y = (draw.normal(size=2000).astype(np.float32) for _ in range(2))
    near = (-x.astype(np.float64) * y).astype(np.float32)  # of the sum, only the rounding of the product is left
    z = np.concatenate([near[:1000], draw.normal(size=1000).astype(np.float32)])
    z[500:1000] *= np.float32(1e7)
    exact = [Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)) for a, b, c in zip(x, y, z, strict=True)]
    out = np.zeros_like(x)
    _each_sum(scalar(fastmath.fma), x, y, z, out)
    np.testing.assert_array_equal([fastmath.fma(*v) for v in zip(x, y, z, strict=True)], out)
    for given, found, below, above in zip(
        exact, out, np.nextafter(out, np.float32(-np.inf)), np.nextafter(out, np.float32(np.inf)), strict=True
    ):
        error = abs(Fraction(float(found)) - given)
        assert all(error <= abs(Fraction(float(other)) - given) for other in (below, above))


def test_the_plain_fma_rounds_once_where_twice_would_differ():
    # 1 + 2^-11 + 2^-24 + 2^-60: just above the middle between two float32, and in float64 the middle itself
    x = np.float32(1 + 2.0**-12)
    assert fastmath.fma(x, x, np.float32(2.0**-60)) == np.float32(1 + 2.0**-11 + 2.0**-23)
    assert fastmath.fma(x, x, np.float32(-(2.0**-60))) == np.float32(1 + 2.0**-11)
    with np.errstate(over="ignore"):
        assert np.isinf(fastmath.fma(x, np.float32(3e38), np.float32(3e38)))
    assert np.isnan(fastmath.fma(np.float32(np.inf), x, np.float32(-np.inf)))


def fingerprint():
    """Of what all compiled functions make of many numbers."""
    x = np.linspace(-9.0, 9.0, 5000, dtype=np.float32)
    found = [values(name, abs(x) if name in ("log", "sqrt") else x)[0] for name in FUNCTIONS]
    return hashlib.sha256(np.concatenate(found).tobytes()).hexdigest()


def test_processors_without_fused_products_give_the_same(tmp_path):
    env = os.environ | {"NUMBA_CPU_NAME": "generic", "BIOSNN_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", "import test_fastmath; print(test_fastmath.fingerprint())"]
    here = Path(__file__).parent
    told = subprocess.run(command, check=True, env=env, cwd=here, stdout=subprocess.PIPE, text=True).stdout
    assert told.strip() == fingerprint()
