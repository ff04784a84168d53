"""Leaky integrate-and-fire neurons with conductance-based synapses: exponential and alpha-shaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from biosnn.models.base import Parameter
from biosnn.models.leaky import LEAKY_PARAMETERS, Leaky
from biosnn.models.receptors import own

_OF_BOTH: Mapping[str, Parameter] = {
    **{name: p for name, p in LEAKY_PARAMETERS.items() if name != "tau_m"},
    "g_L": Parameter(16.6667, "nS", "leak conductance", above=1e-6),
    "V_reset": Parameter(-60.0, "mV", "potential after a spike"),
}


class iaf_cond_exp(Leaky):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, exponentially decaying conductances.

        C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e + I_stim
        dg_x/dt = -g_x/tau_syn_x,      g_x jumps by |weight| (nS) where a spike arrives

    Positive weights open g_ex, negative ones g_in. Conductances are integrated exactly, V by the classical Runge-Kutta
    method of the step dt. Parameters, units and defaults are those of NEST's `iaf_cond_exp`; V_m starts at E_L.
    Source: Meffin, Burkitt & Grayden 2004, J. Comput. Neurosci. 16:159.
    """

    name = "iaf_cond_exp"
    membrane: ClassVar[Mapping[str, Parameter]] = _OF_BOTH
    own_receptors = (
        own("ex", "exp", "tau_syn_ex", 0.2, ("E_ex", 0.0), what="excitatory conductances"),
        own("in", "exp", "tau_syn_in", 2.0, ("E_in", -85.0), what="inhibitory conductances"),
    )


class iaf_cond_alpha(Leaky):  # noqa: N801 - NEST's name
    """Leaky integrate-and-fire, alpha-shaped conductances.

        C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e + I_stim
        g_x = sum over spikes of |w| e t/tau_syn_x exp(-t/tau_syn_x),      t: time since the spike arrived

    Otherwise as `iaf_cond_exp`; |w| (nS) is the peak. Parameters, units and defaults are those of NEST's
    `iaf_cond_alpha`. Source: as for `iaf_cond_exp`.
    """

    name = "iaf_cond_alpha"
    membrane: ClassVar[Mapping[str, Parameter]] = _OF_BOTH
    own_receptors = (
        own("ex", "alpha", "tau_syn_ex", 0.2, ("E_ex", 0.0), what="excitatory conductances"),
        own("in", "alpha", "tau_syn_in", 2.0, ("E_in", -85.0), what="inhibitory conductances"),
    )
