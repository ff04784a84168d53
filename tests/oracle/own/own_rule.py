"""A connection rule of one's own, in one file: the first sources have a target more than the others."""

from dataclasses import dataclass

import numpy as np

from biosnn.description.rules.base import Counted


@dataclass(frozen=True)
class FirstMore(Counted):
    """One target for each source, and one more for the first `n_more`."""

    n_more: int = 0
    name = "first_more"

    def expected(self, sides):
        return float(sides.n_source + self.n_more)

    def in_degree_bound(self, sides):
        return self.expected(sides)

    def out_degree_bound(self, sides):
        return 2.0

    def out_degrees(self, rng, sides):
        return 1 + (np.arange(sides.n_source) < self.n_more)
