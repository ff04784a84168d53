"""Drawing pairs by their distance, exactly, in a time that grows with the pairs drawn and not with those there are.

The neurons to choose from stand in the cells of a grid. In a cell the shape of a profile is at most its value at the
nearest point, `most`. So candidates are drawn as if it were `most` everywhere, and each is kept with probability
shape / most: thinning, as of a Poisson process. A table bounds the shape; it is computed where that does not decide.

Kernels are called twice: without room in `words` they count, then they write. Each pair is written as the position of
its target to words[fill[id of the source]], which grows by one.
"""

from __future__ import annotations

import math

import numpy as np

from biosnn._numba import allocating_kernel, f64, i64, kernel, parallel_kernel, prange, scalar, u8, u32, u64
from biosnn.connectivity.distances import distance, nearest_image
from biosnn.random import GOLDEN, INDEGREE, keyed, mix64

# The cells, of size `width` from a `lowest` corner on, `n_cells` of them along each axis, and the profile.
CELLS = np.dtype(
    [
        ("lowest", np.float64, 3),
        ("width", np.float64, 3),
        ("n_cells", np.int64, 3),
        ("period", np.float64, 3),  # 0: space goes on
        ("kind", np.int64),
        ("scale", np.float64),
        ("reach", np.float64),  # beyond, the profile is nothing
        ("per_um", np.float64),  # its shape at d is between falls[k] and falls[k + 1] of k = floor(d * per_um)
    ]
)
CELLS = np.dtype((np.record, CELLS))  # whose fields are attributes, in plain Python as well
EDGE = 1 + 1e-9  # what stands exactly at the reach must not be lost to rounding
BLOCK = 2**21  # drawn sources that are held at a time


@parallel_kernel
def draw_targets(
    cuts, seed, connection, grid, source_ids, places, ids, xyz, order, first, falls, rates, no_autapses, fill, words
):  # fmt: skip
    """`targets` of the sources cuts[c]..cuts[c+1]-1, in parallel over c."""
    for c in prange(cuts.size - 1):
        targets(
            cuts[c], cuts[c + 1], seed, connection, grid, source_ids, places, ids, xyz, order, first, falls, rates,
            no_autapses, fill, words,
        )  # fmt: skip


@allocating_kernel
def targets(
    begin, end, seed, connection, grid, source_ids, places, ids, xyz, order, first, falls, rates, no_autapses, fill,
    words,
):  # fmt: skip
    """Sources at positions begin..end-1 meet each target with probability p(distance).

    Sources have `source_ids` and `places`, targets `ids`. Sorted by cell, targets stand at `xyz` and have positions
    `order`: those of cell c are first[c]..first[c+1]-1. With p = peak * shape, `rates` are -log(1 - peak * falls): a
    neuron is no candidate with probability exp(-rate), so an exponential variate tells how many are jumped over, and
    what is left of it at the end of a cell is one again.
    """
    g = grid[0]
    around = g.period[0], g.period[1], g.period[2]
    kind, scale, reach, per_um = g.kind, g.scale, g.reach, g.per_um
    cells, bound = np.empty(first.size, i64), np.empty(first.size, i64)
    for i in range(begin, end):
        state = keyed(seed, INDEGREE + (connection << 8), i)
        here = places[i, 0], places[i, 1], places[i, 2]
        own, n_kept = source_ids[i], 0
        at = fill[own]
        state = u64(state + GOLDEN)
        left = -math.log(_uniform(state))
        for c in range(_near(g, here, first, cells, bound)):
            rate, most = rates[bound[c]], falls[bound[c]]
            k, last = first[cells[c]], first[cells[c] + 1]
            while left < rate * (last - k):
                k += i64(left / rate)
                state = u64(state + GOLDEN)
                d = distance(here, (xyz[k, 0], xyz[k, 1], xyz[k, 2]), around)
                if (
                    d <= reach
                    and _is_below(_uniform(state) * most, d, falls, kind, scale, per_um)
                    and not (no_autapses and ids[order[k]] == own)
                ):
                    if words.size:
                        words[at + n_kept] = order[k]
                    n_kept += 1
                k += 1
                state = u64(state + GOLDEN)
                left = -math.log(_uniform(state))
            if k < last:
                left -= rate * (last - k)
        fill[own] = at + n_kept


@parallel_kernel
def draw_sources(
    cuts, seed, connection, grid, indegree, target_ids, places, ids, xyz, order, first, falls, distinct, no_autapses,
    fill, words,
):  # fmt: skip
    """`sources` in parallel: over targets as they are drawn, then over the sources cuts[c]..cuts[c+1]-1."""
    n_parts = cuts.size - 1
    rows = max(BLOCK // max(indegree, 1), n_parts)
    drawn = np.empty((rows, indegree), u32)
    for at in range(0, target_ids.size, rows):
        n = min(rows, target_ids.size - at)
        for c in prange(n_parts):
            _draw_block(
                at, n * c // n_parts, n * (c + 1) // n_parts, seed, connection, grid, target_ids, places, ids, xyz,
                order, first, falls, distinct, no_autapses, drawn,
            )  # fmt: skip
        for c in prange(n_parts):
            _note(cuts[c], cuts[c + 1], at, n, drawn, ids, fill, words)


@allocating_kernel
def sources(
    begin, end, seed, connection, grid, indegree, target_ids, places, ids, xyz, order, first, falls, distinct,
    no_autapses, fill, words,
):  # fmt: skip
    """Each target draws `indegree` sources with a chance proportional to p(distance).

    As in `targets`, but it is the sources, all of begin..end-1, that are sorted by cell.
    """
    rows = max(BLOCK // max(indegree, 1), 1)
    drawn = np.empty((rows, indegree), u32)
    for at in range(0, target_ids.size, rows):
        n = min(rows, target_ids.size - at)
        _draw_block(
            at, 0, n, seed, connection, grid, target_ids, places, ids, xyz, order, first, falls, distinct, no_autapses,
            drawn,
        )  # fmt: skip
        _note(begin, end, at, n, drawn, ids, fill, words)


@allocating_kernel
def _draw_block(
    at, begin, end, seed, connection, grid, target_ids, places, ids, xyz, order, first, falls, distinct, no_autapses,
    drawn,
):  # fmt: skip
    """Sources of the targets at+begin..at+end-1, to drawn[begin:end].

    A cell is drawn with a chance of its number of sources times `most`, a source in it evenly, and it is kept with
    probability shape / most; else all is drawn again. `guide` tells where in the sum over cells to begin searching.
    """
    g = grid[0]
    around = g.period[0], g.period[1], g.period[2]
    kind, scale, reach, per_um = g.kind, g.scale, g.reach, g.per_um
    cells, bound = np.empty(first.size, i64), np.empty(first.size, i64)
    total, guide = np.empty(first.size, f64), np.empty(first.size, i64)
    marks = np.zeros(order.size if distinct else 1, u8)
    for row in range(begin, end):
        j = at + row
        state = keyed(seed, INDEGREE + (connection << 8), j)
        here = places[j, 0], places[j, 1], places[j, 2]
        n = _near(g, here, first, cells, bound)
        weight = 0.0
        for c in range(n):
            weight += falls[bound[c]] * (first[cells[c] + 1] - first[cells[c]])
            total[c] = weight
        c = 0
        for b in range(n):
            while total[c] * n <= b * weight:
                c += 1
            guide[b] = c
        m = 0
        while m < drawn.shape[1]:
            state = u64(state + GOLDEN)
            u = _uniform(state)
            c = guide[min(i64(u * n), n - 1)]
            while c < n - 1 and total[c] <= u * weight:
                c += 1
            state = u64(state + GOLDEN)
            r = mix64(state)
            there = u64(first[cells[c] + 1] - first[cells[c]])
            k = first[cells[c]] + i64(((r & u64(0xFFFFFFFF)) * there) >> u64(32))
            d = distance(here, (xyz[k, 0], xyz[k, 1], xyz[k, 2]), around)
            v = (f64(r >> u64(32)) + 0.5) * 2.0**-32 * falls[bound[c]]
            if (
                d <= reach
                and _is_below(v, d, falls, kind, scale, per_um)
                and not (no_autapses and ids[order[k]] == target_ids[j])
                and not (distinct and marks[k])
            ):
                marks[k if distinct else 0] = 1
                drawn[row, m] = k
                m += 1
        for m in range(drawn.shape[1]):
            marks[drawn[row, m] if distinct else 0] = 0
            drawn[row, m] = order[drawn[row, m]]


@kernel
def _note(begin, end, at, n, drawn, ids, fill, words):
    """Count, or write, the pairs of targets at..at+n-1 with the sources begin..end-1."""
    for row in range(n):
        for m in range(drawn.shape[1]):
            if begin <= drawn[row, m] < end:
                source = ids[drawn[row, m]]
                if words.size:
                    words[fill[source]] = at + row
                fill[source] += 1


@kernel
def _near(g, here, first, cells, bound):
    """Number of cells in reach of a point with somebody in them; falls[bound[c]] is at least the shape in cells[c]."""
    n = 0
    low_x, n_x = _span(g, 0, here)
    low_y, n_y = _span(g, 1, here)
    low_z, n_z = _span(g, 2, here)
    reach, per_um, shape_x, shape_y, shape_z = g.reach * EDGE, g.per_um, g.n_cells[0], g.n_cells[1], g.n_cells[2]
    for a in range(low_x, low_x + n_x):
        i = a % shape_x
        dx = _gap(g, 0, i, here)
        for b in range(low_y, low_y + n_y):
            j = b % shape_y
            dy = _gap(g, 1, j, here)
            for c in range(low_z, low_z + n_z):
                k = c % shape_z
                dz = _gap(g, 2, k, here)
                cell = (i * shape_y + j) * shape_z + k
                d = math.sqrt(dx * dx + dy * dy + dz * dz)
                if first[cell] < first[cell + 1] and d <= reach:
                    cells[n] = cell
                    bound[n] = i64(d * per_um)
                    n += 1
    return n


@kernel
def _span(g, axis, here):
    """First index of the cells in reach along an axis, and their number; where space repeats, before the remainder."""
    n, x, reach = g.n_cells[axis], here[axis], g.reach * EDGE
    if g.width[axis] == 0.0:
        return i64(0), n
    low = i64(math.floor((x - reach - g.lowest[axis]) / g.width[axis]))
    high = i64(math.floor((x + reach - g.lowest[axis]) / g.width[axis]))
    if g.period[axis] > 0.0:
        return low, min(high - low + 1, n)
    low, high = max(low, i64(0)), min(high, n - 1)
    return low, max(high - low + 1, i64(0))


@kernel
def _gap(g, axis, k, here):
    """No point of cell k is nearer than this along an axis."""
    middle = g.lowest[axis] + (k + 0.5) * g.width[axis]
    return max(abs(nearest_image(middle - here[axis], g.period[axis])) - 0.5 * g.width[axis], 0.0)


@scalar
def _is_below(v, d, falls, kind, scale, per_um):
    """Whether v is below the shape of the profile at distance d: from its bounds, and rarely by computing it."""
    k = i64(d * per_um)
    return v < falls[k + 1] or (v < falls[k] and v < _shape(kind, d / scale))


@scalar
def _shape(kind, x):
    """The shape of a profile (description/space.py: EXPONENTIAL, GAUSSIAN, CONSTANT) at x scales."""
    if kind == 0:
        return math.exp(-x)
    return math.exp(-0.5 * x * x) if kind == 1 else 1.0


@scalar
def _uniform(state):
    """A uniform variate in (0, 1), 53 bits."""
    return f64(mix64(state) >> u64(11)) * 2.0**-53 + 2.0**-54
