"""Odd values, odd command lines and random networks, each by a seed: what breaks, and what is silently wrong?

    python benchmarks/fuzz.py values --cases 20000        every verb and constructor with odd values among its arguments
    python benchmarks/fuzz.py lines --cases 2000          command lines
    python benchmarks/fuzz.py networks --cases 2000       random networks against the oracle of the tests
    python benchmarks/fuzz.py names --cases 50            names in models of one's own, of drivers and of Python
    python benchmarks/fuzz.py values --only 4711          one case, in this process, with its traceback

Case k has the seed `--seed` + k. It may succeed, with numbers that are finite, or be refused with one line by an error
of BioSNN's. A finding is anything else: another exception, a warning, several lines, a crash, a hang. Bounds are
checked (NUMBA_BOUNDSCHECK=1). Prints each finding, and one JSON line at the end; exit code 1 with findings.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import common

HERE = Path(__file__).parent
SECONDS = {"values": 120, "lines": 120, "networks": 600, "names": 600}  # of one case; some compile for a while
BATCH = 500  # cases of one process
MEMORY = 6 * 2**30  # bytes that a process may take


class FindingError(AssertionError):
    """What a case did and may not."""


def case(mode: str, seed: int) -> str:
    """Do one case; "done", or "refused". Raises what is a finding."""
    if mode == "networks":
        import fuzzing

        kinds = fuzzing.kinds()
        fuzzing.check(seed, kinds[seed % len(kinds)])
        return "done"
    if mode == "names":
        import fuzzing_names

        with tempfile.TemporaryDirectory() as folder:
            fuzzing_names.check(seed, Path(folder))
        return "done"
    if mode == "lines":
        import fuzz_lines

        return fuzz_lines.case(seed)
    import fuzz_values

    return fuzz_values.case(seed)


def work(mode: str, first: int, last: int) -> None:
    """Do cases first..last-1 in this process: a line of JSON before each one, and one after it."""
    _prepare()
    lines = os.fdopen(os.dup(1), "w")  # what a case prints does not get among them
    with contextlib.redirect_stdout(sys.stderr):
        for seed in range(first, last):
            print(json.dumps({"begun": seed}), file=lines, flush=True)
            row: dict = {"seed": seed}
            try:
                row["outcome"] = case(mode, seed)
            except BaseException as error:
                row |= {"outcome": "finding", "error": _told(error), "where": _where(error)}
            print(json.dumps(row), file=lines, flush=True)


def rows(mode: str, first: int, last: int) -> Iterator[dict]:
    """What became of each case, done in one process after another: after a crash or a hang the next one goes on."""
    while first < last:
        command = [sys.executable, __file__, mode, "--work", first, min(first + BATCH, last)]
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(
                [str(c) for c in command],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=os.environ | _environment(),
            )
            begun = first
            for row in _lines(process, SECONDS[mode]):
                if "begun" in row:
                    begun = row["begun"]
                else:
                    first = row["seed"] + 1
                    yield row
            if process.wait():
                said.seek(0)
                why = "a hang" if process.returncode == -9 else f"a crash, exit code {process.returncode}"
                yield {"seed": begun, "outcome": "finding", "error": why, "where": said.read()[-2000:].strip()}
                first = begun + 1


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("mode", choices=SECONDS)
    cli.add_argument("--cases", type=int, default=100)
    cli.add_argument("--seed", type=int, default=0, help="of the first case")
    cli.add_argument("--only", type=int, metavar="SEED", help="repeat one case in this process")
    cli.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    a = cli.parse_args()
    if a.work:
        work(a.mode, *a.work)
    elif a.only is not None:
        os.environ |= _environment()  # before Numba is imported
        _prepare()
        print(case(a.mode, a.only))
    else:
        sys.exit(report(a.mode, a.seed, a.cases))


def report(mode: str, seed: int, cases: int) -> int:
    """Do the cases, tell what was found; the exit code."""
    started, outcomes = time.perf_counter(), {"done": 0, "refused": 0, "finding": 0}
    findings = []
    for row in rows(mode, seed, seed + cases):
        outcomes[row["outcome"]] += 1
        if row["outcome"] == "finding":
            findings.append(row["seed"])
            print(f"--only {row['seed']}: {row['error']}\n    {row['where']}", flush=True)
    common.print_json({
        "benchmark": "fuzz", "mode": mode, "seed": seed, "cases": sum(outcomes.values()), **outcomes,
        "seeds_of_findings": findings, "seconds": round(time.perf_counter() - started, 1),
        "machine": common.machine(), "versions": common.versions(),
    })  # fmt: skip
    return int(bool(findings))


def _environment() -> dict[str, str]:
    paths = [str(HERE), str(HERE.parent / "tests" / "oracle"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "agg"}


def _prepare() -> None:
    """Warnings are errors, and what asks for far too much memory gets none."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "oracle")]
    warnings.simplefilter("error")
    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _lines(process: subprocess.Popen, seconds: float) -> Iterator[dict]:
    """What a process prints, line by line; it is killed if it prints nothing for so long."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        buffer = b""
        while True:
            if not waiting.select(seconds):
                process.kill()
                return
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                return
            *whole, buffer = (buffer + piece).split(b"\n")
            yield from map(json.loads, whole)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _where(error: BaseException) -> str:
    """The innermost line of BioSNN's that the error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f"{os.sep}biosnn{os.sep}" in f.filename] or frames
    return f"{ours[-1].filename}:{ours[-1].lineno} {ours[-1].line}"


if __name__ == "__main__":
    main()
