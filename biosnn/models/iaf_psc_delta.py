"""Leaky integrate-and-fire neuron whose synaptic inputs are jumps of the membrane potential."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from biosnn.models.base import F64, Bank, NeuronModel, Resolved, Value
from biosnn.models.leaky import (
    LEAKY_CONSTANTS,
    LEAKY_PARAMETERS,
    LEAKY_STATES,
    check_leaky,
    check_millivolts,
    leaky,
    leaky_constants,
)


class iaf_psc_delta(NeuronModel):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, delta-shaped postsynaptic currents, integrated exactly.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I_e + I_stim,      V jumps by the weight (mV) where a spike arrives

    Input that arrives while the neuron is refractory is lost (NEST's `refractory_input = False`). Parameters, units and
    defaults are those of NEST's `iaf_psc_delta`; V_m starts at E_L.
    Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381.
    """

    name = "iaf_psc_delta"
    parameters = LEAKY_PARAMETERS
    states = LEAKY_STATES
    weight_unit = "mV"
    step = staticmethod(leaky)
    constants = LEAKY_CONSTANTS

    def check(self) -> None:
        """Potentials must be in order and in mV."""
        check_leaky(self)

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """V_m must be in mV."""
        check_millivolts(self, owner, {name: value for name, value in initial.items() if name == "V_m"})

    def bank(self, observed: Collection[str]) -> Bank:
        """One receptor without memory: the jump."""
        return Bank(slots=("delta",), exc=0, inh=0, scale=(0,))

    def discretise(self, p: Resolved, dt: float) -> dict[str, float | F64]:
        """Propagators of one step."""
        return leaky_constants(p, dt)
