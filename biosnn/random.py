"""Counter-based random numbers: each is a pure function of (seed, stream, index), so order and threads never matter.

`mix64` is the output function of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA), `word32` a 32-bit finaliser of the same
form (constants: lowbias32 by C. Wellons). One definition serves NumPy arrays (`.py_func`), CPU and GPU kernels.
"""

from __future__ import annotations

import math

import numpy as np

from biosnn import fastmath
from biosnn._numba import f32, i32, kernel, scalar, u32, u64

GOLDEN = np.uint64(0x9E3779B97F4A7C15)

# Streams: what a random number is for. A new use takes a new number, so that no two uses ever share one.
INITIAL, PARAMETER, SYNAPSE, INDEGREE, POISSON, NOISE, NEURON = range(1, 8)

log, sin, cos = scalar(fastmath.log), scalar(fastmath.sin), scalar(fastmath.cos)
_MINUS_TWO, _SCALE, _TURN = f32(-2.0), f32(2.0**-32), f32(math.tau * 2.0**-32)


@scalar
def mix64(x):
    """Scramble a 64-bit word, one to one."""
    x = u64((x ^ (x >> u64(30))) * u64(0xBF58476D1CE4E5B9))
    x = u64((x ^ (x >> u64(27))) * u64(0x94D049BB133111EB))
    return u64(x ^ (x >> u64(31)))


@scalar
def keyed(seed, stream, item):
    """The 64-bit key of one item of a stream: adding GOLDEN and mixing gives a SplitMix64 sequence of its own."""
    return mix64(u64(mix64(u64(u64(seed) + GOLDEN * u64(stream))) + GOLDEN * u64(item)))


@scalar
def word32(counter, key_low, key_high):
    """32 random bits for one counter (a neuron) under a 64-bit key (a step of a stream).

    The second half of the key enters between the two multiplications: with one half alone, two steps whose keys differ
    by a multiple of the counter's stride would see the same numbers, shifted along the neurons.
    """
    # Numba widens uint32 * uint32 to 64 bits: every product is cast back.
    x = u32(u32(u32(counter) * u32(0x9E3779B1)) + key_low)
    x = u32(x ^ (x >> u32(16)))
    x = u32(x * u32(0x7FEB352D))
    x = u32(x ^ key_high)
    x = u32(x ^ (x >> u32(15)))
    x = u32(x * u32(0x846CA68B))
    return u32(x ^ (x >> u32(16)))


@scalar
def uniform(word):
    """A float32 in [0, 1) of 32 random bits: a multiple of 2^-24."""
    return f32(u32(word) >> u32(8)) * f32(2.0**-24)


@kernel
def normals(pair, n_pairs, key, out, work):
    """Standard normal float32 numbers out[0 : 2 n_pairs], of the counters from 2 `pair` on, under a 64-bit key.

        out[2k], out[2k + 1] = r cos(a), r sin(a)    r = sqrt(-2 ln u1), a = 2 pi u2

    u1 and u2 have 32 bits, so no number lies beyond 6.66. `work` is of the size of `out`.
    Source: Box & Muller 1958, Ann. Math. Stat. 29:610.
    """
    low, high = u32(key & u64(0xFFFFFFFF)), u32(key >> u64(32))
    n = u64(n_pairs)
    # Short loops: chained into one, the operations fill the processor's scheduler, and a number takes 4 ns, not 1.6.
    for k in range(n):
        work[k] = f32(u32(word32(u32(u32(k) + u32(pair)), low, high) | u32(1))) * _SCALE
    for k in range(n):
        work[k + n] = f32(i32(word32(u32(u32(k) + u32(pair)), high, low))) * _TURN
    for k in range(n):
        work[k] = np.sqrt(_MINUS_TWO * log(work[k]))
    for k in range(n):
        r, a = work[k], work[k + n]
        out[u64(2) * k] = r * cos(a)
        out[u64(2) * k + u64(1)] = r * sin(a)


def uniforms(seed: int, stream: int, item: int, n: int) -> np.ndarray:
    """n float64 in (0, 1), the same for the same (seed, stream, item) on every machine; 53 bits."""
    mix = mix64.py_func  # the plain function, on arrays
    with np.errstate(over="ignore"):
        start = mix(np.uint64(mix(np.uint64(seed) + GOLDEN * np.uint64(stream)) + GOLDEN * np.uint64(item)))
        words = mix(start + GOLDEN * np.arange(1, n + 1, dtype=np.uint64))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54


def generator(seed: int, stream: int, item: int) -> np.random.Generator:
    """NumPy's generator for what is drawn on the host (out-degrees), on a stream of its own."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, stream, item])))
