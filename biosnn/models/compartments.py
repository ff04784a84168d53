"""Neurons of two and three compartments: soma, dendrite and axon initial segment, coupled by conductances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.fastmath import exp
from biosnn.models.aeif import check_upswing, upswing_constants
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Receptor, Resolved, State, Value
from biosnn.models.checks import check_apart, check_millivolts, check_step, check_swing
from biosnn.models.leaky import HALF, NONE, SHORTEST_TAU_M, SIXTH, TWO, ZERO, bearable, counted_down
from biosnn.models.receptors import own

# All functions below take one step h by the classical Runge-Kutta method, with the input of each compartment at the
# start, the middle and the end of the step. Potentials are in mV above E_L.


def leaky_3c(V_m: Any, V_d: Any, V_a: Any, refractory: Any, soma: Any, dend: Any, ais: Any, p: Any) -> Any:
    """Three leaky compartments. The axon initial segment spikes at V_a >= theta, and is held at V_reset for a while."""
    s, d, a = soma, dend, ais
    h = steps_3c(s, d, a, refractory, p)
    m1, d1, a1 = flow_3c(V_m, V_d, V_a, s.I_start, s.G_start, d.I_start, d.G_start, a.I_start, a.G_start, h, p)
    m, v, x = V_m + HALF * m1, V_d + HALF * d1, V_a + HALF * a1
    m2, d2, a2 = flow_3c(m, v, x, s.I_mid, s.G_mid, d.I_mid, d.G_mid, a.I_mid, a.G_mid, h, p)
    m, v, x = V_m + HALF * m2, V_d + HALF * d2, V_a + HALF * a2
    m3, d3, a3 = flow_3c(m, v, x, s.I_mid, s.G_mid, d.I_mid, d.G_mid, a.I_mid, a.G_mid, h, p)
    m, v, x = V_m + m3, V_d + d3, V_a + a3
    m4, d4, a4 = flow_3c(m, v, x, s.I_end, s.G_end, d.I_end, d.G_end, a.I_end, a.G_end, h, p)
    x = V_a + mean(a1, a2, a3, a4)
    spiked = (x >= p.theta) & (refractory <= NONE)
    return (
        V_m + mean(m1, m2, m3, m4),
        V_d + mean(d1, d2, d3, d4),
        (p.V_reset if spiked else x),
        (p.hold if spiked else counted_down(refractory)),
        spiked,
    )


def steps_3c(soma: Any, dend: Any, ais: Any, refractory: Any, p: Any) -> Any:
    """h/C of three compartments; none of an axon initial segment that is held, which stands still."""
    return (
        bearable(p.h_C_m, p.g_L + p.g_sd + p.g_sa, soma),
        bearable(p.h_C_d, p.g_L_d + p.g_sd, dend),
        bearable(p.h_C_a, p.g_L_a + p.g_sa, ais) if refractory <= NONE else ZERO,
    )


def flow_3c(
    V_m: Any, V_d: Any, V_a: Any, I_m: Any, G_m: Any, I_d: Any, G_d: Any, I_a: Any, G_a: Any, h: Any, p: Any
) -> Any:
    """What h times the derivatives of three leaky compartments are; `h`: h/C of each."""
    to_d, to_a = p.g_sd * (V_m - V_d), p.g_sa * (V_m - V_a)
    return (
        h[0] * (I_m - (p.g_L + G_m) * V_m - to_d - to_a),
        h[1] * (I_d - (p.g_L_d + G_d) * V_d + to_d),
        h[2] * (I_a - (p.g_L_a + G_a) * V_a + to_a),
    )


def adex_soma(V_m: Any, V_d: Any, w: Any, refractory: Any, soma: Any, dend: Any, p: Any) -> Any:
    """A soma with an exponential upswing and adaptation, which spikes at V_m >= V_peak, and a leaky dendrite."""
    s, d = soma, dend
    h_m, h_d = bearable(p.h_C_m, p.g_L + p.g_sd, s), bearable(p.h_C_d, p.g_L_d + p.g_sd, d)
    h = (h_m if refractory <= NONE else ZERO), h_d
    m1, d1, w1 = flow_2c(V_m, V_d, w, s.I_start, s.G_start, d.I_start, d.G_start, h, p)
    m2, d2, w2 = flow_2c(
        V_m + HALF * m1, V_d + HALF * d1, w + HALF * w1, s.I_mid, s.G_mid, d.I_mid, d.G_mid, h, p
    )  # fmt: skip
    m3, d3, w3 = flow_2c(
        V_m + HALF * m2, V_d + HALF * d2, w + HALF * w2, s.I_mid, s.G_mid, d.I_mid, d.G_mid, h, p
    )  # fmt: skip
    m4, d4, w4 = flow_2c(V_m + m3, V_d + d3, w + w3, s.I_end, s.G_end, d.I_end, d.G_end, h, p)
    v, u = V_m + mean(m1, m2, m3, m4), w + mean(w1, w2, w3, w4)
    spiked = (v >= p.V_peak) & (refractory <= NONE)
    return (
        (p.V_reset if spiked else v),
        V_d + mean(d1, d2, d3, d4),
        (u + p.b if spiked else u),
        (p.hold if spiked else counted_down(refractory)),
        spiked,
    )


def flow_2c(V_m: Any, V_d: Any, w: Any, I_m: Any, G_m: Any, I_d: Any, G_d: Any, h: Any, p: Any) -> Any:
    """What h times the derivatives of V_m, V_d and w are; `h`: h/C of both compartments."""
    V = p.V_peak if V_m > p.V_peak else V_m  # beyond it the exponential has no meaning
    to_d = p.g_sd * (V - V_d)
    return (
        h[0] * (I_m - (p.g_L + G_m) * V + upswing(V, p) - w - to_d),
        h[1] * (I_d - (p.g_L_d + G_d) * V_d + to_d),
        p.h_w * (p.a * V - w),
    )


def adex_ais(V_m: Any, V_d: Any, V_a: Any, w: Any, refractory: Any, soma: Any, dend: Any, ais: Any, p: Any) -> Any:
    """The upswing in the axon initial segment, which spikes at V_a >= V_peak; the adaptation in the soma."""
    s, d, a = soma, dend, ais
    h = steps_3c(s, d, a, refractory, p)
    m1, d1, a1, w1 = flow_ais(
        V_m, V_d, V_a, w, s.I_start, s.G_start, d.I_start, d.G_start, a.I_start, a.G_start, h, p
    )  # fmt: skip
    m, v, x, u = V_m + HALF * m1, V_d + HALF * d1, V_a + HALF * a1, w + HALF * w1
    m2, d2, a2, w2 = flow_ais(m, v, x, u, s.I_mid, s.G_mid, d.I_mid, d.G_mid, a.I_mid, a.G_mid, h, p)
    m, v, x, u = V_m + HALF * m2, V_d + HALF * d2, V_a + HALF * a2, w + HALF * w2
    m3, d3, a3, w3 = flow_ais(m, v, x, u, s.I_mid, s.G_mid, d.I_mid, d.G_mid, a.I_mid, a.G_mid, h, p)
    m, v, x, u = V_m + m3, V_d + d3, V_a + a3, w + w3
    m4, d4, a4, w4 = flow_ais(m, v, x, u, s.I_end, s.G_end, d.I_end, d.G_end, a.I_end, a.G_end, h, p)
    x, u = V_a + mean(a1, a2, a3, a4), w + mean(w1, w2, w3, w4)
    spiked = (x >= p.V_peak) & (refractory <= NONE)
    return (
        V_m + mean(m1, m2, m3, m4),
        V_d + mean(d1, d2, d3, d4),
        (p.V_reset if spiked else x),
        (u + p.b if spiked else u),
        (p.hold if spiked else counted_down(refractory)),
        spiked,
    )


def flow_ais(
    V_m: Any, V_d: Any, V_a: Any, w: Any, I_m: Any, G_m: Any, I_d: Any, G_d: Any, I_a: Any, G_a: Any, h: Any, p: Any
) -> Any:
    """What h times the derivatives are: three leaky compartments, the upswing in the third, w in the first."""
    V = p.V_peak if V_a > p.V_peak else V_a
    m, d, a = flow_3c(V_m, V_d, V, I_m - w, G_m, I_d, G_d, I_a + upswing(V, p), G_a, h, p)
    return m, d, a, p.h_w * (p.a * V_m - w)


def upswing(V: Any, p: Any) -> Any:
    """g Delta_T exp((V - V_th) / Delta_T), in pA."""
    return p.g_D * exp(p.per_D * V - p.theta_D)


def mean(k1: Any, k2: Any, k3: Any, k4: Any) -> Any:
    """The step of the classical Runge-Kutta method."""
    return SIXTH * (k1 + TWO * (k2 + k3) + k4)


FASTEST_SWING = 4.0  # of (dt omega)^2; the classical Runge-Kutta method diverges above 8

_SUFFIX = {"soma": "", "dendrite": "_dend", "axon initial segment": "_ais"}


def _receptors(n: int) -> tuple[Receptor, ...]:
    """An excitatory and an inhibitory conductance in each of n compartments; reversal potentials are shared."""
    return tuple(
        own(
            f"{name}{suffix}", "exp", f"tau_syn_{name}{suffix}", tau, (f"E_{name}", E_rev),
            what=f"{what} conductances", where=f" of the {place}", compartment=k,
        )
        for k, (place, suffix) in enumerate(list(_SUFFIX.items())[:n])
        for name, tau, E_rev, what in (("ex", 2.0, 0.0, "excitatory"), ("in", 5.0, -85.0, "inhibitory"))
    )  # fmt: skip


_SOMA: Mapping[str, Parameter] = {
    "E_L": Parameter(-70.6, "mV", "resting potential of all compartments"),
    "C_m": Parameter(200.0, "pF", "capacitance of the soma", above=1e-3),
    "g_L": Parameter(20.0, "nS", "leak conductance of the soma", above=1e-6),
    "C_d": Parameter(100.0, "pF", "capacitance of the dendrite", above=1e-3),
    "g_L_d": Parameter(10.0, "nS", "leak conductance of the dendrite", above=1e-6),
    "g_sd": Parameter(20.0, "nS", "conductance between soma and dendrite", at_least=0),
    "V_reset": Parameter(-60.0, "mV", "potential of the spiking compartment after a spike"),
    "t_ref": Parameter(2.0, "ms", "time for which it is held there, rounded to steps", at_least=0),
    "I_e": Parameter(0.0, "pA", "constant current into the soma"),
}
_AIS: Mapping[str, Parameter] = {
    "C_a": Parameter(10.0, "pF", "capacitance of the axon initial segment", above=1e-3),
    "g_L_a": Parameter(5.0, "nS", "leak conductance of the axon initial segment", above=1e-6),
    "g_sa": Parameter(20.0, "nS", "conductance between soma and axon initial segment", at_least=0),
}
_ADEX: Mapping[str, Parameter] = {
    "V_th": Parameter(-50.4, "mV", "potential at which the upswing begins", endless=True),
    "Delta_T": Parameter(2.0, "mV", "sharpness of the upswing; 0: a threshold at V_th", at_least=0),
    "V_peak": Parameter(0.0, "mV", "potential at which a spike is detected", endless=True),
    "a": Parameter(4.0, "nS", "adaptation below threshold"),
    "b": Parameter(80.5, "pA", "what a spike adds to w"),
    "tau_w": Parameter(144.0, "ms", "time constant of the adaptation", above=SHORTEST_TAU_M),
}
_V_M, _V_D, _V_A = (State(name, "mV", initial="E_L", origin="E_L") for name in ("V_m", "V_d", "V_a"))


class Compartments(NeuronModel):
    """What the models of several compartments share."""

    refractory_time = "t_ref"
    spikes_at: ClassVar[str]  # the parameter that V_reset must stay below

    def check(self) -> None:
        """Potentials must be in order and in mV, I_e in pA."""
        _validate.check_unit(self.name, "I_e", extremes(self.values["I_e"]), "pA")
        names = {"E_L", "V_reset", "V_th", self.spikes_at}
        check_millivolts(self, self.name, {name: self.values[name] for name in sorted(names)})
        self.check_order()
        check_apart(self, "V_reset", self.spikes_at)

    def check_order(self) -> None:
        """V_reset must lie below where a spike ends, V_th below V_peak."""
        if "Delta_T" in self.values:
            check_upswing(self)
        else:
            self.check_ordered("V_reset", "V_th")

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """Potentials must be in mV."""
        check_millivolts(self, owner, {name: value for name, value in initial.items() if name in self.potentials})

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of the compartments that there are."""
        E_L = np.asarray(p["E_L"])
        g_sa = np.asarray(p.get("g_sa", 0.0))
        check_step(self, dt, p["C_m"], p["g_L"] + np.asarray(p["g_sd"]) + g_sa)
        check_step(self, dt, p["C_d"], p["g_L_d"] + np.asarray(p["g_sd"]))
        if "C_a" in p:
            check_step(self, dt, p["C_a"], p["g_L_a"] + g_sa)
        names = {"g_L", "g_L_d", "g_L_a", "g_sd", "g_sa", "a", "b", "I_e"}
        found = {name: np.asarray(p[name]) for name in names.intersection(p)}
        found |= {f"h_{C}": dt / np.asarray(p[C]) for C in ("C_m", "C_d", "C_a") if C in p}
        found["V_reset"] = np.asarray(p["V_reset"]) - E_L
        if "Delta_T" not in p:
            return {**found, "theta": np.asarray(p["V_th"]) - E_L}
        check_swing(self, dt, p, FASTEST_SWING)
        of_upswing = upswing_constants(p)
        g_D = np.asarray(p["g_L_a" if "g_L_a" in p else "g_L"]) * of_upswing["D"]
        return {**found, **of_upswing, "g_D": g_D, "h_w": dt / np.asarray(p["tau_w"])}


class lif_3c(Compartments):  # noqa: N801 - named like NEST's models
    """Leaky soma, dendrite and axon initial segment; the segment spikes. Conductances decay exponentially.

        C_m dV_m/dt = -g_L   (V_m - E_L) - g_sd (V_m - V_d) - g_sa (V_m - V_a) - I_syn(V_m) + I_e + I_stim
        C_d dV_d/dt = -g_L_d (V_d - E_L) - g_sd (V_d - V_m) - I_syn_dend(V_d)
        C_a dV_a/dt = -g_L_a (V_a - E_L) - g_sa (V_a - V_m) - I_syn_ais(V_a)
        I_syn(V) = g_ex (V - E_ex) + g_in (V - E_in),      g_x jumps by |weight| (nS) where a spike arrives

    At V_a >= V_th the neuron spikes: V_a alone is set to V_reset and held for t_ref, through which it draws the soma
    down. The receptors are ex, in, ex_dend, in_dend, ex_ais and in_ais; unnamed, weights go to those of the soma. The
    classical Runge-Kutta method of the step dt; potentials start at E_L. The largest error below threshold, and that of
    18 spikes under a current and conductances (tests/models/test_compartments.py; each comes a part of a step late or
    more):

        dt (ms)           0.5     0.25    0.1     0.05    0.02
        V_m (mV)          0.02    6e-4    1e-5    1e-5
        V_a (mV)          0.5     0.02    3e-4    2e-5
        spikes (ms)               1.3     0.8     0.3     0.15
    """

    name = "lif_3c"
    membrane: ClassVar[Mapping[str, Parameter]] = {
        **_SOMA,
        **_AIS,
        "V_th": Parameter(-50.0, "mV", "threshold", endless=True),
    }
    states = (_V_M, _V_D, _V_A, REFRACTORY)
    potentials = ("V_m", "V_d", "V_a")
    own_receptors = _receptors(3)
    step = staticmethod(leaky_3c)
    step_constants = (
        "h_C_m", "h_C_d", "h_C_a", "g_L", "g_L_d", "g_L_a", "g_sd", "g_sa", "theta", "V_reset", "hold",
    )  # fmt: skip
    spikes_at = "V_th"


class adex_2c(Compartments):  # noqa: N801
    """Adaptive exponential soma and leaky dendrite, with exponentially decaying conductances in both.

        C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th)/Delta_T) - w - g_sd (V_m - V_d) - I_syn(V_m)
                      + I_e + I_stim
        C_d dV_d/dt = -g_L_d (V_d - E_L) - g_sd (V_d - V_m) - I_syn_dend(V_d)
        tau_w dw/dt = a (V_m - E_L) - w

    At V_m >= V_peak the neuron spikes: V_m is set to V_reset and held for t_ref, w jumps by b, V_d goes on. Otherwise
    as `lif_3c`, with the receptors ex, in, ex_dend and in_dend. Largest errors, found as there (6 spikes):

        dt (ms)           0.5     0.25    0.1     0.05    0.02
        V_m (mV)          1e-3    7e-5    1e-5    1e-5
        spikes (ms)               0.6     0.3     0.1     0.05

    Source: Brette & Gerstner 2005, J. Neurophysiol. 94:3637 (the soma).
    """

    name = "adex_2c"
    membrane: ClassVar[Mapping[str, Parameter]] = {**_SOMA, **_ADEX}
    states = (_V_M, _V_D, State("w", "pA"), REFRACTORY)
    potentials = ("V_m", "V_d")
    own_receptors = _receptors(2)
    step = staticmethod(adex_soma)
    step_constants = (
        "h_C_m", "h_C_d", "g_L", "g_L_d", "g_sd", "g_D", "per_D", "theta_D", "V_peak", "V_reset", "hold",
        "a", "b", "h_w",
    )  # fmt: skip
    spikes_at = "V_peak"


class adex_3c(Compartments):  # noqa: N801
    """Adaptive soma, leaky dendrite and exponential axon initial segment, where spikes start. Conductances decay.

        C_m dV_m/dt = -g_L   (V_m - E_L) - w - g_sd (V_m - V_d) - g_sa (V_m - V_a) - I_syn(V_m) + I_e + I_stim
        C_d dV_d/dt = -g_L_d (V_d - E_L) - g_sd (V_d - V_m) - I_syn_dend(V_d)
        C_a dV_a/dt = -g_L_a (V_a - E_L) + g_L_a Delta_T exp((V_a - V_th)/Delta_T) - g_sa (V_a - V_m) - I_syn_ais(V_a)
        tau_w dw/dt = a (V_m - E_L) - w

    At V_a >= V_peak the neuron spikes: V_a alone is set to V_reset and held for t_ref, and w jumps by b. Otherwise as
    `lif_3c`, with the same receptors and the same errors below threshold; 5 spikes were late by at most
    0.3, 0.1, 0.05 and 0.02 ms with a dt of 0.25, 0.1, 0.05 and 0.02 ms.
    Source: Brette & Gerstner 2005, J. Neurophysiol. 94:3637 (the exponential and the adaptation).
    """

    name = "adex_3c"
    membrane: ClassVar[Mapping[str, Parameter]] = {**_SOMA, **_AIS, **_ADEX}
    states = (_V_M, _V_D, _V_A, State("w", "pA"), REFRACTORY)
    potentials = ("V_m", "V_d", "V_a")
    own_receptors = _receptors(3)
    step = staticmethod(adex_ais)
    step_constants = (
        "h_C_m", "h_C_d", "h_C_a", "g_L", "g_L_d", "g_L_a", "g_sd", "g_sa", "g_D", "per_D", "theta_D", "V_peak",
        "V_reset", "hold", "a", "b", "h_w",
    )  # fmt: skip
    spikes_at = "V_peak"
