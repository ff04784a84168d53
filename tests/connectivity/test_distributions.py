"""What is drawn follows its law, at fixed seeds: degrees of every rule, delays, weights; one by one and together."""

import networks
import numpy as np
import pytest
from scipy import stats

import biosnn as bs
from biosnn.engine.building import values as resolve

SURE = 1e-4  # seeds are fixed: a test that passes once passes always


def built(rule, n_source, n_target, recurrent=False, seed=1, **how):
    net = bs.Network(seed=seed)
    a = networks.cells(net, "a", n_source)
    b = a if recurrent else networks.cells(net, "b", n_target)
    net.connect(a, b, rule, **{"weight": 1.0} | how)
    return networks.drawn(net).synapses("a", "a" if recurrent else "b")


def follow(counts, law):
    """Whether whole numbers follow a discrete law: chi-square over bins of at least five expected, tails included."""
    counts = np.asarray(counts)
    edges = np.unique(law.ppf(np.linspace(0, 1, max(min(counts.size // 10, 25), 3))[1:-1]))
    expected = counts.size * np.diff([0.0, *law.cdf(edges), 1.0])
    found = np.bincount(np.searchsorted(edges, counts), minlength=expected.size)
    keep = expected > 0
    assert not found[~keep].any()
    return SURE < stats.chisquare(found[keep], expected[keep]).pvalue < 1 - SURE


# Degrees: those that a rule leaves to chance. What it fixes is in test_rules.py

N, M, K = 800, 600, 40  # sources, targets, synapses of each of one side
DEGREES = {
    # rule: law of the in-degree, law of the out-degree; None where it is fixed
    "fixed_indegree": (bs.fixed_indegree(K), None, stats.binom(M * K, 1 / N)),
    "fixed_indegree, distinct": (bs.fixed_indegree(K, allow_multapses=False), None, stats.binom(M, K / N)),
    "fixed_outdegree": (bs.fixed_outdegree(K), stats.binom(N * K, 1 / M), None),
    "fixed_outdegree, distinct": (bs.fixed_outdegree(K, allow_multapses=False), stats.binom(N, K / M), None),
    "fixed_outdegree, most": (bs.fixed_outdegree(M - K, allow_multapses=False), stats.binom(N, 1 - K / M), None),
    "fixed_total_number": (bs.fixed_total_number(30000), stats.binom(30000, 1 / M), stats.binom(30000, 1 / N)),
    "fixed_total_number, distinct": (
        bs.fixed_total_number(30000, allow_multapses=False),
        stats.hypergeom(N * M, N, 30000),
        stats.hypergeom(N * M, M, 30000),
    ),
    "pairwise_bernoulli": (bs.pairwise_bernoulli(0.06), stats.binom(N, 0.06), stats.binom(M, 0.06)),
}


@pytest.mark.parametrize("what", DEGREES)
def test_degrees_that_a_rule_leaves_to_chance_follow_their_law(what):
    rule, law_in, law_out = DEGREES[what]
    s = built(rule, N, M)
    for side, law, size in ((s.targets, law_in, M), (s.sources, law_out, N)):
        degrees = np.bincount(side, minlength=size)
        if law is None:
            assert np.ptp(degrees) == 0
        else:
            assert follow(degrees, law), law.dist.name
            # and nothing is hidden in the order of the neurons
            assert stats.pearsonr(np.arange(size), degrees).pvalue > SURE
            assert stats.pearsonr(degrees[1:], degrees[:-1]).pvalue > SURE


@pytest.mark.parametrize("rule", ["fixed_indegree", "fixed_outdegree", "fixed_total_number"])
def test_multapses_are_as_many_as_independent_draws_make(rule):
    n, m, total = 60, 50, 9000
    size = {"fixed_indegree": total // m, "fixed_outdegree": total // n, "fixed_total_number": total}[rule]
    s = built(getattr(bs, rule)(size), n, m)
    law = {
        "fixed_indegree": stats.binom(size, 1 / n),
        "fixed_outdegree": stats.binom(size, 1 / m),
        "fixed_total_number": stats.binom(size, 1 / (n * m)),
    }[rule]
    repeats = np.bincount(s.sources * m + s.targets, minlength=n * m)
    expected = n * m * np.array([law.cdf(0), *law.pmf(np.arange(1, 7)), law.sf(6)])
    assert stats.chisquare(np.bincount(np.minimum(repeats, 7), minlength=8), expected).pvalue > SURE


@pytest.mark.parametrize(
    "rule",
    [
        bs.fixed_indegree(30, allow_autapses=False),
        bs.fixed_outdegree(30, allow_autapses=False),
        bs.fixed_outdegree(5, allow_autapses=False, allow_multapses=False),
        bs.fixed_total_number(9000, allow_autapses=False),
    ],
    ids=lambda rule: rule.name,
)
def test_without_autapses_all_other_pairs_are_equally_likely(rule):
    pairs = np.zeros((12, 12), int)
    for seed in range(40):
        s = built(rule, 12, 12, recurrent=True, seed=seed)
        np.add.at(pairs, (s.sources, s.targets), 1)
    assert not np.diag(pairs).any()
    others = pairs[~np.eye(12, dtype=bool)]
    # counts without repeats, or with one side fixed, vary less than independent ones: never more
    assert stats.chisquare(others).pvalue > SURE


def test_autapses_are_as_likely_as_other_pairs_where_they_are_allowed():
    s = built(bs.pairwise_bernoulli(0.3), 4000, 4000, recurrent=True, seed=3)
    assert SURE < stats.binom.cdf((s.sources == s.targets).sum(), 4000, 0.3) < 1 - SURE
    s = built(bs.fixed_indegree(10), 4000, 4000, recurrent=True)
    assert SURE < stats.binom.cdf((s.sources == s.targets).sum(), 40000, 1 / 4000) < 1 - SURE


def test_a_pair_and_its_reverse_are_connected_independently():
    s = built(bs.pairwise_bernoulli(0.2), 1500, 1500, recurrent=True)
    there = np.zeros((1500, 1500), bool)
    there[s.sources, s.targets] = True
    upper = np.triu_indices(1500, 1)
    both = np.bincount(2 * there[upper] + there.T[upper], minlength=4)
    expected = upper[0].size * np.array([0.64, 0.16, 0.16, 0.04])
    assert stats.chisquare(both, expected).pvalue > SURE
    neighbours = np.bincount((2 * there[:, 1:] + there[:, :-1]).ravel(), minlength=4)
    assert stats.chisquare(neighbours, there[:, 1:].size * np.array([0.64, 0.16, 0.16, 0.04])).pvalue > SURE


def test_connections_of_one_rule_are_drawn_independently():
    net = bs.Network()
    a, b = networks.cells(net, "a", 900), networks.cells(net, "b", 700)
    for weight in (1.0, 2.0):
        net.connect(a, b, bs.pairwise_bernoulli(0.2), weight=weight, delay=0.1)
        net.connect(a, b, bs.fixed_indegree(90, allow_multapses=False), weight=4 * weight, delay=0.1)
    s = networks.drawn(net).synapses("a", "b")
    made = []
    for weight in (1.0, 2.0, 4.0, 8.0):
        there = np.zeros((900, 700), bool)
        mine = np.isclose(s.weights, weight, rtol=0.01)
        there[s.sources[mine], s.targets[mine]] = True
        made.append(there.ravel())
    for one, other in ((0, 1), (2, 3), (0, 2)):
        p = made[one].mean() * made[other].mean()
        assert SURE < stats.binom.cdf((made[one] & made[other]).sum(), made[one].size, p) < 1 - SURE


# Delays and weights

LAWS = {
    "normal": (bs.normal(1.5, 0.4), stats.norm(1.5, 0.4)),
    "lognormal": (bs.lognormal(0.3, 0.5), stats.lognorm(0.5, scale=np.exp(0.3))),
    "exponential": (bs.exponential(1.2), stats.expon(scale=1.2)),
    "uniform": (bs.uniform(0.2, 2.9), stats.uniform(0.2, 2.7)),
    "redrawn": (bs.normal(1.0, 0.6).redrawn(0.3, 1.4), stats.truncnorm(-7 / 6, 4 / 6, 1.0, 0.6)),
    "gamma": (stats.gamma(3.0, scale=0.5), stats.gamma(3.0, scale=0.5)),
    "triangular": (stats.triang(0.3, 0.5, 2.0), stats.triang(0.3, 0.5, 2.0)),
}


@pytest.mark.parametrize("what", LAWS)
def test_delays_follow_their_law_rounded_to_steps(what):
    ours, law = LAWS[what]
    s = built(bs.fixed_outdegree(400), 100, 200, delay=ours)
    steps = np.rint(s.delays / 0.1).astype(int)
    edges = (np.arange(1, 60) + 0.5) * 0.1
    expected = np.diff([0.0, *law.cdf(edges), 1.0]) * len(s)
    found = np.bincount(np.minimum(steps, 60), minlength=61)[1:]
    few = expected < 5
    found, expected = np.append(found[~few], found[few].sum()), np.append(expected[~few], expected[few].sum())
    assert stats.chisquare(found[expected > 0], expected[expected > 0]).pvalue > SURE


@pytest.mark.parametrize("what", ["uniform", "redrawn", "triangular"])  # test_rules.py has the others
def test_weights_follow_their_law(what):
    ours, law = LAWS[what]
    s = built(bs.fixed_indegree(200), 150, 200, weight=ours)
    assert stats.kstest(s.weights, law.cdf).pvalue > SURE


def test_weights_that_keep_float32_follow_their_law_to_the_tails():
    s = built(bs.fixed_outdegree(400), 200, 300, weight=bs.lognormal(0.0, 2.5))
    assert stats.kstest(s.weights, stats.lognorm(2.5).cdf).pvalue > SURE
    beyond = s.weights > stats.lognorm(2.5).isf(1e-3)
    assert SURE < stats.binom.cdf(beyond.sum(), len(s), 1e-3) < 1 - SURE


def test_clipped_values_pile_up_at_the_bounds():
    s = built(bs.fixed_outdegree(400), 100, 200, weight=bs.normal(10.0, 5.0).clipped(min=6.0, max=20.0))
    law, n = stats.norm(10.0, 5.0), len(s)
    low, high = np.isclose(s.weights, 6.0, rtol=1e-4), np.isclose(s.weights, 20.0, rtol=1e-4)
    for made, p in ((low.sum(), law.cdf(6.0)), (high.sum(), law.sf(20.0))):
        assert SURE < stats.binom.cdf(made, n, p) < 1 - SURE
    inside = s.weights[~low & ~high]
    assert stats.kstest(inside, lambda x: (law.cdf(x) - law.cdf(6.0)) / (law.cdf(20.0) - law.cdf(6.0))).pvalue > SURE


def test_over_many_seeds_the_tests_themselves_are_passed_as_often_as_they_should():
    p = []
    for seed in range(60):
        s = built(bs.fixed_indegree(50), 60, 40, weight=bs.normal(10.0, 1.0), delay=bs.normal(1.5, 0.3), seed=seed)
        steps = np.rint(s.delays / 0.1)
        uniform = np.random.default_rng(seed).uniform(-0.05, 0.05, len(s))  # the rounding undone, nearly
        p.append([
            stats.kstest(s.weights, stats.norm(10.0, 1.0).cdf).pvalue,
            stats.chisquare(np.bincount(s.sources, minlength=60)).pvalue,
            stats.kstest(steps * 0.1 + uniform, stats.norm(1.5, np.hypot(0.3, 0.1 / np.sqrt(12))).cdf).pvalue,
        ])  # fmt: skip
    for column in np.array(p).T:
        assert stats.kstest(column, stats.uniform.cdf).pvalue > 1e-3


def test_a_parameter_that_is_drawn_beyond_its_bounds_is_refused_however_rare_it_is():
    net = bs.Network()
    net.population("many", 2_000_000, bs.models.iaf_psc_exp(C_m=bs.normal(250.0, 57.5)))
    with pytest.raises(bs.DescriptionError, match=r"'many': C_m must be above 0.001 \(pF\), got -.* cut it off with"):
        resolve.parameters(net, 0)
