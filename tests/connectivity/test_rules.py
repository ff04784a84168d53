"""Connection rules, read back by sim.synapses(): NEST's conditions hold exactly, and what is drawn follows its law."""

import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs

SURE = 1e-4  # seeds are fixed: a test that passes once passes always


def autapses(s):
    return int((s.sources == s.targets).sum())


def multapses(s):
    return len(s) - len(set(zip(s.sources.tolist(), s.targets.tolist(), strict=True)))


def uniform(counts):
    """Whether counts are as even as those of independent uniform draws; neither more nor less."""
    p = stats.chisquare(counts).pvalue
    return SURE < p < 1 - SURE


# The conditions of each rule


@pytest.mark.parametrize("allow_multapses", [True, False])
@pytest.mark.parametrize("k", [0, 1, 7, 24])
def test_fixed_indegree_gives_each_target_its_sources(k, allow_multapses):
    s = networks.connected_to_itself(bs.fixed_indegree(k, allow_autapses=False, allow_multapses=allow_multapses))
    np.testing.assert_array_equal(np.bincount(s.targets, minlength=25), k)
    assert autapses(s) == 0
    assert (multapses(s) > 0) == (allow_multapses and k > 1)


@pytest.mark.parametrize("allow_multapses", [True, False])
@pytest.mark.parametrize("k", [0, 1, 7, 12, 13, 24])
def test_fixed_outdegree_gives_each_source_its_targets(k, allow_multapses):
    s = networks.connected_to_itself(bs.fixed_outdegree(k, allow_autapses=False, allow_multapses=allow_multapses))
    np.testing.assert_array_equal(np.bincount(s.sources, minlength=25), k)
    assert autapses(s) == 0
    assert (multapses(s) > 0) == (allow_multapses and k > 1)


@pytest.mark.parametrize("allow_multapses", [True, False])
@pytest.mark.parametrize("n", [0, 1, 300, 600])
def test_fixed_total_number_gives_that_many_synapses(n, allow_multapses):
    s = networks.connected_to_itself(bs.fixed_total_number(n, allow_autapses=False, allow_multapses=allow_multapses))
    assert len(s) == n
    assert autapses(s) == 0
    assert (multapses(s) > 0) == (allow_multapses and n > 1)


@pytest.mark.parametrize("rule", [bs.fixed_indegree, bs.fixed_outdegree])
def test_fixed_degree_of_all_there_are_connects_every_pair(rule):
    s = networks.connected_to_itself(rule(25, allow_multapses=False))
    assert len(s) == 625
    assert multapses(s) == 0


def test_all_to_all_from_a_few_neurons_of_a_population_writes_nothing_for_the_others():
    s = networks.connected_to_itself(bs.all_to_all(), n=3000, source=slice(5, 7))
    np.testing.assert_array_equal(s.sources, np.repeat([0, 1], 3000) + 5)
    np.testing.assert_array_equal(s.targets, np.tile(np.arange(3000), 2))


def test_autapses_are_made_where_they_are_allowed():
    for rule in (bs.fixed_indegree(10), bs.fixed_outdegree(10), bs.fixed_total_number(300), bs.pairwise_bernoulli(0.5)):
        assert autapses(networks.connected_to_itself(rule)) > 0


def test_pairwise_bernoulli_of_nought_and_one_are_nothing_and_everything():
    assert len(networks.connected(bs.pairwise_bernoulli(0.0))) == 0
    s = networks.connected(bs.pairwise_bernoulli(1.0))
    assert len(s) == 600
    assert multapses(s) == 0
    s = networks.connected_to_itself(bs.pairwise_bernoulli(1.0, allow_autapses=False))
    assert len(s) == 25 * 24
    assert autapses(s) == 0


def test_all_to_all_connects_every_pair_once():
    s = networks.connected(bs.all_to_all())
    np.testing.assert_array_equal(s.sources, np.repeat(np.arange(30), 20))
    np.testing.assert_array_equal(s.targets, np.tile(np.arange(20), 30))
    s = networks.connected_to_itself(bs.all_to_all(allow_autapses=False))
    assert len(s) == 25 * 24
    assert autapses(s) == multapses(s) == 0


def test_one_to_one_connects_neurons_in_their_order():
    s = networks.connected_to_itself(bs.one_to_one(), source=[3, 9, 1, 24], target=slice(10, 14))
    assert sorted(zip(s.sources.tolist(), s.targets.tolist(), strict=True)) == [(1, 12), (3, 10), (9, 11), (24, 13)]


OVERLAP = {
    "fixed_indegree": (bs.fixed_indegree(9, allow_autapses=False, allow_multapses=False), 15 * 9),
    "fixed_outdegree": (bs.fixed_outdegree(9, allow_autapses=False, allow_multapses=False), 10 * 9),
    "fixed_outdegree, most": (bs.fixed_outdegree(14, allow_autapses=False, allow_multapses=False), 10 * 14),
    "fixed_total_number": (bs.fixed_total_number(145, allow_autapses=False, allow_multapses=False), 145),
    "pairwise_bernoulli": (bs.pairwise_bernoulli(1.0, allow_autapses=False), 145),
    "all_to_all": (bs.all_to_all(allow_autapses=False), 145),
}


@pytest.mark.parametrize("rule", OVERLAP)
@pytest.mark.parametrize("target", [slice(5, 20), [*range(12, 20), 22, *range(5, 11)]], ids=["slice", "index"])
def test_groups_that_overlap_in_part_have_no_autapses(rule, target):
    rule, n = OVERLAP[rule]  # of 10 x 15 pairs 5 are autapses
    s = networks.connected_to_itself(rule, source=slice(0, 10), target=target)
    assert len(s) == n
    assert autapses(s) == multapses(s) == 0
    assert s.sources.max() < 10
    assert set(s.targets.tolist()) <= set(np.arange(25)[target].tolist())


SIZES = st.integers(1, 6)
DEGREE = st.integers(0, 3000)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    rule=st.one_of(
        DEGREE.map(lambda k: bs.fixed_indegree(k, allow_autapses=False)),
        DEGREE.map(lambda k: bs.fixed_outdegree(k, allow_autapses=False)),
        DEGREE.map(lambda k: bs.fixed_total_number(k, allow_autapses=False)),
        DEGREE.map(bs.fixed_outdegree),
        DEGREE.map(bs.fixed_total_number),
    ),
    first=SIZES,
    shared=SIZES,
    last=SIZES,
)
def test_no_in_degree_exceeds_the_bound_that_sums_are_planned_with(rule, first, shared, last):
    """Tightest where few neurons share many synapses."""
    net = bs.Network()
    a = networks.cells(net, "a", first + shared + last)
    c = net.connect(a[: first + shared], a[first:], rule, weight=1.0)
    s = networks.drawn(net).synapses("a", "a")
    assert len(s) == c.n_expected
    assert np.bincount(s.targets, minlength=1).max(initial=0) <= c.in_degree_bound


def test_dense_weights_without_autapses_leave_out_the_neurons_own_also_in_another_order():
    weights = np.arange(1.0, 10.0).reshape(3, 3)
    s = networks.connected_to_itself(
        bs.all_to_all(allow_autapses=False), source=[0, 1, 2], target=[2, 1, 0], weight=weights
    )
    assert len(s) == 6
    assert autapses(s) == 0


# What is drawn


def test_sources_of_fixed_indegree_are_uniform():
    s = networks.connected(bs.fixed_indegree(100), 50, 400)
    assert uniform(np.bincount(s.sources, minlength=50))
    pairs = np.bincount(s.sources * 400 + s.targets, minlength=50 * 400)  # repeats as often as they should
    np.testing.assert_allclose(np.bincount(pairs)[:7] / 20000, stats.binom.pmf(np.arange(7), 100, 1 / 50), atol=0.015)


def test_sources_of_fixed_indegree_without_multapses_are_uniform():
    s = networks.connected(bs.fixed_indegree(30, allow_multapses=False), 40, 1000)
    assert stats.chisquare(np.bincount(s.sources, minlength=40)).pvalue > SURE


def test_targets_of_fixed_outdegree_are_uniform():
    s = networks.connected(bs.fixed_outdegree(100), 400, 50)
    assert uniform(np.bincount(s.targets, minlength=50))


@pytest.mark.parametrize("k", [12, 28])  # targets are drawn, or, if they are more than half, those left out
def test_targets_of_fixed_outdegree_without_multapses_are_uniform(k):
    s = networks.connected(bs.fixed_outdegree(k, allow_multapses=False), 1000, 40)
    assert stats.chisquare(np.bincount(s.targets, minlength=40)).pvalue > SURE


def test_pairs_of_fixed_total_number_are_uniform():
    s = networks.connected(bs.fixed_total_number(20000), 20, 30)
    assert uniform(np.bincount(s.sources * 30 + s.targets, minlength=600))


def test_pairs_of_fixed_total_number_without_multapses_are_uniform():
    every = [networks.connected(bs.fixed_total_number(60, allow_multapses=False), 10, 12, seed=k) for k in range(200)]
    counts = sum(np.bincount(s.sources * 12 + s.targets, minlength=120) for s in every)
    assert uniform(counts * 2)  # half of the pairs are taken: the variance of a count is half of Poisson's
    in_degree = np.concatenate([np.bincount(s.targets, minlength=12) for s in every])
    expected = 2400 * stats.hypergeom(120, 60, 10).pmf(np.arange(11))
    assert stats.chisquare(lumped(np.bincount(in_degree, minlength=11)), lumped(expected)).pvalue > SURE


@pytest.mark.parametrize("p", [0.05, 0.7])
def test_degrees_of_pairwise_bernoulli_are_binomial(p):
    s = networks.connected(bs.pairwise_bernoulli(p), 2000, 2000)
    assert multapses(s) == 0
    assert SURE < stats.binom.cdf(len(s), 4_000_000, p) < 1 - SURE
    for side in (s.sources, s.targets):
        degrees = np.bincount(side, minlength=2000)
        edges = stats.binom.ppf(np.linspace(0.0, 1.0, 21)[1:-1], 2000, p)
        expected = 2000 * np.diff([0.0, *stats.binom.cdf(edges, 2000, p), 1.0])
        assert stats.chisquare(np.bincount(np.searchsorted(edges, degrees), minlength=20), expected).pvalue > SURE


def lumped(counts):
    """Counts with both tails added up, so that no expected one is below five."""
    counts = np.asarray(counts, float)
    return np.array([counts[:3].sum(), *counts[3:-3], counts[-3:].sum()])


DRAWN = {
    "normal": (bs.normal(50.0, 5.0), stats.norm(50.0, 5.0)),
    "both signs": (bs.normal(1.0, 20.0), stats.norm(1.0, 20.0)),
    "lognormal": (bs.lognormal(3.0, 0.5), stats.lognorm(0.5, scale=np.exp(3.0))),
    "exponential": (bs.exponential(20.0), stats.expon(scale=20.0)),
    "scipy": (stats.gamma(3.0, scale=10.0), stats.gamma(3.0, scale=10.0)),
}
RULES = [bs.fixed_indegree(300), bs.fixed_outdegree(300), bs.pairwise_bernoulli(0.6), bs.all_to_all()]


@pytest.mark.parametrize("what", DRAWN)
def test_weights_follow_their_distribution(what):
    ours, law = DRAWN[what]
    s = networks.connected(bs.fixed_outdegree(400), 100, 200, weight=ours)
    assert stats.kstest(s.weights, law.cdf).pvalue > SURE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_weights_and_delays_follow_their_distributions_for_every_rule_and_independently(rule):
    s = networks.connected(rule, 200, 200, weight=bs.normal(50.0, 5.0), delay=bs.uniform(0.05, 1.05))
    assert stats.kstest(s.weights, stats.norm(50.0, 5.0).cdf).pvalue > SURE
    delays = np.rint(s.delays * 10).astype(int)
    assert uniform(np.bincount(delays, minlength=11)[1:])
    weights = np.searchsorted(stats.norm.ppf([0.2, 0.4, 0.6, 0.8], 50.0, 5.0), s.weights)
    for a, b in ((delays, weights), (s.targets // 40, weights), (s.sources // 40, weights), (s.targets // 40, delays)):
        assert stats.chi2_contingency(np.histogram2d(a, b, (np.unique(a).size, np.unique(b).size))[0]).pvalue > SURE


def test_delays_are_rounded_to_the_nearest_step_and_one_at_least():
    law = stats.norm(0.5, 0.3)
    s = networks.connected(bs.fixed_outdegree(400), 100, 200, delay=bs.normal(0.5, 0.3))
    steps = np.rint(s.delays / 0.1).astype(int)
    np.testing.assert_allclose(s.delays, steps * 0.1)
    edges = np.array([-np.inf, *np.arange(0.15, 1.2, 0.1), np.inf])
    observed = np.bincount(np.minimum(steps, 12), minlength=13)[1:]
    assert steps.min() == 1
    assert stats.chisquare(observed, np.diff(law.cdf(edges)) * len(s)).pvalue > SURE


# Groups as sources and targets


def test_union_of_targets_is_one_group_to_a_rule():
    net = bs.Network()
    exc, inh = networks.cells(net, "exc", 40), networks.cells(net, "inh", 10)
    net.connect(exc, [exc, inh], bs.fixed_outdegree(20, allow_multapses=False, allow_autapses=False), weight=1.0)
    sim = networks.drawn(net)
    s = sim.synapses("exc")
    np.testing.assert_array_equal(np.bincount(s.sources), 20)
    assert autapses(s) == multapses(s) == 0
    assert 100 < len(sim.synapses("exc", "inh")) < 220  # a fifth of 800
    assert len(sim.synapses("exc", "exc")) + len(sim.synapses("exc", "inh")) == 800
    assert len(sim.synapses("inh")) == 0


def test_union_of_sources_is_one_group_to_a_rule():
    net = bs.Network()
    exc, inh = networks.cells(net, "exc", 40), networks.cells(net, "inh", 10)
    net.connect([inh, exc], exc, bs.fixed_indegree(30, allow_multapses=False), weight=1.0)
    sim = networks.drawn(net)
    np.testing.assert_array_equal(np.bincount(sim.synapses(target="exc").targets, minlength=40), 30)
    assert 180 < len(sim.synapses("inh", "exc")) < 300  # a fifth of 1200


def test_one_to_one_between_unions_follows_their_order():
    net = bs.Network()
    a, b = networks.cells(net, "a", 3), networks.cells(net, "b", 2)
    net.connect([b, a], [a, b], bs.one_to_one(), weight=[1.0, 2.0, 3.0, 4.0, 5.0])
    weights = np.zeros((5, 5))
    s = networks.drawn(net).synapses()
    weights[s.sources, s.targets] = s.weights
    expected = np.zeros((5, 5))
    expected[[3, 4, 0, 1, 2], [0, 1, 2, 3, 4]] = [1.0, 2.0, 3.0, 4.0, 5.0]
    np.testing.assert_allclose(weights, expected, rtol=1e-3)


PARTS = {"slice": slice(5, 12), "strided": slice(2, 20, 3), "index": [17, 3, 11, 4], "mask": np.arange(25) % 4 == 1}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "rule", [bs.fixed_indegree(3), bs.fixed_outdegree(3), bs.all_to_all(), bs.pairwise_bernoulli(0.7)]
)
def test_synapses_stay_within_their_groups(part, rule):
    members = np.arange(25)[PARTS[part]]
    outgoing = networks.connected_to_itself(rule, source=PARTS[part])
    incoming = networks.connected_to_itself(rule, target=PARTS[part])
    assert set(outgoing.sources.tolist()) <= set(members.tolist())
    assert set(incoming.targets.tolist()) <= set(members.tolist())
    if rule.name == "fixed_indegree":
        np.testing.assert_array_equal(np.bincount(incoming.targets, minlength=25)[members], 3)
    if rule.name == "fixed_outdegree":
        np.testing.assert_array_equal(np.bincount(outgoing.sources, minlength=25)[members], 3)


def test_connections_between_the_same_populations_add_up():
    net = bs.Network()
    a = networks.cells(net, "a", 20)
    net.connect(a, a, bs.one_to_one(), weight=1.0, delay=0.3)
    net.connect(a, a, bs.fixed_indegree(4), weight=2.0, delay=0.2)
    net.connect(a[:10] + a[15:], a, bs.fixed_indegree(5, allow_multapses=False), weight=4.0, delay=0.1)
    s = networks.drawn(net).synapses("a", "a")
    for weight, delay, n in ((1.0, 0.3, 20), (2.0, 0.2, 80), (4.0, 0.1, 100)):
        mine = np.isclose(s.weights, weight)
        assert mine.sum() == n
        np.testing.assert_allclose(s.delays[mine], delay)
    assert set(s.sources[np.isclose(s.weights, 4.0)].tolist()) <= {*range(10), *range(15, 20)}
    np.testing.assert_array_equal(s.sources[np.isclose(s.weights, 1.0)], np.arange(20))
