"""What space cannot hold is refused in one line."""

import numpy as np
import pytest
from places import CUBE, SQUARE, TORUS, pair

import biosnn as bs


def connecting(rule, source=SQUARE, target=SQUARE, **how):
    def describe():
        net, a, b = pair(source, target)
        net.connect(a, b, rule, **{"weight": 1.0} | how)
        net.plan()

    return describe


NEAR = bs.space.gaussian(100.0)
REFUSED = {
    "grid of another size": (lambda: pair(bs.grid((30, 30), 10.0), SQUARE), "30 x 30 = 900 places", "600"),
    "grid without size": (lambda: bs.grid((3, 3)), "spacing or extent"),
    "grid of two sizes": (lambda: bs.grid((3, 3), 10.0, extent=30.0), "spacing or extent"),
    "grid of four dimensions": (lambda: bs.grid((2, 2, 2, 2), 10.0), "one to three"),
    "empty grid": (lambda: bs.grid((3, 0), 10.0), "at least 1"),
    "flat box": (lambda: bs.random_positions((100.0, 0.0)), "above 0", "um"),
    "center of another dimension": (lambda: bs.random_positions((1.0, 1.0), center=(0, 0, 0)), "one or 2 numbers"),
    "positions of some": (lambda: pair(np.zeros((5, 2)), SQUARE), "each of 600 neurons", "got 5"),
    "positions of one axis": (lambda: bs.given_positions([1.0, 2.0]), "(n, 1), (n, 2) or (n, 3)", "(2,)"),
    "positions nowhere": (lambda: bs.given_positions([[0.0, np.nan]]), "finite", "nan"),
    "wrapped without extent": (lambda: bs.given_positions([[0.0, 1.0]], edge_wrap=True), "extent"),
    "no positions": (connecting(bs.pairwise_bernoulli(NEAR), source=None), "'a'", "positions="),
    "no positions for weights": (connecting(bs.all_to_all(), target=None, weight=NEAR), "'b'", "positions="),
    "another dimension": (connecting(bs.pairwise_bernoulli(NEAR), target=CUBE), "one space", "2 dim", "3 dim"),
    "another period": (connecting(bs.pairwise_bernoulli(NEAR), target=TORUS), "one space", "1000 x 800 um"),
    "scale of nothing": (lambda: bs.space.gaussian(0.0), "std", "above 0"),
    "cut at nothing": (lambda: bs.space.exponential(10.0, max_distance=-1.0), "max_distance", "above 0"),
    "a probability of two": (lambda: bs.pairwise_bernoulli(2 * NEAR), "2 * space.gaussian(std=100)", "at most 1"),
    "a negative one": (lambda: bs.fixed_indegree(3, p=-1 * NEAR), "above 0"),
    "no profile": (lambda: bs.fixed_indegree(3, p=0.1), "profile", "0.1"),
    "too few near": (
        connecting(bs.fixed_indegree(5, p=bs.space.within(2.0), allow_multapses=False)), "5 sources", "2 um", "widen p",
    ),
    "nobody near": (connecting(bs.fixed_indegree(5, p=bs.space.within(1e-3))), "1 sources", "lower indegree"),
    "no velocity": (lambda: bs.space.conduction(0.0), "velocity", "m/s", "above 0"),
    "velocity in um/ms": (connecting(bs.all_to_all(), delay=bs.space.conduction(300.0)), "one step", "longest"),
    "velocity in mm/us": (connecting(bs.all_to_all(), delay=bs.space.conduction(1e-5)), "65,536 steps", "m/s"),
    "no myelination": (connecting(bs.all_to_all(), delay=bs.space.conduction(1.0, myelination=0.0)), "myelination"),
    "loose myelination": (
        connecting(bs.fixed_outdegree(3), delay=bs.space.conduction(1.0, myelination=np.ones(1800))), "listed synapses",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_space_cannot_hold_is_refused_in_one_line(what):
    describe, *fragments = REFUSED[what]
    with pytest.raises(bs.DescriptionError) as error:
        describe()
    assert "\n" not in str(error.value)
    for fragment in fragments:
        assert fragment in str(error.value)
