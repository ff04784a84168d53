"""HDF5 files: read back by h5py and by SONATA's own library; how they are made, go on and are refused."""

import signal
import subprocess
import sys

import networks
import numpy as np
import pytest
from command_line import room_for

import biosnn as bs
from biosnn.recording import About, Sampled, SamplesH5, SpikesH5, hdf5

h5py = pytest.importorskip("h5py", reason="HDF5 needs the hdf5 extra")

NAMES = ("a/b", "<script>", "é", "none", "100 %")
LINKS = ("a%2fb", "<script>", "é", "none", "100 %25")


def built(chunk=300):
    net = networks.recurrent()
    neurons = net.populations["neurons"]
    others = net.population("others", 5, bs.models.iaf_psc_exp(I_e=500.0))
    net.record([neurons, others])
    net.record(neurons, "V_m", every=0.5)
    net.record([others[2:], neurons[[7, 3, 150]]], "V_m", name="both")
    sim = net.build(threads=1)
    sim.plan.chunk_steps = chunk  # so that there are several
    return sim


def spikes_in(path):
    """Spikes of each population: times and ids."""
    with h5py.File(path) as file:
        return {name: (g["timestamps"][:], g["node_ids"][:]) for name, g in file["spikes"].items()}


def samples_in(path):
    """Of each population: times, neurons and values."""
    with h5py.File(path) as file:
        found = {}
        for name, g in file["report"].items():
            start, stop, step = g["mapping/time"][:]
            times = start + step * np.arange(len(g["data"]))
            assert stop == pytest.approx(start + step * len(g["data"]))
            found[name] = times, g["mapping/node_ids"][:], g["data"][:]
        return found


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name in expected:
        for a, b in zip(found[name], expected[name], strict=True):
            np.testing.assert_array_equal(a, b)


def spikes_of(result):
    """Those of the recorder that joins `neurons` and `others`, by population."""
    kept, n = result.spikes["neurons+others"], len(result.populations["neurons"].counts)
    mine = kept.senders < n
    return {
        "neurons": (kept.times[mine], kept.senders[mine]),
        "others": (kept.times[~mine], kept.senders[~mine] - n),
    }


def test_files_hold_what_the_result_holds(tmp_path):
    sim = built()
    result = sim.run(100.0, sink=[SpikesH5(tmp_path / "spikes.h5"), SamplesH5(tmp_path / "new" / "samples")])
    expected = spikes_of(result)
    assert min(len(times) for times, _ in expected.values()) > 20
    assert_same(spikes_in(tmp_path / "spikes.h5"), expected)
    assert {p.name for p in (tmp_path / "new" / "samples").iterdir()} == {"neurons.V_m.h5", "both.V_m.h5"}
    for name in ("neurons", "both"):
        kept = result.samples[name]["V_m"]
        found = samples_in(tmp_path / "new" / "samples" / f"{name}.V_m.h5")
        for times, *_ in found.values():
            np.testing.assert_allclose(times, kept.times, rtol=1e-14)
        columns = (
            {"neurons": kept.values}
            if name == "neurons"
            else {"others": kept.values[:, :3], "neurons": kept.values[:, 3:]}
        )
        for population, values in columns.items():
            np.testing.assert_array_equal(found[population][2], values)
            assert found[population][2].dtype == np.float32
    assert [ids.tolist() for _, ids, _ in found.values()] == [[7, 3, 150], [2, 3, 4]]


def test_the_layout_is_that_of_sonata(tmp_path):
    sim = built()
    sim.run(20.0, sink=[SpikesH5(tmp_path / "spikes.h5"), SamplesH5(tmp_path / "x")])
    for path in (tmp_path / "spikes.h5", tmp_path / "x" / "both.V_m.h5"):
        with h5py.File(path) as file:
            assert (file.attrs["magic"], file.attrs["magic"].dtype) == (0x0A7A, np.uint32)
            assert (file.attrs["version"].shape, file.attrs["version"].dtype) == ((2,), np.uint32)
    with h5py.File(tmp_path / "spikes.h5") as file:
        spikes = file["spikes/neurons"]
        kind = spikes.attrs.get_id("sorting").dtype
        assert h5py.check_enum_dtype(kind) == {"none": 0, "by_id": 1, "by_time": 2}
        assert spikes.attrs["sorting"] == 2
        assert spikes["timestamps"].attrs["units"] == "ms"
        assert (spikes["timestamps"].dtype, spikes["node_ids"].dtype) == (np.float64, np.uint64)
        assert (np.diff(spikes["timestamps"]) >= 0).all()
    with h5py.File(tmp_path / "x" / "both.V_m.h5") as file:
        mapping = file["report/neurons/mapping"]
        assert mapping["time"].attrs["units"] == "ms"
        assert mapping["time"][:].tolist() == [0.1, 20.1, 0.1]
        assert mapping["index_pointers"][:].tolist() == [0, 1, 2, 3]
        assert mapping["element_ids"][:].tolist() == [1, 1, 1]
        assert [mapping[key].dtype for key in ("node_ids", "index_pointers", "element_ids", "time")] == [
            np.uint64, np.uint64, np.uint32, np.float64,
        ]  # fmt: skip
        assert [file[f"report/{name}/mapping/node_ids"].attrs["sorted"] for name in ("neurons", "others")] == [0, 1]
        assert file["report/neurons/data"].attrs["units"] == "mV"


def test_the_library_of_sonata_reads_them(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="it has no binaries for this Python")
    sim = built()
    result = sim.run(60.0, sink=[SpikesH5(tmp_path / "spikes.h5"), SamplesH5(tmp_path / "x")])
    reader = libsonata.SpikeReader(str(tmp_path / "spikes.h5"))
    for name, (times, ids) in spikes_of(result).items():
        population = reader[name]
        assert population.sorting == "by_time"
        assert population.get() == list(zip(ids.tolist(), times.tolist(), strict=True))
    report = libsonata.ElementReportReader(str(tmp_path / "x" / "neurons.V_m.h5"))["neurons"]
    assert report.times == (0.5, 60.5, 0.5)
    assert report.time_units == "ms"
    assert report.sorted
    frames = report.get(node_ids=[3, 7])
    kept = result.samples["neurons"]["V_m"]
    np.testing.assert_allclose(frames.times, kept.times)
    np.testing.assert_array_equal(frames.data, kept.values[:, [3, 7]])


def test_samples_have_the_unit_of_their_variable(tmp_path):
    sampled = Sampled("r", "g", 2, np.zeros(3, np.int64), np.arange(3), "nS")
    sink = SamplesH5(tmp_path / "x")
    sink.open(About(0.1, 7, ("p",), np.array([0, 3]), (sampled,)))
    sink.add_samples(sampled, np.array([7, 9]), np.array([[1, 2, np.nan], [4, 5, 6]], np.float32))
    sink.close(10)
    with h5py.File(tmp_path / "x" / "r.g.h5") as file:
        assert file["report/p/data"].attrs["units"] == "nS"
        np.testing.assert_array_equal(file["report/p/data"], [[1, 2, np.nan], [4, 5, 6]])
        assert file["report/p/mapping/time"][:].tolist() == [0.8, 1.2, 0.2]


def test_runs_go_on_in_the_file_of_the_run_before(tmp_path):
    whole = [SpikesH5(tmp_path / "whole.h5"), SamplesH5(tmp_path / "whole")]
    pieces = [SpikesH5(tmp_path / "pieces.h5"), SamplesH5(tmp_path / "pieces")]
    sim = built()
    sim.run(20.0)
    sim.run(80.0, sink=whole)
    sim = built(chunk=170)
    sim.run(20.0)
    for ms in (30.0, 7.3, 42.7):
        sim.run(ms, sink=pieces, keep=False)
    assert_same(spikes_in(tmp_path / "pieces.h5"), spikes_in(tmp_path / "whole.h5"))
    for name in ("neurons.V_m.h5", "both.V_m.h5"):
        assert_same(samples_in(tmp_path / "pieces" / name), samples_in(tmp_path / "whole" / name))


def test_what_ran_without_the_sink_has_no_samples(tmp_path):
    sim, sink = built(), SamplesH5(tmp_path / "x")
    first = sim.run(5.0, sink=sink)
    sim.run(3.0)
    last = sim.run(5.0, sink=sink)
    times, _, values = samples_in(tmp_path / "x" / "neurons.V_m.h5")["neurons"]
    np.testing.assert_allclose(times, 0.5 * np.arange(1, 27))
    np.testing.assert_array_equal(values[:10], first.samples["neurons"]["V_m"].values)
    assert np.isnan(values[10:16]).all()
    np.testing.assert_array_equal(values[16:], last.samples["neurons"]["V_m"].values)


def test_names_and_empty_populations(tmp_path):
    net = bs.Network()
    for name, n in zip(NAMES, (3, 2, 4, 1, 2), strict=True):
        net.population(name, n, bs.models.iaf_psc_exp(I_e=0.0 if name == "none" else 900.0))
    a = net.populations["a/b"]
    net.record(a[:0], "V_m", name="nobody")
    net.record(a, "V_m")
    sinks = [
        SpikesH5(tmp_path / "all.h5"),
        SpikesH5(tmp_path / "some.h5", of=[a, net.populations["none"]]),
        SamplesH5(tmp_path / "x"),
    ]
    net.build(threads=1).run(30.0, sink=sinks)
    found = spikes_in(tmp_path / "all.h5")
    assert sorted(found) == sorted(LINKS)
    assert {name: len(times) > 0 for name, (times, _) in found.items()} == {name: name != "none" for name in LINKS}
    some = spikes_in(tmp_path / "some.h5")
    assert sorted(some) == ["a%2fb", "none"]
    np.testing.assert_array_equal(some["a%2fb"][1], found["a%2fb"][1])
    assert {p.name for p in (tmp_path / "x").iterdir()} == {"nobody.V_m.h5", "a%2fb.V_m.h5"}
    assert samples_in(tmp_path / "x" / "nobody.V_m.h5") == {}
    assert samples_in(tmp_path / "x" / "a%2fb.V_m.h5")["a%2fb"][2].shape == (300, 3)
    assert [hdf5.linked(name) for name in (".", "..", "a\0b")] == ["%2e", "..", "a%00b"]


def test_nothing_recorded_is_a_file_of_nothing(tmp_path):
    net = bs.Network()
    net.population("silent", 3, bs.models.iaf_psc_exp())
    net.build(threads=1).run(1.0, sink=[SpikesH5(tmp_path / "s.h5"), SamplesH5(tmp_path / "x")])
    ((times, ids),) = spikes_in(tmp_path / "s.h5").values()
    assert times.size == ids.size == 0
    assert list((tmp_path / "x").iterdir()) == []


def test_files_can_be_read_while_the_run_goes_on(tmp_path):
    sim, seen = built(), []

    def look(*_):
        seen.append(len(samples_in(tmp_path / "x" / "neurons.V_m.h5")["neurons"][2]))

    sim.run(100.0, sink=[SamplesH5(tmp_path / "x"), look])
    assert seen == sorted(set(seen))
    assert seen[-1] == 200


def test_files_are_complete_after_ctrl_c(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sim = built()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            sim.run(
                1000.0,
                sink=[SpikesH5(tmp_path / "spikes.h5"), SamplesH5(tmp_path / "x")],
                progress=lambda *_: signal.raise_signal(signal.SIGINT),
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 < sim.time < 1000.0
    assert_same(spikes_in(tmp_path / "spikes.h5"), spikes_of(caught.value.result))
    found = samples_in(tmp_path / "x" / "neurons.V_m.h5")["neurons"][2]
    np.testing.assert_array_equal(found, caught.value.result.samples["neurons"]["V_m"].values)


@pytest.mark.parametrize("room", [30_000, 100_000, 300_000])
def test_of_a_chunk_that_finds_no_room_nothing_remains(room, tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "PIECE", 4096)
    sim, sink = built(), SamplesH5(tmp_path / "x")
    with room_for(room), pytest.raises(bs.OutputError, match=r"neurons.V_m.h5 \(File too large\)") as caught:
        sim.run(200.0, sink=sink)
    result = caught.value.result
    kept = result.samples["neurons"]["V_m"].values
    assert (tmp_path / "x" / "neurons.V_m.h5").stat().st_size <= room
    found = samples_in(tmp_path / "x" / "neurons.V_m.h5")["neurons"][2]
    assert len(found) < len(kept)
    assert (len(found) > 0) == (room > 30_000)
    np.testing.assert_array_equal(found, kept[: len(found)])
    with pytest.raises(bs.OutputError, match=r"neurons.V_m.h5 \(File too large\)"):  # what is missing would not be seen
        sim.run(10.0, sink=sink)


def test_a_file_that_finds_no_room_as_it_is_made_is_not_there(tmp_path):
    sim = built()
    with room_for(500), pytest.raises(bs.OutputError, match=r"spikes.h5 \(File too large\)"):
        sim.run(10.0, sink=SpikesH5(tmp_path / "spikes.h5"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [SpikesH5, SamplesH5])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_simulated(kind, tmp_path):
    (tmp_path / "file").write_text("of yours")
    for name in ("file", "file/below"):
        with pytest.raises(bs.OutputError, match=rf"^cannot write .*{name} \(.*\); make room"):
            kind(tmp_path / name)
    with pytest.raises(bs.DescriptionError, match=rf"^{kind.__name__}: the path must be"):
        kind(None)


@pytest.mark.parametrize("kind", ["SpikesH5", "SamplesH5"])
def test_without_h5py_one_line_says_what_to_install(kind, tmp_path):
    script = (
        "import sys; sys.modules['h5py'] = None\n"
        "import biosnn as bs\n"
        f"try: bs.recording.{kind}({str(tmp_path / 'x')!r})\n"
        "except bs.OutputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == f"{kind}: needs h5py; pip install 'biosnn[hdf5]'\n", done.stderr
