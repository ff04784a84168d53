"""In how many bits the states of receptors are kept, and what 16 of them cannot follow."""

from __future__ import annotations

from biosnn.distributions import extremes
from biosnn.errors import DescriptionError
from biosnn.network.description import Description

# Relative distance of two neighbouring numbers, at most.
SPACING = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
# A step must take a state down by this many spacings: rounding then changes what decays by 25 % in the worst step, by
# less than 1 % on average. With one or two it would be off by half, with less than half a one nothing would decay.
LEAST_SPACINGS = 2.0


def check_receptor_dtype(net: Description, dtype: str) -> None:
    """Raise DescriptionError where a receptor decays too slowly, at the network's dt, for a 16-bit format."""
    if dtype == "float32":
        return
    longest = net.dt / (LEAST_SPACINGS * SPACING[dtype])
    for population in net.populations.values():
        if population.model is None:
            continue
        for receptor in population.model.receptors:
            for name in receptor.tau:
                tau = float(extremes(population.model.values[name])[1])
                if tau > longest:
                    raise DescriptionError(
                        f"receptor_state_dtype {dtype}: {name} = {tau:g} ms of population {population.name!r} decays "
                        f"by less than {dtype} can tell in a step of {net.dt:g} ms (up to {longest:.3g} ms it can); "
                        f"use float32{' or float16' if dtype == 'bfloat16' else ''}, or a longer dt"
                    )
