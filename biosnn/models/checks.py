"""What membranes ask of their parameters: potentials in order and in mV, and slow enough for the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel, Resolved, Value

# h g/C at most, g the conductance of a compartment: the Runge-Kutta methods diverge above 2.5 to 2.8
STIFFEST = np.float32(2)
# No membrane is shallower than 0.2 mV: such a value was given in V. A resting potential 20 mV above threshold has lost
# its sign (that of the CUBA benchmark lies 1 mV above).
SHALLOWEST = 0.2  # mV
HIGHEST_REST = 20.0  # mV


def check_potentials(model: NeuronModel) -> None:
    """V_reset must lie below V_th, E_L not far above it, all of them in mV, and I_e in pA."""
    _validate.check_unit(model.name, "I_e", extremes(model.values["I_e"]), "pA")
    potentials = {name: model.values[name] for name in ("E_L", "V_reset", "V_th")}
    check_millivolts(model, model.name, potentials)
    model.check_order()
    check_apart(model, "V_reset", "V_th")
    rest, threshold = extremes(potentials["E_L"]), extremes(potentials["V_th"])
    if rest[0] - threshold[1] > HIGHEST_REST:
        raise DescriptionError(
            f"{model.name}: E_L must be at most {HIGHEST_REST:g} mV above V_th, got {rest[0]:g} and {threshold[1]:g}; "
            f"is a sign missing?"
        )


def check_step(model: NeuronModel, dt: float, C: Any, g: Any) -> None:
    """Raise DescriptionError where a compartment of capacitance C (pF) and conductance g (nS) is too fast for dt."""
    longest = float(STIFFEST * np.min(np.asarray(C) / np.asarray(g)))
    if dt > longest:
        raise DescriptionError(
            f"{model.name}: dt must be at most {longest:.3g} ms, got {dt:g}: twice the shortest time constant that its "
            f"capacitances and conductances make"
        )


def check_swing(model: NeuronModel, dt: float, p: Resolved, most: float) -> None:
    """Raise DescriptionError where V_m and w swing too fast: (dt omega)^2 is above `most`, omega^2 = a/(C_m tau_w)."""
    fastest = float(np.max(np.asarray(p["a"]) / (np.asarray(p["C_m"]) * p["tau_w"]), initial=0.0))
    if dt * dt * fastest > most:
        raise DescriptionError(
            f"{model.name}: dt must be at most {np.sqrt(most / fastest):.3g} ms, got {dt:g}: V_m and w swing too fast "
            f"for longer steps; lower a or raise tau_w"
        )


def check_apart(model: NeuronModel, low: str, high: str) -> None:
    """Raise DescriptionError unless potential `high` lies so far above `low` that both can be in mV."""
    lowest, highest = extremes(model.values[low])[0], extremes(model.values[high])[1]
    if highest - lowest < SHALLOWEST:
        raise DescriptionError(
            f"{model.name}: {high} must be at least {SHALLOWEST} mV above {low}, "
            f"got {highest:g} and {lowest:g}; potentials are in mV"
        )


def check_millivolts(model: NeuronModel, owner: str, potentials: Mapping[str, Value]) -> None:
    """Raise DescriptionError for one of `potentials` that was given in V, to judge by the model's parameters."""
    if min(extremes(model.values[name])[0] for name in ("E_L", "V_reset", "V_th")) > -20.0:
        return  # potentials are relative to rest, and may be small
    check_absolute(owner, potentials)


def check_absolute(owner: str, potentials: Mapping[str, Value]) -> None:
    """Raise DescriptionError for one of `potentials`, none of which is near 0 mV, that was given in V."""
    for name, value in potentials.items():
        largest = max(extremes(value), key=abs)
        if 0 < abs(largest) < SHALLOWEST:
            raise DescriptionError(f"{owner}: {name} must be in mV, got {largest:g}; did you mean {1000 * largest:g}?")
