"""The command line, run within the process of the tests, and what it wrote."""

import csv
import json

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
    with path.open() as file:
        return list(csv.DictReader(file))
