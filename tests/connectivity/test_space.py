"""Positions, and what depends on distances, against brute force over all pairs and the laws that are documented."""

import runpy
import sys
from pathlib import Path

import networks
import numpy as np
import pytest
from places import CUBE, SQUARE, TORUS, pair, placed
from scipy import stats

import biosnn as bs

ROOT = Path(__file__).parents[2]
SURE = 1e-4  # seeds are fixed: a test that passes once passes always
WAYS = {"synapse_backend": "event_driven", "ring_strategy": "dense"}  # so that all networks here share a driver


def distances(a, b, extent=None):
    """Of every pair (n_source, n_target), by brute force: the nearest of all images."""
    a, b = a.positions, b.positions
    if extent is None:
        return np.sqrt(((b[None] - a[:, None]) ** 2).sum(-1))
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * a.shape[1], indexing="ij"), -1).reshape(-1, a.shape[1]) * extent
    return np.min([np.sqrt(((b[None] - a[:, None] + s) ** 2).sum(-1)) for s in shifts], axis=0)


def built(net, source="a", target="b", threads=1):
    return networks.drawn(net, threads, **WAYS).synapses(source, target)


def count(s, shape):
    """Synapses of each pair."""
    found = np.zeros(shape, int)
    np.add.at(found, (s.sources, s.targets), 1)
    return found


# Positions


def test_a_grid_has_a_neuron_in_the_middle_of_each_cell():
    net = bs.Network()
    found = placed(net, "a", bs.grid((3, 2), spacing=10.0), 6).positions
    np.testing.assert_allclose(found, [(-10, -5), (-10, 5), (0, -5), (0, 5), (10, -5), (10, 5)])
    by_extent = placed(net, "b", bs.grid((3, 2), extent=(30.0, 20.0), center=(100.0, 0.0)), 6).positions
    np.testing.assert_allclose(by_extent - found, np.tile([100.0, 0.0], (6, 1)))
    solid = placed(net, "c", bs.grid((4, 3, 2), spacing=(1.0, 2.0, 3.0)), 24).positions
    assert [len(np.unique(x)) for x in solid.T] == [4, 3, 2]
    np.testing.assert_allclose(solid.max(0) - solid.min(0), [3.0, 4.0, 3.0])
    np.testing.assert_allclose(solid.mean(0), 0.0, atol=1e-12)


def test_random_positions_are_uniform_in_their_box_and_follow_the_seed():
    first = [placed(bs.Network(seed=s), "a", bs.random_positions((300.0, 20.0, 7.0), center=5.0), 4000) for s in (1, 2)]
    for x, side in zip(first[0].positions.T, (300.0, 20.0, 7.0), strict=True):
        assert stats.kstest(x, stats.uniform(5.0 - side / 2, side).cdf).pvalue > SURE
    assert abs(np.corrcoef(first[0].positions.T)[np.triu_indices(3, 1)]).max() < 0.07
    net = bs.Network(seed=1)
    again, other = (placed(net, name, bs.random_positions((300.0, 20.0, 7.0), center=5.0), 4000) for name in "ab")
    np.testing.assert_array_equal(again.positions, first[0].positions)
    for different in (other, first[1]):
        assert not np.isclose(different.positions, again.positions).any(axis=1).all()


def test_given_positions_are_kept_and_cannot_be_changed_afterwards():
    xyz = np.arange(12.0).reshape(6, 2)
    found = placed(bs.Network(), "a", xyz, 6)
    np.testing.assert_array_equal(found.positions, xyz)
    with pytest.raises(ValueError, match="read-only"):
        found.positions[0] = 0.0
    assert bs.Network().population("a", 3, bs.models.iaf_psc_delta()).positions is None
    sources = bs.Network().spike_source("s", [[1.0], [2.0]], positions=bs.grid((2,), 5.0))
    np.testing.assert_allclose(sources.positions, [[-2.5], [2.5]])


# Probability by distance

FLAT = bs.grid((40, 20), spacing=(50.0, 80.0), center=(300.0, -200.0))
SPACES = {"square": (SQUARE, SQUARE, None), "torus": (TORUS, TORUS, (1000.0, 800.0)), "cube": (CUBE, CUBE, None)}
SPACES["beside"] = (SQUARE, FLAT, None)
SPACES["ring"] = (*[bs.random_positions((1000.0,), edge_wrap=True)] * 2, (1000.0,))
PROFILES = {
    "exponential": (0.8 * bs.space.exponential(60.0), lambda d: 0.8 * np.exp(-d / 60.0)),
    "gaussian": (bs.space.gaussian(90.0), lambda d: np.exp(-(d**2) / (2 * 90.0**2))),
    "cut": (
        0.3 * bs.space.gaussian(150.0, max_distance=200.0),
        lambda d: 0.3 * np.exp(-((d / 150) ** 2) / 2) * (d <= 200),
    ),
    "flat": (0.05 * bs.space.within(350.0), lambda d: 0.05 * (d <= 350.0)),
    "sparse": (0.004 * bs.space.gaussian(2000.0), lambda d: 0.004 * np.exp(-((d / 2000) ** 2) / 2)),
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("space", SPACES)
def test_pairs_are_connected_with_the_probability_of_their_distance(space, profile):
    source, target, extent = SPACES[space]
    ours, law = PROFILES[profile]
    net, a, b = pair(source, target)
    c = net.connect(a, b, bs.pairwise_bernoulli(ours), weight=1.0)
    found = count(built(net), (600, 800))
    d = distances(a, b, extent)
    p = law(d)
    assert found.max() <= 1  # no multapses
    assert not found[p == 0].any()
    edges = np.quantile(d[p > 1e-3], np.linspace(0, 1, 21)) if (p > 1e-3).any() else d.max()
    ring = np.searchsorted(edges, d.ravel())
    mean, spread = np.bincount(ring, p.ravel()), np.bincount(ring, (p * (1 - p)).ravel())
    made = np.bincount(ring, found.ravel())
    some = mean > 5
    assert stats.chi2.sf(((made - mean) ** 2 / np.maximum(spread, 1e-9))[some].sum(), some.sum()) > SURE
    for axis in (0, 1):  # and independently of each other: degrees have the spread of a sum of coins
        expected, spread = p.sum(axis), (p * (1 - p)).sum(axis)
        some = expected > 2
        total = ((found.sum(axis) - expected) ** 2 / np.maximum(spread, 1e-9))[some].sum()
        assert SURE < stats.chi2.sf(total, some.sum()) < 1 - SURE
    assert c.n_expected == pytest.approx(p.sum(), rel=0.04)
    # and the bounds hold for what is expected, not only for what was drawn
    assert c.in_degree_bound >= min(600, p.sum(0).max() + 80 / 3)
    assert c.out_degree_bound >= min(800, p.sum(1).max() + 80 / 3)
    assert c.in_degree_bound <= 2.5 * p.sum(0).max() + 200


@pytest.mark.parametrize("edge_wrap", [False, True])
def test_a_probability_of_one_connects_all_that_are_near_and_nobody_else(edge_wrap):
    grid = bs.grid((20, 30), spacing=50.0, edge_wrap=edge_wrap)
    net, a, b = pair(grid, grid, 600, 600)
    net.connect(a, b, bs.pairwise_bernoulli(bs.space.within(100.0)), weight=1.0)  # where neighbours stand exactly
    near = distances(a, b, (1000.0, 1500.0) if edge_wrap else None) <= 100.0
    np.testing.assert_array_equal(count(built(net), (600, 600)), near)
    assert near.sum(0).max() == 13
    assert near.sum(0).min() == (13 if edge_wrap else 6)


GRIDS = {"line": (30,), "sheet": (30, 30), "block": (9, 9, 9)}


def lattice(shape, edge_wrap, reach):
    """Whether two places of a grid are at most `reach` spacings apart: by their indices, which are whole numbers."""
    index = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), 1)
    apart = np.abs(index[:, None] - index[None])
    return ((np.minimum(apart, shape - apart) if edge_wrap else apart) ** 2).sum(-1) <= reach**2


@pytest.mark.parametrize("edge_wrap", [False, True])
@pytest.mark.parametrize("shape", GRIDS)
def test_neighbours_at_the_largest_distance_are_inside_whatever_the_spacing(shape, edge_wrap):
    shape = GRIDS[shape]
    near, n = lattice(shape, edge_wrap, 1), int(np.prod(shape))
    for spacing in (33.3, 0.1, 7 / 3):
        grid = bs.grid(shape, spacing, center=17.7, edge_wrap=edge_wrap)
        net, a, b = pair(grid, grid, n, n)
        c = net.connect(a, b, bs.pairwise_bernoulli(bs.space.within(spacing)), weight=1.0)
        found = count(built(net), (n, n))
        np.testing.assert_array_equal(found, near)
        assert c.in_degree_bound >= near.sum(0).max()
        assert c.out_degree_bound >= near.sum(1).max()
    fewest = int(near.sum(0).min())  # each target finds all of these
    rule = bs.fixed_indegree(fewest, p=bs.space.gaussian(spacing, max_distance=spacing), allow_multapses=False)
    net, a, b = pair(grid, grid, n, n)
    net.connect(a, b, rule, weight=1.0)
    found = count(built(net), (n, n))
    assert not found[~near].any()
    assert (found.sum(0) == fewest).all()


@pytest.mark.parametrize("edge_wrap", [False, True])
def test_weights_by_distance_reach_the_neighbours_at_their_largest_distance(edge_wrap):
    near = lattice((30, 30), edge_wrap, 1)
    grid = bs.grid((30, 30), 33.3, edge_wrap=edge_wrap)
    law = bs.space.gaussian(50.0, max_distance=33.3)
    expected = 40.0 * np.exp(-(distances(*[placed(bs.Network(), "a", grid, 900)] * 2, 999.0 if edge_wrap else None)
                               / 50.0) ** 2 / 2) * near  # fmt: skip
    for rule in (bs.all_to_all(), np.nonzero(np.ones((900, 900)))):  # looked up, and computed
        net, a, b = pair(grid, grid, 900, 900)
        net.connect(a, b, rule, weight=40.0 * law)
        s = built(net)
        np.testing.assert_allclose(s.weights, expected[s.sources, s.targets], atol=0.01)


def test_autapses_are_left_out_on_request():
    net, a, _ = pair(SQUARE, SQUARE)
    own = bs.space.within(30.0)
    net.connect(a, a, bs.pairwise_bernoulli(own), weight=1.0)
    net.connect(a[:100], a[50:], bs.pairwise_bernoulli(own, allow_autapses=False), weight=2.0)
    net.connect(a, a, bs.fixed_indegree(1, p=bs.space.exponential(50.0), allow_autapses=False), weight=4.0)
    s = built(net, "a", "a")
    own = s.sources == s.targets
    assert own[np.isclose(s.weights, 1.0)].sum() == 600
    assert not own[~np.isclose(s.weights, 1.0)].any()
    beside = np.isclose(s.weights, 2.0)
    d = distances(a, a)[:100, 50:]
    assert beside.sum() == (d <= 30.0).sum() - 50
    np.testing.assert_array_equal(np.bincount(s.targets[np.isclose(s.weights, 4.0)]), 1)


# Fixed in-degree by distance


@pytest.mark.bounds
@pytest.mark.parametrize("space", ["square", "torus", "cube"])
def test_sources_of_fixed_indegree_are_drawn_in_proportion_to_the_profile(space):
    source, target, extent = SPACES[space]
    net, a, b = pair(source, target)
    c = net.connect(a, b, bs.fixed_indegree(50, p=bs.space.gaussian(90.0, max_distance=300.0)), weight=1.0)
    found, d = count(built(net), (600, 800)), distances(a, b, extent)
    np.testing.assert_array_equal(found.sum(0), 50)
    assert not found[d > 300.0].any()
    p = np.exp(-(d**2) / (2 * 90.0**2)) * (d <= 300.0)
    p /= p.sum(0)
    ring = np.searchsorted(np.quantile(d[d <= 300.0], np.linspace(0, 1, 21)), d.ravel())
    made, mean = np.bincount(ring, found.ravel(), 23), np.bincount(ring, 50 * p.ravel(), 23)
    some = mean > 5
    assert stats.chisquare(made[some], mean[some] * made[some].sum() / mean[some].sum()).pvalue > SURE
    expected = 50 * p.sum(1)
    spread = (50 * p * (1 - p)).sum(1)
    some = expected > 2
    assert SURE < stats.chi2.sf((((found.sum(1) - expected) ** 2) / spread)[some].sum(), some.sum()) < 1 - SURE
    assert c.out_degree_bound >= min(expected.max() + 80 / 3, 50 * 800)
    assert c.in_degree_bound == 50
    assert c.n_expected == 40000


@pytest.mark.bounds
def test_different_sources_of_fixed_indegree_are_drawn_one_after_another():
    x = np.array([0.0, 30.0, 60.0, 100.0, 150.0])
    net, a, b = pair(x[:, None], np.zeros((20000, 1)), 5, 20000)
    net.connect(a, b, bs.fixed_indegree(2, p=bs.space.exponential(50.0), allow_multapses=False), weight=1.0)
    found = count(built(net), (5, 20000))
    assert found.max() == 1
    p = np.exp(-x / 50.0)
    p /= p.sum()
    pairs = [(i, j) for i in range(5) for j in range(i)]
    expected = [p[i] * p[j] / (1 - p[i]) + p[j] * p[i] / (1 - p[j]) for i, j in pairs]
    made = [(found[i] & found[j]).sum() for i, j in pairs]
    assert stats.chisquare(made, 20000 * np.array(expected)).pvalue > SURE


def test_fixed_indegree_of_all_that_are_near_takes_each_once():
    grid = bs.grid((20, 20), spacing=50.0, edge_wrap=True)
    net, a, b = pair(grid, grid, 400, 400)
    rule = bs.fixed_indegree(13, p=bs.space.gaussian(80.0, max_distance=100.0), allow_multapses=False)
    net.connect(a, b, rule, weight=1.0)
    np.testing.assert_array_equal(count(built(net), (400, 400)), distances(a, b, 1000.0) <= 100.0)


# Weights and delays by distance

RULES = {
    "pairwise_bernoulli": bs.pairwise_bernoulli(0.5 * bs.space.gaussian(200.0)),
    "fixed_indegree": bs.fixed_indegree(20, p=bs.space.exponential(100.0)),
    "uniform fixed_indegree": bs.fixed_indegree(20),
    "fixed_outdegree": bs.fixed_outdegree(20, allow_multapses=False),
    "fixed_total_number": bs.fixed_total_number(9000),
    "all_to_all": bs.all_to_all(),
    "indices": (np.arange(600), np.arange(600)[::-1]),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("space", ["square", "torus"])
def test_weights_and_delays_are_those_of_the_distance(space, rule):
    source, target, extent = SPACES[space]
    net, a, b = pair(source, target)
    weight = -50.0 * bs.space.exponential(150.0, max_distance=400.0)
    net.connect(a, b, RULES[rule], weight=weight, delay=bs.space.conduction(0.3, myelination=1.4, offset=0.2))
    s = built(net)
    d = distances(a, b, extent)[s.sources, s.targets]
    steps = np.rint((0.2 + d / (1000.0 * 0.3 * 1.4)) / 0.1)
    assert len(s) > 500
    np.testing.assert_array_equal(np.rint(s.delays / 0.1), steps)  # exactly
    expected = np.where(d <= 400.0, -50.0 * np.exp(-d / 150.0), 0.0)
    # half a unit of 16 bits, and half of one of 65,534 equal steps of the distance, where weights fall most steeply
    np.testing.assert_allclose(s.weights, expected, rtol=0, atol=50.0 / 65534 + 50.0 / 150.0 * 1500 / 65534)


def test_delays_below_a_step_become_one_and_the_plan_says_so():
    net, a, b = pair(SQUARE, SQUARE)
    net.connect(a, b, bs.fixed_outdegree(20), weight=1.0, delay=bs.space.conduction(1.0), name="fast")
    s = built(net)
    d = distances(a, b)[s.sources, s.targets]
    np.testing.assert_array_equal(np.rint(s.delays / 0.1), np.maximum(np.rint(d / 1000.0 / 0.1), 1))
    assert (d < 50.0).any()
    (note,) = (note for note in net.plan().notes if "'fast'" in note)
    assert note == "connection 'fast': delays below half a step become one step (0.1 ms): those up to 50 um"


def test_each_synapse_draws_its_myelination():
    net, a, b = pair(np.zeros((200, 2)), np.tile([300.0, 400.0], (400, 1)), 200, 400)
    factor = bs.uniform(0.5, 2.0)
    weight = bs.normal(50.0, 5.0)
    net.connect(a, b, bs.all_to_all(), weight=weight, delay=bs.space.conduction(0.5, myelination=factor, offset=0.3))
    s = built(net)
    steps = np.rint(s.delays / 0.1).astype(int)
    # delay <= t if 0.3 + 1 / m <= t, that is if m >= 1 / (t - 0.3)
    edges = (np.arange(steps.min(), steps.max()) + 0.5) * 0.1
    below = np.array([0.0, *stats.uniform(0.5, 1.5).sf(1 / (edges - 0.3)), 1.0])
    made = np.bincount(steps - steps.min())
    expected = np.diff(below) * len(s)
    assert (steps.min(), steps.max()) == (8, 23)
    assert stats.chisquare(made[1:-1], expected[1:-1] * made[1:-1].sum() / expected[1:-1].sum()).pvalue > SURE
    assert abs(made - expected).max() < 5 * np.sqrt(expected.max())
    quintile = np.searchsorted(stats.norm.ppf([0.2, 0.4, 0.6, 0.8], 50.0, 5.0), s.weights)
    assert stats.chi2_contingency(np.histogram2d(steps, quintile, (16, 5))[0]).pvalue > SURE


def test_listed_synapses_may_have_a_myelination_each():
    rng = np.random.default_rng(4)
    net, a, b = pair(SQUARE, SQUARE)
    i, j, factor = rng.integers(0, 600, 500), rng.integers(0, 800, 500), rng.uniform(0.5, 3.0, 500)
    net.connect(a, b, (i, j), weight=np.arange(1.0, 501.0), delay=bs.space.conduction(0.2, myelination=factor))
    s = built(net)
    k = np.rint(s.weights).astype(int) - 1
    np.testing.assert_array_equal((s.sources, s.targets), (i[k], j[k]))
    steps = np.rint(distances(a, b)[i, j] / (1000.0 * 0.2 * factor) / 0.1)
    np.testing.assert_array_equal(np.rint(s.delays / 0.1), np.maximum(steps, 1)[k])


# Groups, threads, runs


def sheet(seed=1):
    """Two populations of a torus that excite each other nearby, and inhibit in a wider circle."""
    net = bs.Network(seed=seed)
    positions = bs.random_positions((1000.0, 1000.0), edge_wrap=True)
    exc, inh = (net.population(name, n, bs.models.iaf_psc_delta(), V_m=bs.uniform(-70.0, -55.0), positions=positions)
                for name, n in (("exc", 320), ("inh", 80)))  # fmt: skip
    delay = bs.space.conduction(0.2, offset=0.1, myelination=bs.uniform(0.8, 1.2))
    near, wide = bs.space.gaussian(100.0), bs.space.exponential(150.0, max_distance=450.0)
    net.connect(
        exc, [exc, inh], bs.pairwise_bernoulli(0.6 * near, allow_autapses=False), weight=2.0 * wide, delay=delay
    )
    net.connect(inh, [inh, exc], bs.fixed_indegree(7, p=wide, allow_multapses=False), weight=-2.0, delay=delay)
    net.connect([inh, exc], exc[::2], bs.fixed_indegree(5, p=wide), weight=bs.normal(0.3, 0.1), delay=0.4)
    net.poisson([exc, inh], rate=3000.0, weight=1.0)
    return net


@pytest.mark.bounds
def test_networks_in_space_are_the_same_for_any_number_of_threads():
    one, two, three = (networks.serial(sheet(), parts, **WAYS) for parts in (1, 2, 3))
    for other in (two, three):
        for column in ("sources", "targets", "weights", "delays"):
            np.testing.assert_array_equal(getattr(other.synapses(), column), getattr(one.synapses(), column))
    spikes = [networks.spikes(sim, 50.0) for sim in (one, two, three)]
    assert len(spikes[0]) > 300
    np.testing.assert_array_equal(spikes[1], spikes[0])
    np.testing.assert_array_equal(spikes[2], spikes[0])
    assert one.bytes == pytest.approx(sheet().plan(threads=1, **WAYS).bytes, rel=0.02)
    other = networks.drawn(sheet(seed=2), **WAYS).synapses()
    assert len(other) != len(one.synapses()) or not np.array_equal(other.targets, one.synapses().targets)


def test_a_spike_arrives_after_the_time_that_it_travels():
    net = bs.Network(dt=0.1)
    source = net.spike_source("source", [1.0], positions=[[0.0, 0.0, 0.0]])
    cells = placed(net, "cells", bs.given_positions([[0.0, 0.0, 300.0], [600.0, 0.0, 0.0], [0.0, 1200.0, 500.0]]), 3)
    net.connect(source, cells, bs.all_to_all(), weight=1.0, delay=bs.space.conduction(0.5, offset=0.4))
    net.record(cells, "V_m")
    trace = net.build(threads=1, **WAYS).run(5.0).samples["cells"]["V_m"]
    arrived = trace.times[np.argmax(np.diff(trace.values, axis=0) > 0.5, axis=0) + 1]
    np.testing.assert_allclose(arrived, 1.0 + 0.4 + np.array([300.0, 600.0, 1300.0]) / 500.0)


def test_the_page_and_the_example_run(tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "space.md").read_text()
    exec(compile(text.split("```python\n")[1].split("```")[0], "space.md", "exec"), {})
    monkeypatch.setenv("MPLBACKEND", "Agg")
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["space.py", str(tmp_path / "space.png")])
    runpy.run_path(str(ROOT / "examples" / "space.py"), run_name="__main__")
    assert (tmp_path / "space.png").stat().st_size > 10_000
    assert "m/s" in capsys.readouterr().out
