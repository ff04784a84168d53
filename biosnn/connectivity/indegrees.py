"""Fixed in-degrees: the sources of each target are drawn, and end up in the rows of those sources.

Every thread goes through all targets but keeps only its own range of sources: the draws are repeated, which costs a
nanosecond each, and nothing has to be exchanged, sorted or held twice.
"""

from __future__ import annotations

import numpy as np

from biosnn._numba import allocating_kernel, i64, kernel, parallel_kernel, prange, u8, u64
from biosnn.random import GOLDEN, INDEGREE, keyed, mix64


@parallel_kernel
def draw_sources(cuts, seed, connection, indegree, source_ids, target_ids, distinct, no_autapses, fill, words):
    """`draw` for the source positions cuts[c]..cuts[c+1]-1, in parallel over c."""
    for c in prange(cuts.size - 1):
        draw(
            cuts[c], cuts[c + 1], seed, connection, indegree, source_ids, target_ids, distinct, no_autapses, fill, words
        )


@allocating_kernel
def draw(begin, end, seed, connection, indegree, source_ids, target_ids, distinct, no_autapses, fill, words):
    """Draw `indegree` sources for each target, and keep those at source positions begin..end-1.

    For each synapse, words[fill[i]] = position of the target, where words has room at all, and fill[i] grows by one:
    a first call without words counts the out-degrees.
    """
    marks = np.zeros(source_ids.size if distinct else 1, u8)
    drawn = np.empty(indegree, i64)
    for j in range(target_ids.size):
        _sources(seed, connection, j, source_ids, target_ids, distinct, no_autapses, marks, drawn)
        for k in range(indegree):
            if begin <= drawn[k] < end:
                i = source_ids[drawn[k]]
                if words.size:
                    words[fill[i]] = j
                fill[i] += 1


@kernel
def _sources(seed, connection, j, source_ids, target_ids, distinct, no_autapses, marks, drawn):
    """Positions of the sources of target j."""
    state = keyed(seed, INDEGREE + (connection << 8), j)
    n = u64(source_ids.size)
    k = 0
    while k < drawn.size:
        state = u64(state + GOLDEN)
        s = i64(((mix64(state) & u64(0xFFFFFFFF)) * n) >> u64(32))
        if (distinct and marks[s]) or (no_autapses and source_ids[s] == target_ids[j]):
            continue
        marks[s if distinct else 0] = 1
        drawn[k] = s
        k += 1
    for k in range(drawn.size):
        marks[drawn[k] if distinct else 0] = 0
