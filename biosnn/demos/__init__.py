"""Demonstration networks. A new one is a file beside these and a line in DEMOS."""

from __future__ import annotations

from collections.abc import Callable

from biosnn.demos import brunel, coba, microcircuit, million, network, vision, vogels_abbott
from biosnn.engine.network import Network

# By the name that --demo knows; the parameters of each function are the flags that the demo takes.
DEMOS: dict[str, Callable[..., Network]] = {
    "network": network.network,
    "vogels_abbott": vogels_abbott.vogels_abbott,
    "coba": coba.coba,
    "brunel": brunel.brunel,
    "microcircuit": microcircuit.microcircuit,
    "million": million.million,
    "vision": vision.vision,
}
