"""How long one waits before anything is simulated.

    python benchmarks/startup.py

import_s: `import biosnn`. first_step_s: from the start of the process to the end of the first step of the default demo,
its driver compiled before. first_run_s: the default demo from the command line, 1 s of simulated time, with an empty
cache: everything is compiled. All in fresh processes; medians. Prints one JSON line, with the targets.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time

import common

TARGETS = {"import_s": 0.35, "first_step_s": 1.2, "first_run_s": 15.0}
IMPORT = "import time; t = time.perf_counter(); import biosnn; print('{\"import_s\": %f}' % (time.perf_counter() - t))"


def first_step(n: int) -> dict:
    """In this process: build the default demo and advance it one step; `done` is the time of day when that was done."""
    from biosnn.demos.network import network

    sim = network(n=n).build()
    sim.run(0.1, progress=False)
    return {"done": time.time(), "build_s": sim.build_s, "compile_s": sim.compile_s}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--n", type=int, default=4000, help="neurons of the default demo")
    cli.add_argument("--rounds", type=int, default=5, help="how often each is measured; the first run, once")
    cli.add_argument("--ours", action="store_true", help="the first step, in this process, and nothing else")
    a = cli.parse_args()
    if a.ours:
        common.print_json(first_step(a.n))
        return

    load = common.machine()["load"]
    with tempfile.TemporaryDirectory() as folder:
        demo = ["--n", a.n, "--out", f"{folder}/run"]
        started = time.perf_counter()
        common.check([sys.executable, "-m", "biosnn.runners.cli", *demo], BIOSNN_CACHE_DIR=f"{folder}/cache")
        first_run_s = time.perf_counter() - started
        common.ours(__file__, "--n", a.n)  # compiles what is not in the user's cache yet
        rows = common.in_turn(
            {
                "import": lambda: common.run([sys.executable, "-c", IMPORT]),
                "first step": lambda: _since(time.time(), common.ours(__file__, "--n", a.n)),
            },
            a.rounds,
        )
    measured = {
        "import_s": round(common.median_row(rows["import"])["import_s"], 3),
        **common.median_row(rows["first step"]),
        "first_run_s": round(first_run_s, 2),
    }
    common.print_json(
        {
            "benchmark": "startup",
            "n": a.n,
            "rounds": a.rounds,
            "ours": measured,
            "targets": TARGETS,
            "met": {key: measured[key] <= limit for key, limit in TARGETS.items()},
            "machine": common.machine() | {"load": load},
            "versions": common.versions(),
        }
    )


def _since(started: float, row: dict) -> dict:
    return {
        "first_step_s": round(row["done"] - started, 3),
        "build_s": round(row["build_s"], 3),
        "load_s": round(row["compile_s"], 3),  # of the driver, compiled before
    }


if __name__ == "__main__":
    main()
