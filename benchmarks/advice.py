"""Whether the advice of a profile is true: how many times as fast it says that a network would be, and how many it is.

    python benchmarks/advice.py

Prints one JSON line: for each piece of advice, on a network that calls for it, what it promises, and the ratio of the
best of some runs of the same steps both ways; null where it is not given.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import common

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "oracle"))
import profiled

EVENTS = {"threads": 1, "synapse_backend": "event_driven", "ring_strategy": "spike_history"}
SUMS = EVENTS | {"ring_strategy": "dense"}
PRODUCT = {"threads": 1, "synapse_backend": "spmm_fused", "fused_layout": "csr"}
TINY = {"n": 6, "out_degree": 2}
# Advice: activity and network, as it is and as it is advised, and what the advice says.
CASES = {
    "a product where many fire": (0.3, {}, EVENTS, PRODUCT, "spmm_fused"),
    "rows where few fire": (0.002, {}, PRODUCT, EVENTS, "event_driven"),
    "sums where delays are many": (0.05, {}, EVENTS, SUMS, "dense"),
    "one thread for little work": (0.01, TINY, SUMS | {"threads": 2}, SUMS, "--threads 1"),
    "threads for much work": (0.05, {"n": 20_000}, SUMS, SUMS | {"threads": 2}, "--threads 2"),
}


def measure(activity: float, network: dict, now: dict, advised: dict, flag: str, repeats: int) -> dict:
    """What is promised, and what comes of it."""
    sims = [profiled.firing(activity, **network).build(**how) for how in (now, advised)]
    for sim in sims:
        sim.run(30.0)
    said = "\n".join(sims[0].profile(500).advice)
    found = re.findall(rf"`[^`]*{flag}[^`]*` should be ([\d.,e+]+) x faster", said)
    took = [min(sim.run(200.0, keep=False).run_s for _ in range(repeats)) for sim in sims]
    return {"promised": float(found[0].replace(",", "")) if found else None, "found": round(took[0] / took[1], 2)}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--repeats", type=int, default=5)
    repeats = cli.parse_args().repeats
    found = {name: measure(*case, repeats) for name, case in CASES.items()}
    common.print_json(
        {"benchmark": "advice", "times_as_fast": found, "machine": common.machine(), "versions": common.versions()}
    )


if __name__ == "__main__":
    main()
