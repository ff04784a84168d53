"""Parrots repeat what reaches them; Poisson sources against the Poisson law, and alike for any number of threads."""

import naive
import networks
import numpy as np
import pytest
import scipy.sparse
from scipy import stats

import biosnn as bs

ALL = bs.all_to_all()


def trains(spikes, n, dt=0.1):
    """Steps of the spikes of each neuron."""
    steps = np.rint(spikes.times / dt).astype(int)
    return [steps[spikes.senders == k] for k in range(n)]


def test_a_parrot_repeats_each_spike_after_the_delay_whatever_the_weights():
    net = bs.Network()
    source = net.spike_source("s", [[1.0, 2.0, 5.0], [2.0, 8.0]])
    parrots = net.population("p", 5, bs.models.parrot_neuron())
    second = net.population("second", 1, bs.models.parrot_neuron())
    cancelling, listed = [[1.0], [-1.0]], scipy.sparse.csr_matrix([[2.0], [-3.0]])
    for k, weight in enumerate((1.0, -3.0, 0.0, cancelling)):
        net.connect(source, parrots[k], ALL, weight=weight, delay=1.5)
    net.connect(source, parrots[4], listed, delay=1.5)
    net.connect(parrots[:1], second, ALL, weight=bs.normal(0.0, 1.0), delay=0.1)
    net.record([parrots, second], name="r")
    sim = net.build(threads=1)
    repeated = [25, 35, 35, 65, 95]  # NEST's times (steps) for these trains and this delay
    expected = [*[repeated] * 5, [step + 1 for step in repeated]]
    assert [train.tolist() for train in trains(sim.run(15.0).spikes["r"], 6)] == expected
    np.testing.assert_array_equal(sim.weights("s", "p").toarray(), np.ones((2, 5)))


def test_a_parrot_repeats_each_arrival_of_poisson_input_whatever_its_weight():
    net = bs.Network(seed=2)
    parrots = net.population("p", 300, bs.models.parrot_neuron())
    cells = networks.cells(net, "cells", 300)
    net.poisson(parrots, rate=15_000.0, weight=-3.5)
    net.poisson(cells, rate=1.0, weight=1.0)
    net.connect(parrots, cells, bs.one_to_one(), weight=0.5, delay=0.1)
    sim = net.build(threads=1)
    pairs = []
    sim.run(100.0, sink=lambda steps, ids: pairs.append(ids + 300 * steps))
    assert_poisson(np.bincount(np.concatenate(pairs), minlength=300_000), 1.5)


def assert_poisson(counts, mean):
    """Counts of many neurons and steps follow the Poisson law."""
    last = int(stats.poisson.isf(20 / counts.size, mean))  # so that at least twenty are expected beyond it
    expected = np.append(stats.poisson.pmf(np.arange(last + 1), mean), stats.poisson.sf(last, mean)) * counts.size
    observed = np.bincount(np.minimum(counts, last + 1), minlength=last + 2)
    assert stats.chisquare(observed, expected * (counts.size / expected.sum())).pvalue > 1e-3


def sources(threads, n=400):
    """Poisson sources of three rates beside each other, and the parrots that repeat them."""
    net = bs.Network(seed=3)
    poisson = net.population("poisson", 3 * n, bs.models.poisson(rate=np.repeat([1.0, 20.0, 2000.0], n)))
    other = net.population("other", n, bs.models.poisson(rate=20.0))
    parrots = net.population("parrots", n, bs.models.parrot_neuron())
    net.connect(other, parrots, bs.one_to_one(), weight=1.0, delay=1.0)
    net.record([poisson, other, parrots], name="r")
    return net.build(threads=threads)


@pytest.fixture(scope="module")
def steps():
    """Steps of each neuron's spikes in 5 s: 400 of 1 Hz, of 20 Hz, of 2 kHz, of 20 Hz apart, and parrots of these."""
    return trains(sources(1).run(5000.0).spikes["r"], 2000)


def test_counts_intervals_and_correlations_are_those_of_independent_draws(steps):
    n_steps = 50_000
    for k, rate in enumerate((1.0, 20.0, 2000.0, 20.0)):
        mean, p = rate * 1e-4, -np.expm1(-rate * 1e-4)
        counts = np.array([train.size for train in steps[400 * k : 400 * (k + 1)]])
        assert 1e-3 < stats.poisson.cdf(counts.sum(), 400 * n_steps * mean) < 1 - 1e-3
        assert 1e-3 < stats.chi2.cdf(np.sum((counts - n_steps * mean) ** 2) / (n_steps * mean), 400) < 1 - 1e-3
        each = [np.bincount(train - 1, minlength=n_steps) for train in steps[400 * k : 400 * (k + 1)]]
        assert_poisson(np.concatenate(each), mean)
        if rate == 1.0:
            continue  # in 5 s, long intervals are cut off
        gaps = np.concatenate([np.diff(np.unique(train)) for train in steps[400 * k : 400 * (k + 1)]])
        edges = np.unique(stats.geom.ppf(np.linspace(0, 1, 21), p)[1:-1])
        expected = gaps.size * np.diff(stats.geom.cdf([0, *edges, np.inf], p))
        observed = np.histogram(gaps, [1, *(edges + 1), np.inf])[0]
        assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3
    dense = np.zeros((400, n_steps), bool)
    for i, train in enumerate(steps[800:1200]):
        dense[i, train - 1] = True
    p = -np.expm1(-0.2)
    for lag in (0, 1, 7):  # of neighbours, and of neighbours one and more steps later
        together = int(np.count_nonzero(dense[:-1, : n_steps - lag] & dense[1:, lag:]))
        assert stats.binomtest(together, 399 * (n_steps - lag), p * p).pvalue > 1e-3


def test_the_events_of_a_step_are_those_of_its_random_word(steps):
    ids, n_steps = np.arange(1200), 2000
    mean = np.repeat([1.0, 20.0, 2000.0], 400) * 1e-4
    limits = np.array([stats.poisson.sf(k, mean) for k in range(8)]) * 2.0**32
    limits[0] = limits[0].astype(np.float32)
    found = np.array([np.bincount(train - 1, minlength=50_000)[:n_steps] for train in steps[:1200]])
    for step in range(n_steps):
        words = naive.words(ids, naive.keyed(3, 7, step))
        np.testing.assert_array_equal(found[:, step], (words < limits).sum(0))


def test_parrots_pass_the_trains_on_and_no_two_populations_share_one(steps):
    for sent, repeated in zip(steps[1200:1600], steps[1600:], strict=True):
        assert (sent[sent <= 49_990] + 10).tolist() == repeated.tolist()
    assert not any(np.array_equal(a, b) for a, b in zip(steps[400:800], steps[1200:1600], strict=True))


def test_the_trains_are_the_same_for_any_number_of_threads(steps):
    found = trains(sources(2).run(500.0).spikes["r"], 2000)
    for a, b in zip(steps, found, strict=True):
        np.testing.assert_array_equal(a[a <= 5000], b)


def test_what_takes_no_input_says_so():
    net = bs.Network()
    poisson = net.population("noise", 2, bs.models.poisson(rate=5.0))
    parrots = net.population("relay", 2, bs.models.parrot_neuron())
    cells = networks.cells(net, "cells", 2)
    fast = bs.Network()
    fast.population("fast", 1, bs.models.poisson(rate=1e7))
    for call, message in (
        (lambda: net.connect(parrots, poisson, ALL, weight=1.0), "'noise' are poisson, which take no spikes"),
        (lambda: net.poisson(poisson, rate=1.0, weight=1.0), "'noise' are poisson, which take no spikes"),
        (lambda: net.current(parrots, 1.0), "'relay' are parrot_neuron, which take no currents"),
        (lambda: bs.models.poisson(rate=-1.0), "rate must be at least 0 (Hz)"),
        (lambda: net.connect(parrots, [cells, parrots], ALL, weight=1.0), "'cells' add the weights up; connect them"),
        (lambda: net.poisson([parrots, cells], rate=1.0, weight=1.0), "'cells' add the weights up; connect them apart"),
        (fast.plan, "rate must be at most 5e+06 (Hz), 500 events a step, got 1e+07; cut a distribution off"),
        (lambda: bs.models.parrot_neuron(receptors=[bs.receptors.exp("a")]), "the model has 0"),
    ):
        with pytest.raises(bs.errors.DescriptionError) as caught:
            call()
        assert message in str(caught.value)
