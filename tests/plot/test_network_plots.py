"""Plots of networks and plans: what was drawn is compared with what they were made of."""

import sys

import networks
import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.running import plots, read_back

pytest.importorskip("matplotlib", reason="plots need the plot extra")
from matplotlib.figure import Figure
from test_result_plots import said, steps


@pytest.fixture(autouse=True)
def _without_pyplot(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)  # which keeps figures


PLACES = {
    "line": np.arange(5.0)[:, None] * 10,
    "sheet": np.random.default_rng(1).random((30, 2)),
    "block": np.random.default_rng(2).random((7, 3)),
}


@pytest.fixture(scope="module")
def listed():
    """Synapses that are listed, and a simulation of them: (a to b), (b to a), with weights."""
    rng, net = np.random.default_rng(1), bs.Network()
    exp = bs.models.iaf_psc_exp()
    a, b = net.population("a", 40, exp), net.population("b", 25, exp)
    c = net.spike_source("sources", [[1.0]] * 3)
    pairs = {
        ("a", "b"): (rng.integers(0, 40, 500), rng.integers(0, 25, 500), rng.normal(40.0, 4.0, 500)),
        ("b", "a"): (rng.integers(0, 25, 200), rng.integers(0, 40, 200), rng.normal(-80.0, 8.0, 200)),
        ("sources", "a"): (np.array([0, 0, 2]), np.array([5, 6, 7]), np.array([100.0, 100.0, 100.0])),
    }
    for (source, target), (i, j, w) in pairs.items():
        net.connect({"a": a, "b": b, "sources": c}[source], {"a": a, "b": b}[target], (i, j), weight=w)
    return pairs, networks.drawn(net)


def test_weights_are_those_that_were_given(listed):
    pairs, sim = listed
    ax = sim.plot.weights()
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("weight (pA)", "density (1/pA)", "")
    for source, target in pairs:
        w = pairs[source, target][2]
        heights, edges = steps(ax)[source]
        cumulated = np.cumsum(heights * np.diff(edges))
        expected = [np.mean(w <= e) for e in edges[1:]]
        np.testing.assert_allclose(cumulated, expected, atol=2.5 / w.size)  # one may be rounded across an edge
        (text,) = (t for t in said(ax) if t.startswith(f"{source}:"))
        assert float(text.split()[2]) == pytest.approx(w.mean(), rel=1e-3)
    assert list(steps(sim.plot.weights("a", ["b"]))) == ["a"]


def test_of_many_synapses_an_evenly_spaced_sample_is_drawn(listed, monkeypatch):
    _, sim = listed
    everything = np.concatenate([b.weights for b in read_back.in_blocks(sim._built)])
    monkeypatch.setattr(plots, "MOST_WEIGHTS", 100)
    monkeypatch.setattr(read_back, "BLOCK", 64)
    assert len(list(read_back.in_blocks(sim._built))) > 5
    kept, every = sim.plot._weights(["a", "b", "sources"], ["a", "b"])
    assert every == 8
    np.testing.assert_array_equal(np.sort(np.concatenate(list(kept.values()))), np.sort(everything[::8]))
    assert sim.plot.weights().get_title() == "one synapse in 8"


@pytest.mark.parametrize("how", [{}, {"synapse_backend": "spmm_fused"}, {"synapse_backend": "auto"}], ids=str)
def test_blocks_hold_every_synapse_once(how, monkeypatch):
    sim = networks.drawn(networks.mixed(), threads=2, **how)
    monkeypatch.setattr(read_back, "BLOCK", 100)
    blocks = list(read_back.in_blocks(sim._built))
    found = np.stack([np.concatenate([getattr(b, x) for b in blocks]) for x in ("sources", "targets", "weights")])
    whole = sim.synapses()
    expected = np.stack([whole.sources, whole.targets, whole.weights])
    np.testing.assert_array_equal(found[:, np.lexsort(found)], expected[:, np.lexsort(expected)])


def test_degrees_count_the_synapses_of_each_neuron(listed):
    pairs, sim = listed
    ax = sim.plot.degrees("in")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("indegree", "density")
    into_a = np.bincount(pairs["b", "a"][1], minlength=40) + np.bincount(pairs["sources", "a"][1], minlength=40)
    into_b = np.bincount(pairs["a", "b"][1], minlength=25)
    for name, expected in (("a", into_a), ("b", into_b)):
        heights, edges = steps(ax)[name]
        np.testing.assert_allclose(heights, np.histogram(expected, edges)[0] / expected.size)
        np.testing.assert_array_equal(edges % 1, 0.5)
    assert said(ax) == [f"a: mean {into_a.mean():.4g}", f"b: mean {into_b.mean():.4g}"]
    out = sim.plot.degrees("out", bins=3)
    assert said(out) == ["a: mean 12.5", "b: mean 8", "sources: mean 1"]
    assert len(set(np.diff(steps(out)["a"][1]))) == 1
    assert said(sim.plot.degrees("in", source="sources", target="a")) == ["a: mean 0.075"]


def stands(*names):
    net = bs.Network()
    for name in names:
        net.population(name, len(PLACES[name]), bs.models.iaf_psc_exp(), positions=PLACES[name])
    net.population("nowhere", 3, bs.models.iaf_psc_exp())
    return networks.drawn(net)


def test_positions_are_those_that_were_given():
    ax = stands("sheet").plot.positions()
    np.testing.assert_allclose(ax.collections[0].get_offsets(), PLACES["sheet"])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("x (um)", "y (um)", 1.0)
    ax = stands("line").plot.positions("line")
    np.testing.assert_allclose(ax.collections[0].get_offsets(), np.column_stack([PLACES["line"], np.zeros(5)]))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["line"]
    ax = stands("block").plot.positions()
    np.testing.assert_allclose(np.transpose(ax.collections[0]._offsets3d), PLACES["block"])
    assert ax.get_zlabel() == "z (um)"
    assert stands("sheet", "block").plot.positions("sheet").collections[0].get_offsets().shape == (30, 2)


def test_of_many_neurons_an_evenly_spaced_sample_stands_there():
    net = bs.Network()
    net.population("sheet", 50_000, bs.models.iaf_psc_exp(), positions=bs.grid((250, 200), spacing=1.0))
    ax = networks.drawn(net).plot.positions()
    np.testing.assert_allclose(ax.collections[0].get_offsets(), net.populations["sheet"].positions[::3])
    assert ax.get_title() == "one neuron in 3"


def test_memory_is_that_of_the_plan():
    net = bs.Network()
    a = net.population("a", 200, bs.models.iaf_psc_exp(t_ref=0.0))
    net.connect(a, a, bs.all_to_all(), weight=1.0, delay=0.1)
    plan = net.plan(synapse_backend="auto")
    ax = plan.plot.memory(most=5)
    largest = sorted(plan.rows, key=lambda row: -row.bytes)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[:5] == [row.name for row in largest[:5]]
    others = [row for row in largest[5:] if row.bytes and not row.later]
    assert names[5] == f"{len(others)} others"
    assert ax.get_xlabel() == "memory (KiB)"
    widths = [bar.get_width() * 1024 for bar in ax.patches]
    assert widths == pytest.approx([*(row.bytes for row in largest[:5]), sum(row.bytes for row in others)])
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [*(row.later for row in largest[:5]), False]
    assert any(bar.get_hatch() for bar in ax.patches)
    total = f"total: {plan.bytes / 1024:,.1f} KiB, and {plan.later_bytes / 1024:,.1f} KiB when activity asks for it"
    assert ax.get_title() == total
    shown = [text.get_text() for text in ax.texts]
    assert shown[5] == f"{sum(row.bytes for row in others) / 1024:,.1f} KiB"
    ax.figure.canvas.draw()


def test_a_plan_of_one_neuron_is_drawn():
    net = bs.Network()
    net.population("one", 1, bs.models.iaf_psc_delta())
    ax = net.plan().plot.memory()
    assert ax.get_title() == f"total: {net.plan().bytes / 1024:.1f} KiB"
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda p: p.weights("c"), r"weights: unknown population 'c'; known: a, b, sources"),
        (lambda p: p.weights("a", "sources"), r"weights: unknown population 'sources'; known: a, b"),
        (lambda p: p.weights("a", "a"), r"weights: there are no synapses between these populations; net.connect makes"),
        (lambda p: p.weights([]), r"weights: expected a name or a list of names, got \[\]"),
        (lambda p: p.weights(bins=0), r"weights: bins must be at least 1, got 0"),
        (lambda p: p.weights(ax=1), r"weights: ax must be Matplotlib axes, got 1"),
        (lambda p: p.degrees("inn"), r"degrees: unknown direction 'inn'; did you mean 'in'\? known: in, out"),
        (lambda p: p.degrees(target=7), r"degrees: expected a name or a list of names, got 7"),
        (lambda p: p.degrees(bins="x"), r"degrees: bins must be a whole number, got 'x'"),
        (lambda p: p.positions(), r"positions: no population was given positions; give net.population\(..., positions"),
        (lambda p: p.positions("a"), r"positions: 'a' was given no positions; give net.population"),
        (lambda p: p.positions("c"), r"positions: unknown population 'c'"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_of_a_network_says_why(listed, draw, expected):
    with pytest.raises(bs.DescriptionError, match=rf"^sim\.plot\.{expected}") as error:
        draw(listed[1].plot)
    assert "\n" not in str(error.value)


def test_spaces_of_several_kinds_are_drawn_apart():
    with pytest.raises(
        bs.DescriptionError, match=r"^sim.plot.positions: populations stand in 1 and 2 dimensions; name"
    ):
        stands("line", "sheet").plot.positions()
    with pytest.raises(
        bs.DescriptionError, match=r"^sim.plot.positions: three dimensions take axes of projection '3d'"
    ):
        stands("block").plot.positions(ax=Figure().subplots())
    with pytest.raises(bs.DescriptionError, match=r"^plan.plot.memory: most must be at least 1, got 0"):
        networks.mixed().plan().plot.memory(most=0)


def test_without_matplotlib_one_line_names_the_extra(listed, monkeypatch):
    plan, sheet = networks.mixed().plan(), stands("sheet")
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    calls = {
        "sim.plot.weights": listed[1].plot.weights,
        "sim.plot.degrees": listed[1].plot.degrees,
        "sim.plot.positions": sheet.plot.positions,
        "plan.plot.memory": plan.plot.memory,
    }
    for name, call in calls.items():
        with pytest.raises(bs.DescriptionError, match=rf"^{name}: needs Matplotlib; pip install 'biosnn\[plot\]'$"):
            call()
