"""The flags of monitors: what each of them changes in the files that a run leaves."""

import json

import numpy as np
import pytest
from command_line import SMALL, rows_of, run, strict_json

from biosnn.runners import cli

SAID = {"run_config.json", "run_features.json", "run_status.json", "summary.json", "metrics.csv"}  # in any mode
PICTURES = {"raster.png", "rates.png", "traces.png"}


def names(folder):
    return {path.name for path in folder.iterdir()} - PICTURES


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everything") / "run"
    return folder, run(folder, *SMALL)


def test_all_monitors_watch_unless_some_are_named(everything, tmp_path):
    folder, summary = everything
    assert names(folder) == SAID | {"spikes.csv", "populations.csv", "traces", "topology.json"}
    assert strict_json(folder / "run_config.json")["monitors"] == ["spikes", "populations", "traces", "topology"]
    some = run(tmp_path / "some", *SMALL, "--monitors", "populations,spikes,populations")
    assert names(tmp_path / "some") == SAID | {"spikes.csv", "populations.csv"}
    assert strict_json(tmp_path / "some" / "run_config.json")["monitors"] == ["populations", "spikes"]
    none = run(tmp_path / "none", *SMALL, "--no-monitors")
    assert names(tmp_path / "none") == SAID
    assert {found["spikes_sha256"] for found in (summary, some, none)} == {summary["spikes_sha256"]}
    assert some["plan_bytes"] < summary["plan_bytes"]  # traces need room


def test_spikes_are_kept_in_the_format_that_is_asked_for(everything, tmp_path):
    h5py = pytest.importorskip("h5py")
    expected = [(r["population"], int(r["neuron"]), float(r["time_ms"])) for r in rows_of(everything[0] / "spikes.csv")]
    flags = [*SMALL, "--monitors", "spikes", "--spikes"]
    run(tmp_path / "lines", *flags, "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "lines" / "spikes.jsonl").read_text().splitlines()]
    assert [(r["population"], r["neuron"], r["time_ms"]) for r in rows] == expected
    run(tmp_path / "tables", *flags, "h5")
    with h5py.File(tmp_path / "tables" / "spikes.h5") as file:
        for name, found in file["spikes"].items():
            mine = [(i, t) for population, i, t in expected if population == name]
            assert list(zip(found["node_ids"][:].tolist(), found["timestamps"][:].tolist(), strict=True)) == mine


def test_the_warmup_is_left_out_of_what_monitors_write(everything):
    folder, summary = everything
    rows = rows_of(folder / "populations.csv")
    assert {r["population"] for r in rows} == {"exc", "inh"}
    times = sorted({float(r["time_ms"]) for r in rows})
    assert (times[0], times[-1]) == (60.0, 173.4)
    spikes = [float(r["rate_hz"]) * {"exc": 400, "inh": 100}[r["population"]] * 0.01 for r in rows[:-2]]
    last = [float(r["rate_hz"]) * {"exc": 400, "inh": 100}[r["population"]] * 0.0034 for r in rows[-2:]]
    assert sum(spikes) + sum(last) == pytest.approx(summary["spikes"], rel=1e-4)
    assert sum(int(r["events"]) for r in rows) == summary["synaptic_events"]
    assert np.load(folder / "traces" / "exc.V_m.npy")["times"][0] == 51.0


def test_what_is_sampled_has_the_bounds_that_are_given_or_none(everything, tmp_path):
    def sampled(folder):
        traces = [np.load(p)["values"].shape[1] for p in sorted((folder / "traces").glob("*V_m.npy"))]
        return traces, len(strict_json(folder / "topology.json")["edges"]["weight"])

    folder, summary = everything
    assert sampled(folder) == ([400, 100], summary["n_synapses"])  # a small network: the bounds are above it
    run(tmp_path / "few", *SMALL, "--monitor-neuron-sample", "52", "--monitor-edge-sample", "70")
    assert sampled(tmp_path / "few") == ([41, 10], 70)
    assert strict_json(tmp_path / "few" / "run_config.json")["monitor_safe_defaults"] is True
    large = ["--n", "2000", "--threads", "1", "--warmup", "0", "--duration", "5"]
    run(tmp_path / "safe", *large)
    neurons, edges = sampled(tmp_path / "safe")
    assert sum(neurons) <= 512
    assert edges == 20_000
    found = run(tmp_path / "all", *large, "--no-monitor-safe-defaults")
    assert sampled(tmp_path / "all") == ([1600, 400], found["n_synapses"])


def test_large_network_safety_sets_bounds_whatever_else_is_asked_for_and_says_so(tmp_path, capsys):
    large = ["--n", "2000", "--threads", "1", "--warmup", "0", "--duration", "5", "--large-network-safety"]
    run(tmp_path / "forced", *large, "--no-monitor-safe-defaults")
    said = "--large-network-safety: --no-monitor-safe-defaults is not followed, and monitors sample within bounds"
    assert said in capsys.readouterr().err.splitlines()
    config = strict_json(tmp_path / "forced" / "run_config.json")
    assert (config["large_network_safety"], config["changed_for_safety"]) == (True, [said])
    assert config["monitor_safe_defaults"] is True
    assert len(strict_json(tmp_path / "forced" / "topology.json")["edges"]["weight"]) == 20_000
    run(tmp_path / "safe", *large, "--monitor-edge-sample", "10")
    assert strict_json(tmp_path / "safe" / "run_config.json")["changed_for_safety"] == []
    assert len(strict_json(tmp_path / "safe" / "topology.json")["edges"]["weight"]) == 10
    assert "not followed" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--monitors", "trace"], "--monitors: unknown monitor 'trace'; did you mean 'traces'? known: populations,"),
        (["--monitors", ""], "--monitors: unknown monitor ''; known: populations, spikes, topology, traces"),
        (["--mode", "fast", "--monitors", "traces"], "--monitors: --mode fast keeps metrics.csv and summary.json only"),
        (["--no-monitors", "--spikes", "npz"], "--spikes npz: --no-monitors writes no spikes; leave one of them out"),
        (["--monitors", "traces", "--spikes", "csv"], "--spikes csv: --monitors without it writes no spikes;"),
        (["--no-monitor-safe-defaults", "--monitor-edge-sample", "3"], "--monitor-edge-sample: --no-monitor-safe-def"),
        (["--monitor-neuron-sample", "-1"], "--monitor-neuron-sample: number must be at least 0, got -1"),
        (["--monitors", "spikes", "--no-monitors"], "argument --no-monitors: not allowed with argument --monitors"),
    ],
)
def test_what_cannot_be_meant_gets_one_line_before_anything_is_written(arguments, said, tmp_path, capsys):
    try:
        code = cli.main([*SMALL, *arguments, "--out", str(tmp_path / "run")])
    except SystemExit as ended:  # of argparse
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert f"biosnn: error: {said}" in error
    assert not (tmp_path / "run").exists()
