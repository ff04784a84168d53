"""Which monitors a run has, from the flags of the command line."""

from __future__ import annotations

import argparse

from biosnn import _validate
from biosnn.engine.network import Network
from biosnn.errors import DescriptionError
from biosnn.monitors import MONITORS, OfDirectory
from biosnn.monitors.base import EDGES, NEURONS

SPIKES = "spikes"  # which every run hands out: its monitor is a file


def made_safe(args: argparse.Namespace) -> list[str]:
    """Do what --large-network-safety asks for: bounds are set, whatever else was given. What that changed, in words."""
    if not args.large_network_safety or args.monitor_safe_defaults:
        return []
    args.monitor_safe_defaults = True
    return ["--large-network-safety: --no-monitor-safe-defaults is not followed, and monitors sample within bounds"]


def chosen_monitors(args: argparse.Namespace) -> list[str]:
    """The names of the monitors that were asked for. Raises DescriptionError for what cannot be combined."""
    if args.monitors is not None and args.mode == "fast":
        raise DescriptionError("--monitors: --mode fast keeps metrics.csv and summary.json only; leave one of them out")
    if args.no_monitors or args.mode == "fast":
        return []
    names = args.monitors if args.monitors is not None else [SPIKES, *MONITORS]
    return list(dict.fromkeys(_validate.known("--monitors", "monitor", name, [SPIKES, *MONITORS]) for name in names))


def monitors_of(net: Network, args: argparse.Namespace) -> list[OfDirectory]:
    """The monitors, which watch the network from here on; they have no place to write to yet."""
    neurons = _bound(args, "neuron", args.monitor_neuron_sample, NEURONS)
    edges = _bound(args, "edge", args.monitor_edge_sample, EDGES)
    names = [name for name in chosen_monitors(args) if name != SPIKES]
    return [net.monitor(MONITORS[name].bounded(neurons, edges)) for name in names]


def _bound(args: argparse.Namespace, what: str, given: int | None, usual: int) -> int | None:
    flag = f"--monitor-{what}-sample"
    if given is not None and not args.monitor_safe_defaults:
        raise DescriptionError(f"{flag}: --no-monitor-safe-defaults samples all of them; leave one of the two out")
    if not args.monitor_safe_defaults:
        return None
    return usual if given is None else _validate.count(flag, "number", given)
