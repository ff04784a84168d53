"""What is handed in is what counts: later changes to it change nothing, and what is no real number is refused."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy import stats

import biosnn as bs

EXP = bs.models.iaf_psc_exp
ALL, ONE = bs.all_to_all(), bs.one_to_one()
FIVE = np.linspace(1.0, 3.0, 5)
SQUARE = np.arange(25.0).reshape(5, 5) + 1.0


class Setting:
    """A network of two populations of five, to hand something to."""

    def __init__(self):
        self.net = bs.Network()
        self.a, self.b = (self.net.population(name, 5, EXP(), positions=bs.grid((5,), 10.0)) for name in "ab")

    def connect(self, rule, **how):
        return self.net.connect(self.a, self.b, rule, **{"weight": 1.0} | how)

    def population(self, **how):
        return self.net.population("c", 5, EXP(), **how)

    def poisson(self, rate):
        return self.net.poisson(self.a, rate=rate, weight=1.0)

    def current(self, amplitude):
        return self.net.current(self.a, amplitude)


@bs.neuron(state={"v": 0.0}, params={"a": 1.0})
def own(v, I, p, dt):
    v = v + dt * p.a * I
    return v, v > 1.0


PAIRS = np.arange(5), np.arange(5)
MOVIE = np.linspace(0.0, 1.0, 15).reshape(3, 5, 1)
# What is handed in, and a call that takes it.
ARRAYS = {
    "a parameter": (FIVE, lambda x, v: x.net.population("c", 5, EXP(tau_m=v * 9))),
    "a parameter as it is": (FIVE, lambda _, v: EXP(C_m=v)),
    "a parameter of a receptor": (FIVE, lambda _, v: bs.receptors.alpha("r", tau=v, E_rev=v)),
    "a parameter of one's own model": (FIVE, lambda _, v: own(a=v)),
    "a start value": (FIVE, lambda x, v: x.population(V_m=v)),
    "start values by name": (FIVE, lambda x, v: x.population(initial={"V_m": v})),
    "a list of arrays": ([FIVE, 2 * FIVE], lambda x, v: x.net.spike_source("s", v)),
    "positions": (SQUARE[:, :2], lambda x, v: x.population(positions=v)),
    "given positions": (SQUARE[:, :2], lambda _, v: bs.given_positions(v, extent=v[0])),
    "spacing": (FIVE[:2], lambda _, v: bs.grid((2, 3), v, center=v)),
    "sides": (FIVE[:2], lambda _, v: bs.random_positions(v, center=v)),
    "shape": (np.array([5, 1]), lambda x, v: x.population(shape=v, positions=bs.grid(v, 1.0))),
    "weights of pairs": (FIVE, lambda x, v: x.connect(PAIRS, weight=v)),
    "weights of all": (SQUARE, lambda x, v: x.connect(ALL, weight=v)),
    "weights of each": (FIVE, lambda x, v: x.connect(ONE, weight=v)),
    "delays of pairs": (FIVE, lambda x, v: x.connect(PAIRS, delay=v)),
    "delays of all": (SQUARE, lambda x, v: x.connect(ALL, delay=v)),
    "delays of each": (FIVE, lambda x, v: x.connect(ONE, delay=v)),
    "sources and targets": (np.arange(5), lambda x, v: x.connect((v, v))),
    "myelination": (FIVE, lambda _, v: bs.space.conduction(1.0, myelination=v)),
    "myelination of each": (FIVE, lambda x, v: x.connect(ONE, delay=bs.space.conduction(0.1, myelination=v, offset=1))),
    "delays beside a matrix": (FIVE, lambda x, v: x.connect(sparse.eye(5), weight=None, delay=v)),
    "a matrix": (sparse.csr_matrix(SQUARE), lambda x, v: x.connect(v, weight=None)),
    "a matrix by columns": (sparse.csc_array(SQUARE), lambda x, v: x.connect(v, weight=None)),
    "a matrix of triples": (sparse.coo_array(SQUARE), lambda x, v: x.connect(v, weight=None)),
    "a matrix of delays": (sparse.coo_array(SQUARE), lambda x, v: x.connect(v, weight=None, delay=v)),
    "a matrix of myelination": (sparse.csr_array(SQUARE), lambda _, v: bs.space.conduction(1.0, myelination=v)),
    "rates": (FIVE, lambda x, v: x.poisson(v)),
    "stepped rates": (FIVE, lambda x, v: x.poisson(bs.stepped(v, v))),
    "a step": (FIVE, lambda _, v: bs.stepped(v, v)),
    "times of 32 bits": (np.arange(5, dtype=np.float32), lambda _, v: bs.stepped(v, v)),
    "a film": (SQUARE, lambda _, v: bs.playback(v, 1.0)),
    "played currents": (SQUARE, lambda x, v: x.current(bs.playback(v, 1.0))),
    "waves": (FIVE, lambda x, v: x.current(bs.sinusoidal(v, v, 5.0, v))),
    "waves of a rate": (FIVE, lambda x, v: x.poisson(bs.sinusoidal(v, v, 5.0, v))),
    "noise": (FIVE, lambda x, v: x.current(bs.noise(v, v))),
    "a process": (FIVE, lambda x, v: x.current(bs.ornstein_uhlenbeck(v, v, 5.0))),
    "currents": (FIVE, lambda x, v: x.current(v)),
    "steps of a current": (FIVE, lambda x, v: x.net.step_current(x.a, v, v)),
    "currents of each": (SQUARE, lambda x, v: x.net.step_current(x.a, FIVE, v)),
    "spike times": (FIVE, lambda x, v: x.net.spike_source("s", v)),
    "senders": (np.arange(5), lambda x, v: x.net.spike_source("s", FIVE, v)),
    "frames": (MOVIE, lambda x, v: x.net.frames(x.a, v, weight=1.0, every=5.0)),
    "frames as spikes": (MOVIE, lambda x, v: x.net.frame_source("s", v, every=5.0)),
    "an index": (np.array([3, 1]), lambda x, v: x.net.record(x.a[v])),
    "a mask": (FIVE > 2, lambda x, v: x.net.record(x.a[v])),
    "a distribution": (np.array([1.0]), lambda x, v: x.connect(ONE, weight=stats.norm(v, 1.0))),
}  # fmt: skip


def memory(handed_in):
    """The arrays behind something that was handed in."""
    if isinstance(handed_in, list):
        return handed_in
    if not sparse.issparse(handed_in):
        return [handed_in]
    names = ("data", "indices", "indptr", "row", "col")
    return [getattr(handed_in, name) for name in names if hasattr(handed_in, name)]


@pytest.mark.parametrize("case", ARRAYS)
def test_what_is_written_to_an_array_after_it_was_handed_in_changes_nothing(case):
    handed_in, call = ARRAYS[case]
    handed_in = [each.copy() for each in handed_in] if isinstance(handed_in, list) else handed_in.copy()
    x = Setting()
    made = call(x, handed_in), x.net
    before = pickle.dumps(made)
    for array in memory(handed_in):
        array[...] = array.dtype.type(0)
    assert pickle.dumps(made) == before


MASKED = np.ma.array([1.0, 2.0, 3.0, 4.0, 5.0], mask=[0, 0, 0, 1, 0])
NO_NUMBERS = {
    "complex": 1.0 + 0.0j,
    "complex of NumPy": np.complex128(1.0),
    "complex of 64 bits": np.complex64(1.0),
    "complex array of no dimension": np.array(1.0 + 0.0j),
    "duration of NumPy": np.timedelta64(5, "ms"),
    "text": "1.0",
    "True": True,
    "True of NumPy": np.True_,
    "masked": np.ma.masked,
    "bytes that change": bytearray(b"12"),
    "masked array of no dimension": np.ma.array(1.0, mask=True),
}
NO_ARRAYS = {
    "complex": FIVE + 0j,
    "complex in a list": [1.0, 2.0, np.complex128(3.0), 4.0, 5.0],
    "masked": MASKED,
    "masked in a list": [1.0, 2.0, np.ma.masked, 4.0, 5.0],
    "durations": np.arange(5).astype("m8[ms]"),
    "texts": np.array(["1", "2", "3", "4", "5"]),
    "texts as objects": np.array(["1", "2", "3", "4", "5"], object),
    "a text among numbers": [1.0, 2.0, "3", 4.0, 5.0],
    "truths": np.array([True] * 5),
    "a truth among numbers": [1.0, 2.0, True, 4.0, 5.0],
    "nothing among numbers": [1.0, 2.0, None, 4.0, 5.0],
    "NaN": [1.0, 2.0, np.nan, 4.0, 5.0],
    "infinite": [1.0, 2.0, np.inf, 4.0, 5.0],
}
NUMBERS = {
    "dt": lambda _, v: bs.Network(dt=v),
    "n": lambda x, v: x.net.population("c", v, EXP()),
    "in-degree": lambda _, v: bs.fixed_indegree(v),
    "parameter": lambda _, v: EXP(tau_m=v),
    "mean": lambda _, v: bs.normal(v, 1.0),
    "bound": lambda _, v: bs.normal(0.0, 1.0).redrawn(min=v),
    "peak": lambda _, v: v * bs.space.gaussian(5.0),
    "weight": lambda x, v: x.connect(ALL, weight=v),
    "duration": lambda x, v: x.net.current(x.a, 1.0, start=v),
    "sides": lambda _, v: bs.random_positions(v),
}
PLACES = {
    "parameter": lambda _, v: EXP(tau_m=v),
    "start": lambda x, v: x.population(V_m=v),
    "weight": lambda x, v: x.connect(PAIRS, weight=v),
    "delay": lambda x, v: x.connect(PAIRS, delay=v),
    "times": lambda x, v: x.net.spike_source("s", v),
    "rate": lambda x, v: x.poisson(v),
    "mean": lambda _, v: bs.noise(v, 1.0),
    "steps": lambda x, v: x.net.step_current(x.a, v, FIVE),
    "senders": lambda x, v: x.net.spike_source("s", FIVE, v),
    "sources": lambda x, v: x.connect((v, PAIRS[1])),
}


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("place", NUMBERS)
def test_what_is_no_real_number_is_refused(place, value):
    with pytest.raises(bs.DescriptionError, match="must be"):
        NUMBERS[place](Setting(), NO_NUMBERS[value])


@pytest.mark.parametrize("value", NO_ARRAYS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_array_of_real_numbers_is_refused(place, value):
    with pytest.raises(bs.DescriptionError, match=r"must be|masked"):
        PLACES[place](Setting(), NO_ARRAYS[value])


def test_masked_arrays_without_masked_elements_and_numbers_of_any_kind_are_taken():
    x = Setting()
    plain = x.population(V_m=-60.0 - FIVE).initial["V_m"]
    for k, same in enumerate((np.ma.array(FIVE), [Fraction(v) for v in FIVE], FIVE.astype(object), tuple(FIVE))):
        found = x.net.population(str(k), 5, EXP(), V_m=[-60.0 - v for v in same]).initial["V_m"]
        np.testing.assert_array_equal(found, plain)
    assert EXP(tau_m=np.array(20.0)).values["tau_m"] == EXP(tau_m=np.float16(20.0)).values["tau_m"] == 20.0
    x.net.frames(x.a, MOVIE[0] > 0.5, weight=1.0)  # a picture of black and white
    np.testing.assert_array_equal(x.net.poisson_inputs[0].rate.values, 100.0 * (MOVIE[0] > 0.5).T)


FLAGS = ("allow_autapses", "allow_multapses")


@pytest.mark.parametrize("flag", [2, 0, 1.0, "no", None, np.array([True, False])])
def test_flags_are_true_or_false(flag):
    rules = (bs.fixed_indegree, bs.fixed_outdegree, bs.fixed_total_number)
    calls = [lambda rule=rule, name=name: rule(1, **{name: flag}) for rule in rules for name in FLAGS]
    calls += [
        lambda: bs.pairwise_bernoulli(0.1, allow_autapses=flag), lambda: bs.all_to_all(allow_autapses=flag),
        lambda: bs.pairwise_bernoulli(bs.space.gaussian(9.0), allow_autapses=flag),
        lambda: bs.fixed_indegree(1, p=bs.space.gaussian(9.0), allow_multapses=flag),
        lambda: bs.grid((2, 2), 1.0, edge_wrap=flag), lambda: bs.random_positions((2.0, 2.0), edge_wrap=flag),
        lambda: bs.given_positions(SQUARE[:, :2], 9.0, edge_wrap=flag),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(bs.DescriptionError, match="must be True or False"):
            call()


def test_flags_of_numpy_are_taken():
    assert bs.fixed_indegree(1, allow_autapses=np.False_) == bs.fixed_indegree(1, allow_autapses=False)


@bs.neuron(state={"n": 1.0, "name": 2.0, "model": 3.0, "shape": 4.0, "positions": 5.0, "initial": 6.0})
def named(n, name, model, shape, positions, initial, I, p, dt):
    return n, name, model, shape, positions, initial, n > 9.0


def test_states_that_are_called_like_an_argument_can_be_given_a_start_value():
    net = bs.Network()
    given = {"shape": FIVE, "positions": 0.5, "initial": bs.normal(0.0, 1.0)}
    a = net.population("a", 5, named(), n=10.0, name=20.0, model=FIVE, initial=given)
    b = net.population("b", 5, named(), initial={"n": 10.0, "name": 20.0, "model": FIVE, **given}, shape=(5, 1))
    assert list(a.initial) == list(b.initial)[3:] + list(b.initial)[:3]
    assert (a.initial["n"], a.initial["name"], a.shape, b.shape) == (10.0, 20.0, None, (5, 1))
    np.testing.assert_array_equal(a.initial["model"], FIVE)
    np.testing.assert_array_equal(b.initial["shape"], FIVE)
    for initial, message in (
        ({"n": 1.0}, "n is given twice"),
        ([("n", 1.0)], "initial must map names"),
        ({"m": 1.0}, "unknown state variable"),
    ):
        with pytest.raises(bs.DescriptionError, match=message):
            net.population("c", 5, named(), n=1.0, initial=initial)
