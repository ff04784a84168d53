"""`--profile` and `--profile-steps`: a file more, and the rest as it is without them."""

import json

import profiled
import pytest
from command_line import SMALL, run, strict_json

from biosnn.runners import cli


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same run without a profile and with one: two directories."""
    folder = tmp_path_factory.mktemp("runs")
    run(folder / "without", *SMALL)
    run(folder / "with", *SMALL, "--profile", "--profile-steps", "37")
    return folder / "without", folder / "with"


def test_the_file_is_there_with_the_flag_alone(both):
    without, profiling = ({p.name for p in folder.iterdir()} for folder in both)
    assert profiling - without == {"profile.json"}
    assert without <= profiling


def test_spikes_and_figures_are_those_of_a_run_without_it(both):
    without, profiling = both
    for name in ("spikes.csv", "metrics.csv"):
        assert (without / name).read_bytes() == (profiling / name).read_bytes()
    found = [strict_json(folder / "summary.json") for folder in both]
    for key in ("spikes_sha256", "steps", "spikes", "synaptic_events", "rates_hz", "cv_isi", "plan_bytes"):
        assert found[0][key] == found[1][key]
    config = [strict_json(folder / "run_config.json") for folder in both]
    assert [c["profile_steps"] for c in config] == [None, 37]


def test_the_file_tells_of_the_steps_after_the_measured_ones(both):
    file = strict_json(both[1] / "profile.json")
    profiled.check(file)
    summary = file["biosnn"]
    assert summary["steps"] == 37
    assert summary["start_ms"] == pytest.approx(50.0 + 123.4)
    names = {e["name"] for e in file["traceEvents"] if e["ph"] == "X"}
    assert {"build", "compile", "run", "driver", "update"} <= names
    assert summary["functions"]


def test_the_table_is_printed_and_twenty_steps_are_usual(tmp_path, capsys):
    run(tmp_path / "run", *SMALL, "--mode", "fast", "--profile")
    printed = capsys.readouterr()
    assert "profile: 20 step(s) of 0.1 ms on 1 thread(s)" in printed.out
    assert "profiling, 20 steps" in printed.err
    assert json.loads((tmp_path / "run" / "profile.json").read_text())["biosnn"]["steps"] == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile-steps", "5"], "--profile-steps says how many steps --profile takes: give --profile, too"),
        (["--profile", "--profile-steps", "0"], "--profile-steps: number must be at least 1, got 0"),
        (["--profile", "--profile-steps", "-2"], "--profile-steps: number must be at least 1, got -2"),
        (["--profile", "--profile-steps", "x"], "argument --profile-steps: invalid int value: 'x'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_values_get_one_line_before_anything_is_made(arguments, said, tmp_path, capsys):
    try:
        code = cli.main([*arguments, "--out", str(tmp_path / "run")])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_run_that_ends_early_is_not_profiled(tmp_path, monkeypatch):
    def stop(_sim, _self=None, **_how):
        raise KeyboardInterrupt

    monkeypatch.setattr("biosnn.engine.running.simulation.Simulation.run", stop)
    assert cli.main([*SMALL, "--warmup", "0", "--profile", "--out", str(tmp_path / "run")]) == 130
    assert not (tmp_path / "run" / "profile.json").exists()
