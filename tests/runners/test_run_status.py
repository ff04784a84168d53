"""run_status.json and run_features.json: how a run goes, and what it uses; and what --quiet leaves of what is said."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from command_line import SMALL, rows_of, run, strict_json

from biosnn.engine.running.simulation import Simulation
from biosnn.runners import cli, run_status
from biosnn.runners.run_directory import RunDirectory
from biosnn.runners.run_status import RunStatus


def test_a_run_that_ends_says_so_and_what_it_used(tmp_path):
    run(tmp_path / "run", *SMALL, "--mode", "fast")
    status = strict_json(tmp_path / "run" / "run_status.json")
    assert (status["state"], status["message"], status["pid"]) == ("done", None, os.getpid())
    assert (status["steps"], status["steps_done"], status["time_ms"]) == (1234, 1234, 173.4)
    assert status["started"] <= status["heartbeat"]
    found = strict_json(tmp_path / "run" / "run_features.json")
    assert (found["models"], found["receptors"], found["rules"]) == (["iaf_psc_exp"], ["exp"], ["pairwise_bernoulli"])
    assert (found["inputs"], found["weights"], found["space"]) == (["poisson"], ["packed"], False)
    assert (found["random_weights"], found["random_delays"], found["parallel"]) == (True, True, False)
    assert found["synapse_backend"] == strict_json(tmp_path / "run" / "summary.json")["synapse_backend"]


def test_what_ends_a_run_early_stands_in_its_status(tmp_path, monkeypatch):
    full = ["--p", "0.5", "--ring-strategy", "event_bucketed", "--ring-capacity-max", "6400"]
    assert cli.main([*SMALL, *full, "--warmup", "0", "--out", str(tmp_path / "full")]) == 2
    status = strict_json(tmp_path / "full" / "run_status.json")
    assert status["state"] == "error"
    assert "raise --ring-capacity-max" in status["message"]
    assert status["steps_done"] < status["steps"]

    def interrupted(*_arguments, **_how):
        raise KeyboardInterrupt

    monkeypatch.setattr(Simulation, "run", interrupted)
    assert cli.main([*SMALL, "--out", str(tmp_path / "stopped")]) == 130
    status = strict_json(tmp_path / "stopped" / "run_status.json")
    assert (status["state"], status["message"], status["steps_done"]) == ("stopped", None, 0)


def test_a_heartbeat_comes_once_a_second(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(run_status.time, "monotonic", lambda: now[0])
    status = RunStatus(RunDirectory(tmp_path / "run", "network"), 1000)
    status.first, status.dt = 500, 0.1
    seen = []
    for k in range(30):
        now[0] += 0.1
        status.end_chunk(500 + k)
        seen.append(strict_json(tmp_path / "run" / "run_status.json")["steps_done"])
    told = sorted(set(seen))
    assert len(told) == 3
    assert all(10 <= later - before <= 11 for before, later in zip([-1, *told[1:]], told[1:], strict=False))


def test_a_run_that_is_killed_leaves_files_that_can_be_read_and_says_how_far_it_was(tmp_path):
    rng = random.Random(3)
    for k in range(5):
        folder = tmp_path / str(k)
        arguments = ["--n", "500", "--threads", "1", "--warmup", "0", "--duration", "1e7", "--out", str(folder)]
        process = subprocess.Popen([sys.executable, "-m", "biosnn.runners.cli", *arguments], stderr=subprocess.DEVNULL)
        while not (folder / "spikes.csv").exists() or not (folder / "spikes.csv").stat().st_size:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        status = strict_json(folder / "run_status.json")
        assert (status["state"], status["pid"]) == ("running", process.pid)
        assert 0 <= status["steps_done"] < status["steps"]
        lines = (folder / "spikes.csv").read_text().splitlines()
        assert all(line.count(",") == 2 for line in lines[:-1])
        assert json.loads((folder / "run_config.json").read_text())["demo"] == "network"


def test_quiet_says_nothing_but_what_went_wrong(tmp_path, capsys):
    run(tmp_path / "run", *SMALL, "--quiet")
    assert capsys.readouterr() == ("", "")
    assert rows_of(tmp_path / "run" / "spikes.csv")
    assert cli.main([*SMALL, "--quiet", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith("biosnn: error: --out: ")


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_a_spike_file_that_the_mode_would_not_write_is_refused(kind, tmp_path, capsys):
    assert cli.main([*SMALL, "--mode", "fast", "--spikes", kind, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said == f"biosnn: error: --spikes {kind}: --mode fast writes no spikes; leave one of them out\n"
    assert not (tmp_path / "run").exists()
