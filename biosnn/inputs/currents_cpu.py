"""Injected currents. What is constant between steps is set when it changes; what is not is added in each step."""

from __future__ import annotations

import math

from biosnn._numba import f32, kernel, u64
from biosnn.inputs.shared import TILE
from biosnn.random import NOISE, keyed, normals

# Columns of the table of fluctuating currents
KEY, START, STOP, EVERY = range(4)


@kernel
def change(step, cursor, change_step, change_range, change_value, injected):
    """Set the currents that change at or before this step; cursor[0] is the next change to come.

    Change c gives injected[first:last] the values change_value[at : at + last - first], or the one value at `at` if
    uniform; change_range[c] = (first, last, at, uniform).
    """
    c = cursor[0]
    while c < change_step.size and change_step[c] <= step:
        first, last, at, uniform = change_range[c]
        for i in range(first, last):
            injected[i] = change_value[at if uniform else at + i - first]
        c += 1
    cursor[0] = c


@kernel
def begin_currents(p, sections, held, injected):
    """Begin the current of this step with what is constant between changes."""
    for q in range(sections.shape[1]):
        for i in range(u64(sections[p, q, 0]), u64(sections[p, q, 1])):
            injected[i] = held[i]


@kernel
def oscillate(step, p, row_of_part, rows, between, turns, wave, injected):
    """Add the sinusoidal currents to those of partition p: offset + a sin(2 pi turns step) + b cos(2 pi turns step).

    rows[r] = (first id, last id + 1, state index - id, source, column of the first id); wave[:, column] = offset, a, b.
    Source s acts in the steps from between[s, 0] to between[s, 1] - 1.
    """
    for r in range(row_of_part[p], row_of_part[p + 1]):
        first, last, shift, source, column = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3], rows[r, 4]
        if between[source, 0] <= step < between[source, 1]:
            angle = 2 * math.pi * ((turns[source] * step) % 1.0)
            sine, cosine = f32(math.sin(angle)), f32(math.cos(angle))
            offset, a, b = wave[0], wave[1], wave[2]
            state, at = u64(first + shift), u64(column)
            for j in range(u64(last - first)):
                injected[j + state] += offset[j + at] + sine * a[j + at] + cosine * b[j + at]


@kernel
def fluctuate(step, seed, p, row_of_part, rows, sources, forget, fluctuation, drawing, injected):
    """Add the fluctuating currents to those of partition p: mean + std z.

        z = a z + b N     every `every` steps, (a, b) = forget[source]; z = N in the first step

    rows as in `oscillate`; fluctuation[:, column] = mean, std, z. Columns of `sources`: key of the random stream, first
    step, last step + 1, every. `drawing` is the partition's room to work in.
    """
    for r in range(row_of_part[p], row_of_part[p + 1]):
        first, last, shift, source, column = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3], rows[r, 4]
        start = sources[source, START]
        if step < start or step >= sources[source, STOP]:
            continue
        mean, std, z = fluctuation[0], fluctuation[1], fluctuation[2]
        if (step - start) % sources[source, EVERY] == 0:
            a, b = (f32(0), f32(1)) if step == start else (forget[source, 0], forget[source, 1])
            key = keyed(seed, NOISE + (sources[source, KEY] << 8), step)
            for begin in range(first, last, TILE):
                end = min(begin + TILE, last)
                # numbers come in pairs, of neurons 2 k and 2 k + 1
                pair = begin // 2
                normals(pair, (end + 1) // 2 - pair, key, drawing[p, 0], drawing[p, 1])
                _move(end - begin, begin - 2 * pair, drawing[p, 0], a, b, column + begin - first, z)
        state, at = u64(first + shift), u64(column)
        for j in range(u64(last - first)):
            injected[j + state] += mean[j + at] + std[j + at] * z[j + at]


@kernel
def _move(n, skipped, number, a, b, at, z):
    for j in range(u64(n)):
        z[j + u64(at)] = a * z[j + u64(at)] + b * number[j + u64(skipped)]
