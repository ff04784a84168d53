"""How weights are stored, 16-bit or float32: for which reasons, and that nothing is lost, in storage or in sums."""

import networks
import numpy as np
import pytest
from agreement import assert_equals_oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs

TEN = bs.fixed_indegree(10)


def network(*weights, rule=TEN, model=bs.models.iaf_psc_exp, rate=None):
    """One connection of each weight, named by its number, into one receptor of 50 neurons."""
    net = bs.Network()
    a, b = networks.cells(net, "a", 50), net.population("b", 50, model())
    for k, weight in enumerate(weights):
        net.connect(a, b, rule, weight=weight, name=str(k))
    if rate is not None:
        net.poisson(b, rate=rate, weight=weights[0], name="noise")
    return net


def wide(net):
    """For each connection whether it keeps float32 weights."""
    return [feed.wide for feed in net.plan().precision.connections]


def notes(net, of):
    """The plan's notes about the connection or input of that name."""
    return [note for note in net.plan().notes if repr(of) in note]


# The documented reasons


def test_ordinary_weights_are_stored_in_16_bits():
    for weights in ([30.0], [bs.normal(30.0, 3.0)], [30.0, 10.0], [bs.lognormal(1.0, 0.5)], [87.8, -351.2]):
        net = network(*weights)
        assert not any(wide(net)), weights
        assert "float32 weights" not in "".join(net.plan().notes[:-1])


def test_a_weight_that_16_bits_would_round_by_more_than_a_thousandth_keeps_float32_and_the_plan_says_why():
    # half a unit of the larger is 1000 / 65534: 0.1 % of 15.3
    assert wide(network(1000.0, bs.normal(20.0, 1e-6))) == [False, False]
    net = network(1000.0, bs.normal(10.0, 1e-6))
    assert wide(net) == [False, True]
    (note,) = notes(net, "1")
    for fragment in ("float32", "other weights", "0.15%", "largest weight"):
        assert fragment in note
    assert notes(net, "0") == []


def test_a_heavy_tail_keeps_float32_and_the_plan_says_why():
    assert wide(network(bs.lognormal(0.0, 1.0))) == [False]
    net = network(bs.lognormal(0.0, 2.5))
    assert wide(net) == [True]
    (note,) = notes(net, "0")
    for fragment in ("float32", "heavy tail", "mean weight"):
        assert fragment in note


def test_an_in_degree_that_leaves_too_few_bits_for_a_small_weight_makes_it_float32_and_the_plan_says_why():
    net = bs.Network()
    a, b = networks.cells(net, "a", 50), networks.cells(net, "b", 1)
    net.connect(a, b, bs.fixed_indegree(2_000_000), weight=bs.normal(10.0, 1.0), name="many")
    net.connect(a, b, bs.fixed_indegree(10), weight=bs.normal(1.0, 0.1), name="few")
    # 2 million synapses of up to 14.3: a unit of 0.013, half of which is 0.5 % of the small ones' largest
    assert wide(net) == [False, True]
    (note,) = notes(net, "few")
    assert "in-degree" in note


def test_weights_of_very_different_scale_into_different_receptors_stay_16_bit():
    model = lambda: bs.models.iaf_psc_exp(tau_syn_ex=1.0)  # noqa: E731 - one current for each sign
    assert wide(network(1000.0, -1.0, model=model)) == [False, False]
    assert wide(network(1000.0, -1.0)) == [False, True]  # of one time constant: one current, one unit


def test_a_poisson_input_can_be_the_one_that_does_not_fit():
    net = network(1000.0)
    net.poisson(net.populations["b"], rate=10.0, weight=0.1234, name="faint")
    (feed,) = net.plan().precision.poisson
    assert feed.wide
    assert "float32" in notes(net, "faint")[0]


SCALE = st.floats(-3.0, 4.0).map(lambda e: 10.0**e)
WEIGHT = st.one_of(
    SCALE,
    SCALE.map(lambda w: -w),
    SCALE.map(lambda w: bs.normal(w, w / 10)),
    SCALE.map(lambda w: bs.normal(-w, w)),
    SCALE.map(lambda w: bs.exponential(w)),
    st.builds(bs.lognormal, st.floats(-2.0, 5.0), st.floats(0.0, 3.0)),
)
RULE = st.one_of(
    st.integers(1, 3_000_000).map(bs.fixed_indegree),
    st.integers(1, 50_000).map(bs.fixed_outdegree),
    st.floats(0.0, 1.0).map(bs.pairwise_bernoulli),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(WEIGHT, RULE), min_size=1, max_size=5), st.floats(0.0, 1e6), st.booleans())
def test_what_is_stored_in_16_bits_loses_little_and_cannot_overflow(connections, rate, two_receptors):
    net = bs.Network()
    a = networks.cells(net, "a", 50)
    b = net.population("b", 60, bs.models.iaf_psc_exp(tau_syn_ex=1.0 if two_receptors else 2.0))
    for k, (weight, rule) in enumerate(connections):
        net.connect(a, b, rule, weight=weight, name=str(k))
    net.poisson(b, rate=rate, weight=1.0)
    precision = net.plan().precision
    sums = dict.fromkeys(precision.units, 0.0)
    for feed in precision.connections + precision.poisson:
        if feed.wide:
            continue
        for node, largest in feed.largest.items():
            unit = precision.units[node]
            assert round(largest / unit) <= 32767
            assert unit / 2 <= 1.0001e-3 * max(feed.largest.values())
            assert unit / 2 <= 1.0001e-2 * feed.mean
            sums[node] += feed.bound * (largest / unit + 0.5)
    assert all(total < 2**31 for total in sums.values())


# What is stored


@pytest.mark.parametrize("weights", [(0.1, -0.5), (20.0, -80.0), (0.1, -0.5, 0.15), (87.8, -351.2), (3.0, 7.0, -11.0)])
def test_weights_in_simple_ratios_are_represented_exactly(weights):
    sim = networks.drawn(network(*weights, model=bs.models.iaf_psc_delta))
    found = np.unique(sim.synapses("a", "b").weights)
    np.testing.assert_allclose(found, sorted(weights), rtol=1e-14)


def test_float32_weights_are_read_back_as_float32():
    net = bs.Network()
    a, b = networks.cells(net, "a", 50), networks.cells(net, "b", 50)
    weights = np.random.default_rng(1).lognormal(0.0, 3.0, (50, 50))
    net.connect(a, b, bs.all_to_all(), weight=weights)
    sim = networks.drawn(net)
    assert sim.plan.precision.any_wide
    s = sim.synapses("a", "b")
    np.testing.assert_array_equal(s.weights, weights.astype(np.float32)[s.sources, s.targets])


# What is summed


def everything_at_once(k, *weights):
    """Two neurons fire once, and reach one neuron through k synapses of each weight: its V_m (mV) afterwards, and the
    plan.
    """
    net = bs.Network()
    firing = networks.cells(net, "firing", 2, V_th=1.0, V_m=2.0)
    target = networks.cells(net, "target", 1)
    for weight in weights:
        net.connect(firing, target, bs.fixed_indegree(k), weight=weight, delay=0.1)
    sim = net.build(threads=1)
    assert sim.run(0.3).n_spikes == 2
    return float(sim.arrays["V_m"][2]), sim


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("k", [65_000, 70_000, 1_000_000])
def test_sums_at_the_edge_of_32_bits_are_right(k, sign):
    total, sim = everything_at_once(k, sign * 0.7)
    assert not sim.plan.precision.any_wide
    assert total == pytest.approx(sign * 0.7 * k, rel=1e-5)  # the largest sum there can be
    assert 0.9 * 2**31 < 0.7 * k / sim.plan.precision.units[(1, 0)] < 2**31


def test_sums_of_distributed_weights_at_the_edge_of_32_bits_are_those_of_the_synapses():
    total, sim = everything_at_once(500_000, bs.normal(1.0, 0.1))
    assert total == pytest.approx(sim.synapses("firing", "target").weights.sum(), rel=1e-6)
    assert total == pytest.approx(500_000, rel=1e-3)


def test_sums_of_float32_weights_are_right_however_many():
    total, sim = everything_at_once(500_000, bs.lognormal(0.0, 2.5))
    assert sim.plan.precision.any_wide
    assert total == pytest.approx(sim.synapses("firing", "target").weights.sum(), rel=1e-6)


def test_large_float32_weights_do_not_drown_small_ones():
    total, sim = everything_at_once(1000, 1e6, bs.normal(1.0, 1e-9), -1e6)
    assert sim.plan.precision.any_wide
    assert total == pytest.approx(1000.0, rel=1e-5)  # float32 sums would have lost it


# Dynamics


def driven(both):
    """Recurrent weights of both signs that keep float32; those of input do as well, or some of them, if `both`."""
    rng = np.random.default_rng(3)
    net = bs.Network(seed=2)
    a = net.population("a", 40, bs.models.iaf_psc_exp(tau_syn_in=6.0, t_ref=1.0), V_m=rng.uniform(-70.0, -55.0, 40))
    trains = net.spike_source("trains", [np.unique(rng.integers(1, 400, 30)) * 0.1 for _ in range(20)])
    net.connect(a, a, bs.fixed_indegree(20), weight=stats.t(1.2, scale=30.0), delay=bs.uniform(0.1, 2.0))
    weight = 20000.0 if both else stats.t(1.2, loc=50.0, scale=30.0)
    net.connect(trains, a, bs.fixed_outdegree(4 if both else 30), weight=weight, delay=bs.uniform(0.1, 1.0))
    net.poisson(a, rate=9000.0, weight=3.0)
    if both:
        net.poisson(a, rate=20.0, weight=10000.0)
    return net


@pytest.mark.parametrize("both", [False, True])
def test_networks_of_float32_weights_spike_as_the_oracle(both):
    net = driven(both)
    precision = net.plan().precision
    assert [feed.wide for feed in precision.connections] == [True, not both]
    assert [feed.wide for feed in precision.poisson] == ([True, False] if both else [False])
    expected = assert_equals_oracle(net, 500)
    assert len(expected.steps) > 50


def test_float32_weights_give_the_same_spikes_on_any_number_of_threads():
    one, two, three = (networks.spikes(driven(True).build(threads=threads), 50.0) for threads in (1, 2, 3))
    np.testing.assert_array_equal(two, one)
    np.testing.assert_array_equal(three, one)
