"""Files of spikes for networks of scripts: names that CSV, Matplotlib or a locale could take for something else."""

import os
import subprocess
import sys

import numpy as np
import pytest
from command_line import rows_of

import biosnn as bs
from biosnn.recording import About, MetricsCsv, RasterPng, RatesPng, SpikesCsv, SpikesNpz

NAMES = ["exc, L4", 'the "other" one', "two\nlines", "a\rreturn", "Purkinje-Zellen, große", "$x_{$"]


def written(kind, path, names):
    """A file with one spike of the last neuron of each population of three, in the first steps."""
    n = len(names)
    sink = kind(path)
    sink.open(About(0.1, 0, tuple(names), 3 * np.arange(n + 1), (), np.zeros(3 * n, np.int64), lambda _most: None))
    sink.add_spikes(np.arange(n), (3 * np.arange(n) + 2).astype(np.int32))
    sink.end_chunk(100)
    sink.close(100)
    return path


def test_names_of_populations_are_fields_of_csv_whatever_they_hold(tmp_path):
    rows = rows_of(written(SpikesCsv, tmp_path / "spikes.csv", NAMES))
    assert [row["population"] for row in rows] == NAMES
    assert [row["neuron"] for row in rows] == ["2"] * len(NAMES)
    rows = rows_of(written(MetricsCsv, tmp_path / "metrics.csv", NAMES))
    assert [(row["population"], row["spikes"]) for row in rows] == [(name, "1") for name in NAMES]


@pytest.mark.filterwarnings("ignore:Glyph")  # a line break has none
@pytest.mark.parametrize("kind", [RasterPng, RatesPng])
def test_names_of_populations_are_no_formulas_in_pictures(kind, tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need the plot extra")
    assert written(kind, tmp_path / "picture.png", NAMES).read_bytes().startswith(b"\x89PNG")


def test_files_are_in_utf_8_whatever_the_locale(tmp_path):
    script = """if True:
        from pathlib import Path
        from test_sinks import *
        written(SpikesCsv, Path("spikes.csv"), NAMES)
        written(MetricsCsv, Path("metrics.csv"), NAMES)
    """
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    here = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=os.environ | plain | here, cwd=tmp_path, check=True)
    for name in ("spikes.csv", "metrics.csv"):
        assert [row["population"] for row in rows_of(tmp_path / name)] == NAMES


def test_more_populations_than_16_bits_can_count_keep_their_numbers(tmp_path):
    many = [str(k) for k in range(40000)]
    with np.load(written(SpikesNpz, tmp_path / "spikes.npz", many)) as file:
        assert file["populations"][file["population"]].tolist() == many


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (OSError(28, "No space left on device"), r"spikes.npz \(No space left on device\)"),
        (MemoryError(), r"spikes.npz \(out of memory\)"),
        (KeyboardInterrupt(), None),
    ],
    ids=repr,
)
def test_a_file_of_spikes_is_whole_or_not_there(fails, why, tmp_path, monkeypatch):
    def write_array(file, *_, **__):
        file.write(b"\x93NUMPY")
        raise fails

    monkeypatch.setattr(np.lib.format, "write_array", write_array)
    with pytest.raises(bs.OutputError if why else KeyboardInterrupt, match=why):
        written(SpikesNpz, tmp_path / "spikes.npz", NAMES)
    assert list(tmp_path.iterdir()) == []
