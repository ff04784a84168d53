"""Poisson input: each neuron's number of arrivals in each step, drawn exactly, from one random word.

The count is the number of thresholds that a uniform 32-bit word exceeds: k = #{j : r > T_j}, T_j = 2^32 P(X <= j). A
window of ten thresholds is compared for all neurons, without loop or branch; what falls outside of it (one neuron in
10^5 at 2 arrivals a step) is found by the largest and smallest word of a tile and looked up in the whole table. So the
counts follow the Poisson law to within 2^-32, at any rate; rates above about 5 arrivals per step only leave the fast
path more often.
"""

from __future__ import annotations

from biosnn._numba import kernel, u32, u64
from biosnn.inputs.shared import TILE, WINDOW
from biosnn.random import POISSON, keyed, word32


@kernel
def arrive(step, seed, p, row_of_part, rows, keys, table, start, weights, drive):
    """Add the Poisson arrivals of this step to the input of partition p.

    rows[r] = (first id, last id + 1, drive index - id, input); weights[input] in units of the drive, and of its dtype;
    keys[input] its random stream.
    """
    for r in range(row_of_part[p], row_of_part[p + 1]):
        first, last, shift, source = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3]
        key = keyed(seed, POISSON + (keys[source] << 8), step)
        low, high = u32(key & u64(0xFFFFFFFF)), u32(key >> u64(32))
        for begin in range(first, last, TILE):
            end = min(begin + TILE, last)
            arrive_in_tile(begin, end, shift, low, high, table[source], start[source], weights[source], drive)


@kernel
def arrive_in_tile(begin, end, shift, low, high, table, start, weight, drive):
    """Add the arrivals of neurons begin to end - 1, under one key; table[start : start + WINDOW] is the window."""
    c0, c1, c2, c3, c4 = table[start], table[start + 1], table[start + 2], table[start + 3], table[start + 4]
    c5, c6, c7, c8, c9 = table[start + 5], table[start + 6], table[start + 7], table[start + 8], table[start + 9]
    number = drive.dtype.type
    w, none, below = weight, number(0), number(weight * start)
    largest, smallest = u32(0), u32(0xFFFFFFFF)
    for i in range(u64(begin), u64(end)):
        r = word32(i, low, high)
        # A weight or nothing for each threshold, and every sum cast back to 32 bits: 0.8 ns a neuron; counting first,
        # or in 64 bits, to which Numba widens a sum of int32, takes 1.1 to 1.6.
        k = number(below + (w if r > c0 else none))
        k = number(k + (w if r > c1 else none))
        k = number(k + (w if r > c2 else none))
        k = number(k + (w if r > c3 else none))
        k = number(k + (w if r > c4 else none))
        k = number(k + (w if r > c5 else none))
        k = number(k + (w if r > c6 else none))
        k = number(k + (w if r > c7 else none))
        k = number(k + (w if r > c8 else none))
        k = number(k + (w if r > c9 else none))
        largest, smallest = max(largest, r), min(smallest, r)
        drive[i + u64(shift)] = number(drive[i + u64(shift)] + k)
    if largest > c9 or (start > 0 and smallest <= table[start - 1]):
        _arrive_outside(begin, end, shift, low, high, table, start, weight, drive)


@kernel
def _arrive_outside(begin, end, shift, low, high, table, start, weight, drive):
    """Add what the neurons of a tile get beyond the window."""
    for i in range(begin, end):
        r = word32(i, low, high)
        if r > table[start + WINDOW - 1] or (start > 0 and r <= table[start - 1]):
            k, inside = 0, start
            while k < table.size and r > table[k]:
                k += 1
            while inside < start + WINDOW and r > table[inside]:
                inside += 1
            drive[i + shift] += weight * (k - inside)
