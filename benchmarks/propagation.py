"""Every way for spikes to travel, over activities from 1e-5 to 1 spikes per neuron and step.

    python benchmarks/propagation.py
    python benchmarks/propagation.py --neurons 100000 --out-degree 1000 --delays 15 --dt 0.1 --picture curves.png

Neurons fire at random, each step anew, by Poisson input that alone makes them cross their threshold; so activity is
what it is set to, whatever the synapses do. Of each network the same is run without synapses: the difference is what
delivery took. Prints a table to the standard error stream, then one JSON line: microseconds of one step, delivery
alone, for each way and activity; where the fastest event-driven way and the sparse product cross; and how far `auto` is
behind the better of those two in the whole step. With --picture, draws the curves.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

import common
import numpy as np

WAYS = {  # name: what is asked for
    "event_driven, spike_history": ("event_driven", "spike_history", "auto"),
    "event_driven, dense": ("event_driven", "dense", "auto"),
    "event_driven, event_bucketed": ("event_driven", "event_bucketed", "auto"),
    "spmm_fused csr, spike_history": ("spmm_fused", "spike_history", "csr"),
    "spmm_fused coo, spike_history": ("spmm_fused", "spike_history", "coo"),
    "spmm_fused csr, dense": ("spmm_fused", "dense", "csr"),
    "spmm_fused coo, dense": ("spmm_fused", "dense", "coo"),
    "auto, spike_history": ("auto", "spike_history", "auto"),
    "auto, dense": ("auto", "dense", "auto"),
    "auto": ("auto", "auto", "auto"),
}
ACTIVITIES = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.2, 0.5, 1.0)
WEIGHT_SD, KICK = 0.03, 2.0  # mV, against a threshold of 1 mV


def network(a: argparse.Namespace, activity: float, out_degree: int):
    """Neurons that fire with a probability of `activity` in each step, or all, and their synapses."""
    import biosnn as bs

    net = bs.Network(dt=a.dt, seed=1)
    always = {"I_e": 1e6} if activity >= 1 else {}
    cell = bs.models.iaf_psc_delta(E_L=0.0, V_reset=0.0, V_th=1.0, t_ref=0.0, C_m=1.0, tau_m=10.0, **always)
    neurons = net.population("neurons", a.neurons, cell)
    if out_degree:
        delay = bs.uniform(0.5 * a.dt, (a.delays + 0.5) * a.dt).clipped(max=a.delays * a.dt)
        net.connect(neurons, neurons, bs.fixed_outdegree(out_degree), weight=bs.normal(0.0, WEIGHT_SD), delay=delay)
    if activity < 1:
        net.poisson(neurons, rate=-np.log1p(-activity) / (a.dt * 1e-3), weight=KICK)
    return net


def build(a: argparse.Namespace, activity: float, way: str | None):
    """The network, built for one way; without a way, without synapses."""
    if way is None:
        return network(a, activity, 0).build(threads=a.threads)
    backend, ring, layout = WAYS[way]
    more = {} if layout == "auto" else {"fused_layout": layout}
    net = network(a, activity, a.out_degree)
    return net.build(threads=a.threads, synapse_backend=backend, ring_strategy=ring, **more)


def measure_activity(a: argparse.Namespace, activity: float) -> dict:
    """Median microseconds of a step in every way, runs in turn; what `auto` chose, and the activity as it was."""
    steps = max(20, int(a.steps * min(1.0, 0.05 / activity)))
    sims = {way: build(a, activity, way) for way in (None, *a.ways)}
    for sim in sims.values():
        sim.run(max(2 * a.delays, steps // 2) * a.dt, progress=False)
    results: dict = {way: [] for way in sims}
    for _ in range(a.repeats):
        for way, sim in sims.items():
            results[way].append(sim.run(steps * a.dt, progress=False))
    us = {way: statistics.median(r.run_s / steps * 1e6 for r in found) for way, found in results.items()}
    bare = us.pop(None)
    for way in a.ways:
        print(
            f"  {activity:8.0e}  {way:32s} step {us[way]:10.1f} us, delivery {us[way] - bare:10.1f} us", file=sys.stderr
        )
    return {
        "activity": activity,
        "activity_found": float(f"{results[None][-1].n_spikes / (a.neurons * steps):.4g}"),
        "bare_us": round(bare, 2),
        "step_us": {way: round(x, 2) for way, x in us.items()},
        "delivery_us": {way: round(x - bare, 2) for way, x in us.items()},
        "backend_steps": {way: dict(results[way][-1].backend_steps) for way in a.ways if way.startswith("auto")},
    }


def measure(a: argparse.Namespace) -> dict:
    """The whole table: steps without synapses, and with them in every way."""
    rows = [measure_activity(a, activity) for activity in a.activities]
    return {"rows": rows} | compare(rows, a.ways)


def compare(rows: list[dict], ways: list[str]) -> dict:
    """Crossings of the curves, speed at both ends, and the distance of `auto` from the better backend of its ring."""
    found: dict = {}
    events = [w for w in ways if w.startswith("event_driven")]
    products = [w for w in ways if w.startswith("spmm_fused")]
    if events and products:
        best = [{k: min(r["step_us"][w] for w in ws) for k, ws in (("e", events), ("p", products))} for r in rows]
        found["crossing"] = crossing([r["activity"] for r in rows], [b["e"] for b in best], [b["p"] for b in best])
        for key, row in (("lowest", rows[0]), ("highest", rows[-1])):
            e, p = (min(row["delivery_us"][w] for w in ws) for ws in (events, products))
            found[f"spmm_over_event_{key}"] = {"activity": row["activity"], "ratio": round(p / e, 4) if e > 0 else None}
    for auto in [w for w in ways if w.startswith("auto")]:
        ring = auto.partition(", ")[2]
        others = [w for w in events + products if w.endswith(ring)]
        if others:
            found[f"{auto} behind"] = [
                round(r["step_us"][auto] / min(r["step_us"][w] for w in others) - 1, 3) for r in rows
            ]
    return found


def crossing(x: list[float], falling: list[float], rising: list[float]) -> float | None:
    """The activity at which two curves meet, interpolated on logarithmic axes; None if they do not."""
    difference = np.log(falling) - np.log(rising)
    turns = np.flatnonzero((difference[:-1] <= 0) & (difference[1:] > 0))
    if not turns.size:
        return None
    k = int(turns[-1])
    part = -difference[k] / (difference[k + 1] - difference[k])
    return float(f"{np.exp(np.log(x[k]) + part * (np.log(x[k + 1]) - np.log(x[k]))):.3g}")


def draw(found: dict, ways: list[str], path: Path, title: str) -> None:
    """The curves, as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    x = [row["activity"] for row in found["rows"]]
    styles = {"event_driven": "-o", "spmm_fused": "--s", "auto": ":k"}
    for way in ways:
        y = [row["step_us"][way] for row in found["rows"]]
        ax.plot(x, y, styles[way.split(",")[0].split()[0]], markersize=3, label=way)
    ax.plot(x, [row["bare_us"] for row in found["rows"]], color="0.7", label="without synapses")
    ax.set(xscale="log", yscale="log", xlabel="spikes per neuron and step", ylabel="us per step", title=title)
    ax.legend(fontsize="x-small")
    figure.savefig(path, dpi=120)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--neurons", type=int, default=20_000)
    cli.add_argument("--out-degree", type=int, default=50)
    cli.add_argument("--delays", type=int, default=20, help="delays are uniform over 1..DELAYS steps")
    cli.add_argument("--dt", type=float, default=1.0, help="ms")
    cli.add_argument("--activities", type=float, nargs="+", default=list(ACTIVITIES))
    cli.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), metavar="WAY")
    cli.add_argument("--threads", type=int, default=2)
    cli.add_argument("--steps", type=int, default=2000, help="of each run, at an activity of 0.05 and below")
    cli.add_argument("--repeats", type=int, default=5, help="runs, of which the median counts")
    cli.add_argument("--picture", type=Path)
    a = cli.parse_args()
    found = measure(a)
    about = {k: getattr(a, k) for k in ("neurons", "out_degree", "delays", "dt", "threads")}
    if a.picture:
        draw(found, a.ways, a.picture, f"{a.neurons:,} neurons x {a.out_degree} synapses, {a.delays} delays")
    common.print_json(
        {"benchmark": "propagation", "network": about} | found
        | {"machine": common.machine(), "versions": common.versions()}
    )  # fmt: skip


if __name__ == "__main__":
    main()
