"""What remains of a run whose files cannot be written: each is whole, or ends with a whole chunk, or is not there."""

import io
import sys
import time
from pathlib import Path

import pytest
from command_line import SMALL, room_for, rows_of, run

from biosnn.runners import cli
from biosnn.runners.run_directory import RunDirectory

FILES = [*SMALL, "--monitors", "spikes"]
SAID = {"run_config.json", "run_features.json", "run_status.json"}  # before anything is simulated


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A run on a disk with room; the driver is compiled then, so that those below write nothing but their files."""
    folder = tmp_path_factory.mktemp("complete") / "run"
    run(folder, *FILES)
    return folder


def run_in(n_bytes, folder, *arguments):
    """Exit code of a run of which no file may become larger."""
    with room_for(n_bytes):
        return cli.main([*FILES, *arguments, "--out", str(folder)])


def names(folder):
    return {path.name for path in folder.iterdir()}


def errors(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("biosnn: error: ")]


def test_spikes_that_find_no_room_end_the_run_and_those_of_earlier_chunks_are_kept(tmp_path, capsys):
    begin = ["--warmup", "0"]  # the first chunk of a simulation is a short one, of 256 steps
    run(tmp_path / "complete", *FILES, *begin)
    everything = (tmp_path / "complete" / "spikes.csv").read_text()
    assert run_in(len(everything) * 3 // 4, tmp_path / "run", *begin) == 2
    assert "spikes.csv (File too large); make room, or give another place (--out)" in errors(capsys)[0]
    kept = (tmp_path / "run" / "spikes.csv").read_text()
    assert kept.count("\n") > 1
    assert kept.endswith("\n")
    assert everything.startswith(kept)
    metrics = rows_of(tmp_path / "run" / "metrics.csv")
    assert metrics == rows_of(tmp_path / "complete" / "metrics.csv")[: len(metrics)]
    assert float(metrics[-1]["time_ms"]) >= 20.0


def test_each_file_that_cannot_be_written_has_its_line_and_the_others_are_complete(complete, tmp_path, capsys):
    assert run_in(5000, tmp_path / "run", "--spikes", "npz") == 2
    for name, error in zip(("spikes.npz", "raster.png", "rates.png"), errors(capsys), strict=True):
        assert f"{name} (File too large)" in error
    assert names(tmp_path / "run") == SAID | {"metrics.csv", "summary.json"}
    assert rows_of(tmp_path / "run" / "metrics.csv") == rows_of(complete / "metrics.csv")


def test_a_summary_that_cannot_be_written_is_shown_and_the_spikes_are_kept(complete, tmp_path, monkeypatch, capsys):
    summary = cli.summary
    monkeypatch.setattr(cli, "summary", lambda *run: summary(*run) | {"versions": "1" * 10**6})
    largest = max((complete / name).stat().st_size for name in names(complete))
    assert run_in(largest, tmp_path / "run") == 2
    printed = capsys.readouterr()
    assert "real-time factor" in printed.out
    assert "summary.json (File too large)" in printed.err.splitlines()[-1]
    assert names(tmp_path / "run") == names(complete) - {"summary.json"}
    assert (tmp_path / "run" / "spikes.csv").read_bytes() == (complete / "spikes.csv").read_bytes()


def test_a_run_that_cannot_write_its_configuration_is_not_begun(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", lambda *_: pytest.fail("begun"))
    assert run_in(100, tmp_path / "run") == 2
    assert "run_status.json (File too large)" in errors(capsys)[0]  # the first of what says how it was set and goes
    assert names(tmp_path / "run") == set()


def test_a_file_that_stands_where_one_shall_be_written_is_not_touched(tmp_path, monkeypatch, capsys):
    write_json = RunDirectory.write_json

    def and_another_run(directory, name, content):
        write_json(directory, name, content)
        directory.file("spikes.csv").write_text("of another run")

    monkeypatch.setattr(RunDirectory, "write_json", and_another_run)
    assert cli.main([*SMALL, "--out", str(tmp_path / "run")]) == 2
    assert "spikes.csv (File exists)" in errors(capsys)[0]
    assert (tmp_path / "run" / "spikes.csv").read_text() == "of another run"


def test_runs_that_begin_at_once_have_directories_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda _format: "now")
    monkeypatch.setattr(Path, "exists", lambda _path: False)  # as it was when both of them looked
    assert len({str(RunDirectory(None, "network").path) for _ in range(3)}) == 3


def test_where_matplotlib_fails_there_are_no_pictures_and_all_else(complete, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    run(tmp_path / "run", *FILES)
    assert names(tmp_path / "run") == names(complete) - {"raster.png", "rates.png"}
    said = [line for line in capsys.readouterr().err.splitlines() if ".png" in line]
    for picture, line in zip(("raster", "rates"), said, strict=True):
        assert line.startswith(f"no {picture}.png: Matplotlib failed (ModuleNotFoundError: ")


def test_what_was_measured_is_kept_where_nobody_reads(complete, tmp_path, monkeypatch):
    class Unread(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Unread())
    assert cli.main([*FILES, "--out", str(tmp_path / "run")]) == 141
    assert names(tmp_path / "run") == names(complete)
