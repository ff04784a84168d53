"""Sinks that draw: what is in their pictures is what the run returned, and they hold no more than they show."""

import networks
import numpy as np
import pytest

import biosnn as bs
from biosnn.recording import About, RasterPng, RatesPng, Sampled, TracesPng, pictures

pytest.importorskip("matplotlib", reason="pictures need the plot extra")
from matplotlib.figure import Figure


def drawn(sink):
    """What a sink drew when its run ended."""
    assert sink.path.read_bytes().startswith(b"\x89PNG")
    figure = Figure()
    sink.draw(figure, sink.reached)
    return figure.axes


def built():
    net = networks.recurrent(n=50)
    neurons = net.populations["neurons"]
    net.record(neurons)
    net.record(neurons, "V_m", every=0.5)
    net.record(neurons[3:5], "V_m", name="two")
    net.record(neurons[7], "I_syn_ex")
    sim = net.build(threads=1)
    sim.plan.chunk_steps = 300
    return sim


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The result of a run of 120 ms after one of 50 ms, and its sinks, which show its last 40 ms."""
    folder, sim = tmp_path_factory.mktemp("pictures"), built()
    sim.run(50.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "SHOWN_MS", 40.0)
        sinks = [kind(folder / f"{kind.__name__}.png") for kind in (RasterPng, RatesPng, TracesPng)]
        yield sim.run(120.0, sink=sinks), *sinks


def test_the_raster_is_of_the_end_of_the_run(simulated):
    result, raster, *_ = simulated
    (ax,) = drawn(raster)
    spikes = result.spikes["neurons"]
    late = spikes.times > 130.0
    expected = sorted(zip(spikes.times[late].tolist(), spikes.senders[late].tolist(), strict=True))
    assert sorted(map(tuple, ax.lines[0].get_xydata().tolist())) == expected != []


def test_rates_are_of_all_of_the_run(simulated):
    result, _, rates, _ = simulated
    (ax,) = drawn(rates)
    edges, heights = ax.lines[0].get_data()
    heights = heights[:-1]
    spikes = result.spikes["neurons"]
    assert edges.tolist() == list(range(50, 171))
    counts, _ = np.histogram(spikes.times - 0.05, edges)
    np.testing.assert_allclose(heights, counts / 50 / 1e-3)
    assert ax.get_title() == "bins of 1 ms"


def test_traces_are_of_a_few_neurons_of_each_variable(simulated):
    result, *_, traces = simulated
    V, current = drawn(traces)
    assert (V.get_ylabel(), current.get_ylabel()) == ("V_m (mV)", "I_syn_ex (pA)")
    assert [text.get_text() for text in current.get_legend().get_texts()] == ["neurons 7"]
    assert V.get_title() == "5 of 52 neurons"
    samples = result.samples["neurons"]["V_m"]
    for line, k in zip(V.lines, (0, 13, 26, 38), strict=False):
        late = samples.times > 130.0
        expected = np.column_stack([samples.times[late], samples.values[late, k]])
        np.testing.assert_array_equal(line.get_xydata(), expected)
    last = result.samples["two"]["V_m"]
    np.testing.assert_array_equal(V.lines[4].get_ydata(), last.values[last.times > 130.0, 1])


def test_bins_of_rates_are_joined_and_runs_that_were_left_out_are_gaps(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "BINS", 8)
    sim, sink = built(), RatesPng(tmp_path / "rates.png")
    first = sim.run(10.0, sink=sink)
    sim.run(16.0)
    second = sim.run(30.0, sink=sink)
    (ax,) = drawn(sink)
    edges, heights = ax.lines[0].get_data()
    heights = heights[:-1]
    assert edges.tolist() == list(range(0, 57, 8))
    times = np.concatenate([r.spikes["neurons"].times for r in (first, second)])
    seconds = np.array([8, 2, 0, 6, 8, 8, 8]) * 1e-3
    counts, _ = np.histogram(times - 0.05, edges)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(heights, counts / seconds / 50)
    assert np.isnan(heights).tolist() == [False, False, True, False, False, False, False]


def test_however_long_a_run_its_pictures_take_the_same_memory(tmp_path):
    sampled = Sampled("a", "V_m", 1, np.zeros(1000, np.int64), np.arange(1000), "mV")
    about = About(0.1, 0, ("a",), np.array([0, 1000]), (sampled,), np.zeros(1000, np.int64), lambda _most: None)
    sinks = [kind(tmp_path / f"{kind.__name__}.png") for kind in (RasterPng, RatesPng, TracesPng)]
    held = []
    for sink in sinks:
        sink.open(about)
    for first in range(0, 500_000, 500):  # 50 s
        steps = np.arange(first, first + 500)
        for sink in sinks:
            sink.add_spikes(steps, (steps % 1000).astype(np.int32))
            sink.add_spikes(np.empty(0, np.int64), np.empty(0, np.int32))
            sink.add_samples(sampled, steps, np.zeros((500, 1000), np.float32))
        recent = [sinks[0].recent, *sinks[2].recent.values()]
        held.append([sum(s.nbytes + v.nbytes for s, v in r.parts) for r in recent] + [sinks[1].counts.nbytes])
    assert max(held[100:]) == held[-1] == held[100]
    for sink in sinks:
        sink.close(500_000)
        drawn(sink)


def test_traces_of_nothing_are_refused_before_the_run(tmp_path):
    sim = networks.recurrent().build(threads=1)
    with pytest.raises(bs.DescriptionError, match=r"^TracesPng: no variable is recorded; call net.record\(population"):
        sim.run(10.0, sink=TracesPng(tmp_path / "traces.png"))
    assert sim.step == 0


def test_a_run_of_no_steps_has_pictures(tmp_path):
    sinks = [kind(tmp_path / f"{kind.__name__}.png") for kind in (RasterPng, RatesPng, TracesPng)]
    built().run(0.0, sink=sinks)
    for sink in sinks:
        drawn(sink)
