"""Poisson input of a rate that changes in time, or differs between neurons.

One rate for all neurons: the thresholds of `poisson.thresholds` are made anew in each step, and compared as there.
A rate for each neuron: the count is found by inversion. With u a uniform 32-bit word / 2^32 and m the mean count,

    k = #{j : u >= P(X <= j)}     P(X <= j) = sum of e^-m m^i / i!, i = 0..j

in float64, four j at a time for a tile of neurons, until none of them has another arrival: exact to 2^-32, and 3 ns a
neuron and step where few get more than three arrivals, 0.8 ns more for each four. Both ways give the same counts.
"""

from __future__ import annotations

import math

import numpy as np

from biosnn._numba import f32, f64, i32, kernel, u32, u64
from biosnn.inputs.poisson_cpu import arrive_in_tile
from biosnn.inputs.shared import TILE, WINDOW
from biosnn.random import POISSON, keyed, word32

# Columns of the table of sources
KEY, WAVES, FIRST_LEVEL, LAST_LEVEL, AT, WIDTH, PERIOD = range(7)

_NONE, _ONE, _HALF, _THIRD = f64(0), f64(1), f64(1 / 2), f64(1 / 3)
_PER_LN2, _LN2 = f64(-1 / math.log(2)), f64(math.log(2))
# Added to a float64, this leaves the nearest integer in its lowest bits.
_INTEGER = f64(1.5 * 2**52)
_EXPONENT = u64((1023 + 32) << 52)  # of 2^32
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9 = (f64(1 / math.factorial(k)) for k in range(2, 10))


@kernel
def arrive_varying(step, seed, p, row_of_part, rows, sources, turns, level_step, mean, table, counting, weights, drive):
    """Add the arrivals of this step to the input of partition p.

    rows[r] = (first id, last id + 1, drive index - id, source, column of the first id). Columns of `sources`: key of
    the random stream; is it a wave; its levels in `level_step`, where each one begins; where its means stand in `mean`,
    and how many a level has: one, or one for each column; the steps after which levels begin again, 0 if they do not. A
    wave has three levels: offset, and the factors of sin and cos(2 pi turns step). `table` and `counting` are the
    partition's room to work in.
    """
    for r in range(row_of_part[p], row_of_part[p + 1]):
        first, last, shift, source, column = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3], rows[r, 4]
        width, at, level = sources[source, WIDTH], sources[source, AT], 0
        sine, cosine = f32(0), f32(0)
        if sources[source, WAVES]:
            angle = 2 * math.pi * ((turns[source] * (step + 1)) % 1.0)  # what arrives, does so at the end of the step
            sine, cosine = f32(math.sin(angle)), f32(math.cos(angle))
        else:
            begin, end = sources[source, FIRST_LEVEL], sources[source, LAST_LEVEL]
            now, period = step, sources[source, PERIOD]
            if period > 0 and step > level_step[begin]:
                now = level_step[begin] + (step - level_step[begin]) % period
            level = np.searchsorted(level_step[begin:end], now, side="right") - 1
            if level < 0:
                continue
            at += level * width
        key = keyed(seed, POISSON + (sources[source, KEY] << 8), step)
        low, high = u32(key & u64(0xFFFFFFFF)), u32(key >> u64(32))
        if width == 1:
            one = mean[at]
            if sources[source, WAVES]:
                one = max(f32(one + sine * mean[at + 1] + cosine * mean[at + 2]), f32(0))
            if one > 0:
                start = _fill_table(f64(one), table[p])
                for begin in range(first, last, TILE):
                    end = min(begin + TILE, last)
                    arrive_in_tile(begin, end, shift, low, high, table[p], start, weights[source], drive)
            continue
        for begin in range(first, last, TILE):
            n = min(TILE, last - begin)
            here = at + column + begin - first
            if sources[source, WAVES]:
                _wave_means(n, here, width, sine, cosine, mean, counting[p])
            else:
                _level_means(n, here, mean, counting[p])
            _count_in_tile(begin, n, shift, low, high, counting[p], weights[source], drive)


@kernel
def _fill_table(mean, table):
    """Thresholds for one mean count, as `poisson.thresholds` makes them; where their window starts."""
    term = math.exp(-mean)
    cdf = term
    for k in range(table.size):
        table[k] = u32(min(max(math.ceil(cdf * 4294967296.0) - 1.0, 0.0), 4294967295.0))
        term *= mean / (k + 1)
        cdf += term
    return min(max(int(mean - WINDOW / 2), 0), table.size - WINDOW)


@kernel
def _level_means(n, at, mean, counting):
    for j in range(u64(n)):
        counting[j] = f64(mean[j + u64(at)])


@kernel
def _wave_means(n, at, width, sine, cosine, mean, counting):
    """offset + a sin + b cos, where that is positive."""
    for j in range(u64(n)):
        i = j + u64(at)
        m = mean[i] + sine * mean[i + u64(width)] + cosine * mean[i + u64(2 * width)]
        counting[j] = f64(m if m > f32(0) else f32(0))


@kernel
def _count_in_tile(begin, n, shift, low, high, counting, weight, drive):
    left = _count_first(begin, n, shift, low, high, counting, weight, drive)
    k = 4
    while left:
        left = _count_on(begin, n, shift, k, counting, weight, drive)
        k += 4


@kernel
def _count_first(begin, n, shift, low, high, counting, weight, drive):
    """Arrivals 1 to 4 of each neuron; whether some neuron may have more. All is in units of 2^-32.

    `counting` holds, in three parts of TILE, the mean counts, then P(X = 3), and P(X <= 3) - u.
    """
    number = drive.dtype.type
    w, none = weight, number(0)
    left = i32(0)
    for j in range(u64(n)):
        m = counting[j]
        # 2^32 e^-m: 2^k by its bits, the rest by its series, to 1e-11
        y = m * _PER_LN2
        shifted = y + _INTEGER
        x = (y - (shifted - _INTEGER)) * _LN2
        e = _ONE + x * (
            _ONE + x * (_E2 + x * (_E3 + x * (_E4 + x * (_E5 + x * (_E6 + x * (_E7 + x * (_E8 + x * _E9)))))))
        )
        term = e * u64((f64(shifted).view(u64) << u64(52)) + _EXPONENT).view(f64)
        u = f64(word32(j + u64(begin), low, high))
        cdf = term
        k = number(w if u >= cdf else none)
        term = term * m
        cdf = cdf + term
        k = number(k + (w if u >= cdf else none))
        term = term * m * _HALF
        cdf = cdf + term
        k = number(k + (w if u >= cdf else none))
        term = term * m * _THIRD
        cdf = cdf + term
        k = number(k + (w if u >= cdf else none))
        left = i32(left | (i32(1) if u >= cdf else i32(0)))
        counting[j + u64(TILE)] = term
        counting[j + u64(2 * TILE)] = cdf - u
        i = j + u64(begin) + u64(shift)
        drive[i] = number(drive[i] + k)
    return left


@kernel
def _count_on(begin, n, shift, first, counting, weight, drive):
    """Arrivals first + 1 to first + 4; whether some neuron may have more."""
    number = drive.dtype.type
    w, none = weight, number(0)
    left = i32(0)
    a, b, c, d = f64(1 / first), f64(1 / (first + 1)), f64(1 / (first + 2)), f64(1 / (first + 3))
    for j in range(u64(n)):
        m, term, above = counting[j], counting[j + u64(TILE)], counting[j + u64(2 * TILE)]
        term = term * m * a
        above = above + term
        k = number(w if above <= _NONE else none)
        term = term * m * b
        above = above + term
        k = number(k + (w if above <= _NONE else none))
        term = term * m * c
        above = above + term
        k = number(k + (w if above <= _NONE else none))
        term = term * m * d
        above = above + term
        k = number(k + (w if above <= _NONE else none))
        left = i32(left | (i32(1) if above <= _NONE else i32(0)))
        counting[j + u64(TILE)] = term
        counting[j + u64(2 * TILE)] = above
        i = j + u64(begin) + u64(shift)
        drive[i] = number(drive[i] + k)
    return left
