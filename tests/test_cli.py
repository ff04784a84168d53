"""The command line: what a run writes, what it prints, and how it refuses."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.demos import DEMOS
from biosnn.engine import ways
from biosnn.runners import cli
from biosnn.runners.parser import build_parser

SUMMARY_KEYS = [
    "demo", "n_neurons", "n_synapses", "steps", "dt_ms", "seed", "device", "threads", "synapse_backend",
    "fused_layout", "ring_strategy", "ring_dtype", "backend_steps", "plan_bytes", "bytes_per_synapse", "build_s",
    "compile_s", "run_s", "rtf", "spikes", "synaptic_events", "events_per_s", "rates_hz", "cv_isi", "peak_rss_mib",
    "spikes_sha256", "versions",
]  # fmt: skip
SMALL = ["--n", "500", "--threads", "1", "--warmup", "50", "--duration", "123.4"]


def run(folder, *arguments):
    """Run the command line in this process; the run directory's summary."""
    assert cli.main([*arguments, "--out", str(folder)]) == 0
    return strict_json(folder / "summary.json")


def strict_json(path):
    return json.loads(path.read_text(), parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    return folder, run(folder, *SMALL)


def expected():
    """The same run, from Python: the network, and what it recorded."""
    net = DEMOS["network"](n=500)
    for population in net.populations.values():
        net.record(population)
    sim = net.build(threads=1)
    sim.run(50.0)
    return sim, sim.run(123.4)


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
    page = (Path(__file__).parents[1] / "docs" / "run_directory.md").read_text()
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
    assert asked == ways.asked({}) == cli.asked_ways(build_parser().parse_args([]))
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
    assert {p.name for p in (tmp_path / "fast").iterdir()} == {"run_config.json", "summary.json", "metrics.csv"}
    assert found["spikes_sha256"] == dashboard[1]["spikes_sha256"]


def test_raster_is_a_picture(dashboard):
    pytest.importorskip("matplotlib", reason="raster.png needs the plot extra")
    assert (dashboard[0] / "raster.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_raster_is_left_out_and_the_extra_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda _name: None)
    run(tmp_path / "run", *SMALL)
    assert not (tmp_path / "run" / "raster.png").exists()
    assert "biosnn[plot]" in capsys.readouterr().err


def test_another_seed_gives_other_spikes(dashboard, tmp_path):
    assert run(tmp_path / "two", *SMALL, "--seed", "2")["spikes_sha256"] != dashboard[1]["spikes_sha256"]


def test_default_directory_is_named_by_demo_and_time(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # in the same second, perhaps
        assert cli.main([*SMALL, "--mode", "fast"]) == 0
    made = sorted(p.name for p in (tmp_path / "runs").iterdir())
    assert len(made) == 2
    assert all(name.startswith("network-2") for name in made)
    printed = capsys.readouterr()
    assert "real-time factor" in printed.out
    assert f"runs/{made[0]}" in printed.out
    assert "exc " in printed.out
    assert "simulating, 123.4 ms" in printed.err


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["--n", "0"], ["n must be at least 1", "got 0"]),
        (["--n", "many"], ["--n", "invalid int", "many", "--help"]),
        (["--p", "1.5"], ["p must be at most 1", "got 1.5"]),
        (["--p", "nan"], ["p must be finite"]),
        (["--scale", "0.5"], ["--scale", "network", "microcircuit", "leave it out"]),
        (["--demo", "microcircuit", "--n", "5"], ["--n", "microcircuit", "leave it out"]),
        (["--demo", "microcircuit", "--scale", "2"], ["scale must be at most 1", "got 2"]),
        (["--demo", "microcircuit", "--scale", "1e-5"], ["scale", "without neurons", "raise it"]),
        (["--demo", "brunel", "--n", "77"], ["multiple of 50", "got 77", "100"]),
        (["--demo", "brunell"], ["--demo", "brunell", "microcircuit", "--help"]),
        (["--dt", "0"], ["dt must be above 0", "(ms)"]),
        (["--seed", "-1"], ["seed must be at least 0"]),
        (["--threads", "0"], ["threads must be at least 1"]),
        (["--steps", "0"], ["--steps", "at least 1"]),
        (["--duration", "0.05"], ["--duration", "multiple of dt = 0.1 ms"]),
        (["--duration", "1e300"], ["--duration", "2**53"]),
        (["--warmup", "-1"], ["--warmup", "at least 0"]),
        (["--steps", "5", "--duration", "5"], ["--duration", "--steps"]),
        (["--device", "cuda"], ["device 'cuda'", "--device cpu"]),
        (["--frobnicate"], ["--frobnicate", "--help"]),
        (["--n", "10000000", "--p", "0.5"], ["memory", "synapses", "GiB", "fewer"]),
        (["--synapse-backend", "gather"], ["--synapse-backend", "gather", "spmm_fused", "--help"]),
        (
            ["--synapse-backend", "event_driven", "--fused-layout", "coo"],
            ["fused_layout", "spmm_fused", "leave it out"],
        ),
        (["--ring-strategy", "spike_history", "--ring-dtype", "float16"], ["ring_dtype", "float16", "use", "'dense'"]),
        (["--ring-strategy", "dense", "--ring-capacity-max", "9999"], ["ring_capacity_max", "dense", "leave it out"]),
        (["--ring-strategy", "event_bucketed", "--ring-capacity-max", "9"], ["at least", "leaves 9", "raise"]),
        (["--ring-capacity-max", "0"], ["ring_capacity_max must be at least 1", "got 0"]),
        (["--max-ring-mib", "nan"], ["max_ring_mib must be finite", "(MiB)"]),
        (
            ["--n", "20000", "--p", "0.001", "--ring-strategy", "dense", "--max-ring-mib", "1"],
            ["dense ring", "n_post 20,000", "--max-ring-mib 1", "event_bucketed", "raise"],
        ),
    ],
    ids=" ".join,
)
def test_bad_values_get_one_line_and_exit_code_2(arguments, fragments, tmp_path, capsys):
    folder = tmp_path / "run"
    try:
        code = cli.main([*arguments, "--out", str(folder)])
    except SystemExit as stop:  # argparse's own
        code = stop.code
    assert code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("biosnn: error: ")
    assert printed.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in printed.err
    assert not folder.exists()


def test_what_was_written_is_never_written_over(dashboard, capsys):
    folder = dashboard[0]
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert cli.main([*SMALL, "--out", str(folder)]) == 2
    error = capsys.readouterr().err
    assert str(folder) in error
    assert "give a new directory" in error
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


@pytest.mark.parametrize("demo", DEMOS)
def test_a_plan_is_printed_without_a_compiler_and_nothing_is_written(demo, tmp_path):
    script = (
        f"import sys; from biosnn.runners import cli; assert cli.main(['--plan', '--demo', {demo!r}]) == 0; "
        "assert not {'numba', 'llvmlite'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("plan: ")
    assert "total, host" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_exceeds_the_memory_is_printed_too(tmp_path, capsys):
    folder = tmp_path / "run"
    assert cli.main(["--plan", "--n", "10000000", "--p", "0.5", "--out", str(folder)]) == 2
    printed = capsys.readouterr()
    assert "total, host" in printed.out
    assert printed.err.startswith("biosnn: error: plan: ")
    assert printed.err.count("\n") == 1
    assert not folder.exists()


def test_a_plan_shows_the_ring_that_was_asked_for(capsys):
    assert cli.main(["--plan", "--ring-strategy", "dense", "--ring-dtype", "bfloat16"]) == 0
    assert re.search(r"dense ring.* x 2 B +bfloat16", capsys.readouterr().out)


def test_a_directory_that_cannot_be_written_is_refused_before_building(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(bs.Network, "build", lambda *_, **__: pytest.fail("built"))
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        assert cli.main([*SMALL, "--out", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert str(path) in error
        assert "may write" in error


def test_a_full_disk_is_one_line(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device", "spikes.csv")

    monkeypatch.setattr(cli.SpikesCsv, "add", full)
    assert cli.main([*SMALL, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("biosnn: error: ")
    assert "No space left" in error
    assert (tmp_path / "run" / "metrics.csv").read_text().startswith("time_ms")


def test_a_full_ring_ends_the_run_with_complete_files_and_one_line(tmp_path, capsys):
    arguments = [
        "--n", "400", "--p", "0.5", "--threads", "1", "--warmup", "10", "--duration", "50",
        "--ring-strategy", "event_bucketed",
    ]  # fmt: skip
    run(tmp_path / "free", *arguments)
    capsys.readouterr()
    folder = tmp_path / "full"
    assert cli.main([*arguments, "--ring-capacity-max", "6400", "--out", str(folder)]) == 2
    *_, stopped, error = capsys.readouterr().err.splitlines()
    assert error.startswith("biosnn: error: the event_bucketed ring is full at ")
    assert "raise --ring-capacity-max" in error
    assert stopped.endswith(f" ms; {folder} holds what happened until then")
    stop = float(stopped.split()[2])  # stopped at ...
    assert 0 < stop < 50
    everything = rows_of(tmp_path / "free" / "spikes.csv")
    until_then = [r for r in everything if float(r["time_ms"]) < 10 + stop + 0.05]
    assert 0 < len(until_then) < len(everything)
    assert rows_of(folder / "spikes.csv") == until_then
    metrics = rows_of(folder / "metrics.csv")
    assert sum(int(r["spikes"]) for r in metrics) == len(until_then)
    assert float(metrics[-1]["time_ms"]) == pytest.approx(10 + stop)
    assert strict_json(folder / "run_config.json")["ring_capacity_max"] == 6400 // 64 * 64  # whole blocks
    assert not (folder / "summary.json").exists()


def test_ctrl_c_leaves_complete_files_and_exit_code_130(tmp_path):
    arguments = [*SMALL[:6], "--duration", "1e9", "--out", tmp_path / "run"]
    with subprocess.Popen(
        [sys.executable, "-m", "biosnn.runners.cli", *arguments], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # jobs in the background ignore it
    ) as process:  # fmt: skip
        try:
            while process.poll() is None and not _has_spikes(tmp_path / "run" / "spikes.csv"):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "stopped at" in said
    assert "Traceback" not in said
    assert sum(int(r["spikes"]) for r in rows_of(tmp_path / "run" / "metrics.csv")) == len(
        rows_of(tmp_path / "run" / "spikes.csv")
    )


def _has_spikes(path):
    return path.exists() and path.stat().st_size > 1000


def test_first_run_says_what_it_waits_for(tmp_path, monkeypatch):
    command = [sys.executable, "-m", "biosnn.runners.cli", "--n", "100", "--steps", "10", "--warmup", "0"]
    monkeypatch.setenv("BIOSNN_CACHE_DIR", str(tmp_path / "cache"))
    first = subprocess.run([*command, "--out", tmp_path / "1"], capture_output=True, text=True, check=True).stderr
    assert "first compiling" in first
    assert "compiling this network's driver" in first
    assert str(tmp_path / "cache") in first
    second = subprocess.run([*command, "--out", tmp_path / "2"], capture_output=True, text=True, check=True).stderr
    assert "compiling" not in second


def test_parser_knows_every_demo_and_explains_every_flag():
    actions = {a.option_strings[0]: a for a in build_parser()._actions}
    assert list(actions["--demo"].choices) == list(DEMOS)
    assert all(a.help for a in actions.values())
    assert {"--n", "--p", "--scale", "--steps", "--duration", "--warmup", "--dt", "--seed", "--device", "--threads",
            "--mode", "--out"} <= set(actions)  # fmt: skip


def test_parser_repeats_the_ways_that_the_engine_knows():
    actions = {a.option_strings[0]: a for a in build_parser()._actions}
    for flag, choices in (
        ("--synapse-backend", ways.BACKENDS),
        ("--fused-layout", ways.LAYOUTS),
        ("--ring-strategy", ways.RINGS),
        ("--ring-dtype", ways.RING_DTYPES),
    ):
        assert tuple(actions[flag].choices) == choices
    assert actions["--max-ring-mib"].default == ways.MAX_RING_MIB
    flags = {f"--{name.replace('_', '-')}" for name in ways.Asked.__annotations__}
    assert flags <= set(actions)


def test_parser_needs_the_standard_library_alone():
    make = f"runpy.run_path({build_parser.__code__.co_filename!r})['build_parser']()"
    check = f"import runpy, sys; {make}; assert not {{'numpy', 'numba', 'biosnn'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-S", "-c", check], check=True)
