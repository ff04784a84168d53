"""The engine against the oracle of naive.py, and the oracle's own generator of Poisson counts against SciPy."""

import naive
import networks
import numpy as np
import pytest
from agreement import assert_equals_oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs


@settings(max_examples=12, deadline=None, derandomize=True)
@given(draw=st.integers(0, 10**6), seed=st.integers(0, 2**63 - 1), longest=st.sampled_from([0.1, 0.7, 3.0, 20.0]))
def test_random_networks_of_everything_spike_as_the_oracle(draw, seed, longest):
    net = networks.mixed(draw, seed, longest=longest)
    assert_equals_oracle(net, 300)


def test_random_network_on_two_threads_spikes_as_the_oracle():
    expected = assert_equals_oracle(networks.mixed(4, n=150), 300, threads=2)
    assert len(expected.steps) > 100


def test_recurrent_network_with_drawn_initial_states_spikes_as_the_oracle():
    net = networks.recurrent()
    drawn = net.build(threads=1).arrays["V_m"].astype(np.float64)
    net.populations["neurons"].initial["V_m"] = drawn - 70.0
    expected = assert_equals_oracle(net, 1000)
    assert len(expected.steps) > 200


def test_parameters_that_differ_between_neurons_spike_as_the_oracle():
    rng = np.random.default_rng(5)
    net = bs.Network()
    values = {
        "tau_m": rng.uniform(5.0, 30.0, 50), "C_m": rng.uniform(100.0, 300.0, 50), "E_L": rng.uniform(-75.0, -65.0, 50),
        "V_th": rng.uniform(-60.0, -50.0, 50), "V_reset": rng.uniform(-80.0, -65.0, 50),
        "t_ref": rng.integers(0, 40, 50) * 0.1, "I_e": rng.uniform(-100.0, 400.0, 50),
        "tau_syn_ex": rng.uniform(0.5, 5.0, 50), "tau_syn_in": rng.uniform(0.5, 5.0, 50),
    }  # fmt: skip
    neurons = net.population("neurons", 50, bs.models.iaf_psc_exp(**values), V_m=rng.uniform(-70.0, -62.0, 50))
    net.connect(neurons, neurons, bs.fixed_indegree(10), weight=bs.normal(30.0, 150.0), delay=bs.uniform(0.1, 2.0))
    expected = assert_equals_oracle(net, 500)
    assert len(expected.steps) > 50


RATES = (0.1, 4.9, 5.1, 9.0, 30.0, 200.0)  # arrivals per step: around the edges of the table's window, and far beyond


def test_poisson_input_of_any_rate_arrives_as_in_the_oracle():
    net = bs.Network(seed=7)
    for k, mean in enumerate(RATES):
        net.poisson(networks.cells(net, f"p{k}", 700), rate=mean * 1e4, weight=1.0 if k % 2 else -1.0)
    assert_equals_oracle(net, 100)


# The oracle's generator, as documented in biosnn/inputs/poisson_cpu.py and biosnn/random.py: does it draw what it says?

SURE = 1e-4  # fixed seeds: a test that passes once passes always


def counts(n_steps=50, n=4000, mean=1.5, seed=1, stream=0, first=0):
    ids = np.arange(first, first + n)
    return np.array([naive.poisson_counts(seed, stream, step, ids, mean) for step in range(n_steps)])


@pytest.mark.parametrize("mean", [0.01, 0.8, *RATES[1:]])
def test_counts_follow_the_poisson_law(mean):
    found = counts(mean=mean).ravel()
    edges = np.unique(stats.poisson.ppf(np.linspace(0.0, 1.0, 40)[1:-1], mean))
    expected = np.diff([0.0, *stats.poisson.cdf(edges, mean), 1.0]) * found.size
    observed = np.bincount(np.searchsorted(edges, found), minlength=expected.size)
    assert stats.chisquare(observed[expected > 0], expected[expected > 0]).pvalue > SURE


@pytest.mark.parametrize("lag", [1, 2, 3, 16, 256])
@pytest.mark.parametrize("axis", ["neurons", "steps", "both"])
def test_counts_of_neurons_and_steps_are_independent(axis, lag):
    found = counts(n_steps=300, n=2000)
    shifted = found[lag if axis != "neurons" else 0 :, lag if axis != "steps" else 0 :]
    assert independent(found[: shifted.shape[0], : shifted.shape[1]], shifted)


def test_counts_of_streams_and_seeds_are_independent():
    found = counts()
    for other in (counts(stream=1), counts(seed=2), counts(stream=1, first=1), counts(seed=2**40 + 1)):
        assert independent(found, other)


def test_sums_over_all_neurons_and_over_all_steps_have_the_variance_of_poisson_sums():
    found = counts(n_steps=2000, n=2000, mean=0.8)
    for axis in (0, 1):
        sums = found.sum(axis)
        index = (sums.size - 1) * sums.var(ddof=1) / (0.8 * found.shape[axis])  # chi-square of size - 1 degrees
        assert SURE < stats.chi2.cdf(index, sums.size - 1) < 1 - SURE


def independent(a, b):
    """Chi-square test of a table of pairs of counts, with those of 5 and more lumped."""
    table = np.zeros((6, 6))
    np.add.at(table, (np.minimum(a, 5).ravel(), np.minimum(b, 5).ravel()), 1)
    return stats.chi2_contingency(table).pvalue > SURE
