"""Drawing pairs by their distance, exactly, in a time that grows with the pairs drawn and not with those there are.

The neurons to choose from stand in the cells of a grid. Within a cell no probability exceeds that of its nearest
point, `most`. So candidates are drawn with probability `most`, by jumping over those that are not (a geometric
number), and each is kept with probability p(distance) / most: thinning, as of a Poisson process.

Kernels are called twice: without room in `words` they count, then they write. Each pair is written as the position of
its target to words[fill[id of the source]], which grows by one.
"""

from __future__ import annotations

import math

import numpy as np

from biosnn._numba import f64, i64, kernel, parallel_kernel, prange, scalar, u8, u64
from biosnn.connectivity.distances import distance, nearest_image
from biosnn.random import GOLDEN, INDEGREE, keyed, mix64

# What a kernel needs to know of a profile and of the cells: `lowest` corner, cells of size `width`, `shape` of them.
CELLS = np.dtype(
    [
        ("lowest", np.float64, 3),
        ("width", np.float64, 3),
        ("shape", np.int64, 3),
        ("period", np.float64, 3),  # 0: space goes on
        ("kind", np.int64),
        ("peak", np.float64),
        ("scale", np.float64),
        ("max_distance", np.float64),
        ("reach", np.float64),  # beyond, nobody is looked for
    ]
)


@parallel_kernel
def draw_targets(cuts, seed, connection, grid, source_ids, places, ids, xyz, order, first, no_autapses, fill, words):
    """`targets` of the sources cuts[c]..cuts[c+1]-1, in parallel over c."""
    for c in prange(cuts.size - 1):
        targets(
            cuts[c], cuts[c + 1], seed, connection, grid, source_ids, places, ids, xyz, order, first, no_autapses,
            fill, words,
        )  # fmt: skip


@kernel
def targets(begin, end, seed, connection, grid, source_ids, places, ids, xyz, order, first, no_autapses, fill, words):
    """Each source at positions begin..end-1 meets each target with probability p(distance).

    Sources have `source_ids` and `places`, targets `ids`, `xyz` and positions `order`, sorted by cell: those of cell c
    are first[c]..first[c+1]-1.
    """
    g = grid[0]
    around = g.period[0], g.period[1], g.period[2]
    kind, scale, max_distance = g.kind, g.scale, g.max_distance
    cells, most = np.empty(first.size, i64), np.empty(first.size, f64)
    for i in range(begin, end):
        state = keyed(seed, INDEGREE + (connection << 8), i)
        here = places[i, 0], places[i, 1], places[i, 2]
        n = _near(g, here, first, cells, most)
        for c in range(n):
            p = g.peak * most[c]
            log_none = math.log1p(-p)
            k = first[cells[c]]
            last = first[cells[c] + 1]
            while True:
                state = u64(state + GOLDEN)
                jump = math.log(_uniform(state)) / log_none
                if jump >= last - k:
                    break
                k += i64(jump)
                state = u64(state + GOLDEN)
                d = distance(here, (xyz[k, 0], xyz[k, 1], xyz[k, 2]), around)
                if (
                    d <= max_distance
                    and _uniform(state) * most[c] < _shape(kind, d / scale)
                    and not (no_autapses and ids[k] == source_ids[i])
                ):
                    if words.size:
                        words[fill[source_ids[i]]] = order[k]
                    fill[source_ids[i]] += 1
                k += 1


@parallel_kernel
def draw_sources(
    cuts, seed, connection, grid, indegree, target_ids, places, ids, xyz, order, first, distinct, no_autapses, fill,
    words,
):  # fmt: skip
    """`sources` at positions cuts[c]..cuts[c+1]-1, in parallel over c."""
    for c in prange(cuts.size - 1):
        sources(
            cuts[c], cuts[c + 1], seed, connection, grid, indegree, target_ids, places, ids, xyz, order, first,
            distinct, no_autapses, fill, words,
        )  # fmt: skip


@kernel
def sources(
    begin, end, seed, connection, grid, indegree, target_ids, places, ids, xyz, order, first, distinct, no_autapses,
    fill, words,
):  # fmt: skip
    """Each target draws `indegree` sources with a chance proportional to p(distance); kept are begin..end-1.

    Here it is the sources that are sorted by cell. A cell is drawn by its number of sources times `most`, a source in
    it evenly, and kept with probability p(distance) / (peak * most): else all is drawn again.
    """
    g = grid[0]
    around = g.period[0], g.period[1], g.period[2]
    kind, scale, max_distance = g.kind, g.scale, g.max_distance
    cells, most, total = np.empty(first.size, i64), np.empty(first.size, f64), np.empty(first.size, f64)
    marks = np.zeros(ids.size if distinct else 1, u8)
    drawn = np.empty(indegree, i64)
    for j in range(target_ids.size):
        state = keyed(seed, INDEGREE + (connection << 8), j)
        here = places[j, 0], places[j, 1], places[j, 2]
        n = _near(g, here, first, cells, most)
        weight = 0.0
        for c in range(n):
            weight += most[c] * (first[cells[c] + 1] - first[cells[c]])
            total[c] = weight
        m = 0
        while m < indegree:
            state = u64(state + GOLDEN)
            c = min(np.searchsorted(total[:n], _uniform(state) * weight), n - 1)
            state = u64(state + GOLDEN)
            there = first[cells[c] + 1] - first[cells[c]]
            k = first[cells[c]] + min(i64(_uniform(state) * there), there - 1)
            state = u64(state + GOLDEN)
            d = distance(here, (xyz[k, 0], xyz[k, 1], xyz[k, 2]), around)
            if (
                d <= max_distance
                and _uniform(state) * most[c] < _shape(kind, d / scale)
                and not (no_autapses and ids[k] == target_ids[j])
                and not (distinct and marks[k])
            ):
                marks[k if distinct else 0] = 1
                drawn[m] = k
                m += 1
        for m in range(indegree):
            k = drawn[m]
            marks[k if distinct else 0] = 0
            if begin <= order[k] < end:
                if words.size:
                    words[fill[ids[k]]] = j
                fill[ids[k]] += 1


@kernel
def _near(g, here, first, cells, most):
    """Number of cells in reach of a point with somebody in them; `cells` lists them, `most` the shape's greatest
    value in each.
    """
    n = 0
    low_x, n_x = _span(g, 0, here)
    low_y, n_y = _span(g, 1, here)
    low_z, n_z = _span(g, 2, here)
    for a in range(low_x, low_x + n_x):
        i = a % g.shape[0]
        dx = _gap(g, 0, i, here)
        for b in range(low_y, low_y + n_y):
            j = b % g.shape[1]
            dy = _gap(g, 1, j, here)
            for c in range(low_z, low_z + n_z):
                k = c % g.shape[2]
                dz = _gap(g, 2, k, here)
                cell = (i * g.shape[1] + j) * g.shape[2] + k
                d = math.sqrt(dx * dx + dy * dy + dz * dz)
                if first[cell] < first[cell + 1] and d <= g.reach:
                    cells[n] = cell
                    most[n] = _shape(g.kind, d / g.scale)
                    n += 1
    return n


@kernel
def _span(g, axis, here):
    """First index of the cells in reach along an axis, and their number; where space repeats, before the remainder."""
    n, x = g.shape[axis], here[axis]
    if g.width[axis] == 0.0:
        return i64(0), n
    low = i64(math.floor((x - g.reach - g.lowest[axis]) / g.width[axis]))
    high = i64(math.floor((x + g.reach - g.lowest[axis]) / g.width[axis]))
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
def _shape(kind, x):
    """The shape of a profile (network/space.py: EXPONENTIAL, GAUSSIAN, CONSTANT) at x scales."""
    if kind == 0:
        return math.exp(-x)
    return math.exp(-0.5 * x * x) if kind == 1 else 1.0


@scalar
def _uniform(state):
    """A uniform variate in (0, 1), 53 bits."""
    return f64(mix64(state) >> u64(11)) * 2.0**-53 + 2.0**-54
