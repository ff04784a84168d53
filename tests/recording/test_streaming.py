"""What a run streams to its sinks is what it would have returned, however it is cut and however it ends."""

import os
import signal
import tracemalloc
from collections import defaultdict

import networks
import numpy as np
import pytest
from command_line import room_for, rows_of

import biosnn as bs
from biosnn.recording import (
    MetricsCsv,
    SamplesCsv,
    SamplesJsonl,
    SamplesNpy,
    Sink,
    SpikesCsv,
    SpikesJsonl,
    SpikesNpz,
)

NEURONS = [7, 3, 150]


def built(chunk=300):
    net = networks.recurrent()
    neurons = net.populations["neurons"]
    others = net.population("others / 2, große", 5, bs.models.iaf_psc_exp(I_e=500.0))
    net.record(neurons)
    net.record(neurons, "V_m", every=0.5)
    net.record([neurons[NEURONS], others[2:]], "V_m", name="both")
    net.record(neurons[NEURONS], "I_syn_ex", every=1.1)
    sim = net.build(threads=1)
    sim.plan.chunk_steps = chunk  # so that there are several
    return sim, neurons, others


def spikes_in(path):
    return [(r["population"], int(r["neuron"]), float(r["time_ms"])) for r in rows_of(path)]


def samples_in(path):
    """(recorder, variable): times, and values in the order of their columns."""
    found = defaultdict(lambda: defaultdict(list))
    for r in rows_of(path):
        found[r["recorder"], r["variable"]][float(r["time_ms"])].append(np.float32(r["value"]))
    return {key: (list(rows), np.array(list(rows.values()))) for key, rows in found.items()}


def assert_samples(result, key, times, values):
    expected = result.samples[key[0]][key[1]]
    np.testing.assert_array_equal(times, expected.times)
    np.testing.assert_array_equal(values, expected.values)
    assert values.dtype == np.float32


def test_files_hold_what_the_result_holds(tmp_path):
    sim, neurons, _ = built()
    files = [
        SpikesCsv(tmp_path / "spikes.csv", of=neurons),
        SpikesCsv(tmp_path / "some.csv", of=[neurons[NEURONS]]),
        SpikesNpz(str(tmp_path / "spikes.npz"), of=neurons),
        SamplesCsv(tmp_path / "samples.csv"),
        SamplesNpy(tmp_path / "new" / "samples"),
    ]
    result = sim.run(100.0, sink=files)
    kept = result.spikes["neurons"]
    everything = list(zip(["neurons"] * len(kept), kept.senders.tolist(), kept.times.tolist(), strict=True))
    assert len(everything) > 200
    assert spikes_in(tmp_path / "spikes.csv") == everything
    assert spikes_in(tmp_path / "some.csv") == [spike for spike in everything if spike[1] in NEURONS] != []
    with np.load(tmp_path / "spikes.npz") as file:
        names = file["populations"][file["population"]].tolist()
        found = list(zip(names, file["neuron"].tolist(), file["times"].tolist(), strict=True))
    assert found == everything
    samples = samples_in(tmp_path / "samples.csv")
    assert set(samples) == {("neurons", "V_m"), ("both", "V_m"), ("neurons", "I_syn_ex")}
    for (recorder, variable), found in samples.items():
        assert_samples(result, (recorder, variable), *found)
        file = np.load(tmp_path / "new" / "samples" / f"{recorder}.{variable}.npy", mmap_mode="r")
        assert_samples(result, (recorder, variable), file["times"], file["values"])


def test_samples_name_their_neurons(tmp_path):
    sim, _, others = built()
    sim.run(2.0, sink=[SamplesCsv(tmp_path / "samples.csv"), SamplesNpy(tmp_path / "samples")])
    expected = [("neurons", i) for i in NEURONS] + [(others.name, i) for i in (2, 3, 4)]
    assert np.load(tmp_path / "samples" / "both.V_m.senders.npy").tolist() == expected
    rows = [r for r in rows_of(tmp_path / "samples.csv") if r["recorder"] == "both" and r["time_ms"] == "0.1"]
    assert [(r["population"], int(r["neuron"])) for r in rows] == expected


def content(path):
    if path.is_dir():
        return {p.name: p.read_bytes() for p in path.iterdir()}
    lines = path.read_bytes().splitlines()  # of samples: in order of time for each recorder, chunk by chunk
    return sorted(lines) if path.name.startswith("samples") else lines


@pytest.mark.parametrize("kind", [SpikesCsv, SpikesJsonl, SpikesNpz, SamplesCsv, SamplesJsonl, SamplesNpy])
def test_runs_go_on_in_the_file_of_the_run_before(kind, tmp_path):
    whole, pieces = kind(tmp_path / "samples or spikes"), kind(tmp_path / "samples or spikes in pieces")
    sim, *_ = built()
    sim.run(20.0)
    sim.run(80.0, sink=whole)
    sim, *_ = built(chunk=170)
    sim.run(20.0)
    for ms in (30.0, 7.3, 42.7):
        sim.run(ms, sink=pieces, keep=False)
    assert content(whole.path) == content(pieces.path)
    assert content(whole.path)


def test_what_is_not_kept_takes_no_memory_and_the_result_says_so(tmp_path):
    sim, *_ = built()
    expected = sim.run(50.0)
    sim, *_ = built()
    result = sim.run(50.0, sink=SamplesNpy(tmp_path / "samples"), keep=False)
    assert (result.rates, result.fingerprint) == (expected.rates, expected.fingerprint)
    assert result.n_spikes == expected.n_spikes > 0
    for look in (
        lambda: result.spikes["neurons"],
        lambda: list(result.samples),
        lambda: "neurons" in result.samples,
        lambda: result.spikes.get("neurons"),
        lambda: result.spike_counts("neurons", 10.0),
    ):
        with pytest.raises(bs.DescriptionError, match=r"handed to the sinks and not kept, as keep=False says; read"):
            look()
    assert repr(result.spikes) == "<not kept: keep=False>"
    peaks = []
    for keep in (True, False):
        tracemalloc.start()
        sim.run(2500.0, sink=SamplesNpy(tmp_path / f"{keep}"), keep=keep)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    size = sum(p.stat().st_size for p in (tmp_path / "False").iterdir())
    assert peaks[0] > size > 4e6 > 5 * peaks[1]


class Log(Sink):
    """Writes down what it is told."""

    def __init__(self):
        self.told = []

    def open(self, about):
        self.told.append(("open", about.first))

    def add_spikes(self, steps, ids):
        assert (steps.dtype, ids.dtype, steps.shape) == (np.int64, np.int32, ids.shape)
        self.told.append("spikes")

    def add_samples(self, what, steps, values):
        assert (steps.dtype, values.dtype) == (np.int64, np.float32)
        assert values.shape == (steps.size, what.neurons.size)
        assert ((steps + 1) % what.every == 0).all()
        self.told.append((what.recorder, what.variable))

    def close(self, last):
        self.told.append(("close", last))


class Broken(Sink):
    """Raises in one of its methods."""

    def __init__(self, method, error):
        def fail(*_):
            raise error

        setattr(self, method, fail)


def test_a_sink_of_one_s_own_is_told_everything_in_order():
    sim, *_ = built()
    log, called = Log(), []
    sim.run(0.7)
    sim.run(0.2, sink=[log, lambda *chunk: called.append(chunk)])
    sim.run(0.3, sink=log)
    chunk = ["spikes", ("both", "V_m")]
    assert len(called) == 1
    assert log.told == [
        ("open", 7), *chunk, ("close", 9),
        ("open", 9), "spikes", ("neurons", "V_m"), ("both", "V_m"), ("neurons", "I_syn_ex"), ("close", 12),
    ]  # fmt: skip


def test_a_sink_that_fails_ends_the_run_and_the_others_have_all_of_it(tmp_path):
    sim, neurons, _ = built()
    files = [SpikesCsv(tmp_path / "before.csv", of=neurons), SpikesCsv(tmp_path / "after.csv", of=neurons)]
    with pytest.raises(OSError, match="unplugged") as caught:
        sim.run(100.0, sink=[files[0], Broken("add_samples", OSError("unplugged")), files[1]])
    assert 0 < sim.time < 100.0
    result = caught.value.result
    assert result.stop_ms == sim.time
    kept = list(zip(result.spikes["neurons"].senders.tolist(), result.spikes["neurons"].times.tolist(), strict=True))
    for sink in files:
        assert [spike[1:] for spike in spikes_in(sink.path)] == kept != []
    whole, *_ = built()
    assert sim.run(round(150.0 - sim.time, 6), sink=files).stop_ms == 150.0
    whole.run(150.0, sink=SpikesCsv(tmp_path / "whole.csv", of=built()[1]))
    assert content(files[0].path) == content(tmp_path / "whole.csv")


def test_a_file_that_cannot_be_finished_does_not_lose_the_run():
    sim, *_ = built()
    log = Log()
    with pytest.raises(bs.OutputError, match="gone") as caught:
        sim.run(30.0, sink=[Broken("close", bs.OutputError("gone")), Broken("close", ValueError("also")), log])
    assert caught.value.__notes__ == ["also"]
    assert caught.value.result.stop_ms == sim.time == 30.0
    assert log.told[-1] == ("close", 300)


def test_a_sink_that_cannot_begin_ends_the_run_before_its_first_step():
    sim, *_ = built()
    log = Log()
    with pytest.raises(ValueError, match="no"):
        sim.run(30.0, sink=[log, Broken("open", ValueError("no")), Broken("close", ValueError("never opened"))])
    assert sim.step == 0
    assert log.told == [("open", 0), ("close", 0)]


@pytest.fixture
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda *_: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_files_are_complete_after_ctrl_c(ctrl_c, tmp_path):
    sim, neurons, _ = built()
    files = [SpikesNpz(tmp_path / "spikes.npz", of=neurons), SamplesCsv(tmp_path / "x.csv"), SamplesNpy(tmp_path / "x")]
    with pytest.raises(KeyboardInterrupt) as caught:
        sim.run(1000.0, sink=files, progress=ctrl_c)
    assert 0 < sim.time < 1000.0
    result = caught.value.result
    with np.load(files[0].path) as file:
        np.testing.assert_array_equal(file["times"], result.spikes["neurons"].times)
    assert_samples(result, ("both", "V_m"), *samples_in(files[1].path)["both", "V_m"])
    array = np.load(files[2].path / "both.V_m.npy")
    assert_samples(result, ("both", "V_m"), array["times"], array["values"])


def test_arrays_can_be_loaded_while_the_run_goes_on(tmp_path):
    sim, *_ = built()
    seen = []

    def look(*_):
        seen.append(len(np.load(tmp_path / "x" / "neurons.V_m.npy", mmap_mode="r")))

    sim.run(100.0, sink=[SamplesNpy(tmp_path / "x"), look])
    assert seen == sorted(set(seen))
    assert seen[-1] == 200


def test_of_a_chunk_of_samples_that_finds_no_room_nothing_remains(tmp_path):
    sim, *_ = built()
    sink = SamplesNpy(tmp_path / "x")
    with room_for(100_000), pytest.raises(bs.OutputError, match=r"neurons.V_m.npy \(File too large\)") as caught:
        sim.run(100.0, sink=sink)
    result = caught.value.result
    found = np.load(tmp_path / "x" / "neurons.V_m.npy")
    assert (tmp_path / "x" / "neurons.V_m.npy").stat().st_size < 100_000
    assert 0 < len(found) < len(result.samples["neurons"]["V_m"].times)
    np.testing.assert_array_equal(found["values"], result.samples["neurons"]["V_m"].values[: len(found)])
    with pytest.raises(
        bs.OutputError, match=r"neurons.V_m.npy \(File too large\)"
    ):  # what is missing would not be seen
        sim.run(10.0, sink=sink)


@pytest.mark.parametrize("kind", [SpikesCsv, SpikesJsonl, SpikesNpz, SamplesCsv, SamplesJsonl, SamplesNpy, MetricsCsv])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_simulated(kind, tmp_path):
    (tmp_path / "file").write_text("of yours")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("file", "file/below", "folder", "loop"):
        with pytest.raises(bs.OutputError, match=rf"^cannot write .*{name} \(.*\); make room, or give another place"):
            kind(tmp_path / name)
    for path in (None, "", 3, b"x", "a\0b"):
        with pytest.raises(
            bs.DescriptionError, match=f"^{kind.__name__}: the path must be a string or a pathlib.Path, got"
        ):
            kind(path)
    sink, sim = kind(tmp_path / "late"), built()[0]
    (tmp_path / "late").write_text("of somebody else")
    with pytest.raises(bs.OutputError, match="late"):
        sim.run(1.0, sink=sink)
    assert sim.step == 0
    assert (tmp_path / "file").read_text() == "of yours"
    assert (tmp_path / "late").read_text() == "of somebody else"


def test_a_folder_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # of root, the system allows everything
    for kind in (SpikesCsv, SamplesNpy):
        with pytest.raises(bs.OutputError, match="Permission denied"):
            kind(tmp_path / "x")


@pytest.mark.parametrize(
    ("how", "what"),
    [
        (
            {"sink": 3},
            r"^run: sink must be a function of \(steps, ids\), a biosnn.recording.Sink or a list of these, got 3",
        ),
        ({"sink": [print, "x"]}, "got 'x'"),
        ({"sink": SpikesCsv}, "^run: sink must be a sink, got the class SpikesCsv; call it to make one"),
        ({"keep": 1}, "^run: keep must be True or False, got 1"),
    ],
)
def test_what_is_no_sink_is_refused(how, what):
    with pytest.raises(bs.DescriptionError, match=what):
        built()[0].run(1.0, **how)


def test_a_sink_belongs_to_one_simulation_and_its_group_to_the_same_network(tmp_path):
    sim, *_ = built()
    sink = SpikesCsv(tmp_path / "x.csv")
    sim.run(10.0, sink=sink)
    again, *_ = built()
    with pytest.raises(
        bs.DescriptionError, match=r"x.csv holds a run up to 10 ms, and one that begins at 0 ms does not"
    ):
        again.run(1.0, sink=sink)
    stranger = bs.Network().population("stranger", 3, bs.models.iaf_psc_exp())
    with pytest.raises(
        bs.DescriptionError, match=r"SpikesCsv: .*stranger.* does not belong to the network that runs; give"
    ):
        sim.run(1.0, sink=SpikesCsv(tmp_path / "y.csv", of=stranger))
    with pytest.raises(bs.DescriptionError, match=r"^SpikesCsv: expected a population, a group or a list of them"):
        SpikesCsv(tmp_path / "y.csv", of="neurons")


def test_names_become_names_of_files(tmp_path):
    net = bs.Network()
    a = net.population("a/b: 50 %\n", 2, bs.models.iaf_psc_exp())
    net.record(a[:0], "V_m", name="größer, none")
    net.record(a, "V_m")
    net.build(threads=1).run(1.0, sink=SamplesNpy(tmp_path / "x"))
    names = {"größer, none.V_m", "a%2fb%3a 50 %25%0a.V_m"}
    assert {p.name for p in (tmp_path / "x").iterdir()} == {
        f"{n}{end}" for n in names for end in (".npy", ".senders.npy")
    }
    assert np.load(tmp_path / "x" / "größer, none.V_m.npy")["values"].shape == (10, 0)
