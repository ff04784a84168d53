"""Choosing the targets of one source: with replacement, without, all, or from a list."""

from __future__ import annotations

from biosnn._numba import i64, kernel, u8, u32, u64
from biosnn.connectivity.strands import ALL, ANY, DISTINCT, LISTED
from biosnn.random import GOLDEN, mix64


@kernel
def choose(strand, i, n, state, target_ids, listed, list_first, placed, marks, chosen, bits):
    """Fill chosen[:n] with target ids and bits[:n] with the random bits that their weights and delays are drawn from.

    `state` is the source's random sequence, `listed[list_first:]` its listed target positions, `placed` its targets
    drawn before; `marks` is all zero, one byte per possible target, and left so.
    """
    if strand.choice == ANY:
        _any(strand, i, n, state, target_ids, chosen, bits)
    elif strand.choice == DISTINCT:
        _distinct(strand, i, n, state, target_ids, marks, chosen, bits)
    else:
        if strand.choice == ALL:
            _all(strand, i, target_ids, chosen)
        else:
            for k in range(n):
                j = i64(listed[list_first + k]) if strand.choice == LISTED else i64(placed[k])
                chosen[k] = _id(strand, j, target_ids)
        for k in range(n):
            state = u64(state + GOLDEN)
            bits[k] = u32(mix64(state) >> u64(32))


@kernel
def _id(strand, j, target_ids):
    return target_ids[strand.target_at + j] if strand.scattered else strand.target_at + j


@kernel
def _any(strand, i, n, state, target_ids, chosen, bits):
    n_target, at, scattered, no_autapses = u64(strand.n_target), strand.target_at, strand.scattered, strand.no_autapses
    k = 0
    while k < n:
        state = u64(state + GOLDEN)
        r = mix64(state)
        j = i64(((r & u64(0xFFFFFFFF)) * n_target) >> u64(32))
        target = target_ids[at + j] if scattered else at + j
        chosen[k] = target
        bits[k] = u32(r >> u64(32))
        k += not (no_autapses and target == i)


@kernel
def _distinct(strand, i, n, state, target_ids, marks, chosen, bits):
    """Draw positions until enough differ; of more than half of the targets, draw those left out."""
    own = -1
    if strand.no_autapses:
        for j in range(strand.n_target) if strand.scattered else range(i - strand.target_at, i - strand.target_at + 1):
            if 0 <= j < strand.n_target and _id(strand, j, target_ids) == i:
                own = j
    possible = strand.n_target - (own >= 0)
    few = 2 * n <= possible
    wanted = n if few else possible - n
    if own >= 0:
        marks[own] = 1
    k = 0
    while k < wanted:
        state = u64(state + GOLDEN)
        r = mix64(state)
        j = i64(((r & u64(0xFFFFFFFF)) * u64(strand.n_target)) >> u64(32))
        if not marks[j]:
            marks[j] = 1
            if few:
                chosen[k] = j
                bits[k] = u32(r >> u64(32))
            k += 1
    if few:
        for k in range(n):
            marks[chosen[k]] = 0
        if own >= 0:
            marks[own] = 0
    else:
        k = 0
        for j in range(strand.n_target):
            if not marks[j]:
                state = u64(state + GOLDEN)
                chosen[k] = j
                bits[k] = u32(mix64(state) >> u64(32))
                k += 1
            marks[j] = u8(0)
    for k in range(n):
        chosen[k] = _id(strand, i64(chosen[k]), target_ids)


@kernel
def _all(strand, i, target_ids, chosen):
    k = 0
    for j in range(strand.n_target):
        target = _id(strand, j, target_ids)
        if not (strand.no_autapses and target == i):
            chosen[k] = target
            k += 1
