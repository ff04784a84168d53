"""The multi-timescale adaptive threshold model: a membrane that is never reset, and a threshold that jumps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Resolved, State, Sum
from biosnn.models.checks import check_apart, check_step
from biosnn.models.leaky import NONE, SHORTEST_TAU_M, counted_down, linear_constants, through_conductances
from biosnn.models.receptors import own


def mat2(V_m: Any, refractory: Any, V_th_alpha_1: Any, V_th_alpha_2: Any, arriving: Any, p: Any) -> Any:
    """Leaky membrane without reset and a threshold of two exponentials, both integrated exactly over one step h.

        V(t+h) = p22 V(t) + arriving,      p22 = exp(-h/tau_m)                             V in mV above E_L
        theta(t) = omega + theta_1(t) + theta_2(t),      theta_j(t+h) = exp(-h/tau_j) theta_j(t)

    At V >= theta the neuron spikes, unless it did within the last `hold` steps: theta_j jumps by alpha_j.
    """
    v = p.p22 * V_m + arriving
    first, second = p.decay_1 * V_th_alpha_1, p.decay_2 * V_th_alpha_2
    spiked = (v >= p.omega + first + second) & (refractory <= NONE)
    return (
        v,
        (p.hold if spiked else counted_down(refractory)),
        (first + p.alpha_1 if spiked else first),
        (second + p.alpha_2 if spiked else second),
        spiked,
    )


def mat2_with_conductances(V_m: Any, refractory: Any, V_th_alpha_1: Any, V_th_alpha_2: Any, x: Any, p: Any) -> Any:
    """The same where conductances act on the membrane."""
    arriving = through_conductances(V_m, x, p) - p.p22 * V_m
    return mat2(V_m, refractory, V_th_alpha_1, V_th_alpha_2, arriving, p)


class mat2_psc_exp(NeuronModel):  # noqa: N801 - NEST's name
    """Leaky membrane that is not reset, exponential postsynaptic currents, adaptive threshold; integrated exactly.

        C_m dV_m/dt = -C_m/tau_m (V_m - E_L) + I_syn_ex + I_syn_in + I_e + I_stim
        dI_syn_x/dt = -I_syn_x/tau_syn_x,      I_syn_x jumps by the weight (pA) where a spike arrives
        dV_th_alpha_j/dt = -V_th_alpha_j/tau_j,      V_th_alpha_j jumps by alpha_j at a spike, j = 1, 2

    A spike is sent when V_m reaches V_th = omega + V_th_alpha_1 + V_th_alpha_2 at the end of a step, and none within
    t_ref of the last; V_m goes on as if nothing had happened. Parameters, units and defaults are those of NEST's
    `mat2_psc_exp`, where omega is an absolute potential as well; V_m starts at E_L.
    Source: Kobayashi, Tsubo & Shinomoto 2009, Front. Comput. Neurosci. 3:9.
    """

    name = "mat2_psc_exp"
    membrane: ClassVar[Mapping[str, Parameter]] = {
        "E_L": Parameter(-70.0, "mV", "resting potential"),
        "C_m": Parameter(100.0, "pF", "membrane capacitance", above=1e-3),
        "tau_m": Parameter(5.0, "ms", "membrane time constant", above=SHORTEST_TAU_M),
        "t_ref": Parameter(2.0, "ms", "time without spikes after one, rounded to steps", at_least=0),
        "omega": Parameter(-51.0, "mV", "threshold at rest", endless=True),
        "tau_1": Parameter(10.0, "ms", "short time constant of the threshold", above=SHORTEST_TAU_M),
        "tau_2": Parameter(200.0, "ms", "long time constant of the threshold", above=SHORTEST_TAU_M),
        "alpha_1": Parameter(37.0, "mV", "what a spike adds to the threshold, with tau_1"),
        "alpha_2": Parameter(2.0, "mV", "what a spike adds to the threshold, with tau_2"),
        "I_e": Parameter(0.0, "pA", "constant current"),
    }
    states = (
        State("V_m", "mV", initial="E_L", origin="E_L"),
        REFRACTORY,
        State("V_th_alpha_1", "mV"),
        State("V_th_alpha_2", "mV"),
    )
    sums: ClassVar[Mapping[str, Sum]] = {"V_th": Sum("mV", ("V_th_alpha_1", "V_th_alpha_2"), "omega")}
    own_receptors = (
        own("ex", "exp", "tau_syn_ex", 1.0, what="excitatory currents"),
        own("in", "exp", "tau_syn_in", 3.0, what="inhibitory currents"),
    )
    refractory_time = "t_ref"
    exact = staticmethod(mat2)
    step = staticmethod(mat2_with_conductances)
    exact_constants = ("p22", "omega", "decay_1", "decay_2", "alpha_1", "alpha_2", "hold")
    step_constants = (*exact_constants, "g_L", "h_C")

    def check(self) -> None:
        """E_L and omega must be in mV, I_e in pA."""
        _validate.check_unit(self.name, "I_e", extremes(self.values["I_e"]), "pA")
        check_apart(self, "E_L", "omega")

    def linear(self, p: Resolved) -> tuple[Any, Any]:
        """Capacitance and time constant."""
        return np.asarray(p["C_m"]), np.asarray(p["tau_m"])

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of the membrane and the threshold."""
        if not self.is_exact:
            check_step(self, dt, self.linear(p)[1], 1.0)
        return {
            **linear_constants(*self.linear(p), p["I_e"], dt),
            "omega": np.asarray(p["omega"]) - p["E_L"],
            **{f"decay_{j}": np.exp(-dt / np.asarray(p[f"tau_{j}"])) for j in (1, 2)},
            **{f"alpha_{j}": np.asarray(p[f"alpha_{j}"]) for j in (1, 2)},
        }
