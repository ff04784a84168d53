"""summary.json: what a run was, what it did, and how fast."""

from __future__ import annotations

import math
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from biosnn._version import __version__
from biosnn.recording.results import Result

if TYPE_CHECKING:
    from biosnn.engine.planning.plan import Plan
    from biosnn.engine.running.simulation import Simulation


def summary(demo: str, seed: int, device: str, sim: Simulation, result: Result) -> dict[str, Any]:
    """The content of summary.json; times in s unless their name says ms, null where a figure has no meaning."""
    plan = sim.plan
    synapses = sim.n_synapses
    return {
        "demo": demo,
        "n_neurons": plan.layout.n_neurons,
        "n_synapses": synapses,
        "steps": round((result.stop_ms - result.start_ms) / result.dt),
        "dt_ms": result.dt,
        "seed": seed,
        "device": device,
        "threads": plan.threads,
        **chosen_ways(plan),
        "backend_steps": dict(result.backend_steps),
        "plan_bytes": plan.bytes,
        "bytes_per_synapse": plan.bytes / synapses if synapses else None,
        "build_s": sim.build_s,
        "compile_s": sim.compile_s,
        "run_s": result.run_s,
        "rtf": result.rtf,
        "spikes": result.n_spikes,
        "synaptic_events": result.synaptic_events,
        "events_per_s": result.synaptic_events / result.run_s,
        "rates_hz": result.rates,
        "cv_isi": {
            name: None if math.isnan(found.cv_isi) else found.cv_isi for name, found in result.populations.items()
        },
        "peak_rss_mib": peak_rss_mib(),
        "spikes_sha256": result.fingerprint,
        "versions": {
            "biosnn": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "numba", "scipy")},
        },
    }


def chosen_ways(plan: Plan) -> dict[str, str | None]:
    """How spikes travel, as planned; no layout where there is no fused matrix."""
    ways = plan.ways
    return {
        "synapse_backend": ways.backend,
        "fused_layout": ways.layout,
        "ring_strategy": ways.ring,
        "ring_dtype": ways.ring_dtype,
    }


def report(found: dict[str, Any], result: Result) -> str:
    """The same for the terminal, in short."""
    millions = found["events_per_s"] / 1e6
    return (
        f"{_table(result)}\n"
        f"{found['n_neurons']:,} neurons, {found['n_synapses']:,} synapses: built in {found['build_s']:.2f} s, "
        f"compiled or loaded in {found['compile_s']:.2f} s, run in {result.run_s:.2f} s\n"
        f"real-time factor {result.rtf:.3g} with {found['threads']} thread(s), "
        f"{millions:,.0f} million synaptic events/s"
    )


def _table(result: Result) -> str:
    rows = [("population", "neurons", "rate (Hz)", "CV of ISI")]
    for name, found in result.populations.items():
        cv = "-" if math.isnan(found.cv_isi) else f"{found.cv_isi:.3f}"
        rows.append((name, f"{found.counts.size:,}", f"{found.rate:.3f}", cv))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    return "\n".join(
        f"  {row[0]:<{widths[0]}}" + "".join(f"  {row[k]:>{widths[k]}}" for k in (1, 2, 3)) for row in rows
    )


def peak_rss_mib() -> float | None:
    """The most memory that this process has held, MiB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
