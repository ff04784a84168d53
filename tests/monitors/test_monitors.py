"""Monitors: what they write is what the run did, in bounds that no network is too large for; nobody else sees it."""

import networks
import numpy as np
import pytest
from command_line import rows_of, strict_json

import biosnn as bs
from biosnn.monitors import MONITORS, Populations, Topology, Traces
from biosnn.monitors.base import sampled


def described(seed=4):
    net = bs.Network(seed=seed)
    exc = net.population("exc", 40, bs.models.iaf_psc_exp(), V_m=bs.uniform(-70.0, -55.0))
    inh = net.population("inh", 10, bs.models.aeif_cond_exp())
    source = net.spike_source("source", [[1.0, 15.0, 15.1], [44.9]])
    net.poisson(exc, rate=9000.0, weight=60.0)
    net.connect(exc, [exc, inh], bs.fixed_outdegree(6), weight=bs.normal(3.0, 1.0), delay=bs.uniform(0.5, 3.0))
    net.connect(inh, exc, bs.fixed_indegree(2), weight=-20.0, delay=1.0, name="back")
    net.connect(source, exc, bs.all_to_all(), weight=100.0, delay=0.4)
    return net


@pytest.mark.parametrize("threads", [1, 2])
def test_lines_of_populations_are_those_of_the_whole_run(threads, tmp_path):
    net = described()
    net.monitor(Populations(tmp_path / "populations.csv", every=5.0, neurons=None))
    for p in net.populations.values():
        net.record(p)
        if p.model is not None:
            net.record(p, "V_m")
    sim = net.build(threads=1) if threads == 1 else networks.serial(net, 2)
    sim.plan.chunk_steps = 70  # no multiple of a bin
    sim.run(3.0, monitored=False)
    result = sim.run(52.0)  # from 3 to 55 ms: the first bin is shorter
    rows = rows_of(tmp_path / "populations.csv")
    assert [float(r["time_ms"]) for r in rows if r["population"] == "exc"] == [5.0 * k for k in range(1, 12)]
    degrees = np.bincount(sim.synapses().sources, minlength=52)
    first = sim.plan.layout.first_of()
    for r in rows:
        name, end = r["population"], float(r["time_ms"])
        begin, n = max(3.0, end - 5.0), net.populations[r["population"]].n
        spikes = result.spikes[name]
        mine = spikes.senders[(spikes.times > begin + 1e-9) & (spikes.times < end + 1e-9)]
        assert float(r["rate_hz"]) == pytest.approx(mine.size / (n * (end - begin) * 1e-3), rel=1e-5)
        assert float(r["active"]) == pytest.approx(np.unique(mine).size / n, rel=1e-5)
        assert int(r["events"]) == degrees[mine + first[name]].sum()
        if name == "source":
            assert (r["V_mean"], r["V_sd"]) == ("", "")
        else:
            V = result.samples[name]["V_m"]
            values = V.values[np.isclose(V.times, end)][0].astype(np.float64)
            assert float(r["V_mean"]) == pytest.approx(values.mean(), rel=1e-5)
            assert float(r["V_sd"]) == pytest.approx(values.std(), rel=1e-4)
    assert sum(int(r["events"]) for r in rows) == result.synaptic_events > 0


def test_traces_are_what_recorders_of_the_same_neurons_see(tmp_path):
    net = described()
    net.monitor(Traces(tmp_path / "traces", every=0.5, neurons=10))
    net.record(net.populations["exc"], "V_m", every=0.5)
    result = net.build(threads=1).run(40.0)
    senders = np.load(tmp_path / "traces" / "exc.V_m.senders.npy")["neuron"]
    assert senders.tolist() == [0, 6, 13, 20, 26, 32, 39]  # one, and six of the eight that are left
    rows = np.load(tmp_path / "traces" / "exc.V_m.npy")
    np.testing.assert_array_equal(rows["times"], result.samples["exc"]["V_m"].times)
    np.testing.assert_array_equal(rows["values"], result.samples["exc"]["V_m"].values[:, senders])
    assert np.load(tmp_path / "traces" / "inh.V_m.npy")["values"].shape == (80, 2)


@pytest.mark.parametrize("backend", ["event_driven", "spmm_fused"])
def test_the_topology_lists_synapses_that_there_are(backend, tmp_path):
    net = described()
    net.monitor(Topology(tmp_path / "some.json", edges=60))
    net.monitor(Topology(tmp_path / "all.json", edges=None))
    sim = net.build(threads=1, synapse_backend=backend)
    sim.run(1.0)
    expected = sim.synapses()
    some, whole = (strict_json(tmp_path / name) for name in ("some.json", "all.json"))
    assert [p["name"] for p in some["populations"]] == ["exc", "inh", "source"]
    assert [p["model"] for p in some["populations"]] == ["iaf_psc_exp", "aeif_cond_exp", None]
    back = next(p for p in some["projections"] if p["name"] == "back")
    assert back == {
        "name": "back", "sources": ["inh"], "targets": ["exc"], "rule": "fixed_indegree", "receptor": None,
        "synapses": 80.0, "mean_weight": -20.0, "mean_delay_ms": 1.0,
    }  # fmt: skip

    def listed(edges):
        first = sim.plan.layout.first_id
        ids = [first[edges[end]["population"]] + np.array(edges[end]["neuron"]) for end in ("source", "target")]
        return sorted(zip(*(x.tolist() for x in ids), edges["weight"], edges["delay_ms"], strict=True))

    there = sorted(
        zip(expected.sources.tolist(), expected.targets.tolist(), expected.weights.tolist(),
            expected.delays.round(9).tolist(), strict=True)
    )  # fmt: skip
    assert listed(whole["edges"]) == there
    assert len(listed(some["edges"])) == 60
    assert set(listed(some["edges"])) <= set(there)
    assert len({source for source, *_ in listed(some["edges"])}) > 20  # of 52: all parts of the network


def test_positions_of_some_neurons_stand_in_the_topology(tmp_path):
    net = bs.Network()
    p = net.population("p", 100, bs.models.iaf_psc_delta(), positions=bs.grid((10, 10), spacing=5.0))
    net.connect(p, p, bs.pairwise_bernoulli(0.5 * bs.space.gaussian(20.0)), weight=bs.space.gaussian(20.0), delay=1.0)
    net.monitor(Topology(tmp_path / "topology.json", neurons=4))
    net.build(threads=1, synapse_backend="event_driven").run(0.1)
    found = strict_json(tmp_path / "topology.json")
    positions = found["populations"][0]["positions"]
    assert positions["neuron"] == [0, 33, 66, 99]
    np.testing.assert_allclose(positions["um"], p.place.xyz[positions["neuron"]], atol=1e-3)
    assert found["projections"][0]["mean_weight"] is None


def test_a_monitor_changes_no_spike_and_nobody_else_sees_what_it_samples(tmp_path):
    plain = described()
    watched = described()
    for name, kind in MONITORS.items():
        watched.monitor(kind(tmp_path / name))
    seen = []

    class Looks(bs.recording.Sink):
        def open(self, about):
            seen.append(about.sampled)

        def add_samples(self, what, steps, values):
            seen.append(what)

    for net in (plain, watched):
        net.record(net.populations["exc"])
    results = [net.build(threads=1).run(30.0, sink=Looks()) for net in (plain, watched)]
    assert results[0].fingerprint == results[1].fingerprint
    assert seen == [(), ()]
    assert results[1].samples == {}


def test_neurons_are_sampled_evenly_and_never_more_than_asked_for():
    net = bs.Network()
    populations = [net.population(str(n), n, bs.models.iaf_psc_exp()) for n in (1000, 10, 0, 1)]
    for most in (0, 1, 2, 5, 512, 5000):
        found = [(p.n, len(group)) for p, group in sampled(populations, most)]
        assert sum(n for _, n in found) <= most
        assert all(0 < n <= size for size, n in found)
        assert len(found) == min(most, 3)
    assert [len(group) for _, group in sampled(populations, None)] == [1000, 10, 1]


def test_what_is_no_monitor_or_comes_too_late_is_said(tmp_path):
    net = described()
    for wrong in (Traces, "traces", None):
        with pytest.raises(bs.DescriptionError, match="monitor: expected a monitor such as"):
            net.monitor(wrong)
    traces = net.monitor(Traces(tmp_path / "traces"))
    with pytest.raises(bs.DescriptionError, match="Traces watches this network already"):
        net.monitor(traces)
    with pytest.raises(bs.DescriptionError, match="Populations: every must be a multiple of dt"):
        net.monitor(Populations(tmp_path / "p.csv", every=0.25))
    with pytest.raises(bs.DescriptionError, match="Topology: edges must be at least 0, got -1"):
        Topology(tmp_path / "t.json", edges=-1)
    sim = net.build(threads=1)
    net.monitor(Topology(tmp_path / "late.json"))
    with pytest.warns(bs.LateChangeWarning, match="monitor 'topology'"):
        sim.run(1.0)
    nowhere = described()
    nowhere.monitor(Traces())
    with pytest.raises(bs.DescriptionError, match="Traces: it has no file to write to; give it a path"):
        nowhere.build(threads=1).run(1.0)


def test_a_monitor_of_ones_own_needs_a_name_and_what_it_watches():
    class Counts(bs.monitors.Monitor):
        name, seen = "counts", 0

        def watch(self, net):
            net.sample(self, net.populations["exc"][::4], "V_m", every=3)

        def add_samples(self, what, steps, values):
            assert values.shape == (steps.size, 10)
            assert ((steps + 1) % 3 == 0).all()
            self.seen += steps.size

    net = described()
    counts = net.monitor(Counts())
    net.build(threads=1).run(30.0)
    assert counts.seen == 100


def test_what_a_monitor_asks_for_is_checked_as_what_is_recorded():
    net, other = described(), described()
    exc = net.populations["exc"]
    for asked, error in (
        ((exc, "V", 1), "sample 'exc': unknown variable 'V'; did you mean 'V_m'"),
        ((exc, "spikes", 1), "sample 'exc': unknown variable 'spikes'"),
        ((exc, "V_m", 0), "sample 'exc': every must be at least 1, got 0"),
        ((other.populations["exc"], "V_m", 1), "sample 'exc': "),
        ((net.populations["source"], "V_m", 1), "sample 'source': unknown variable 'V_m'"),
    ):
        with pytest.raises(bs.DescriptionError) as raised:
            net.sample(None, *asked)
        assert str(raised.value).startswith(error)


def test_a_monitor_is_no_sink_of_one_run(tmp_path):
    net = described()
    traces = net.monitor(Traces(tmp_path / "traces"))
    sim = net.build(threads=1)
    for given in (traces, [Topology(tmp_path / "t.json")], Populations(tmp_path / "p.csv")):
        with pytest.raises(bs.DescriptionError, match=r"is a monitor, not a sink of one run; give it to net.monitor"):
            sim.run(1.0, sink=given)
    assert sim.step == 0
    assert sim.run(1.0, sink=[]).stop_ms == 1.0


def test_what_is_sampled_is_bounded_however_large_the_network(tmp_path):
    net = bs.Network()
    net.population("p", 20_000, bs.models.iaf_psc_delta())
    before = net.plan(threads=1).bytes
    net.monitor(Traces(tmp_path / "traces", neurons=100))
    bounded = net.plan(threads=1).bytes
    assert bounded - before < 100 * (8192 * 4 + 64)
    everything = bs.Network()
    everything.population("p", 20_000, bs.models.iaf_psc_delta())
    everything.monitor(Traces(tmp_path / "all", neurons=None))
    assert everything.plan(threads=1).bytes - before > 20 * (bounded - before)
