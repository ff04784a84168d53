"""In how many bits the states of receptors are kept, and which of them have to be rounded with care."""

from __future__ import annotations

from biosnn.address.layout import Layout
from biosnn.description.description import Description
from biosnn.distributions import extremes
from biosnn.models.bank import SUMMED

# Relative distance of two neighbouring numbers, at most.
SPACING = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
# If a step takes a state down by this many spacings, rounding to nearest changes what decays by 25 % in the worst step,
# and by less than 1 % on average. With one or two it is off by half, and with less than half a one nothing decays.
LEAST_SPACINGS = 2.0


def keep_in_16_bits(net: Description, layout: Layout, dtype: str) -> None:
    """Mark what is kept in 16 bits, and which states decay so slowly that they are rounded with a dither.

    float16, dt 0.1 ms: those with time constants above 51 ms; bfloat16: above 6.4 ms.
    """
    if dtype == "float32":
        return
    longest = net.dt / (LEAST_SPACINGS * SPACING[dtype])
    populations = list(net.populations.values())
    for group in layout.groups:
        group.halved = bool(group.bank.states)
        slow: set[str] = set()
        for a in group.populations:
            model = populations[a].model
            assert model is not None
            for r in model.receptors:
                if max(float(extremes(model.values[tau])[1]) for tau in r.tau) > longest:
                    slow |= {r.variable, r.rising or r.variable}
        summed = {s.name for s in group.bank.states if s.name == SUMMED} if slow else set()
        group.dithered = frozenset(slow | summed)
