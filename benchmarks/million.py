"""A million neurons, a hundred million synapses, delays of 1 to 20 ms, beside Brian2's CUBA of the same size.

    python benchmarks/million.py
    python benchmarks/million.py --brian2 PYTHON --peers DIRECTORY --peer-threads 2

The networks are alike, not the same: Brian2's has 80 synapses a neuron and one delay of 0.1 ms. Prints one JSON line;
`build_over_tables` is what memory grew by while building, over the bytes of all arrays.
"""

from __future__ import annotations

import common
import peers


def ours(a) -> dict:
    """One run in this process: build in s, real-time factor, memory."""
    import resource

    import biosnn.engine.building.build  # noqa: F401 - imports Numba
    from biosnn.demos.million import million

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    million(1000).build(threads=a.threads)  # compiles, or loads
    before = peak()
    sim = million(a.n, seed=a.seed).build(threads=a.threads)
    grown, tables = peak() - before, sim.bytes
    sim.run(a.warm, progress=False)
    result = sim.run(a.bio, progress=False)
    return {
        "neurons": a.n,
        "synapses": sim.n_synapses,
        "threads": sim.plan.threads,
        "synapse_backend": sim.plan.ways.backend,
        "ring_strategy": sim.plan.ways.ring,
        "build_s": round(sim.build_s, 3),
        "build_over_tables": round(grown / tables, 3),
        "plan_over_allocated": round(sim.plan.bytes / tables, 4),
        "rtf": round(result.rtf, 3),
        "events_per_s": float(f"{result.synaptic_events / result.run_s:.4g}"),
        "rate_hz": round(result.n_spikes / a.n / (a.bio * 1e-3), 3),
        "peak_rss_gb": round(peak() / 2**30, 3),
    }


def main() -> None:
    cli = common.parser(__doc__, threads=2, warm=100.0, bio=200.0)
    cli.add_argument("--n", type=int, default=1_000_000, help="neurons")
    peers.add_options(cli, "brian2")
    a = cli.parse_args()
    if a.ours:
        common.print_json(ours(a))
        return
    found = peers.Peers(a, "brian2")
    for threads in a.peer_threads:
        found.script(
            "brian2", f"{threads} thread(s), C++ standalone, CUBA, fixed in-degrees, sorted by source",
            "brian2_bench.py", "--bench", "cuba", "--mode", "cpp", "--conn", "presorted", "--N", a.n,
            "--threads", threads, "--warm", 20.0, "--T", a.bio, "--seed", a.seed,
        )  # fmt: skip
    network = {"n": a.n, "dt_ms": 0.1, "warm_ms": a.warm, "bio_ms": a.bio, "seed": a.seed}
    found.report("million", network, lambda: common.ours(__file__, "--n", a.n, *common.times(a)), a.pairs)


if __name__ == "__main__":
    main()
