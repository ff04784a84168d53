"""20,000 neurons, a million synapses with delays of 1 to 20 ms, dt 1 ms: a dense ring at a high and at a low rate.

    python benchmarks/delayed.py
    python benchmarks/delayed.py --rates 50 2 --ring auto

Neurons are driven by a constant current of their own, so that their mean rate is about what is asked for; synapses are
weak and of both signs. Prints one JSON line: real-time factor, rate and synaptic events per second at each rate.
"""

from __future__ import annotations

import common


def network(rate: float, seed: int):
    """Leaky neurons with a constant current each, spread around the one that gives `rate` (Hz)."""
    import numpy as np

    import biosnn as bs

    n, tau, t_ref = 20_000, 1000.0, 2.0  # a long time constant: the rate depends on the current, hardly on its spread
    drive = 15.0 / (1 - np.exp((t_ref - 1000.0 / rate) / tau))  # mV above rest, to climb 15 mV from spike to spike
    current = np.random.default_rng(seed).normal(drive, 0.05 * drive, n) * 250.0 / tau
    net = bs.Network(dt=1.0, seed=seed)
    model = bs.models.iaf_psc_exp(C_m=250.0, tau_m=tau, E_L=-70.0, V_th=-55.0, V_reset=-70.0, t_ref=t_ref, I_e=current)
    neurons = net.population("neurons", n, model, V_m=bs.uniform(-70.0, -55.0))
    net.connect(
        neurons, neurons, bs.fixed_outdegree(50), weight=bs.normal(0.0, 0.5), delay=bs.uniform(0.5, 20.5).clipped(1, 20)
    )
    return net


def main() -> None:
    cli = common.parser(__doc__, threads=2, warm=500.0, bio=2000.0)
    cli.add_argument("--rates", type=float, nargs="+", default=[50.0, 2.0], help="Hz")
    cli.add_argument("--ring", default="dense", choices=["dense", "event_bucketed", "spike_history", "auto"])
    a = cli.parse_args()
    rows = {}
    for rate in a.rates:
        runs = [
            common.measure(lambda rate=rate: network(rate, a.seed), a.threads, a.warm, a.bio, ring_strategy=a.ring)
            for _ in range(a.pairs)
        ]
        rows[f"{rate:g} Hz"] = common.median_row(runs)
    common.print_json(
        {
            "benchmark": "delayed",
            "ring": a.ring,
            "rows": rows,
            "machine": common.machine(),
            "versions": common.versions(),
        }
    )


if __name__ == "__main__":
    main()
