"""Every benchmark runs, on a tiny network and without peers, and prints one line of strict JSON as the last thing."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = ["--warm", "5", "--bio", "20", "--pairs", "1", "--threads", "1"]


@pytest.fixture(scope="module")
def common():
    """The module benchmarks/common.py."""
    spec = importlib.util.spec_from_file_location("common", FOLDER / "common.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script, *arguments):
    done = subprocess.run([sys.executable, FOLDER / script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1], parse_constant=pytest.fail)  # NaN and Infinity are no JSON


@pytest.mark.parametrize(
    ("script", "size", "peers"),
    [
        ("microcircuit.py", ["--scale", "0.01"], {"limit", "nest"}),
        ("brunel.py", ["--n", "100"], {"nest", "brian2"}),
        ("vogels_abbott.py", ["--n", "200"], {"nest", "brian2"}),
    ],
)
def test_ours_alone(script, size, peers):
    line = run(script, *size, *TINY)
    assert line["benchmark"] == script.removesuffix(".py")
    assert line["ours"]["rtf"] > 0
    assert line["ours"]["build_s"] > 0
    assert len(line["ours"]["spikes_sha256"]) == 64
    assert set(line["absent"]) == peers  # each with a reason
    assert all(line[peer] is None for peer in peers)
    assert {"cpu", "cores", "load"} <= set(line["machine"])
    assert line["versions"]["numba"]


def test_a_peer_that_fails_is_absent_with_its_reason(tmp_path):
    (tmp_path / "brunel_nest.py").write_text("raise SystemExit('no NEST here')")
    line = run("brunel.py", "--n", "100", *TINY, "--nest", sys.executable, "--peers", tmp_path)
    assert line["nest"] is None
    assert "no NEST here" in line["absent"]["nest"]


def test_a_peer_counts_with_its_best_setting(tmp_path):
    (tmp_path / "brunel_nest.py").write_text(
        "import json, sys\n"
        "threads = int(sys.argv[sys.argv.index('--threads') + 1])\n"
        "print(json.dumps({'N': 100, 'synapses': 1000, 'threads': threads, 'build_s': 1.0, 'rtf': 8.0 / threads,"
        " 'syn_events_per_s': 1e6, 'rate_hz': 30.0, 'peak_rss_mb': 512.0}))\n"
    )
    line = run("brunel.py", "--n", "100", *TINY, "--nest", sys.executable, "--peers", tmp_path)
    assert line["nest"]["threads"] == 2
    assert line["nest"]["rtf"] == 4.0
    assert line["nest"]["precision"] == "float64"
    assert line["ours_over_nest"]["rtf"] == pytest.approx(line["ours"]["rtf"] / 4.0, abs=1e-4)
    assert set(line["absent"]) == {"brian2"}


def test_startup():
    line = run("startup.py", "--n", "100", "--rounds", "1")
    assert set(line["targets"]) <= set(line["ours"])
    assert line["ours"]["import_s"] > 0
    assert line["ours"]["first_step_s"] > line["ours"]["import_s"]


def test_nest_statistics():
    line = run("nest_statistics.py", "--networks", "cuba_4000", "--seeds", "2", "--threads", "1")
    row = line["networks"]["cuba_4000"]["E"]["rate_hz"]
    assert row["ours"] == pytest.approx(row["nest"], rel=0.1)
    assert all(math.isfinite(row[key]) for key in ("sd_ours", "sd_nest", "relative", "z", "p"))


def test_advice():
    line = run("advice.py", "--repeats", "1")
    assert set(line["times_as_fast"]) == {
        "a product where many fire", "rows where few fire", "sums where delays are many", "one thread for little work",
        "threads for much work",
    }  # fmt: skip
    assert all(case["found"] > 0 for case in line["times_as_fast"].values())


def test_sinks():
    pytest.importorskip("h5py", reason="HDF5 needs the hdf5 extra")
    line = run("sinks.py", "--spikes", "40000", "--chunk", "20000", "--samples", "20000", "--rounds", "1")
    spikes, samples = line["million_spikes_per_s"], line["million_samples_per_s"]
    assert set(spikes) == {"numpy.save", "SpikesCsv", "SpikesJsonl", "SpikesNpz", "SpikesH5"}
    assert set(samples) == {"numpy.save", "SamplesCsv", "SamplesJsonl", "SamplesNpy", "SamplesH5"}
    assert min(*spikes.values(), *samples.values()) > 0


@pytest.mark.parametrize("mode", ["values", "lines"])
def test_odd_cases(mode):
    line = run("fuzz.py", mode, "--cases", "12")
    assert line["done"] + line["refused"] == line["cases"] == 12
    assert line["seeds_of_findings"] == []


def test_medians_and_ratios(common):
    rows = [{"rtf": r, "rates": {"E": r}, "name": "x", "spikes": 3} for r in (1.0, 5.0, 2.0)]
    assert common.median_row(rows) == {"rtf": 2.0, "rates": {"E": 2.0}, "name": "x", "spikes": 3}
    other = [{"rtf": 2.0}, {"rtf": 5.0}, {"rtf": 1.0}]
    assert common.median_ratio(rows, other, "rtf") == 1.0  # of 0.5, 1, 2
    assert common.median_ratio(rows, [{}, {}, {}], "rtf") is None


def test_strict_json_only(common, capsys):
    common.print_json({"rtf": 1.0})
    assert capsys.readouterr().out == '{"rtf": 1.0}\n'
    with pytest.raises(ValueError, match="JSON"):
        common.print_json({"rtf": math.nan})
