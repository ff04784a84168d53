"""Odd values: what users, files and other libraries hand in by mistake; see benchmarks/fuzz.py."""

from __future__ import annotations

import datetime
import decimal
import fractions

import numpy as np
from fuzz_calls import M, N, World
from scipy import sparse, stats

import biosnn as bs


class _NoNumber:
    """What cannot be turned into a number."""

    def __float__(self):
        raise ValueError("no number")


def _itself():
    found = []
    found.append(found)
    return found


def _structured(n):
    return np.zeros(n, [("x", float), ("y", int)])


VALUES = [
    None, np.nan, np.inf, -np.inf, 0, 0.0, -0.0, -1, -1.0, 1, 1.0, 2, 0.05, 0.1, 0.15, 1e-3, 1e-12, 1e-40, 5e-324,
    100.0, 1e6, 1e9, 1e16, 1e30, 3e38, 1e39, 1e308, -1e308, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, -(10**30), 10**400,
    "", "1", "ex", "a", "V_m", "auto", "nan", "\n", "x\ny", "{}", "%s", "\0", "é", b"1", True, False, np.bool_(True),
    1j, 1 + 0j, np.float16(1.5), np.float32(0.1), np.longdouble(0.1), np.int8(3), np.uint8(255), np.uint64(2**63),
    np.datetime64("2020-01-01"), np.timedelta64(1, "ms"), datetime.date(2020, 1, 1), datetime.timedelta(1),
    fractions.Fraction(1, 3), decimal.Decimal("0.1"), Ellipsis, NotImplemented, slice(None), range(3), range(0), (),
    [], {}, set(), [[]], [[], []], [[1], [2, 3]], [None], [1, None], ["1"], [True, False], [1, 2], (1.0, 2.0),
    {"v": 1.0}, {"v": "1"}, {1: 2}, {1.0, 2.0}, [np.nan], [np.inf, 1.0], [1j], [10**30], [-1], [0], [0.1], [0.1, 0.1],
    [[0.1]], [[[0.1]]], object, float, len, np, _NoNumber(), object(), np.array(1.0), np.array(None), np.array("1"),
    np.array([]), np.zeros((0, 3)), np.zeros((3, 0)), np.broadcast_to(1.0, 10**9),
    np.broadcast_to(1.0, (10**5, 10**5)), memoryview(b"123"), bytearray(b"12"), np.matrix([[1.0, 2.0]]),
    np.dtype(float), np.ma.masked,
]  # fmt: skip
MADE = [  # of a world
    lambda w: (x for x in (1.0, 2.0)), lambda w: iter([1.0]), lambda w: map(float, [1]), lambda w: _itself(),
    lambda w: w.a, lambda w: w.b, lambda w: w.s, lambda w: w.g, lambda w: w.foreign, lambda w: w.a[:0],
    lambda w: w.a[::2], lambda w: [w.a, w.b], lambda w: [w.a, w.foreign], lambda w: [w.a, None], lambda w: w.net,
    lambda w: w.other, lambda w: w.matrix, lambda w: w.matrix.astype(complex), lambda w: w.matrix * np.nan,
    lambda w: w.matrix.T, lambda w: w.matrix > 3, lambda w: sparse.coo_array(np.ones((N, M))),
    lambda w: sparse.csr_matrix((N, M)), lambda w: sparse.coo_matrix(([1.0, 2.0], ([0, 0], [1, 1])), shape=(N, M)),
    lambda w: bs.normal(1.0, 2.0), lambda w: bs.normal(1e300, 1e300), lambda w: bs.exponential(1.0),
    lambda w: bs.normal, lambda w: bs.uniform(-1.0, 1.0), lambda w: bs.lognormal(0.0, 100.0), lambda w: stats.norm,
    lambda w: stats.norm(1, 2), lambda w: stats.cauchy(), lambda w: stats.poisson(3), lambda w: stats.norm([1, 2], 3),
    lambda w: stats.norm(np.nan, 1), lambda w: bs.space.gaussian(10.0), lambda w: 2.0 * bs.space.within(20.0),
    lambda w: bs.space.conduction(0.1), lambda w: bs.stepped([0.0], [1.0]), lambda w: bs.noise(1.0, 1.0),
    lambda w: bs.sinusoidal(1.0, 1.0, 1.0), lambda w: bs.playback([[1.0] * N], 1.0),
    lambda w: bs.ornstein_uhlenbeck(1.0, 1.0, 1.0), lambda w: bs.models.iaf_psc_exp,
    lambda w: bs.models.parrot_neuron(), lambda w: bs.models.iaf_psc_delta(), lambda w: bs.receptors.AMPA(),
    lambda w: [bs.receptors.AMPA()] * 2, lambda w: bs.fixed_indegree, lambda w: bs.fixed_indegree(2),
    lambda w: bs.one_to_one(), lambda w: bs.grid((2, 3), 1.0), lambda w: bs.DescriptionError, lambda w: w.pair,
    lambda w: (w.pair[0], w.pair[1][:1]), lambda w: ([0.5], [1]), lambda w: ([10**6], [0]),
]  # fmt: skip


def odd(rng: np.random.Generator, w: World) -> object:
    """An odd value."""
    k = int(rng.integers(-len(VALUES) // 2, len(VALUES) + len(MADE)))
    if k < 0:
        return _array(rng, int(rng.choice([N, M, 1, 2, 3, N * M])))
    return VALUES[k] if k < len(VALUES) else MADE[k - len(VALUES)](w)


def _array(rng, n):
    """An odd array of n numbers."""
    x = rng.uniform(0.1, 2.0, n)
    bad = x.copy()
    bad[-1:] = rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 5e-324])
    readonly = x.copy()
    readonly.flags.writeable = False
    made = (
        bad, x[::-1], np.repeat(x, 2)[::2], readonly, x.astype(np.float32), x.astype(np.float16),
        x.astype(np.longdouble), x.astype(complex), x.astype(object), x.astype(str), x.astype("S8"), x > 1,
        np.full(n, 200, np.uint8), np.full(n, 2**63, np.uint64), np.full(n, -1), np.ma.masked_array(x, x > 1),
        np.ma.masked_array(x, False), x[:, None], x[None], np.tile(x, (n, 1)), np.asfortranarray(np.tile(x, (3, 1))),
        _structured(n), x.tolist(), tuple(x), np.full(n, None), np.full(n, "1", object),
        np.array(["2020-01-01"] * n, "datetime64[D]"), x.astype(">f8"), np.arange(n), np.arange(n, dtype=np.int8),
        np.arange(n)[::-1], np.rint(x), x.astype("m8[ms]"), np.resize(x, n + 1),
    )  # fmt: skip
    return made[rng.integers(len(made))]
