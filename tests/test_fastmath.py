"""Elementary functions in float32: the errors that their docstrings name, and what they make of special values."""

import numpy as np
import pytest

from biosnn import fastmath
from biosnn._numba import kernel, scalar, u64


@kernel
def _each(function, x, out):
    for i in range(u64(x.size)):
        out[i] = function(x[i])


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
        ("exp", np.linspace(-87.3, 88.3, 2_000_001), 8.5e-8),
        ("exp", np.linspace(-0.4, 0.4, 500_001), 8.5e-8),
        ("log", np.exp(np.linspace(-87.0, 88.0, 500_000)), 2.3e-7),
        ("log", np.linspace(0.5, 2.0, 500_000), 2.3e-7),
        ("sqrt", np.exp(np.linspace(-87.0, 88.0, 500_000)), 2.0**-24),
    ],
)
def test_relative_errors(name, x, largest):
    out, exact = values(name, x)
    assert (np.abs(out - exact) <= largest * np.abs(exact)).all()


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_errors_of_sine_and_cosine(name):
    out, exact = values(name, np.concatenate([np.linspace(-4.0, 4.0, 500_000), np.linspace(-1e4, 1e4, 500_000)]))
    assert np.abs(out - exact).max() < 2e-7


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


def test_the_plain_functions_give_what_the_compiled_ones_do():
    x = np.linspace(0.1, 3.0, 30, dtype=np.float32)
    for name in ("exp", "log", "sqrt", "sin", "cos"):
        with np.errstate(over="ignore"):  # words wrap around, of which NumPy's scalars warn
            plain = [getattr(fastmath, name)(v) for v in x]
        np.testing.assert_array_equal(plain, values(name, x)[0])
