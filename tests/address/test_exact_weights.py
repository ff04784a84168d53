"""Weights that 16 bits can hold exactly are exact, and the plan says what is rounded, or lost."""

import networks
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs

F32 = np.float32
ONE = bs.one_to_one()


def listed(*weights, rule=ONE, n=None):
    """Arrays of weights, or numbers, one connection each, from one population to another."""
    net = bs.Network()
    n = max(np.size(w) for w in weights) if n is None else n
    a, b = networks.cells(net, "a", n), networks.cells(net, "b", n)
    for k, weight in enumerate(weights):
        size = np.size(weight)
        net.connect(
            a[:size] if np.ndim(weight) else a, b[:size] if np.ndim(weight) else b, rule, weight=weight, name=str(k)
        )
    return net


def arriving(net):
    """What one spike brings through each synapse of each connection, in float32, as a driver multiplies."""
    found = net.plan(threads=1).precision
    for c, feed in zip(net.connections, found.connections, strict=True):
        weight = np.atleast_1d(c.weight)
        unit = found.units[(1, 0)]
        counts = np.rint(weight / unit)
        assert feed.wide or np.abs(counts).max(initial=0) <= 32767
        yield weight.astype(F32) if feed.wide else counts.astype(F32) * F32(unit)


def notes(net, what):
    return [note for note in net.plan(threads=1).notes if what in note]


NUMBERS = st.lists(st.integers(-32767, 32767), min_size=1, max_size=300)
FACTORS = st.one_of(st.integers(-12, 12).map(lambda e: 2.0**e), st.just(1.0))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(NUMBERS, FACTORS, st.integers(1, 40))
def test_multiples_of_a_power_of_two_are_exact_in_16_bits_or_in_float32(numbers, factor, times):
    weights = np.tile(np.array(numbers) * factor, times)
    (found,) = arriving(listed(weights))
    np.testing.assert_array_equal(found, weights.astype(F32))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(-1500, 1500), min_size=1, max_size=300), st.sampled_from([0.1, 0.3, 0.01, 0.7]),
    st.sampled_from([np.float64, np.float32]),
)  # fmt: skip
@example([19, 1499], 0.1, np.float32)  # their unit is 0.1 in float32, not what 149.90001 / 1499 is nearest to
def test_decimal_fractions_are_exact_to_the_last_bit(numbers, step, dtype):
    weights = np.array(numbers).astype(dtype) * dtype(step)
    (found,) = arriving(listed(weights))
    np.testing.assert_array_equal(found, weights.astype(F32))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(1e-3, 1e4))
def test_one_number_is_exact(weight):
    (found,) = arriving(listed(weight, n=1))
    assert found == F32(weight)


@pytest.mark.parametrize("n", [64, 65, 100_000])
def test_whole_numbers_up_to_32767_are_exact_whatever_the_length(n):
    weights = np.random.default_rng(1).integers(1, 32768, n).astype(float)
    weights[-1] = 32767.0
    net = listed(weights)
    (found,) = arriving(net)
    np.testing.assert_array_equal(found, weights)
    assert not net.plan().precision.any_wide


def test_more_decimal_fractions_than_float32_can_tell_apart_in_one_unit_are_right_to_float32():
    weights = np.arange(1, 20_000) * 0.1
    (found,) = arriving(listed(weights))
    np.testing.assert_allclose(found, weights, rtol=1.3e-7)


@pytest.mark.parametrize("beside", [None, 0.3337, np.arange(1, 1000) / 997])
def test_a_neuron_whose_weight_is_the_distance_to_its_threshold_fires(beside):
    net = bs.Network()
    weights = np.arange(1, 101) * 0.1
    source = net.spike_source("source", [[0.1]] * 100)
    target = networks.cells(net, "target", 100, V_th=weights, t_ref=100.0)
    other = networks.cells(net, "other", 999)
    net.connect(source, target, ONE, weight=weights, delay=0.1)
    if beside is not None:
        net.connect(other, other, ONE, weight=beside)
        net.connect(other[:1], target + other, bs.all_to_all(), weight=0.1)  # one receptor scale for them all
    assert net.build(threads=1).run(1.0).n_spikes == 100


def test_weights_that_would_be_exact_but_for_others_keep_float32_or_are_rounded_and_the_plan_says_so():
    whole = np.arange(1.0, 32768.0)
    net = listed(whole, np.arange(1, 101) + 1000.5)  # 16 bits hold the one exactly, or the other
    for found, c in zip(arriving(net), net.connections, strict=True):
        np.testing.assert_array_equal(found, c.weight)
    assert notes(net, "'1'") == [
        "connection '1' keeps float32 weights: 16 bits would not hold its 100 sizes exactly, for the other weights of "
        "the receptor"
    ]
    net = listed(whole, 1000.5)  # one number of its own may be rounded
    assert notes(net, "'1'") == [
        "connection '1': weights rounded by 0.5 mV at most, for the other weights of the receptor"
    ]


def test_weights_whose_sum_leaves_too_few_bits_to_be_exact_keep_float32():
    net = bs.Network()
    a, b = networks.cells(net, "a", 100_000), networks.cells(net, "b", 1)
    net.connect(a, b, bs.all_to_all(), weight=np.resize(np.arange(1.0, 32768.0), (100_000, 1)))
    (found,) = arriving(net)
    np.testing.assert_array_equal(found, net.connections[0].weight)
    assert "in-degree" in notes(net, "float32")[0]


# What is lost


def test_the_plan_says_how_many_weights_count_as_zero():
    weights = np.random.default_rng(1).uniform(1.0, 1.1, 300)
    weights[:12], weights[12:20], weights[20] = 1e-6, 0.0, 1.1
    net = listed(weights)
    assert notes(net, "zero") == [
        "connection '0': 12 of its 300 weights are below half a unit (1.7e-05 mV) and count as zero"
    ]
    stored = networks.drawn(net).synapses("a", "b").weights
    assert (stored == 0).sum() == 20


def test_the_plan_says_which_part_of_a_distribution_counts_as_zero():
    net = listed(bs.exponential(10.0), rule=bs.fixed_indegree(10), n=10)
    half = net.plan(threads=1).precision.units[(1, 0)] / 2
    (note,) = notes(net, "zero")
    share, _, rest = note.removeprefix("connection '0': ").partition(" % of its weights are ")
    assert rest == f"below half a unit ({half:.2g} mV) and count as zero"
    assert float(share) / 100 == pytest.approx(stats.expon.cdf(half / 10.0), abs=1 / 65536)


def test_the_plan_says_beyond_which_distance_weights_count_as_zero():
    net = bs.Network()
    a = net.population("a", 100, bs.models.iaf_psc_delta(), positions=bs.grid((10, 10), 100.0))
    net.connect(a, a, bs.all_to_all(), weight=8.0 * bs.space.gaussian(std=50.0), name="near")
    half = net.plan(threads=1).precision.units[(0, 0)] / 2
    (note,) = notes(net, "zero")
    beyond = float(note.split("beyond ")[1].split(" um")[0])
    assert 8.0 * np.exp(-0.5 * (beyond / 50.0) ** 2) == pytest.approx(half, rel=2e-2)


def test_the_plan_says_which_float32_weights_and_poisson_inputs_count_as_zero():
    net = bs.Network()
    a, b = networks.cells(net, "a", 9), networks.cells(net, "b", 9)
    net.connect(a, b, bs.fixed_indegree(10), weight=1e30, name="huge")
    net.connect(a, b, ONE, weight=np.array([1e25] * 6 + [1e-3] * 3), name="few")
    net.poisson(b, rate=10.0, weight=1.0, name="faint")
    net.connect(a, b, ONE, weight=stats.t(1.2, scale=1e30), name="tail")
    assert notes(net, "'few'")[1].startswith("connection 'few': 3 of its 9 weights are below what 64-bit sums count (")
    assert notes(net, "'faint'")[1].startswith("poisson 'faint': 1 of its 1 weights are below")
