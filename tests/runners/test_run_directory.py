"""What a run from the command line writes: summary, spikes, metrics, configuration, raster."""

from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, rows_of, run, strict_json

from biosnn.demos import DEMOS
from biosnn.engine.planning import choice
from biosnn.monitors import MONITORS
from biosnn.runners import cli
from biosnn.runners.parser import build_parser

SUMMARY_KEYS = [
    "demo", "n_neurons", "n_synapses", "steps", "dt_ms", "seed", "device", "threads", "synapse_backend",
    "fused_layout", "ring_strategy", "ring_dtype", "backend_steps", "plan_bytes", "bytes_per_synapse", "build_s",
    "compile_s", "run_s", "rtf", "spikes", "synaptic_events", "events_per_s", "rates_hz", "cv_isi", "peak_rss_mib",
    "spikes_sha256", "versions",
]  # fmt: skip


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    return folder, run(folder, *SMALL)


def expected():
    """The same run, from Python: the network, and what it recorded."""
    net = DEMOS["network"](n=500)
    for population in net.populations.values():
        net.record(population)
    for kind in MONITORS.values():
        net.monitor(kind.bounded(512, 20_000))
    sim = net.build(threads=1)
    sim.run(50.0, monitored=False)
    return sim, sim.run(123.4, monitored=False)


def test_summary_says_what_the_run_was_and_did(dashboard):
    _, found = dashboard
    assert list(found) == SUMMARY_KEYS
    sim, result = expected()
    assert (found["n_neurons"], found["n_synapses"], found["steps"]) == (500, sim.n_synapses, 1234)
    assert (found["demo"], found["dt_ms"], found["seed"], found["threads"]) == ("network", 0.1, 1, 1)
    chosen = sim.plan.ways
    assert (found["synapse_backend"], found["ring_strategy"]) == (chosen.backend, chosen.ring)
    assert (found["fused_layout"], found["ring_dtype"]) == (None, "none")
    assert found["backend_steps"] == {"event_driven": 1234, "spmm_fused": 0}
    assert found["spikes_sha256"] == result.fingerprint
    assert (found["spikes"], found["synaptic_events"]) == (result.n_spikes, result.synaptic_events)
    assert found["rates_hz"] == pytest.approx(result.rates)
    assert found["cv_isi"] == pytest.approx({name: s.cv_isi for name, s in result.populations.items()})
    assert found["plan_bytes"] == sim.plan.bytes
    assert found["bytes_per_synapse"] == sim.plan.bytes / sim.n_synapses
    assert found["rtf"] == pytest.approx(found["run_s"] / 0.1234)
    assert {"biosnn", "python", "numpy", "numba", "scipy"} == set(found["versions"])


def test_every_key_of_the_summary_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "run_directory.md").read_text()
    described = [key for line in page.splitlines() if line.startswith("| `") for key in line.split("|")[1].split(", ")]
    assert {key.strip(" `") for key in described} >= set(SUMMARY_KEYS)


def test_spike_files_hold_every_spike(dashboard, tmp_path):
    _, result = expected()
    everything = {
        (name, float(t), int(i)) for name, s in result.spikes.items() for t, i in zip(s.times, s.senders, strict=True)
    }
    rows = rows_of(dashboard[0] / "spikes.csv")
    assert {(r["population"], float(r["time_ms"]), int(r["neuron"])) for r in rows} == everything
    assert len(rows) == len(everything) == result.n_spikes
    run(tmp_path / "npz", *SMALL, "--spikes", "npz")
    with np.load(tmp_path / "npz" / "spikes.npz") as f:
        names = f["populations"][f["population"]]
        found = zip(names.tolist(), f["times"].tolist(), f["neuron"].tolist(), strict=True)
        assert set(found) == everything
    assert not (tmp_path / "npz" / "spikes.csv").exists()


def test_metrics_add_up_to_the_spikes(dashboard):
    _, result = expected()
    rows = rows_of(dashboard[0] / "metrics.csv")
    assert len(rows) == 2 * 13  # two populations, bins of 10 ms, the last of 3.4
    assert float(rows[0]["time_ms"]) == 60.0
    assert float(rows[-1]["time_ms"]) == 173.4
    for name, of_run in result.populations.items():
        mine = [r for r in rows if r["population"] == name]
        assert sum(int(r["spikes"]) for r in mine) == of_run.counts.sum()
        last = mine[-1]
        assert float(last["rate_hz"]) == pytest.approx(int(last["spikes"]) / int(last["neurons"]) / 3.4e-3, rel=1e-5)


def test_run_config_repeats_the_run(dashboard, tmp_path):
    config = strict_json(dashboard[0] / "run_config.json")
    flags = [f"--{k}={config[k]}" for k in ("demo", "n", "p", "dt", "seed", "steps", "threads")]
    flags += [f"--{k.replace('_', '-')}={config[k]}" for k in config["asked"] if config[k] is not None]
    again = run(tmp_path / "again", *flags, f"--warmup={config['warmup_ms']}")
    same = ["spikes_sha256", "synapse_backend", "fused_layout", "ring_strategy", "ring_dtype", "backend_steps"]
    assert [again[key] for key in same] == [dashboard[1][key] for key in same]


def test_run_config_holds_what_was_asked_for_beside_what_was_chosen(dashboard, tmp_path):
    asked = strict_json(dashboard[0] / "run_config.json")["asked"]
    assert asked == choice.asked({}) == cli.asked_ways(build_parser().parse_args([]))
    flags = ["--synapse-backend=spmm_fused", "--ring-strategy=event_bucketed", "--ring-capacity-max=50000"]
    summary = run(tmp_path / "run", *SMALL, *flags)
    config = strict_json(tmp_path / "run" / "run_config.json")
    assert config["asked"] == asked | {
        "synapse_backend": "spmm_fused", "ring_strategy": "event_bucketed", "ring_capacity_max": 50000,
    }  # fmt: skip
    for key in ("synapse_backend", "fused_layout", "ring_strategy", "ring_dtype"):
        assert config[key] == summary[key]
    assert (config["fused_layout"], config["max_ring_mib"]) == ("coo", 2048.0)
    assert config["ring_capacity_max"] == 50000 // 64 * 64  # whole blocks
    assert summary["backend_steps"] == {"event_driven": 0, "spmm_fused": 1234}
    assert summary["spikes_sha256"] == dashboard[1]["spikes_sha256"]


def test_backend_steps_leave_the_warmup_out(tmp_path):
    long_steps = ["--dt", "0.5", "--duration", "100"]  # of which a neuron can fire in every fifth: both may pay
    found = run(tmp_path / "run", *SMALL, *long_steps)
    assert found["synapse_backend"] == "auto"
    steps = found["backend_steps"].values()
    assert max(steps) <= 200 <= sum(steps)  # where it changes, both deliver


def test_fast_mode_keeps_metrics_and_summary_alone(dashboard, tmp_path):
    found = run(tmp_path / "fast", *SMALL, "--mode", "fast")
    said = {"run_config.json", "run_features.json", "run_status.json", "summary.json"}
    assert {p.name for p in (tmp_path / "fast").iterdir()} == said | {"metrics.csv"}
    assert found["spikes_sha256"] == dashboard[1]["spikes_sha256"]


def test_spikes_and_traces_are_pictures_too(dashboard):
    pytest.importorskip("matplotlib", reason="pictures need the plot extra")
    pictures = {path.name: path.read_bytes() for path in dashboard[0].glob("*.png")}
    assert set(pictures) == {"raster.png", "rates.png", "traces.png"}
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


def test_without_matplotlib_pictures_are_left_out_and_the_extra_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda _name: None)
    run(tmp_path / "run", *SMALL)
    assert not list((tmp_path / "run").glob("*.png"))
    assert "biosnn[plot]" in capsys.readouterr().err


def test_another_seed_gives_other_spikes(dashboard, tmp_path):
    assert run(tmp_path / "two", *SMALL, "--seed", "2")["spikes_sha256"] != dashboard[1]["spikes_sha256"]


def test_what_was_written_is_never_written_over(dashboard, capsys):
    folder = dashboard[0]
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert cli.main([*SMALL, "--out", str(folder)]) == 2
    error = capsys.readouterr().err
    assert str(folder) in error
    assert "give a new directory" in error
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
