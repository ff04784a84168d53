"""Leaky integrate-and-fire neuron with exponential postsynaptic currents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np

from biosnn.models.base import F64, Bank, NeuronModel, Parameter, Resolved, SynapticState, Value
from biosnn.models.leaky import (
    LEAKY_CONSTANTS,
    LEAKY_PARAMETERS,
    LEAKY_STATES,
    SHORTEST_TAU,
    check_leaky,
    check_millivolts,
    leaky,
    leaky_constants,
)


class iaf_psc_exp(NeuronModel):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, exponential postsynaptic currents, integrated exactly.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I_syn_ex + I_syn_in + I_e + I_stim
        dI_syn_x/dt = -I_syn_x/tau_syn_x,      I_syn_x jumps by the weight (pA) where a spike arrives

    Positive weights feed I_syn_ex, negative ones I_syn_in. Where both time constants are equal their sum is kept as one
    current, at half the cost; the spikes are the same, to the bit, if the two are recorded. Parameters, units and
    defaults are those of NEST's `iaf_psc_exp`; V_m starts at E_L. Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381,
    eq. 11.
    """

    name = "iaf_psc_exp"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        **LEAKY_PARAMETERS,
        "tau_syn_ex": Parameter(2.0, "ms", "time constant of excitatory currents", above=SHORTEST_TAU),
        "tau_syn_in": Parameter(2.0, "ms", "time constant of inhibitory currents", above=SHORTEST_TAU),
    }
    states = LEAKY_STATES
    weight_unit = "pA"
    step = staticmethod(leaky)
    constants = LEAKY_CONSTANTS

    def check(self) -> None:
        """Potentials must be in order and in mV."""
        check_leaky(self)

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """V_m must be in mV."""
        check_millivolts(self, owner, {name: value for name, value in initial.items() if name == "V_m"})

    def bank(self, observed: Collection[str]) -> Bank:
        """Two receptors; one, if both have the same time constant and neither current is recorded."""
        ex, both = (0,), (0, 1)
        if not self._one_time_constant():
            return Bank(
                slots=("ex", "in"), exc=0, inh=1, scale=(0, 1),
                states=(
                    SynapticState("I_syn_ex", "pA", ex, "p11_ex", "p21_ex"),
                    SynapticState("I_syn_in", "pA", (1,), "p11_in", "p21_in"),
                ),
            )  # fmt: skip
        if not {"I_syn_ex", "I_syn_in"} & set(observed):
            return Bank(
                slots=("syn",), exc=0, inh=0, scale=(0,),
                states=(SynapticState("I_syn", "pA", ex, "p11_ex", "p21_ex"),),
            )  # fmt: skip
        # The integer sum of both receptors drives the membrane exactly as if they were one; the parts are only watched.
        return Bank(
            slots=("ex", "in"), exc=0, inh=1, scale=(0, 0),
            states=(
                SynapticState("I_syn", "pA", both, "p11_ex", "p21_ex"),
                SynapticState("I_syn_ex", "pA", ex, "p11_ex", None),
                SynapticState("I_syn_in", "pA", (1,), "p11_ex", None),
            ),
        )  # fmt: skip

    def recordable(self) -> dict[str, str]:
        """Membrane potential and both synaptic currents."""
        return {"V_m": "mV", "I_syn_ex": "pA", "I_syn_in": "pA"}

    def discretise(self, p: Resolved, dt: float) -> dict[str, float | F64]:
        """Propagators of one step; tau_syn may equal tau_m (no singularity)."""
        found = leaky_constants(p, dt)
        for x in ("ex", "in"):
            found[f"p11_{x}"] = np.exp(-dt / p[f"tau_syn_{x}"])
            found[f"p21_{x}"] = psc_propagator(p["C_m"], p["tau_m"], p[f"tau_syn_{x}"], dt)
        return found

    def _one_time_constant(self) -> bool:
        ex, inh = self.values["tau_syn_ex"], self.values["tau_syn_in"]
        if isinstance(ex, np.ndarray) and isinstance(inh, np.ndarray):
            return bool(np.array_equal(ex, inh))
        return isinstance(ex, float) and isinstance(inh, float) and ex == inh


def psc_propagator(C_m: float | F64, tau_m: float | F64, tau_syn: float | F64, dt: float) -> float | F64:
    """What 1 pA of a current that decays with tau_syn adds to V (mV) within dt.

        1/C_m * integral_0^dt exp(-(dt-s)/tau_m) exp(-s/tau_syn) ds = dt/C_m exp(-dt/tau_m) (exp(x)-1)/x,
        x = dt (1/tau_m - 1/tau_syn)

    The last factor tends to 1 as tau_syn approaches tau_m.
    """
    x = np.asarray(dt * (1 / np.asarray(tau_m) - 1 / np.asarray(tau_syn)))
    ratio = np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))
    found: F64 = dt / np.asarray(C_m) * np.exp(-dt / np.asarray(tau_m)) * ratio
    return found
