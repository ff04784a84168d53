"""Leaky integrate-and-fire neuron with alpha-shaped postsynaptic currents."""

from __future__ import annotations

from biosnn.models.leaky import LEAKY_PARAMETERS, Leaky
from biosnn.models.receptors import own


class iaf_psc_alpha(Leaky):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, alpha-shaped postsynaptic currents, integrated exactly.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I_syn_ex + I_syn_in + I_e + I_stim
        I_syn_x = sum over spikes of w e t/tau_syn_x exp(-t/tau_syn_x),      t: time since the spike arrived

    The weight w (pA) is the peak, reached tau_syn_x after the arrival. Positive weights feed I_syn_ex, negative ones
    I_syn_in. Parameters, units and defaults are those of NEST's `iaf_psc_alpha`, `V_min` left out; V_m starts at E_L.
    Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381, section 3.1.2.
    """

    name = "iaf_psc_alpha"
    membrane = LEAKY_PARAMETERS
    own_receptors = (
        own("ex", "alpha", "tau_syn_ex", 2.0, what="excitatory currents"),
        own("in", "alpha", "tau_syn_in", 2.0, what="inhibitory currents"),
    )
