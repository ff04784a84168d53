"""Synapses as words, and what a weight adds to an integer input.

A packed synapse is a uint32, weight << 16 | slot, its weight a 16-bit multiple of the receptor's unit. A wide one is a
uint64, the bits of a float32 weight << 32 | slot; its weight becomes a multiple of 1/scale as it is added (`scale` is
a power of two, so the product is exact before it is rounded). Slots count from the first of the partition. One text
of each kernel serves both: Numba picks the function by the type of the word.
"""

from __future__ import annotations

from numba import types
from numba.extending import overload

from biosnn._numba import f32, i16, i32, i64, prefetch, u32, u64


def slot_of(word):
    """The input slot of a synapse, within its partition."""


def amount_of(word, scale):
    """What a synapse adds to its input: int32 units, or int64 multiples of 1/scale."""


def fixed(weight, scale):
    """The same of a weight that stands apart from its slot: int16, or float32."""


def stored(word, kind):
    """What an array of type `kind` keeps of a synapse: the word as it is, or its weight alone."""


def delay_at(delays, s):
    """The delay of synapse s in steps; 0 where rows are sorted by delay, and `delays` is None."""


def prefetch_delays(delays, s):
    """Ask for the delays of synapse s and those behind it ahead of their use, where there are any."""


@overload(slot_of)
def _slot_of(word):
    if word == types.uint32:
        return lambda word: u64(word & u32(0xFFFF))
    return lambda word: word & u64(0xFFFFFFFF)


@overload(amount_of)
def _amount_of(word, scale):
    if word == types.uint32:
        return lambda word, scale: i32(i32(word) >> i32(16))
    return lambda word, scale: i64(u32(word >> u64(32)).view(f32) * scale)


@overload(fixed)
def _fixed(weight, scale):
    if weight == types.int16:
        return lambda weight, scale: i32(weight)
    return lambda weight, scale: i64(weight * scale)


@overload(stored)
def _stored(word, kind):
    if kind.dtype == types.int16:
        return lambda word, kind: i16(i32(word) >> i32(16))
    if kind.dtype == types.float32:
        return lambda word, kind: u32(word >> u64(32)).view(f32)
    return lambda word, kind: word


@overload(delay_at)
def _delay_at(delays, s):
    if isinstance(delays, types.Array):
        return lambda delays, s: i64(delays[s])
    return lambda delays, s: i64(0)


@overload(prefetch_delays)
def _prefetch_delays(delays, s):
    if isinstance(delays, types.Array):
        return lambda delays, s: prefetch(delays, s)
    return lambda delays, s: None
