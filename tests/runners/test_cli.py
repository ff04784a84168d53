"""The command line: what it prints, how it refuses, and how a run ends early."""

import re
import signal
import subprocess
import sys
import time

import pytest
from command_line import SMALL, rows_of, run, strict_json

import biosnn as bs
from biosnn.demos import DEMOS
from biosnn.runners import cli
from biosnn.runners.parser import build_parser


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
        (["--frames", "movie.npy"], ["--frames", "network", "vision", "leave it out"]),
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
        (["--two\nlines"], [r"--two\nlines", "--help"]),
        (["--demo=--"], ["--demo", "expected one argument"]),
        (["--out", ""], ["--out", "must name a directory", "got ''"]),
        (["--out", "\0"], ["--out", "must name a directory"]),
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
        code = cli.main(["--out", str(folder), *arguments])
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


def test_the_driver_of_a_plan_is_printed(capsys):
    assert cli.main(["--plan", "--driver", "--threads", "2"]) == 0
    text = capsys.readouterr().out
    assert "def advance(" in text
    compile(text, "driver", "exec")
    assert cli.main(["--driver"]) == 2
    assert capsys.readouterr().err == "biosnn: error: --driver prints what --plan plans: give --plan, too\n"


def test_a_directory_that_cannot_be_written_is_refused_before_building(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone" / "away")
    monkeypatch.setattr(bs.Network, "build", lambda *_, **__: pytest.fail("built"))
    for name in ("file", "file/below", "loop", "loop/below", "nowhere", "x" * 300):
        path = tmp_path / name
        assert cli.main([*SMALL, "--out", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert str(path) in error
        assert "may write" in error


def test_a_full_disk_is_one_line(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device", "spikes.csv")

    monkeypatch.setattr(cli.SpikesCsv, "add_spikes", full)
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_signals_leave_complete_files_and_exit_code_130(number, tmp_path):
    arguments = [*SMALL[:6], "--duration", "1e9", "--out", tmp_path / "run"]
    with subprocess.Popen(
        [sys.executable, "-m", "biosnn.runners.cli", *arguments], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # jobs in the background ignore it
    ) as process:  # fmt: skip
        try:
            while process.poll() is None and not _has_spikes(tmp_path / "run" / "spikes.csv"):
                time.sleep(0.05)
            process.send_signal(number)
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
    assert {"--n", "--p", "--scale", "--frames", "--steps", "--duration", "--warmup", "--dt", "--seed", "--device",
            "--threads", "--mode", "--out"} <= set(actions)  # fmt: skip


def test_parser_needs_the_standard_library_alone():
    make = f"runpy.run_path({build_parser.__code__.co_filename!r})['build_parser']()"
    check = f"import runpy, sys; {make}; assert not {{'numpy', 'numba', 'biosnn'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-S", "-c", check], check=True)
