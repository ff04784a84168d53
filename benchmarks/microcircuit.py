"""The cortical microcircuit beside the yardstick: the same network, written by hand for that network alone.

    python benchmarks/microcircuit.py --limit PATH/microcircuit_limit.py
    python benchmarks/microcircuit.py --scale 0.1 --nest PYTHON --peers DIRECTORY

Both run in turn, each time in a fresh process. Prints one JSON line: medians of both, and medians of the ratios of
neighbouring runs. Without --limit and --nest, BioSNN alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import common
import peers


def main() -> None:
    cli = common.parser(__doc__, threads=2, warm=200.0, bio=1000.0)
    cli.add_argument("--limit", type=Path, help="the yardstick's script; it knows full scale only")
    cli.add_argument("--scale", type=float, default=1.0, help="fraction of neurons and in-degrees")
    peers.add_options(cli, "nest")
    a = cli.parse_args()
    if a.ours:
        from biosnn.demos.microcircuit import microcircuit

        common.print_json(common.measure(lambda: microcircuit(a.scale, seed=a.seed), a.threads, a.warm, a.bio))
        return
    if a.limit and a.scale != 1.0:
        cli.error(f"--limit: the yardstick is the network at full scale; leave out --scale {a.scale:g}")

    times = common.times(a)
    found = peers.Peers(a, "limit", "nest")
    if a.limit:
        found.offer("limit", lambda: common.run([sys.executable, a.limit, *times]))
    else:
        found.absent["limit"] = "no --limit PATH given"
    for threads in a.peer_threads:
        found.script(
            "nest", f"{threads} thread(s), static_synapse", "microcircuit_nest.py",
            "--scale", a.scale, "--threads", threads, "--warm", a.warm, "--T", a.bio,
        )  # fmt: skip
    found.report(
        "microcircuit", {"scale": a.scale, "dt_ms": 0.1, "warm_ms": a.warm, "bio_ms": a.bio, "seed": a.seed},
        lambda: common.ours(__file__, "--scale", a.scale, *times), a.pairs,
    )  # fmt: skip


if __name__ == "__main__":
    main()
