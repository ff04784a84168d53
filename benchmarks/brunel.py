"""Brunel's sparse random network (2000, J. Comput. Neurosci. 8:183) beside NEST and Brian2.

    python benchmarks/brunel.py --nest PYTHON --brian2 PYTHON --peers DIRECTORY

12,500 iaf_psc_delta neurons, 15.6 M synapses, g = 5, eta = 2, about 32 Hz. PYTHON is an interpreter that has the peer,
DIRECTORY holds the scripts that build the network in it. All run in turn, each time in a fresh process. Prints one JSON
line.
"""

from __future__ import annotations

import common
import peers


def main() -> None:
    cli = common.parser(__doc__, threads=2, warm=200.0, bio=1000.0)
    cli.add_argument("--n", type=int, default=12500, help="neurons, a multiple of 50")
    peers.add_options(cli, "nest", "brian2")
    a = cli.parse_args()
    if a.ours:
        from biosnn.demos.brunel import brunel

        common.print_json(common.measure(lambda: brunel(n=a.n, seed=a.seed), a.threads, a.warm, a.bio))
        return

    found = peers.Peers(a, "nest", "brian2")
    for threads in a.peer_threads:
        times = ["--threads", threads, "--warm", a.warm, "--T", a.bio, "--seed", a.seed]
        found.script(
            "nest", f"{threads} thread(s), static_synapse_hom_w, fixed in-degrees", "brunel_nest.py",
            "--order", a.n // 5, "--syn", "static_synapse_hom_w", *times,
        )  # fmt: skip
        # Bernoulli connections are made source by source, and so stored as Brian2 delivers them fastest.
        found.script(
            "brian2", f"{threads} thread(s), C++ standalone, p = 0.1, synapses sorted by source", "brian2_bench.py",
            "--bench", "brunel", "--N", a.n, "--mode", "cpp", "--conn", "bernoulli", *times,
        )  # fmt: skip
    found.report(
        "brunel",
        {"n": a.n, "J_mV": 0.1, "g": 5.0, "eta": 2.0, "dt_ms": 0.1, "warm_ms": a.warm, "bio_ms": a.bio, "seed": a.seed},
        lambda: common.ours(__file__, "--n", a.n, *common.times(a)),
        a.pairs,
    )


if __name__ == "__main__":
    main()
