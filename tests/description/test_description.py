"""Groups select as arrays do; names; distributions and what is drawn from them."""

import math

import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs
from biosnn.description import population

SURE = 1e-4  # seeds are fixed: a test that passes once passes always

# Groups


def described(n=12):
    net = bs.Network()
    return net, networks.cells(net, "a", n), networks.cells(net, "b", 5), net.spike_source("s", [[1.0], []])


@st.composite
def selections(draw, n):
    """A way to select from n neurons, without repetition."""
    ends = st.none() | st.integers(-n - 2, n + 2)
    ways = [
        st.slices(n),
        st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, 3, -1, -2])),
        st.lists(st.booleans(), min_size=n, max_size=n).map(lambda mask: np.array(mask, np.bool_)),
        st.permutations(range(n)).flatmap(lambda p: st.integers(0, n).map(lambda k: np.array(p[:k], np.int64))),
        st.permutations(range(-n, 0)).map(lambda p: np.array(p, np.int64)),
    ]
    return draw(st.one_of(*ways, *([st.integers(-n, n - 1)] if n else [])))


@pytest.mark.parametrize("most_pieces", [population.MOST_PIECES, 1])  # and neuron by neuron
@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_groups_are_selected_like_arrays(most_pieces, data):
    first = {"a": 0, "b": 12, "s": 17}
    _, a, b, s = described()
    group, ids = b + s + a, np.array([*range(12, 19), *range(12)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "MOST_PIECES", most_pieces)
        for _ in range(2):
            key = data.draw(selections(len(ids)))
            group, ids = group[key], np.atleast_1d(ids[key])
            assert len(group) == len(ids)
            assert group.ids(first).tolist() == ids.tolist()
            assert [int(one.ids(first)[0]) for one in group] == ids.tolist()
            assert [first[p.name] + k for p, index in group.pieces for k in index] == ids.tolist()
            half = group[::2] + group[1::2]
            assert half.ids(first).tolist() == [*ids[::2], *ids[1::2]]
            found = np.full(len(half), -1)
            for p, index, at in half.by_population():
                found[at] = first[p.name] + population.as_array(index)
            assert found.tolist() == half.ids(first).tolist()
            if len(ids):
                with pytest.raises(bs.DescriptionError, match="twice"):
                    half + group[[-1]]


def interleaved(n):
    """A network of two populations whose neurons take turns in the groups that it is described by."""
    net = bs.Network(seed=1)
    a, b = (net.population(name, n, bs.models.iaf_psc_exp(), positions=bs.grid((n,), 10.0)) for name in "ab")
    group = (a + b)[np.arange(2 * n).reshape(2, n).T.ravel()]
    net.connect(group, group, bs.fixed_outdegree(5, allow_autapses=False), weight=bs.uniform(-300.0, 400.0))
    net.connect(group, group[::-1], bs.one_to_one(), weight=np.linspace(0.0, 200.0, 2 * n), delay=2.0)
    net.connect(group[1:], [group[:1], group[1:]], bs.pairwise_bernoulli(bs.space.within(50.0)), weight=60.0)
    net.poisson(group, rate=np.linspace(0.0, 20000.0, 2 * n), weight=50.0)
    net.current(group, np.linspace(0.0, 500.0, 2 * n))
    net.record(group)
    net.record(group, "V_m", name="V")
    return net, group


def test_verbs_do_not_go_through_a_group_neuron_by_neuron(monkeypatch):
    monkeypatch.setattr(population._Mixed, "pieces", property(lambda _: pytest.fail("asked for its pieces")))
    _, group = interleaved(2000)
    assert (len(group), len(group[::2]), str(group)) == (4000, 2000, "4000 neurons of a, b")


def test_a_group_kept_neuron_by_neuron_is_the_same_network(monkeypatch):
    results = []
    for most_pieces in (population.MOST_PIECES, 1):
        monkeypatch.setattr(population, "MOST_PIECES", most_pieces)
        net, group = interleaved(30)
        results.append(net.build(threads=1).run(100.0))
        assert type(group) is (population.Group if most_pieces > 1 else population._Mixed)
    one, other = results
    assert one.n_spikes > 100
    assert one.fingerprint == other.fingerprint
    np.testing.assert_array_equal(one.samples["V"]["V_m"].values, other.samples["V"]["V_m"].values)
    np.testing.assert_array_equal(one.spikes["a+b"].senders, other.spikes["a+b"].senders)


def test_groups_connections_and_recorders_are_named_by_their_populations_unless_they_are_given_a_name():
    net, a, b, s = described()
    assert str(a[2:9] + b[::2] + a[[11, 0]]) == "a[2:9] + b[0:5:2] + a[2 chosen]"
    assert (str(s), str(a[:0]), str(b[-1])) == ("<population 's': 2 x spike source>", "a[0:0]", "b[4:5]")
    made = [net.connect(*pair, bs.all_to_all(), weight=1.0) for pair in ((a, b), (s[1:], [a, b]), (a[3:], b))]
    made.append(net.connect(a, b, bs.all_to_all(), weight=1.0, name="c"))
    assert [(c.name, len(c.source), len(c.target)) for c in made] == [
        ("a->b", 12, 5), ("s->a+b", 1, 17), ("a->b#2", 9, 5), ("c", 12, 5),
    ]  # fmt: skip
    assert [net.record(g, name=name).name for g, name in ((a[:3], None), ([b, s], None), (a, "c"))] == ["a", "b+s", "c"]


# Distributions

LAWS = {
    "normal": (bs.normal(2.0, 3.0), stats.norm(2.0, 3.0)),
    "lognormal": (bs.lognormal(0.5, 0.7), stats.lognorm(0.7, scale=math.exp(0.5))),
    "uniform": (bs.uniform(-1.0, 4.0), stats.uniform(-1.0, 5.0)),
    "exponential": (bs.exponential(2.5), stats.expon(scale=2.5)),
    "redrawn": (bs.normal(2.0, 3.0).redrawn(0.5, 4.0), stats.truncnorm(-0.5, 2 / 3, 2.0, 3.0)),
    "redrawn below": (bs.normal(2.0, 3.0).redrawn(max=1.0), stats.truncnorm(-np.inf, -1 / 3, 2.0, 3.0)),
    "redrawn tail": (bs.exponential(2.5).redrawn(min=20.0), stats.expon(20.0, 2.5)),  # it has no memory
    "redrawn twice": (bs.uniform(0.0, 9.0).redrawn(min=3.0).redrawn(max=5.0), stats.uniform(3.0, 2.0)),
}


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_and_probabilities_are_those_of_scipy(name):
    ours, law = LAWS[name]
    u = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(ours.quantile(u), law.ppf(u), rtol=1e-9, atol=1e-12)
    x = law.ppf([0.001, 0.2, 0.5, 0.9, 0.999])
    np.testing.assert_allclose([ours.cdf(float(v)) for v in x], law.cdf(x), rtol=1e-9)


def test_clipped_values_are_moved_onto_the_bounds_and_redrawn_ones_are_not():
    clipped, redrawn = bs.normal(0.0, 1.0).clipped(-1.0, 2.0), bs.normal(0.0, 1.0).redrawn(-1.0, 2.0)
    drawn = clipped.table()
    assert (drawn.min(), drawn.max()) == (-1.0, 2.0)
    assert (drawn == -1.0).mean() == pytest.approx(stats.norm.cdf(-1.0), abs=1e-4)
    assert (drawn == 2.0).mean() == pytest.approx(stats.norm.sf(2.0), abs=1e-4)
    inside = drawn[(drawn > -1.0) & (drawn < 2.0)]
    assert stats.kstest(inside, stats.truncnorm(-1.0, 2.0).cdf).statistic < 1e-4
    assert np.isin([-1.0, 2.0], redrawn.table()).sum() == 0
    assert (clipped.cdf(-1.1), clipped.cdf(2.0)) == (0.0, 1.0)


def test_parameters_and_initial_values_follow_their_distributions_each_on_its_own():
    net = bs.Network()
    given = {
        "tau_m": bs.uniform(5.0, 30.0), "C_m": stats.gamma(50.0, scale=5.0), "V_th": bs.normal(-50.0, 1.0),
        "V_reset": bs.uniform(-80.0, -70.0), "t_ref": stats.randint(0, 4), "tau_syn_ex": bs.lognormal(0.5, 0.2),
        "tau_syn_in": bs.uniform(1.0, 9.0),
    }  # fmt: skip
    start = bs.normal(-60.0, 2.0).redrawn(max=-58.0)
    a, b = (net.population(name, 4000, bs.models.iaf_psc_exp(**given), V_m=start) for name in "ab")
    net.connect(a, b, bs.fixed_indegree(1), weight=bs.normal(30.0, 150.0), delay=bs.uniform(0.1, 2.0))
    found = {name: array.astype(float) for name, array in net.build(threads=1).arrays.items()}
    drawn = [-0.1 / np.log(found[x]) for x in ("p22", "decay_ex")] + [found[x] for x in ("theta", "V_reset", "V_m")]
    laws = [
        stats.uniform(5.0, 25.0), stats.lognorm(0.2, scale=math.exp(0.5)), stats.norm(20.0, 1.0),
        stats.uniform(-10.0, 10.0), stats.truncnorm(-np.inf, 1.0, 10.0, 2.0),
    ]  # fmt: skip
    for values, law in zip(drawn, laws, strict=True):
        assert stats.kstest(values, law.cdf).pvalue > SURE
    assert stats.chisquare(np.bincount(found["hold"].astype(int) // 10, minlength=4)).pvalue > SURE
    columns = np.array([part for values in drawn for part in (values[:4000], values[4000:])])
    assert np.abs(np.corrcoef(columns) - np.eye(len(columns))).max() < 4.5 / math.sqrt(4000)
