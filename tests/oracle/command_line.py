"""The command line, run within the process of the tests, and what it wrote."""

import contextlib
import csv
import json
import resource
import signal

import pytest

from biosnn.runners import cli

SMALL = ["--n", "500", "--threads", "1", "--warmup", "50", "--duration", "123.4"]


def run(folder, *arguments):
    """Run the command line in this process; the run directory's summary."""
    assert cli.main([*arguments, "--out", str(folder)]) == 0
    return strict_json(folder / "summary.json")


def strict_json(path):
    return json.loads(path.read_text(), parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@contextlib.contextmanager
def room_for(n_bytes):
    """As on a disk that is nearly full: of what is written into a file beyond its bytes, a part fits, and then none."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
