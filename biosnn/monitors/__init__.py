"""What watches a run and keeps a bounded account of it; a new monitor is a file beside these and a line in MONITORS."""

from biosnn.monitors.base import Monitor, OfDirectory
from biosnn.monitors.populations import Populations
from biosnn.monitors.topology import Topology
from biosnn.monitors.traces import Traces

MONITORS: dict[str, type[OfDirectory]] = {monitor.name: monitor for monitor in (Populations, Traces, Topology)}

__all__ = ["MONITORS", "Monitor", "OfDirectory", "Populations", "Topology", "Traces"]
