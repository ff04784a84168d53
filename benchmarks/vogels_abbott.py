"""The networks of Vogels & Abbott (2005; CUBA and COBA of Brette et al. 2007) beside NEST and Brian2.

    python benchmarks/vogels_abbott.py --nest PYTHON --brian2 PYTHON --peers DIRECTORY
    python benchmarks/vogels_abbott.py --network coba ...

4,000 iaf_psc_exp neurons with 80 synapses each, about 5 Hz; or iaf_cond_exp, about 15 Hz. PYTHON is an interpreter
that has the peer, DIRECTORY holds the scripts that build the network in it. All run in turn, each time in a fresh
process. Prints one JSON line.
"""

from __future__ import annotations

import common
import peers


def main() -> None:
    cli = common.parser(__doc__, threads=1, warm=500.0, bio=5000.0)  # 4,000 neurons are too few to share out
    cli.add_argument("--n", type=int, default=4000, help="neurons")
    cli.add_argument("--network", choices=["cuba", "coba"], default="cuba", help="current- or conductance-based")
    peers.add_options(cli, "nest", "brian2")
    a = cli.parse_args()
    if a.ours:
        from biosnn.demos.coba import coba
        from biosnn.demos.vogels_abbott import vogels_abbott

        make = coba if a.network == "coba" else vogels_abbott
        common.print_json(common.measure(lambda: make(n=a.n, seed=a.seed), a.threads, a.warm, a.bio))
        return

    found = peers.Peers(a, "nest", "brian2")
    for threads in a.peer_threads:
        times = ["--N", a.n, "--threads", threads, "--warm", a.warm, "--T", a.bio, "--seed", a.seed]
        found.script(
            "nest", f"{threads} thread(s), static_synapse, fixed in-degrees", "vogels_abbott_nest.py",
            "--model", a.network, *times,
        )  # fmt: skip
        found.script(
            "brian2", f"{threads} thread(s), C++ standalone, fixed in-degrees, sorted by source", "brian2_bench.py",
            "--bench", a.network, "--mode", "cpp", "--conn", "presorted", *times,
        )  # fmt: skip
    found.report(
        "vogels_abbott",
        {"n": a.n, "network": a.network, "dt_ms": 0.1, "warm_ms": a.warm, "bio_ms": a.bio, "seed": a.seed},
        lambda: common.ours(__file__, "--network", a.network, "--n", a.n, *common.times(a)),
        a.pairs,
    )


if __name__ == "__main__":
    main()
