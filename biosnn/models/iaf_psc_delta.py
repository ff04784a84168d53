"""Leaky integrate-and-fire neuron whose synaptic inputs are jumps of the membrane potential."""

from __future__ import annotations

from biosnn.models.leaky import LEAKY_PARAMETERS, Leaky


class iaf_psc_delta(Leaky):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, delta-shaped postsynaptic currents, integrated exactly.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I_e + I_stim,      V jumps by the weight (mV) where a spike arrives

    Input that arrives while the neuron is refractory is lost (NEST's `refractory_input = False`). Parameters, units and
    defaults are those of NEST's `iaf_psc_delta`, `V_min` left out; V_m starts at E_L.
    Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381.
    """

    name = "iaf_psc_delta"
    membrane = LEAKY_PARAMETERS
