"""Synapses as words, and what a weight adds to an integer input.

A packed synapse is a uint32, weight << 16 | slot, its weight a 16-bit multiple of the receptor's unit. A wide one is a
uint64, the bits of a float32 weight << 32 | slot; its weight becomes a multiple of 1/scale as it is added (`scale` is
a power of two, so the product is exact before it is rounded). Slots count from the first of the partition. One text
of each kernel serves both: which function it calls goes by the type of the word.
"""

from __future__ import annotations

from biosnn._numba import by_type, dtype_of, f32, f64, i16, i32, i64, prefetch, u32, u64


@by_type
def slot_of(word):
    """The input slot of a synapse, within its partition."""
    if dtype_of(word) == u32:
        return lambda word: u64(word & u32(0xFFFF))
    return lambda word: word & u64(0xFFFFFFFF)


@by_type
def amount_of(word, scale):
    """What a synapse adds to its input: int32 units, or int64 multiples of 1/scale."""
    if dtype_of(word) == u32:
        return lambda word, scale: i32(i32(word) >> i32(16))
    return lambda word, scale: i64(u32(word >> u64(32)).view(f32) * f64(scale))


@by_type
def fixed(weight, scale):
    """The same of a weight that stands apart from its slot: int16, or float32."""
    if dtype_of(weight) == i16:
        return lambda weight, scale: i32(weight)
    return lambda weight, scale: i64(weight * f64(scale))


@by_type
def stored(word, kind):
    """What an array of type `kind` keeps of a synapse: the word as it is, or its weight alone."""
    if dtype_of(kind) == i16:
        return lambda word, kind: i16(i32(word) >> i32(16))
    if dtype_of(kind) == f32:
        return lambda word, kind: u32(word >> u64(32)).view(f32)
    return lambda word, kind: word


@by_type
def line_of(words):
    """How many of the words of an array stand in a cache line: a constant, where `64 // itemsize` is a division."""
    if dtype_of(words) == u32:
        return lambda words: i64(16)
    return lambda words: i64(8)


@by_type
def delay_at(delays, s):
    """The delay of synapse s in steps; 0 where rows are sorted by delay, and `delays` is None."""
    if dtype_of(delays) is None:
        return lambda delays, s: i64(0)
    return lambda delays, s: i64(delays[s])


@by_type
def prefetch_delays(delays, s):
    """Ask for the delays of synapse s and those behind it ahead of their use, where there are any."""
    if dtype_of(delays) is None:
        return lambda delays, s: None
    return lambda delays, s: prefetch(delays, s)
