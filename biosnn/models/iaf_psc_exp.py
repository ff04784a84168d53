"""Leaky integrate-and-fire neuron with exponential postsynaptic currents."""

from __future__ import annotations

from biosnn.models.leaky import LEAKY_PARAMETERS, Leaky
from biosnn.models.receptors import own


class iaf_psc_exp(Leaky):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, exponential postsynaptic currents, integrated exactly.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I_syn_ex + I_syn_in + I_e + I_stim
        dI_syn_x/dt = -I_syn_x/tau_syn_x,      I_syn_x jumps by the weight (pA) where a spike arrives

    Positive weights feed I_syn_ex, negative ones I_syn_in. Where both time constants are equal their sum is kept as one
    current, at half the cost; the spikes are the same, to the bit, if the two are recorded. Parameters, units and
    defaults are those of NEST's `iaf_psc_exp`, without its escape noise (`delta`, `rho`); V_m starts at E_L.
    Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381, eq. 11.
    """

    name = "iaf_psc_exp"
    membrane = LEAKY_PARAMETERS
    own_receptors = (
        own("ex", "exp", "tau_syn_ex", 2.0, what="excitatory currents"),
        own("in", "exp", "tau_syn_in", 2.0, what="inhibitory currents"),
    )
