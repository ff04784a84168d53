"""What one neuron takes for one step: every model without input, a user's own beside ours, and receptors in 16 bits.

    python benchmarks/neurons.py
    python benchmarks/neurons.py --models izhikevich --n 4000 50000

Prints one JSON line. Models: ns per neuron and step of a network of n neurons that get nothing, the best of some runs
of the whole driver, which also clears the input and collects spikes. Receptors: ns per neuron and step of the decay of
g[4, n], four receptors of different time constants, and their sum, as the driver writes it, on one thread.
"""

from __future__ import annotations

import argparse
import time

import common
import numpy as np
from own_izhikevich import izhikevich as own_izhikevich

STEPS = 2000
TAUS = (2.0, 5.0, 10.0, 40.0)  # ms
FORMATS = ("float32", "float16", "bfloat16")


def of_model(model, n: int, threads: int, repeats: int) -> float:
    """ns per neuron and step."""
    import biosnn as bs

    net = bs.Network()
    net.population("n", n, model)
    sim = net.build(threads=threads)
    sim.run(20.0, progress=False)
    best = np.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        sim.run(STEPS * net.dt, progress=False)
        best = min(best, time.perf_counter() - begun)
    return best / STEPS / n * 1e9


def kernel_of_receptors():
    """The decay of four receptors and their sum, in the words of a driver."""
    import numba

    from biosnn.half import load, store

    @numba.njit
    def advance(steps, d0, d1, d2, d3, g0, g1, g2, g3, total):
        for _ in range(steps):
            for i in range(total.size):
                a, b = d0 * load(g0, i), d1 * load(g1, i)
                c, d = d2 * load(g2, i), d3 * load(g3, i)
                total[i] = a + b + c + d
                store(g0, i, a)
                store(g1, i, b)
                store(g2, i, c)
                store(g3, i, d)

    return advance


def of_receptors(advance, name: str, n: int, repeats: int) -> float:
    """ns per neuron and step."""
    from biosnn import half

    decays = [np.float32(np.exp(-0.1 / tau)) for tau in TAUS]
    g = [half.encode(np.full(n, 5.0, np.float32), name) for _ in TAUS]
    total = np.zeros(n, np.float32)
    steps = max(1, 20_000_000 // n)
    advance(1, *decays, *g, total)
    best = np.inf
    for _ in range(repeats):
        for x in g:
            x[:] = half.encode(np.full(n, 5.0, np.float32), name)
        begun = time.perf_counter()
        advance(min(steps, 300), *decays, *g, total)
        best = min(best, time.perf_counter() - begun)
    return best / min(steps, 300) / n * 1e9


def main() -> None:
    from biosnn.models import MODELS

    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--models", nargs="*", choices=[*MODELS, "own"], default=[*MODELS, "own"], metavar="MODEL")
    cli.add_argument("--n", type=int, nargs="+", default=[50_000], help="neurons")
    cli.add_argument("--receptors", type=int, nargs="*", default=[10_000, 1_000_000], help="neurons of g[4, n]")
    cli.add_argument("--threads", type=int, default=2)
    cli.add_argument("--repeats", type=int, default=7)
    a = cli.parse_args()
    ns: dict[str, dict[str, float]] = {}
    for n in a.n:
        for name in a.models:
            model = own_izhikevich() if name == "own" else MODELS[name]()
            ns.setdefault(name, {})[str(n)] = round(of_model(model, n, a.threads, a.repeats), 3)
    advance = kernel_of_receptors()
    g = {str(n): {name: round(of_receptors(advance, name, n, a.repeats), 3) for name in FORMATS} for n in a.receptors}
    common.print_json(
        {
            "benchmark": "neurons",
            "threads": a.threads,
            "ns_per_neuron_and_step": ns,
            "receptors_ns": g,
            "machine": common.machine(),
            "versions": common.versions(),
        }
    )


if __name__ == "__main__":
    main()
