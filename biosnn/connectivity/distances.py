"""Distances, and the synapses whose weight or delay follows from theirs."""

from __future__ import annotations

import math

import numpy as np

from biosnn._numba import i64, kernel, scalar, u32

# Of one connection: what its synapses take from their distances.
SPACE = np.dtype(
    [
        ("period", np.float64, 3),  # um; 0: space goes on
        ("weights", np.int64),  # is the weight looked up by distance?
        ("per_um", np.float64),  # at entry floor(d * per_um) of its table
        ("fades_at", np.float64),  # beyond, in the last entry
        ("delays", np.int64),  # is the delay computed from it?
        ("offset", np.float64),  # ms
        ("velocity", np.float64),  # um/ms
        ("dt", np.float64),
        ("first_step", np.int64),  # which entry 0 of the connection's delays stands for
        ("factor_at", np.int64),  # its myelination: factors[factor_at + (bits & factor_mask) + factor_step * position]
        ("factor_mask", np.int64),
        ("factor_step", np.int64),
    ]
)
SPACE = np.dtype((np.record, SPACE))  # whose fields are attributes, in plain Python as well
LAST = 65535  # entry of a table that 16 bits look up


@kernel
def look_up_by_distance(space, i, n, start, chosen, xyz, factors, bits):
    """Replace the random bits that look up the weight, the upper 16, or the delay, the lower, by those of the distance.

    Of source i and targets chosen[:n] (ids); their synapses have positions start.. in a list, where they are listed.
    """
    around = space.period[0], space.period[1], space.period[2]
    here = xyz[i, 0], xyz[i, 1], xyz[i, 2]
    for k in range(n):
        j = chosen[k]
        d = distance(here, (xyz[j, 0], xyz[j, 1], xyz[j, 2]), around)
        high, low = i64(bits[k]) >> 16, i64(bits[k]) & LAST
        if space.weights:
            high = LAST if d > space.fades_at else min(i64(d * space.per_um), LAST - 1)
        if space.delays:
            factor = factors[space.factor_at + (low & space.factor_mask) + space.factor_step * (start + k)]
            steps = np.rint((space.offset + d / (space.velocity * factor)) / space.dt)
            low = max(i64(steps), 1) - space.first_step
        bits[k] = u32((high << 16) | low)


@scalar
def distance(a, b, around):
    """Between two points (um), the shortest way around; in float64, each operation rounded once."""
    dx = nearest_image(b[0] - a[0], around[0])
    dy = nearest_image(b[1] - a[1], around[1])
    dz = nearest_image(b[2] - a[2], around[2])
    return math.sqrt(dx * dx + dy * dy + dz * dz)


@scalar
def nearest_image(apart, period):
    """The difference of two coordinates; if space repeats after a period above 0, that to the nearest image."""
    return apart - period * np.rint(apart / period) if period > 0.0 else apart
