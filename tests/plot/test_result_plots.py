"""Plots of results whose spikes are known: what was drawn is read back from the axes."""

import sys

import networks
import numpy as np
import pytest
from scipy import stats

import biosnn as bs
from biosnn.recording import PopulationStatistics, Result, Samples, Spikes
from biosnn.recording.results import NotKept

pytest.importorskip("matplotlib", reason="plots need the plot extra")
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

DT = 0.1


@pytest.fixture(autouse=True)
def _without_pyplot(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)  # which keeps figures


def spikes(trains, neurons=None, n=None):
    """What is recorded of neurons with these trains (ms, multiples of DT)."""
    neurons = np.arange(len(trains)) if neurons is None else np.array(neurons)
    times = np.concatenate([np.empty(0), *(np.asarray(t, float) for t in trains)])
    senders = np.repeat(neurons, [len(t) for t in trains])
    order = np.lexsort((senders, times))
    times = np.rint(times[order] / DT) / 10
    return Spikes(times, senders[order], n or len(trains), neurons)


def result(recorded, stop=100.0, start=0.0, samples=None, others=()):
    populations = {name: PopulationStatistics(np.zeros(1, np.int64), 0.0, 0.0) for name in (*recorded, *others)}
    return Result(start, stop, DT, recorded, samples or {}, populations, "", 0, {}, 1.0)


def poisson(n, rate, stop, seed=1):
    """Trains of independent Poisson processes, in whole steps, at most a spike in each."""
    fired = np.random.default_rng(seed).random((n, round(stop / DT))) < rate * DT * 1e-3
    return [(np.flatnonzero(row) + 1) * DT for row in fired]


def steps(ax):
    """Heights and edges of the outlines in some axes, by the name that the legend has for them."""
    found = {}
    for line in ax.lines:
        assert line.get_drawstyle() == "steps-post"
        edges, heights = line.get_data()
        if edges[0] == edges[1]:  # of a histogram, which begins and ends at 0
            assert heights[0] == heights[-1] == 0
            edges, heights = edges[1:], heights[1:]
        found[line.get_label().split(":")[0]] = heights[:-1], edges
    return found


def dots(ax):
    """The points of each population in some axes: (n, 2)."""
    return [line.get_xydata() for line in ax.lines]


def said(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


A, B = [[1.0, 5.5], [], [7.3, 99.9, 100.0]], [[2.0], [50.1, 50.2]]


def test_a_raster_has_a_dot_for_each_spike_and_rates_below():
    ax, below = result({"a": spikes(A), "b": spikes(B)}).plot.raster(bin_ms=10.0)
    for points, trains, first in zip(dots(ax), (A, B), (0, 3), strict=True):
        assert sorted(map(tuple, points)) == sorted((t, first + k) for k, train in enumerate(trains) for t in train)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    assert list(ax.get_yticks()) == [1.0, 3.5]
    assert ax.get_ylim() == (4.5, -0.5)
    assert ax.get_xlim() == below.get_xlim() == (0.0, 100.0)
    assert (below.get_xlabel(), below.get_ylabel()) == ("time (ms)", "rate (Hz)")
    assert ax.get_title() == ""
    colours = [to_hex(line.get_color()) for line in ax.lines]
    assert colours == [to_hex(line.get_color()) for line in below.lines]
    assert colours == [to_hex(text.get_color()) for text in ax.get_yticklabels()]
    assert len(set(colours)) == 2
    for (heights, edges), trains in zip(steps(below).values(), (A, B), strict=True):
        np.testing.assert_allclose(edges, np.arange(0, 101, 10))
        for height, low in zip(heights, edges[:-1], strict=True):
            count = sum(low < t <= low + 10 for train in trains for t in train)
            assert height == pytest.approx(count / len(trains) / 0.01)


def test_rows_of_a_raster_are_the_neurons_that_were_recorded():
    recorded = spikes([[3.0], [1.0], [2.0, 4.0]], neurons=[9, 3, 5], n=10)
    ax, below = result({"a": recorded}).plot.raster(bin_ms=100.0)
    assert sorted(map(tuple, dots(ax)[0])) == [(1.0, 0), (2.0, 1), (3.0, 2), (4.0, 1)]
    assert steps(below)["a"][0] == pytest.approx([4 / 3 / 0.1])


def test_a_raster_of_many_neurons_is_an_evenly_spaced_sample():
    n = 100_000
    senders = np.random.default_rng(1).integers(0, n, 200_000)
    times = np.sort(np.random.default_rng(2).integers(1, 1001, senders.size)) / 10
    few = spikes([[1.0], [2.0]])
    ax, _ = result({"many": Spikes(times, senders, n, np.arange(n)), "few": few}).plot.raster()
    assert ax.get_title() == "one neuron in 51"
    many, others = dots(ax)
    shown = senders % 51 == 0
    np.testing.assert_array_equal(many, np.column_stack([times[shown], senders[shown] / 51]))
    assert others.tolist() == [[1.0, 1961]]
    assert all(line.get_rasterized() for line in ax.lines)


def test_a_raster_of_one_neuron_and_of_none_that_fires():
    ax, below = result({"a": spikes([[50.0]])}).plot.raster()
    assert dots(ax)[0].tolist() == [[50.0, 0.0]]
    assert steps(below)["a"][0].sum() == pytest.approx(1000.0)  # a spike in a bin of 1 ms
    ax, below = result({"a": spikes([[], []])}).plot.raster()
    assert dots(ax)[0].size == steps(below)["a"][0].sum() == 0


def test_axes_that_are_given_are_drawn_into():
    one, pair = Figure().subplots(), Figure().subplots(2)
    plot = result({"a": spikes(A)}).plot
    assert plot.raster(ax=one) is one
    assert plot.raster(ax=pair) == tuple(pair)
    assert len(one.lines) == len(pair[0].lines) == len(pair[1].lines) == 1
    assert plot.isi(ax=pair[0]) is pair[0]


def test_a_window_leaves_out_what_ends_at_its_start():
    plot = result({"a": spikes(A)}).plot
    ax, below = plot.raster(window=(5.5, 99.9), bin_ms=94.4)
    assert sorted(map(tuple, dots(ax)[0])) == [(7.3, 2), (99.9, 2)]
    assert steps(below)["a"][0] == pytest.approx([2 / 3 / 94.4e-3])
    assert ax.get_xlim() == (5.5, 99.9)


def test_a_population_keeps_its_colour_when_it_is_shown_alone():
    plot = result({"a": spikes(A), "b": spikes(B)}).plot
    both, alone = plot.rates(), plot.rates("b")
    assert said(both) == ["a", "b"]
    assert said(alone) == ["b"]
    assert both.lines[1].get_color() == alone.lines[0].get_color()


def test_a_last_bin_that_is_shorter_counts_for_as_long_as_it_is():
    clock = spikes([np.arange(1, 1051) * 0.1])  # in each step
    heights, edges = steps(result({"a": clock}, stop=105.0).plot.rates(bin_ms=10.0))["a"]
    assert edges[-2:].tolist() == [100.0, 105.0]
    np.testing.assert_allclose(heights, 10_000.0)


def test_rates_of_a_later_run_are_at_their_times():
    heights, edges = steps(result({"a": spikes([[150.0]])}, start=100.0, stop=200.0).plot.rates(bin_ms=50.0))["a"]
    assert edges.tolist() == [100.0, 150.0, 200.0]
    assert heights == pytest.approx([20.0, 0.0])


def test_intervals_are_those_of_single_neurons():
    trains = [[1.0, 4.0, 9.0], [2.0, 2.1], [5.0]]
    ax = result({"a": spikes(trains), "b": spikes([[]])}).plot.isi(bins=1000)
    heights, edges = steps(ax)["a"]
    counts, _ = np.histogram([3.0, 5.0, 0.1], edges)
    np.testing.assert_allclose(heights, counts / 3 / np.diff(edges))
    np.testing.assert_allclose(np.diff(edges), DT)  # whole steps
    assert counts.tolist() == np.bincount([29, 49, 0]).tolist()
    assert said(ax) == ["a: mean 2.7 ms", "b: none"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("interspike interval (ms)", "density (1/ms)")


def test_intervals_of_a_poisson_process_are_exponential():
    trains = poisson(50, 40.0, 20_000.0)
    heights, edges = steps(result({"a": spikes(trains)}, stop=20_000.0).plot.isi())["a"]
    assert (heights * np.diff(edges)).sum() == pytest.approx(1.0)
    middle = (edges[1:] + edges[:-1]) / 2
    expected = np.exp(-middle / 25.0) / 25.0
    assert np.abs(heights - expected).max() < 0.05 * expected.max()


def test_cv_is_that_of_each_neuron_with_three_spikes():
    trains = [*poisson(40, 30.0, 5_000.0), np.arange(10.0, 100.0, 10.0), [1.0, 2.0], [5.0, 5.0, 5.0]]
    ax = result({"a": spikes(trains)}, stop=5_000.0).plot.cv(bins=20)
    diffs = [np.diff(t) for t in trains[:-2]]
    expected = [np.std(d) / np.mean(d) for d in diffs]
    heights, edges = steps(ax)["a"]
    counts, _ = np.histogram(expected, np.linspace(0, max(expected), 21))
    np.testing.assert_allclose(heights * np.diff(edges) * len(expected), counts, atol=1e-9)
    assert said(ax) == [f"a: mean {np.mean(expected):.4g}"]


def test_correlations_are_pearsons():
    trains = poisson(12, 30.0, 2_000.0)
    trains += [trains[0], []]  # the same once more, and one that is silent
    ax = result({"a": spikes(trains)}, stop=2_000.0).plot.correlation(bin_ms=20.0, bins=30)
    counts = [np.histogram(np.array(t) - 0.05, np.arange(0, 2001, 20))[0] for t in trains[:-1]]
    expected = [stats.pearsonr(a, b)[0] for k, a in enumerate(counts) for b in counts[:k]]
    heights, edges = steps(ax)["a"]
    assert edges[-1] == pytest.approx(1.0)
    cumulated = np.cumsum(heights * np.diff(edges))
    np.testing.assert_allclose(cumulated, [np.mean(np.array(expected) < e + 1e-9) for e in edges[1:]], atol=1e-9)
    assert said(ax) == [f"a: mean {np.mean(expected):.4g}"]
    assert ax.get_title() == "bins of 20 ms"


def test_correlations_are_of_a_bounded_evenly_spaced_sample_of_what_was_recorded():
    trains = poisson(300, 30.0, 1_000.0)
    everything = result({"a": spikes(trains, neurons=np.arange(300) * 2, n=600)}, stop=1_000.0)
    sample = result({"a": spikes([trains[0], trains[150], trains[299]])}, stop=1_000.0)
    few, same = everything.plot.correlation(neurons=3), sample.plot.correlation()
    for found, expected in zip(steps(few)["a"], steps(same)["a"], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert few.get_title() == "bins of 50 ms, 3 neurons of each population"


def test_independent_neurons_are_not_correlated_and_equal_ones_are_all_1():
    ax = result({"a": spikes(poisson(100, 30.0, 10_000.0))}, stop=10_000.0).plot.correlation()
    mean = float(said(ax)[0].split()[-1])
    assert abs(mean) < 3 * 200**-0.5 * 4950**-0.5 * 2  # of 200 bins and 4,950 pairs
    same = poisson(1, 30.0, 1_000.0) * 5
    ax = result({"a": spikes(same), "silent": spikes([[], []])}, stop=1_000.0).plot.correlation()
    assert said(ax) == ["a: mean 1", "silent: none"]


def sampled(n, n_times, unit="mV", seed=1):
    values = np.random.default_rng(seed).normal(-60.0, 5.0, (n_times, n)).astype(np.float32)
    return Samples((np.arange(n_times) + 1) / 10, np.arange(n) * 3, values, unit)


def test_traces_are_the_samples_of_evenly_spaced_neurons():
    V = sampled(1001, 1000)
    ax = result({}, samples={"a": {"V_m": V, "g_ex": sampled(1001, 1000, "nS")}}).plot.traces()
    assert said(ax) == ["a 0", "a 750", "a 1500", "a 2250", "a 3000"]
    for line, k in zip(ax.lines, (0, 250, 500, 750, 1000), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([V.times, V.values[:, k]]))
    assert (ax.get_title(), ax.get_ylabel(), ax.get_xlabel()) == ("5 of 1,001 neurons", "V_m (mV)", "time (ms)")


def test_traces_of_some_variable_neurons_and_time():
    samples = {"a": {"V_m": sampled(2, 1000)}, "b": {"g": sampled(2, 1000, "nS"), "V_m": sampled(1, 1000)}}
    ax = result({}, samples=samples).plot.traces("g", "b", window=(20.0, 30.0), most=1)
    (line,) = ax.lines
    times = line.get_xdata()
    assert (times[0], times[-1], ax.get_ylabel(), ax.get_title()) == (20.0, 30.0, "g (nS)", "1 of 2 neurons")
    np.testing.assert_array_equal(line.get_ydata(), samples["b"]["g"].values[199:300, 0])
    assert said(result({}, samples=samples).plot.traces()) == ["a 0", "a 3", "b 0"]
    two = {"a": {"m": sampled(1, 10, "")}, "b": {"m": sampled(1, 10, "pA")}}
    assert result({}, samples=two, stop=1.0).plot.traces().get_ylabel() == "m (pA)"


def test_a_run_is_drawn_as_its_statistics_say():
    net = networks.recurrent(n=50)
    neurons = net.populations["neurons"]
    net.record(neurons)
    net.record(neurons[:3], "V_m", every=0.5)
    net.record(neurons[10:20], "spikes", name="ten")
    sim = net.build(threads=1)
    sim.run(33.3)
    found = sim.run(200.0)
    assert said(found.plot.cv("neurons")) == [f"neurons: mean {found.populations['neurons'].cv_isi:.4g}"]
    heights, _ = steps(found.plot.rates(bin_ms=200.0))["neurons"]
    assert heights == pytest.approx([found.rates["neurons"]])
    counts = found.spike_counts("neurons", 7.0)
    heights, _ = steps(found.plot.rates("neurons", bin_ms=7.0))["neurons"]
    np.testing.assert_allclose(heights[: counts.shape[1]], counts.mean(axis=0) / 7e-3)
    ten, _ = found.plot.raster("ten", bin_ms=200.0)
    assert len(dots(ten)[0]) == found.populations["neurons"].counts[10:20].sum()
    assert found.plot.traces().get_ylabel() == "V_m (mV)"
    assert found.samples["neurons"]["V_m"].unit == "mV"


NAMES = ["$x_{$", "_hidden", "Purkinje-Zellen, große"]


def test_names_are_shown_whatever_they_are():
    plot = result({name: spikes(A) for name in NAMES}).plot
    assert [text.strip() for text in said(plot.rates())] == NAMES
    for ax in (plot.raster()[0], plot.rates(), plot.isi()):
        ax.figure.canvas.draw()


def test_of_many_populations_the_first_are_named():
    plot = result({f"p{k}": spikes([[1.0]]) for k in range(1000)}).plot
    ax = plot.rates()
    assert said(ax) == [f"p{k}" for k in range(12)]
    assert ax.get_legend().get_title().get_text() == "and 988 more"
    names = [text.get_text() for text in plot.raster()[0].get_yticklabels()]
    assert 20 < len(names) <= 34
    assert names[0] == "p0"


RECORDED = {"a": spikes(A)}
PLOTS = ["raster", "rates", "isi", "cv", "correlation"]


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    ("given", "how", "expected"),
    [
        (result({}), {}, r"no spikes were recorded; call net.record\(population\) before"),
        (result(RECORDED, others=["inh"]), {"names": ["a", "inh"]}, r"'inh' has no recorded spikes; call net.record"),
        (result(RECORDED), {"names": "A"}, r"unknown recorded group 'A'; did you mean 'a'\? known: a"),
        (result(RECORDED), {"names": []}, r"names must be a name or a list of them, got \[\]"),
        (result(RECORDED), {"names": 3}, r"names must be a name or a list of them, got 3"),
        (result(RECORDED), {"names": [["a"]]}, r"unknown recorded group \['a'\]"),
        (result(RECORDED), {"window": (50.0, 20.0)}, r"window must be a part of the run, 0 to 100 ms, got \(50"),
        (result(RECORDED), {"window": (0.0, 100.1)}, r"window must be a part of the run, 0 to 100 ms"),
        (result(RECORDED), {"window": (0.0, 1.05)}, r"window must be a multiple of dt = 0.1 ms, got 1.05 ms"),
        (result(RECORDED), {"window": 5.0}, r"window must be \(start, stop\) in ms, got 5.0"),
        (result(RECORDED, stop=0.0), {}, r"the run took no time; run longer"),
        (result(RECORDED), {"ax": 3}, r"ax must be Matplotlib axes(, or a pair of them)?, got 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_says_why_in_one_line(plot, given, how, expected):
    with pytest.raises(bs.DescriptionError, match=rf"^result\.plot\.{plot}: {expected}") as error:
        getattr(given.plot, plot)(**how)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("plot", "how", "expected"),
    [
        ("raster", {"bin_ms": 0.25}, r"bin_ms must be a multiple of dt = 0.1 ms, got 0.25"),
        ("rates", {"bin_ms": 0.0}, r"bin_ms must be at least 0.1 ms, got 0"),
        ("raster", {"ax": [1, 2]}, r"ax must be Matplotlib axes, or a pair of them, got 1"),
        ("isi", {"bins": 0}, r"bins must be at least 1, got 0"),
        ("cv", {"bins": 10**9}, r"bins must be at most 10000, got 1000000000"),
        ("correlation", {"bins": 1.5}, r"bins must be a whole number, got 1.5"),
        ("correlation", {"neurons": 1}, r"neurons must be at least 2, got 1"),
        ("correlation", {"bin_ms": 60.0}, r"two bins of 60 ms at least are needed, and 100 ms have fewer; give"),
        ("traces", {}, r"no variable was recorded; call net.record\(population, 'V_m'\) before net.build\(\)"),
    ],
)
def test_options_that_make_no_sense_are_refused(plot, how, expected):
    with pytest.raises(bs.DescriptionError, match=rf"^result\.plot\.{plot}: {expected}"):
        getattr(result(RECORDED).plot, plot)(**how)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"variable": "v_m"}, r"unknown recorded variable 'v_m'; did you mean 'V_m'\? known: V_m"),
        ({"names": "a"}, r"'a' has no recorded V_m; call net.record\(population, 'V_m'\) before net.build\(\)"),
        ({"most": 0}, r"most must be at least 1, got 0"),
        ({"ax": "x"}, r"ax must be Matplotlib axes, got 'x'"),
    ],
)
def test_traces_that_were_not_recorded_are_refused(how, expected):
    with pytest.raises(bs.DescriptionError, match=rf"^result\.plot\.traces: {expected}"):
        result(RECORDED, samples={"b": {"V_m": sampled(1, 10)}}).plot.traces(**how)


@pytest.mark.parametrize("plot", [*PLOTS, "traces"])
def test_what_was_not_kept_says_so(plot):
    with pytest.raises(bs.DescriptionError, match="handed to the sinks and not kept, as keep=False says"):
        getattr(Result(0.0, 100.0, DT, NotKept(), NotKept(), {}, "", 0, {}, 1.0).plot, plot)()


@pytest.mark.parametrize("plot", [*PLOTS, "traces"])
def test_without_matplotlib_one_line_names_the_extra(plot, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    given = result(RECORDED, samples={"b": {"V_m": sampled(1, 10)}})
    line = rf"^result\.plot\.{plot}: needs Matplotlib; pip install 'biosnn\[plot\]'$"
    with pytest.raises(bs.DescriptionError, match=line):
        getattr(given.plot, plot)()
