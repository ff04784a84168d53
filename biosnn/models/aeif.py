"""The adaptive exponential integrate-and-fire membrane (AdEx), and its two named combinations with receptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.errors import DescriptionError
from biosnn.fastmath import exp_up_to, fma, log
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Resolved, State, Value
from biosnn.models.checks import check_millivolts, check_step, check_swing
from biosnn.models.leaky import FOUR, HALF, NONE, ONE, SHORTEST_TAU_M, SIXTH, TWO, ZERO, at, bearable, counted_down
from biosnn.models.receptors import own

# typed: a plain literal would widen the float32 loop to float64
NINE, TWENTY_ONE, THIRTY, THIRTY_SIX = (np.float32(n) for n in (9, 21, 30, 36))
R3, R4, R9, R12, R24, R40, R60 = (np.float32(1 / n) for n in (3, 4, 9, 12, 24, 40, 60))
TWO_THIRDS, LEAST = np.float32(2 / 3), np.float32(1e-30)
STEEPEST = np.float32(80)  # exponents are held there: of e^80, A (at most 2) and some weights products are finite
STEEP, FLATTEST = np.float32(10), np.float32(-1.5)


def adaptive_exponential(V_m: Any, w: Any, refractory: Any, x: Any, p: Any) -> Any:
    """Adaptive exponential integrate-and-fire membrane over one step; where it spikes, its state is left as it was.

        C_m dV/dt = -g_L V + g_L D exp((V - theta)/D) - w + I(t) - G(t) V      V in mV above E_L, I and w in pA
        tau_w dw/dt = a V - w;      at V >= V_peak: V <- V_reset, w <- w + b

    Without its exponential term V would drift by P(t). Given P, the equation is Bernoulli's, and this solves it:

        V(t) = V(0) + P(t) - D ln(1 - A q J(t)),    J(t) = int_0^t E ds,   E = exp(P/D),
        A = g_L/C_m,   q = exp((V(0) - theta)/D)

    so the upswing, which no polynomial follows, costs no accuracy. V reaches V_peak at the time s at which
    q (A J + z_peak E) = 1, z_peak = exp((theta - V_peak)/D); from there it goes on at V_reset, in the same step. Time
    is in steps. Exponentials that are out of range decide nothing: where the drift itself takes V to V_sure, from where
    on q A J > 1 whatever came before, there is a spike. Source: Brette & Gerstner 2005, J. Neurophysiol. 94:3637.
    """
    v, w1, spiked, _, _, _, _ = upswing(V_m, w, refractory, x, p)
    v = p.V_peak if v > p.V_peak else v
    return (V_m if spiked else v), (w if spiked else w1), (refractory if spiked else counted_down(refractory)), spiked


def upswing(V_m: Any, w: Any, refractory: Any, x: Any, p: Any) -> Any:
    """V and w after the step if there is no spike, whether there is, and A q, P, P in the middle, and the leak."""
    free = refractory <= NONE
    h_C = bearable(p.h_C, p.g_L, x) if free else ZERO
    Aq = (p.A if free else ZERO) * exp_up_to(fma(p.per_D, V_m, -p.theta_D), STEEPEST)
    P, middle, w1 = drift(V_m, w, h_C, x, p)
    e = p.per_D * P
    E = exp_up_to(e, STEEPEST)
    J = SIXTH * fma(FOUR, exp_up_to(p.per_D * middle, STEEPEST), ONE + E)
    leak = h_C * (p.g_L + x.G_mid)  # what leaks of the upswing leaks again
    leak = leak * fma(-R3, leak, ONE)
    up, down = feedback(Aq * J, e)
    left = fma(-Aq * J, fma(-leak, down, ONE), ONE)
    w1 = fma(p.up_w, up, w1)
    end = V_m + P
    spiked = ((left <= p.z_A * Aq * E) | (end >= p.V_sure)) & free
    v = fma(-p.D, fma(leak, up, log(left if left > LEAST else LEAST)), end)
    return v, w1, spiked, Aq, P, middle, leak


def adaptive_exponential_spike(V_m: Any, w: Any, refractory: Any, x: Any, p: Any) -> Any:
    """The same step where it spikes: at time s, and then on from V_reset."""
    _, w1, _, Aq, P, middle, leak = upswing(V_m, w, refractory, x, p)
    e, high = p.per_D * P, p.z_A * Aq

    # When it spikes: with P bent as it is, until a first guess of s.
    need = (ONE - high) / Aq
    bend = p.per_D * (TWO * P - FOUR * middle)
    s = held(need * log_ratio((e - HALF * leak) * need))
    B = e - bend + TWO_THIRDS * bend * s - HALF * leak * (ONE - R3 * within(HALF * e * s))
    first = need / (ONE + p.z_A * B)
    v = B * first
    v = np.sqrt(ONE + v if v > -ONE else ZERO) - ONE
    s = held(first * log_ratio(v) * TWO / (v + TWO))
    # Within a fraction of a step, where V drifts by many D in it: the series above end at a few.
    s = crossing(p.V_sure - V_m, P, middle) if e > STEEP else s

    # The rest of the step: from V_reset, where the upswing has hardly begun.
    rest = ONE - s
    m = HALF + HALF * s
    h_C, h_w = (ZERO if p.hold > NONE else bearable(p.h_C * rest, p.g_L, x)), p.h_w * rest
    w2 = w + s * (w1 - w) + p.b
    grown = h_w * (p.a * p.V_reset - w2)
    a0, am = p.g_L + at(s, x.G_start, x.G_mid, x.G_end), p.g_L + at(m, x.G_start, x.G_mid, x.G_end)
    k1 = h_C * (at(s, x.I_start, x.I_mid, x.I_end) - w2 - a0 * p.V_reset)
    k2 = h_C * (at(m, x.I_start, x.I_mid, x.I_end) - w2 - HALF * grown - am * (p.V_reset + HALF * k1))
    w2 = w2 + grown + HALF * h_w * p.a * k2
    k3 = h_C * (x.I_end - w2 - (p.g_L + x.G_end) * (p.V_reset + TWO * k2 - k1))
    P2 = SIXTH * (k1 + FOUR * k2 + k3)
    e = p.per_D * P2
    e = STEEPEST if e > STEEPEST else (e if e > FLATTEST else FLATTEST)  # where the series has its minimum
    y = p.q_reset * h_C * (ONE + HALF * e * (ONE + R3 * e))
    v = p.V_reset + P2 + p.D * y * (ONE + y * (HALF + R3 * y))
    return (p.V_peak if v > p.V_peak else v), w2, p.hold


def drift(V: Any, w: Any, h_C: Any, x: Any, p: Any) -> Any:
    """P at the end and in the middle of a step by the classical Runge-Kutta method, and w at its end."""
    grown = p.h_w * fma(p.a, V, -w)
    w1 = w + grown
    I_mid, G_mid = x.I_mid - fma(HALF, grown, w), p.g_L + x.G_mid
    k1 = h_C * fma(-(p.g_L + x.G_start), V, x.I_start - w)
    k2 = h_C * fma(-G_mid, fma(HALF, k1, V), I_mid)
    k3 = h_C * fma(-G_mid, fma(HALF, k2, V), I_mid)
    k4 = h_C * fma(-(p.g_L + x.G_end), V + k3, x.I_end - w1)
    P = SIXTH * (fma(TWO, k2 + k3, k1) + k4)
    middle = HALF * fma(R4, k1 - k4, P)
    return P, middle, fma(p.h_w * p.a * SIXTH, fma(FOUR, middle, P), w1)


def crossing(gap: Any, P: Any, middle: Any) -> Any:
    """When the drift's parabola, through `middle` and P, has covered the gap; 0 if it was none."""
    slope = FOUR * middle - P
    root = slope * slope + FOUR * (P - slope) * gap
    return held(TWO * gap / (slope + np.sqrt(root if root > ZERO else ZERO)))


def log_ratio(u: Any) -> Any:
    """ln(1 + u)/u: the Pade approximant [2/2], to 1e-5 for u = 0.5, to 0.25 % for 2."""
    return (THIRTY + u * (TWENTY_ONE + u)) / (THIRTY + u * (THIRTY_SIX + u * NINE))


def feedback(y: Any, e: Any) -> Any:
    """What the upswing does to P, as it leaks: -leak D `up` at the end of the step, and J is less by leak `down`.

    With X = -D ln(1 - y j(t)), y = q A J(1), j = J(t)/J(1): up = int_0^1 X/D dt, down = int_0^1 (1 - j) X/D dt. Series
    in y, their last terms such that they are exact at y = 1, for a slope e of ln E up to 2.
    """
    y = ONE if y > ONE else y
    bent = within(HALF * e)
    flat = fma(fma(y * y, R3, SIXTH), y, HALF)
    up = y * fma(-bent, fma(fma(R4, y, R12), y, SIXTH), flat)
    return up, y * fma(fma(fma(R40, y, R60), y, R24), y, SIXTH) * fma(-R9, bent, ONE)


def within(x: Any) -> Any:
    """x, held between -1 and 1."""
    x = ONE if x > ONE else x
    return -ONE if x < -ONE else x


def held(s: Any) -> Any:
    """s, held between 0 and 1; of NaN, 0."""
    s = s if s > ZERO else ZERO
    return ONE if s > ONE else s


_PARAMETERS: Mapping[str, Parameter] = {
    "C_m": Parameter(281.0, "pF", "membrane capacitance", above=1e-3),
    "g_L": Parameter(30.0, "nS", "leak conductance", above=1e-6),
    "E_L": Parameter(-70.6, "mV", "resting potential"),
    "V_th": Parameter(-50.4, "mV", "potential at which the upswing begins", endless=True),
    "Delta_T": Parameter(2.0, "mV", "sharpness of the upswing; 0: a threshold at V_th", at_least=0),
    "V_peak": Parameter(0.0, "mV", "potential at which a spike is detected", endless=True),
    "V_reset": Parameter(-60.0, "mV", "potential after a spike"),
    "t_ref": Parameter(0.0, "ms", "refractory time, rounded to steps", at_least=0),
    "a": Parameter(4.0, "nS", "adaptation below threshold"),
    "b": Parameter(80.5, "pA", "what a spike adds to w"),
    "tau_w": Parameter(144.0, "ms", "time constant of the adaptation", above=SHORTEST_TAU_M),
    "I_e": Parameter(0.0, "pA", "constant current"),
}
# V_peak counts as at most so many Delta_T above V_th: V runs from there to infinity within 1e-26 C_m/g_L.
HIGHEST_PEAK = 60.0
SHARPEST = 1e-6  # mV; a smaller Delta_T counts as 0, and that as this: float32 does not tell them apart
SURE = 8.0  # q A J > 1 where q E > SURE / A: J is at least E/6, of which leaking takes less than a fifth
FASTEST_SWING = 0.2  # of (dt omega)^2, for V_m and w are integrated in turn: a swing without damping grows above it
MOST = 1e30  # of an exponent: exp(-MOST) is nothing


def upswing_constants(p: Resolved) -> dict[str, Any]:
    """Constants of g_L D exp((V - theta)/D), and where it ends: V_peak, or theta itself where Delta_T is 0.

    Where V_th is infinite, theta_D is as large as makes it nothing, and V_peak is never reached.
    """
    theta, D = np.asarray(p["V_th"]) - p["E_L"], np.maximum(p["Delta_T"], SHARPEST)
    V_peak = np.minimum(np.asarray(p["V_peak"]) - p["E_L"], theta + HIGHEST_PEAK * D)
    V_peak = np.where((np.asarray(p["Delta_T"]) < SHARPEST) | np.isinf(theta), theta, V_peak)
    return {"theta": theta, "D": D, "per_D": 1 / D, "theta_D": np.minimum(theta / D, MOST), "V_peak": V_peak}


def check_upswing(model: NeuronModel) -> None:
    """V_th must lie below V_peak, V_reset below both where they end a spike; neurons of V_th = inf never spike."""
    flat, sharp = extremes(model.values["Delta_T"])[1] >= SHARPEST, extremes(model.values["Delta_T"])[0] < SHARPEST
    if np.any(model.endless("V_peak") & ~model.endless("V_th")):
        raise DescriptionError(
            f"{model.name}: V_peak must be finite, got inf: V_m runs there within a step; with V_th = inf it never does"
        )
    if flat:
        model.check_ordered("V_reset", "V_peak")
        model.check_ordered("V_th", "V_peak")
    if sharp:
        model.check_ordered("V_reset", "V_th")


class AdEx(NeuronModel):
    """What the adaptive exponential models share."""

    membrane = _PARAMETERS
    states = (
        State("V_m", "mV", initial="E_L", origin="E_L"),
        State("w", "pA"),
        REFRACTORY,
    )
    refractory_time = "t_ref"
    step = staticmethod(adaptive_exponential)
    at_spike = staticmethod(adaptive_exponential_spike)
    step_constants = (
        "g_L", "h_C", "A", "D", "per_D", "theta_D", "z_A", "q_reset", "V_peak", "V_sure", "V_reset", "a", "b",
        "h_w", "up_w", "hold",
    )  # fmt: skip

    def check(self) -> None:
        """Potentials must be in order and in mV, I_e in pA."""
        _validate.check_unit(self.name, "I_e", extremes(self.values["I_e"]), "pA")
        names = ("E_L", "V_reset", "V_th", "V_peak")
        check_millivolts(self, self.name, {name: self.values[name] for name in names})
        self.check_order()

    def check_order(self) -> None:
        """V_th and V_reset must lie below where a spike ends."""
        check_upswing(self)

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """V_m must be in mV."""
        check_millivolts(self, owner, {name: value for name, value in initial.items() if name == "V_m"})

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of the scalar function; times are in steps."""
        C_m, g_L = np.asarray(p["C_m"]), np.asarray(p["g_L"])
        check_step(self, dt, C_m, g_L)
        check_swing(self, dt, p, FASTEST_SWING)
        V_reset, A = np.asarray(p["V_reset"]) - p["E_L"], dt * g_L / C_m
        of_upswing = upswing_constants(p)
        theta, D, V_peak = (of_upswing.pop(name) for name in ("theta", "D", "V_peak"))
        endless = np.isinf(theta)
        above = np.where(endless, 0.0, V_peak) - np.where(endless, 0.0, theta)
        return {
            **of_upswing,
            "g_L": g_L,
            "h_C": dt / C_m,
            "A": A,
            "D": D,
            "z_A": np.exp(-above / D) / A,
            "q_reset": g_L * np.exp(np.clip((V_reset - theta) / D, -HIGHEST_PEAK, HIGHEST_PEAK)),
            "V_peak": V_peak,
            "V_sure": theta + np.minimum(above, D * np.log(SURE / A)),
            "V_reset": V_reset,
            "a": np.asarray(p["a"]),
            "b": np.asarray(p["b"]),
            "h_w": -np.expm1(-dt / np.asarray(p["tau_w"])),
            "up_w": dt / np.asarray(p["tau_w"]) * p["a"] * D,
            "I_e": np.asarray(p["I_e"]),
        }


class aeif_cond_exp(AdEx):  # noqa: N801 - NEST's name
    """Adaptive exponential integrate-and-fire neuron (AdEx), exponentially decaying conductances.

        C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th)/Delta_T) - w - g_ex (V - E_ex) - g_in (V - E_in)
                    + I_e + I_stim
        tau_w dw/dt = a (V - E_L) - w,      dg_x/dt = -g_x/tau_syn_x
        at V >= V_peak a spike: V <- V_reset, w <- w + b

    The spike falls where it falls within the step, and V goes on from V_reset in the rest of it (or is held for t_ref
    after this step); it is told at the step's end, at most one a step. g_x jumps by |weight| (nS); positive weights
    open g_ex, negative ones g_in. With Delta_T = 0 there is no exponential, and a spike at V >= V_th. Parameters, units
    and defaults are those of NEST's `aeif_cond_exp`; V_m starts at E_L.
    Source: Brette & Gerstner 2005, J. Neurophysiol. 94:3637.
    """

    name = "aeif_cond_exp"
    own_receptors = (
        own("ex", "exp", "tau_syn_ex", 0.2, ("E_ex", 0.0), what="excitatory conductances"),
        own("in", "exp", "tau_syn_in", 2.0, ("E_in", -85.0), what="inhibitory conductances"),
    )


class aeif_psc_exp(AdEx):  # noqa: N801 - NEST's name
    """Adaptive exponential integrate-and-fire neuron (AdEx), exponentially decaying currents.

        C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th)/Delta_T) - w + I_syn_ex + I_syn_in + I_e + I_stim

    Otherwise as `aeif_cond_exp`, by NEST's `aeif_psc_exp`; weights are in pA, and I_syn_in is negative (NEST records
    its magnitude).
    """

    name = "aeif_psc_exp"
    own_receptors = (
        own("ex", "exp", "tau_syn_ex", 0.2, what="excitatory currents"),
        own("in", "exp", "tau_syn_in", 2.0, what="inhibitory currents"),
    )
