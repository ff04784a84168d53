"""Spikes and samples as text: by Python and by a kernel to the same bytes, and read back by csv and json."""

import csv
import io
import json
import os
import subprocess
import sys

import networks
import numpy as np
import pytest
from command_line import rows_of

import biosnn as bs
from biosnn.recording import About, Sampled, SamplesJsonl, SpikesCsv, SpikesJsonl, spike_files

NAMES = ("exc, L4", "none", "a/b", 'the "other" one', "<script>", "é", "two\nlines")
FIRST_ID = np.cumsum([0, 1200, 0, 1, 30, 500, 2, 2**20])
BY_KERNEL = [0.1, 0.25, 0.05, 1e-3, 1.0, 0.5, 0.125, 0.2, 0.01, 1e-4, 0.0625, 0.1 + 2e-17]
BY_PYTHON = [1 / 3, 1e-5, 0.3, 2.0, 1 / 7, 0.03125]


def spikes(n=3000):
    """Steps of all sizes, several spikes in some, and ids of all populations."""
    rng = np.random.default_rng(3)
    steps = np.unique(np.concatenate([np.arange(50), 10 ** rng.uniform(0, 10.9, n // 2)]).astype(np.int64))
    steps = np.sort(rng.choice(steps, n))
    ids = rng.integers(0, FIRST_ID[-1], n).astype(np.int32)
    ids[::3] = rng.integers(0, 1800, ids[::3].size)
    order = np.lexsort((ids, steps))
    return steps, ids[order]


def written(kind, path, dt, steps, ids):
    sink = kind(path)
    sink.open(About(dt, 0, NAMES, FIRST_ID, ()))
    sink.add_spikes(steps, ids)
    sink.close(10**12)
    return path.read_text(encoding="utf-8")


def by_python(dt, steps, ids):
    """The fields of each spike: the time as Python prints it, of the nearest number to n / (steps per ms)."""
    per_ms = round(1 / dt)
    for step, i in zip(steps.tolist(), ids.tolist(), strict=True):
        time = (step + 1) / per_ms if per_ms and abs(per_ms * dt - 1) < 1e-12 else (step + 1) * dt
        a = max(k for k in range(len(NAMES)) if FIRST_ID[k] <= i)
        yield repr(time), NAMES[a], str(i - int(FIRST_ID[a]))


@pytest.mark.bounds
@pytest.mark.parametrize("dt", BY_KERNEL + BY_PYTHON)
@pytest.mark.parametrize("kind", [SpikesCsv, SpikesJsonl])
def test_many_spikes_are_written_as_few_are(kind, dt, tmp_path, monkeypatch):
    monkeypatch.setattr(spike_files, "MANY", 1000)
    ways = []
    for name in ("_by_kernel", "_by_python"):
        way = getattr(spike_files.SpikeLines, name)
        noted = lambda *a, way=way, name=name: ways.append(name) or way(*a)  # noqa: E731
        monkeypatch.setattr(spike_files.SpikeLines, name, noted)
    steps, ids = spikes()
    text = written(kind, tmp_path / "many", dt, steps, ids)
    assert ways == (["_by_kernel"] if dt in BY_KERNEL else ["_by_python"])
    if kind is SpikesCsv:
        expected = io.StringIO()
        writer = csv.writer(expected, lineterminator="\n")
        writer.writerows([("time_ms", "population", "neuron"), *by_python(dt, steps, ids)])
        assert text == expected.getvalue()
    else:
        lines = [
            f'{{"time_ms": {t}, "population": {json.dumps(name)}, "neuron": {i}}}\n'
            for t, name, i in by_python(dt, steps, ids)
        ]
        assert text == "".join(lines)


def test_times_that_15_digits_do_not_tell_apart_are_printed_by_python(tmp_path, monkeypatch):
    monkeypatch.setattr(spike_files, "MANY", 0)
    steps = np.array([spike_files.EXACT - 1, 10**15, 4 * 10**15])
    text = written(SpikesCsv, tmp_path / "late", 1e-4, steps, np.zeros(3, np.int32))
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [repr((s + 1) / 10_000) for s in steps.tolist()]


def test_the_kernel_writes_the_same_where_nothing_is_compiled(tmp_path, monkeypatch):
    script = """if True:
        import pathlib, sys
        from test_lines import *
        spike_files.MANY = 0
        for kind in (SpikesCsv, SpikesJsonl):
            written(kind, pathlib.Path(sys.argv[1]) / kind.__name__, 0.05, *spikes(500))
        assert "biosnn.recording.lines_cpu" in sys.modules and "numba" not in sys.modules
    """
    here = {"BIOSNN_COMPILE": "0", "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=os.environ | here, check=True)
    monkeypatch.setattr(spike_files, "MANY", 0)
    for kind in (SpikesCsv, SpikesJsonl):
        text = written(kind, tmp_path / f"{kind.__name__}, compiled", 0.05, *spikes(500))
        assert text == (tmp_path / kind.__name__).read_text(encoding="utf-8")


def strict(line):
    return json.loads(line, parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def lines_of(path):
    return [strict(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_json_lines_hold_what_the_result_holds(tmp_path):
    net = networks.recurrent()
    neurons = net.populations["neurons"]
    net.record(neurons)
    net.record(neurons[[7, 3]], "V_m", every=0.5)
    result = net.build(threads=1).run(
        50.0, sink=[SpikesJsonl(tmp_path / "s.jsonl"), SamplesJsonl(tmp_path / "x.jsonl")]
    )
    kept = result.spikes["neurons"]
    assert [(r["time_ms"], r["population"], r["neuron"]) for r in lines_of(tmp_path / "s.jsonl")] == [
        (t, "neurons", i) for t, i in zip(kept.times.tolist(), kept.senders.tolist(), strict=True)
    ]
    samples, rows = result.samples["neurons"]["V_m"], lines_of(tmp_path / "x.jsonl")
    assert len(kept) > 20
    assert list(rows[0]) == ["time_ms", "recorder", "variable", "population", "neuron", "value"]
    assert {(r["recorder"], r["variable"], r["population"]) for r in rows} == {("neurons", "V_m", "neurons")}
    assert [r["neuron"] for r in rows[:4]] == [7, 3, 7, 3]
    assert [r["time_ms"] for r in rows[::2]] == samples.times.tolist()
    np.testing.assert_array_equal(np.array([r["value"] for r in rows], np.float32), samples.values.ravel())


def test_what_json_has_no_number_for_is_null(tmp_path):
    names = ("a/b", 'quoted "\\ name', "<script>", "é\n")
    first_id = np.arange(0, 9, 2)
    sampled = Sampled('the "recorder"', "V_m", 1, np.arange(4), np.ones(4, np.int64))
    sink = SamplesJsonl(tmp_path / "x.jsonl")
    sink.open(About(0.1, 0, names, first_id, (sampled,)))
    sink.add_samples(sampled, np.array([2]), np.array([[np.nan, -np.inf, 1e-30, -65.1]], np.float32))
    sink.close(3)
    rows = lines_of(tmp_path / "x.jsonl")
    assert [r["value"] for r in rows] == [None, None, 1e-30, -65.1]
    assert [r["population"] for r in rows] == list(names)
    assert {(r["time_ms"], r["recorder"]) for r in rows} == {(0.3, 'the "recorder"')}


def test_large_chunks_of_a_run_are_read_back_by_csv(tmp_path):
    net = bs.Network()
    cells = net.population("cells, many", 3000, bs.models.iaf_psc_exp(I_e=np.linspace(900.0, 2000.0, 3000)))
    net.record(cells)
    sim = net.build(threads=1)
    sim.plan.chunk_steps = 5000
    sim.run(10.0)
    result = sim.run(400.0, sink=SpikesCsv(tmp_path / "s.csv"))
    kept, rows = result.spikes["cells, many"], rows_of(tmp_path / "s.csv")
    assert len(kept) > 3 * spike_files.MANY
    assert [float(r["time_ms"]) for r in rows] == kept.times.tolist()
    assert [int(r["neuron"]) for r in rows] == kept.senders.tolist()
    assert {r["population"] for r in rows} == {"cells, many"}
