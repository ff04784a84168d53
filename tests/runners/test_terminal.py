"""What a shell sees of the command line: pipes that nobody reads, standard output that is full, odd names, signals."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMALL, room_for

import biosnn as bs
from biosnn.runners import cli

COMMAND = [sys.executable, "-m", "biosnn.runners.cli"]
PRINTING = pytest.mark.parametrize("flag", ["--plan", "--help", "--version"])
BUFFERED = pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])


def main_into(file, flag, buffered):
    """Exit code of the command line where standard output is a file descriptor."""
    before = sys.stdout
    sys.stdout = io.TextIOWrapper(os.fdopen(file, "wb", -1 if buffered else 0), write_through=not buffered)
    try:
        return cli.main([flag])
    except SystemExit as stop:
        return stop.code
    finally:
        sys.stdout.close()
        sys.stdout = before


@PRINTING
@BUFFERED
def test_where_nobody_reads_the_end_is_quiet(flag, buffered, capsys):
    reader, writer = os.pipe()
    os.close(reader)
    assert main_into(writer, flag, buffered) == 141
    assert capsys.readouterr().err == ""


@PRINTING
@BUFFERED
def test_standard_output_that_is_full_is_named(flag, buffered, tmp_path, capsys):
    with room_for(0):
        assert main_into(os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT), flag, buffered) == 2
    assert capsys.readouterr().err == "biosnn: error: cannot write to standard output (File too large)\n"


def test_nothing_is_said_as_python_ends_either():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "--plan"], stdout=writer, stderr=subprocess.PIPE, env=buffered())
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def buffered():
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def test_a_run_goes_through_where_standard_error_is_closed(tmp_path):
    command = [*COMMAND, "--mode", "fast", *SMALL, "--out", str(tmp_path / "run")]
    subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], stdout=subprocess.DEVNULL, check=True)
    assert (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize(("name", "shown"), [("Zürich", r"Z\xfcrich"), ("two\nlines", r"two\nlines")])
def test_names_that_cannot_be_printed_are_escaped(name, shown, tmp_path, monkeypatch, capsys):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    for code in (0, 2):  # then it holds files
        assert cli.main([*SMALL, "--mode", "fast", "--out", str(tmp_path / name)]) == code
    assert ascii_only.buffer.getvalue().decode().splitlines()[-1].strip("'").endswith(shown)
    assert len(capsys.readouterr().err.splitlines()) == 4


@pytest.mark.parametrize(
    ("cleared", "code"),
    [(lambda: (1, 0, Path("Zürich")), 0), (lambda: Path("/dev/null/x").stat(), 2)],
    ids=["", "fails"],
)
def test_a_cache_that_is_cleared_is_named_whatever_its_name(cleared, code, monkeypatch, capsys):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    monkeypatch.setattr(cli._cache, "clear", cleared)
    assert cli.main(["--clear-cache"]) == code
    if code:
        assert "/dev/null/x" in capsys.readouterr().err
    else:
        assert ascii_only.buffer.getvalue().endswith(b"Z\\xfcrich\n")


def test_a_memory_error_without_a_text_is_a_line_nevertheless(tmp_path, monkeypatch, capsys):
    def build(*_, **__):
        raise MemoryError

    monkeypatch.setattr(bs.Network, "build", build)
    assert cli.main([*SMALL, "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith("biosnn: error: out of memory; use fewer neurons")


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_signals_that_end_the_command_line_are_as_before_it(before, monkeypatch):
    inside = []
    monkeypatch.setattr(cli, "simulate", lambda *_, **__: inside.append(signal.getsignal(signal.SIGTERM)))
    kept = signal.signal(signal.SIGTERM, before)
    try:
        assert cli.main([]) == 0
        assert inside == [signal.default_int_handler if before is signal.SIG_DFL else before]
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, kept)


def test_a_signal_that_comes_while_llvm_calls_back_is_not_lost(tmp_path):
    script = f"""if True:
        import biosnn, ctypes, signal, sys, time
        from biosnn.runners import cli

        def build(*_, **__):
            ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGTERM))()  # nothing can be raised through C
            time.sleep(20)

        biosnn.Network.build = build
        sys.argv = ["biosnn", "--out", {str(tmp_path / "run")!r}]
        sys.exit(cli.main())
    """
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (130, "biosnn: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_signals_end_what_is_being_compiled(number, tmp_path):
    cold = os.environ | {"BIOSNN_CACHE_DIR": str(tmp_path / "cache")}
    command = [*COMMAND, *SMALL, "--out", tmp_path / "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=cold) as process:
        try:
            assert "first compiling" in process.stderr.readline()
            process.send_signal(number)
            said = process.stderr.read()
            assert process.wait(60) == 130
        finally:
            process.kill()
    assert said.splitlines()[-1] == "biosnn: interrupted"
    assert "Traceback" not in said
    assert {path.name for path in Path(tmp_path / "run").iterdir()} == {
        "run_config.json", "run_features.json", "run_status.json",
    }  # fmt: skip
