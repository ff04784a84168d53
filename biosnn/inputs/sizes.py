"""Sizes of the room that inputs work in; apart from the kernels, for a plan needs no compiler."""

import math

TILE = 512  # neurons taken at a time; small, so that what is worked on stays in the cache
WINDOW = 10  # thresholds that are compared for all neurons
DRAWN = TILE + 2  # normal numbers of a tile: it may begin and end with half a pair


def table_length(largest_mean: float) -> int:
    """Thresholds of Poisson counts of a mean: beyond them, no count is likelier than 2^-33."""
    return int(max(WINDOW + 1, largest_mean + 12 * math.sqrt(largest_mean) + 24))
