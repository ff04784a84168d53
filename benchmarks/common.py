"""What every benchmark needs: facts of the machine, fresh processes, runs in turn, medians. Standard library only.

The process that measures must stay small: Linux counts the memory of a parent towards the peak of its children.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

LIBRARIES = ("numba", "numpy", "scipy", "llvmlite")
PEER_LIBRARIES = ("nest-simulator", "brian2", "numpy")


class RunError(RuntimeError):
    """A command ended without a result."""


def parser(about: str | None, *, threads: int, warm: float, bio: float) -> argparse.ArgumentParser:
    """The options that benchmarks of a network have in common, with these defaults."""
    cli = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--threads", type=int, default=threads)
    cli.add_argument("--bio", type=float, default=bio, help="measured biological time, ms")
    cli.add_argument("--warm", type=float, default=warm, help="biological time before that, ms")
    cli.add_argument("--pairs", type=int, default=3, help="how often each is run")
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--ours", action="store_true", help="one run of BioSNN in this process, and nothing else")
    return cli


def times(a: argparse.Namespace) -> list:
    """Those that say how to run, for a process of its own."""
    return ["--warm", a.warm, "--bio", a.bio, "--threads", a.threads, "--seed", a.seed]


def machine() -> dict:
    """Processor, cores, memory, system and load average: what a figure depends on."""
    facts = _keys("/proc/cpuinfo")
    memory = _keys("/proc/meminfo").get("MemTotal", "0 kB").split()[0]
    return {
        "cpu": facts.get("model name", platform.processor() or "unknown"),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(int(memory) / 2**20, 1),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2),
    }


def versions(libraries: tuple[str, ...] = LIBRARIES) -> dict:
    """Versions of this interpreter and of the distributions that it has."""
    found = {"python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def peer_versions(python: str) -> dict:
    """The same of another interpreter."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import common; "
    return run([python, "-c", f"{code}common.print_json(common.versions({PEER_LIBRARIES!r}))"])


def run(command: list, **environment: str) -> dict:
    """Run a command in a fresh process; the last line of its output that is a JSON object. Raises RunError."""
    done = check(command, **environment)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            with contextlib.suppress(ValueError):
                return json.loads(line)
    raise RunError(f"{command[1]} printed no result")


def check(command: list, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a fresh process, with these variables in its environment. Raises RunError where it fails."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=os.environ | environment)
    except OSError as error:
        raise RunError(str(error)) from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RunError(f"exit code {done.returncode}: {said[-1] if said else 'nothing printed'}")
    return done


def ours(script: str, *arguments: object) -> dict:
    """One run of BioSNN: the script's own --ours mode, in a process of its own."""
    return run([sys.executable, script, "--ours", *arguments])


def in_turn(runs: dict, rounds: int) -> dict[str, list[dict]]:
    """Call each of `runs` (name -> function) `rounds` times, A B A B ..., so that a slow minute meets all of them."""
    rows: dict[str, list[dict]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, function in runs.items():
            rows[name].append(function())
    return rows


def median_row(rows: list[dict]) -> dict:
    """The medians of what is a number in every row; the rest as in the first."""
    return {key: _median(rows, key, value) for key, value in rows[0].items()}


def median_ratio(ours: list[dict], theirs: list[dict], key: str) -> float | None:
    """Median of the ratios of runs that stood side by side."""
    pairs = [(a.get(key), b.get(key)) for a, b in zip(ours, theirs, strict=True)]
    ratios = [a / b for a, b in pairs if a is not None and b]
    return round(statistics.median(ratios), 4) if ratios else None


def print_json(row: dict) -> None:
    """One line of strict JSON, the last thing that a benchmark prints."""
    print(json.dumps(row, allow_nan=False), flush=True)


def measure(describe, threads: int, warm: float, bio: float, **ways: str) -> dict:
    """Describe, build and run a network in this process: the row of an --ours run. Times in s, warm and bio in ms.

    `ways` are handed to build. build_s is description, plan and drawing together, without importing and compiling.
    """
    import resource

    import biosnn.engine.building.build  # noqa: F401 - imports Numba

    started = time.perf_counter()
    sim = describe().build(threads=threads, **ways)
    build_s = time.perf_counter() - started - sim.compile_s
    sim.run(warm, progress=False)
    result = sim.run(bio, progress=False)
    wide = any(table.store.label == "wide" for table in sim.plan.tables)
    neurons = sum(s.counts.size for s in result.populations.values())
    return {
        "neurons": neurons,
        "synapses": sim.n_synapses,
        "threads": sim.plan.threads,
        "synapse_backend": sim.plan.ways.backend,
        "ring_strategy": sim.plan.ways.ring,
        "build_s": round(build_s, 3),
        "compile_s": round(sim.compile_s, 3),
        "rtf": round(result.rtf, 4),
        "events_per_s": float(f"{result.synaptic_events / result.run_s:.4g}"),
        "rate_hz": round(result.n_spikes / neurons / (bio * 1e-3), 4),
        "rates": {name: round(rate, 4) for name, rate in result.rates.items()},
        "peak_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
        "spikes_sha256": result.fingerprint,
        "precision": "float32 state, integer sums of " + ("float32" if wide else "16-bit fixed-point") + " weights",
    }


def _median(rows: list[dict], key: str, first: object) -> object:
    if isinstance(first, dict):
        return median_row([row[key] for row in rows])
    values = [row.get(key) for row in rows]
    if any(value != first for value in values) and all(isinstance(value, (int, float)) for value in values):
        return float(f"{statistics.median(values):.6g}")
    return first


def _keys(path: str) -> dict[str, str]:
    """The first value of every key of a file of `key : value` lines; nothing where there is no such file."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found
