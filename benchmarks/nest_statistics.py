"""Spike statistics of published networks, ours beside NEST's, over several seeds of both.

    python benchmarks/nest_statistics.py
    python benchmarks/nest_statistics.py --networks pd14_0.1 --seeds 20

Rates, coefficients of variation of interspike intervals and pairwise correlations of every population, and how they
vary within it. tests/data/nest_networks.json holds NEST's, one value per seed, with the definitions. Prints a table to
the standard error stream, then one JSON line.

The criterion. Each simulator draws its own connections, start values and input, so two runs never agree exactly. But if
both simulate the same network, then the values of our seeds and those of NEST's seeds are drawn from one distribution.
Student's two-sample t test asks whether they can be: with s, the standard deviation over seeds pooled from both sides,

    t = (mean of ours - mean of NEST's) / (s sqrt(1/n_ours + 1/n_nest))

A value is outside where p times the number of comparisons in its network is below 1 % (Bonferroni's correction): one
network in a hundred would fail by chance. Beside p stand the relative difference, and the distance by NEST's spread
alone, z = (mean of ours - mean of NEST's) / (sd_nest sqrt(1 + 1/n_nest)). Where NEST has three seeds, its spread is
known within a factor of two only, and a large z by itself says little.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import common
import numpy as np

REFERENCE = Path(__file__).parents[1] / "tests" / "data" / "nest_networks.json"
STATISTICS = ("rate_hz", "cv_isi_mean", "corr_mean", "rate_std_hz", "corr_std", "pop_count_fano")
SIGNIFICANCE = 0.01
BIN_MS, CORRELATED, LEAST_SPIKES = 5.0, 200, 3
Statistics = dict[str, dict[str, float]]  # by population and name


def network(name: str, seed: int):
    """The network of that name in the reference, with one of our seeds."""
    from biosnn.demos.brunel import brunel
    from biosnn.demos.coba import coba
    from biosnn.demos.microcircuit import microcircuit
    from biosnn.demos.vogels_abbott import vogels_abbott

    makers = {
        "brunel_12500": lambda: brunel(n=12500, seed=seed),
        "brunel_n2500_J0.2": lambda: brunel(n=2500, J=0.2, seed=seed),
        "brunel_n2500_J0.5_g6": lambda: brunel(n=2500, J=0.5, g=6.0, seed=seed),
        "cuba_4000": lambda: vogels_abbott(n=4000, seed=seed),
        "coba_4000": lambda: coba(n=4000, seed=seed),
        "pd14_0.1": lambda: microcircuit(0.1, seed=seed),
        "pd14_0.2": lambda: microcircuit(0.2, seed=seed),
        "pd14_1.0": lambda: microcircuit(1.0, seed=seed),
    }
    return makers[name]()


def simulate(name: str, reference: dict, seed: int, threads: int | None = None) -> Statistics:
    """Statistics of every population in one run of ours, under NEST's names, as long as NEST's."""
    net = network(name, seed)
    for population in net.populations.values():
        net.record(population, "spikes")
    sim = net.build(threads=threads)
    sim.run(reference["warm_ms"], progress=False)
    result = sim.run(reference["bio_ms"], progress=False)
    return {
        theirs: spike_statistics(result, mine)
        for mine, theirs in zip(net.populations, reference["populations"], strict=True)
    }


def spike_statistics(result, population: str) -> dict[str, float]:
    """The six statistics of one population, from its recorded spikes."""
    seconds = (result.stop_ms - result.start_ms) * 1e-3
    counts = result.spike_counts(population, BIN_MS)
    rate = counts.sum(1) / seconds
    correlations = correlation_of_pairs(counts)
    together = counts.sum(0)
    return {
        "rate_hz": float(rate.mean()),
        "rate_std_hz": float(rate.std()),
        "cv_isi_mean": float(np.mean(cv_of_intervals(result.spikes[population]))),
        "corr_mean": float(np.mean(correlations)),
        "corr_std": float(np.std(correlations)),
        "pop_count_fano": float(together.var() / together.mean()),
    }


def cv_of_intervals(spikes) -> np.ndarray:
    """Coefficient of variation of the interspike intervals of each neuron with at least LEAST_SPIKES spikes."""
    order = np.lexsort((spikes.times, spikes.senders))
    trains = np.split(spikes.times[order], np.flatnonzero(np.diff(spikes.senders[order])) + 1)
    intervals = [np.diff(t) for t in trains if t.size >= LEAST_SPIKES]
    return np.array([i.std() / i.mean() for i in intervals])


def correlation_of_pairs(counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the binned counts of every pair of CORRELATED random neurons that spiked."""
    active = np.flatnonzero(counts.any(1))
    some = np.random.default_rng(0).permutation(active)[:CORRELATED]
    matrix = np.corrcoef(counts[some][counts[some].std(1) > 0])
    return matrix[np.triu_indices(len(matrix), 1)]


def compare(ours: list[float], nest: list[float]) -> dict[str, float]:
    """Means and spreads of one statistic, one value per seed on either side, and how far apart they are."""
    from scipy.stats import ttest_ind

    a, b = np.array(ours), np.array(nest)
    difference = a.mean() - b.mean()
    return {
        "ours": a.mean(),
        "nest": b.mean(),
        "sd_ours": a.std(ddof=1),
        "sd_nest": b.std(ddof=1),
        "relative": difference / abs(b.mean()),
        "z": difference / (b.std(ddof=1) * np.sqrt(1 + 1 / b.size)),
        "p": ttest_ind(a, b).pvalue,
    }


def compare_network(ours: list[Statistics], nest: dict) -> dict[str, dict[str, dict]]:
    """compare() for every population and statistic of one network; `outside` marks what the criterion rejects."""
    comparisons = len(nest["populations"]) * len(STATISTICS)
    found: dict[str, dict[str, dict]] = {}
    for population, values in nest["populations"].items():
        found[population] = {}
        for name in STATISTICS:
            row = compare([run[population][name] for run in ours], values[name])
            found[population][name] = row | {"outside": bool(row["p"] * comparisons < SIGNIFICANCE)}
    return found


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reference = json.loads(REFERENCE.read_text())["networks"]
    cli.add_argument("--networks", nargs="+", choices=list(reference), default=list(reference), metavar="NAME")
    cli.add_argument("--seeds", type=int, default=5, help="seeds of ours: 1, 2, ...")
    cli.add_argument("--threads", type=int, help="default: by the planned work")
    a = cli.parse_args()
    if a.seeds < 2:
        cli.error(f"--seeds: a spread needs at least 2, got {a.seeds}")

    results = {}
    for name in a.networks:
        runs = [simulate(name, reference[name], seed, a.threads) for seed in range(1, a.seeds + 1)]
        results[name] = compare_network(runs, reference[name])
        print(f"\n{name}: {a.seeds} seeds of ours, {len(reference[name]['seeds'])} of NEST's", file=sys.stderr)
        for population, rows in results[name].items():
            for statistic, r in rows.items():
                print(
                    f"  {population:5s} {statistic:15s} {r['ours']:10.5g} ± {r['sd_ours']:<9.2g} "
                    f"NEST {r['nest']:10.5g} ± {r['sd_nest']:<9.2g} {100 * r['relative']:+8.2f} % "
                    f"z {r['z']:+6.2f}  p {r['p']:.3f}{'  OUTSIDE' if r['outside'] else ''}",
                    file=sys.stderr,
                )
    outside = [
        f"{name} {population} {statistic}"
        for name, populations in results.items()
        for population, rows in populations.items()
        for statistic, row in rows.items()
        if row["outside"]
    ]
    common.print_json(
        {
            "benchmark": "nest_statistics",
            "seeds": a.seeds,
            "significance": SIGNIFICANCE,
            "outside": outside,
            "networks": _rounded(results),
            "machine": common.machine(),
            "versions": common.versions() | {"reference": "NEST 3.10.0"},
        }
    )


def _rounded(x):
    if isinstance(x, dict):
        return {key: _rounded(value) for key, value in x.items()}
    return float(f"{x:.4g}") if isinstance(x, float) else x


if __name__ == "__main__":
    main()
