"""The leaky integrate-and-fire membrane: its scalar functions, parameters and constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn.fastmath import coarse_reciprocal, fma
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Resolved, State, Value
from biosnn.models.checks import STIFFEST, check_millivolts, check_potentials, check_step

# typed: a plain literal would widen the float32 loop to float64
ZERO, HALF, ONE, TWO, SIXTH = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2), np.float32(1 / 6)
THREE, FOUR = np.float32(3), np.float32(4)
NONE, ONCE = np.int32(0), np.int32(1)  # steps

SHORTEST_TAU_M = 0.1  # ms; no membrane is faster: such a value was given in s


def leaky(V_m: Any, refractory: Any, arriving: Any, p: Any) -> Any:
    """Leaky integrate-and-fire membrane, integrated exactly over one step h.

        C_m dV/dt = -C_m/tau_m (V - E_L) + I(t)                         V in mV above E_L, I in pA
        V(t+h) = p22 V(t) + arriving,      p22 = exp(-h/tau_m)

    `arriving` (mV) is what synapses and currents add within the step. At V >= theta the neuron spikes, V is set to
    V_reset and held for `hold` steps. Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381, section 3.
    """
    v = p.p22 * V_m + arriving
    free = refractory <= NONE
    v = v if free else V_m
    spiked = (v >= p.theta) & free
    return (p.V_reset if spiked else v), (p.hold if spiked else counted_down(refractory)), spiked


def counted_down(refractory: Any) -> Any:
    """The steps that a neuron is held after this one; it stays at none. Numba makes an int64 of a difference."""
    return np.int32(refractory - ONCE) if refractory > NONE else NONE


def through_conductances(V_m: Any, x: Any, p: Any) -> Any:
    """Where V is after one step h, if conductances act on a linear membrane: the classical Runge-Kutta method.

        C_m dV/dt = -g_L V + I(t) - G(t) V                              V in mV above E_L, I in pA, G in nS

    I and G are known at the start, the middle and the end of the step, for receptors decay by themselves. h_C = h/C_m.
    """
    h_C = bearable(p.h_C, p.g_L, x)
    k1 = h_C * fma(-(p.g_L + x.G_start), V_m, x.I_start)
    k2 = h_C * fma(-(p.g_L + x.G_mid), fma(HALF, k1, V_m), x.I_mid)
    k3 = h_C * fma(-(p.g_L + x.G_mid), fma(HALF, k2, V_m), x.I_mid)
    k4 = h_C * fma(-(p.g_L + x.G_end), V_m + k3, x.I_end)
    return fma(SIXTH, fma(TWO, k2 + k3, k1 + k4), V_m)


def bearable(h_C: Any, g: Any, x: Any) -> Any:
    """h/C, but at most `STIFFEST` over the conductance of a compartment: g, and the input's.

    The Runge-Kutta methods diverge where h (g + G)/C exceeds 2.5 to 2.8: thousands of nS into one soma, or hundreds
    into an axon initial segment. There V follows what drives it within the step; with C a little larger it does so,
    too, in two or three steps, and to the same potential.
    """
    most = x.G_start if x.G_start > x.G_end else x.G_end
    g += x.G_mid if x.G_mid > most else most  # an alpha receptor that is fast for h peaks in between
    return h_C if h_C * g <= STIFFEST else STIFFEST * coarse_reciprocal(g)


def at(t: Any, start: Any, middle: Any, end: Any) -> Any:
    """A quantity at fraction t of the step: the parabola through its start, middle and end."""
    return start + t * ((FOUR * middle - THREE * start - end) + t * TWO * (start - TWO * middle + end))


def leaky_with_conductances(V_m: Any, refractory: Any, x: Any, p: Any) -> Any:
    """The same membrane where conductances act on it."""
    v = through_conductances(V_m, x, p)
    free = refractory <= NONE
    v = v if free else V_m
    spiked = (v >= p.theta) & free
    return (p.V_reset if spiked else v), (p.hold if spiked else counted_down(refractory)), spiked


class Leaky(NeuronModel):
    """What the leaky integrate-and-fire models share."""

    states = (
        State("V_m", "mV", initial="E_L", origin="E_L"),
        REFRACTORY,
    )
    refractory_time = "t_ref"
    exact = staticmethod(leaky)
    step = staticmethod(leaky_with_conductances)
    exact_constants = ("p22", "theta", "V_reset", "hold")
    step_constants = ("g_L", "h_C", "theta", "V_reset", "hold")

    def check(self) -> None:
        """Potentials must be in order and in mV, I_e in pA."""
        check_potentials(self)

    def check_order(self) -> None:
        """V_reset must lie below V_th."""
        self.check_ordered("V_reset", "V_th")

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """V_m must be in mV."""
        check_millivolts(self, owner, {name: value for name, value in initial.items() if name == "V_m"})

    def linear(self, p: Resolved) -> tuple[Any, Any]:
        """Capacitance and time constant."""
        return np.asarray(p["C_m"]), np.asarray(p["tau_m"] if "tau_m" in p else np.asarray(p["C_m"]) / p["g_L"])

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of both functions."""
        C_m, tau_m = self.linear(p)
        if not self.is_exact:
            check_step(self, dt, tau_m, 1.0)
        return {
            **linear_constants(C_m, tau_m, p["I_e"], dt),
            "theta": np.asarray(p["V_th"]) - p["E_L"],
            "V_reset": np.asarray(p["V_reset"]) - p["E_L"],
        }


def linear_constants(C_m: Any, tau_m: Any, I_e: Any, dt: float) -> dict[str, Any]:
    """Constants of a linear membrane: of its exact integration, and of that through conductances.

    p22 propagates V; p20 and `rest` are what a constant 1 pA and I_e add within dt (mV).
    """
    p20 = tau_m / C_m * -np.expm1(-dt / tau_m)
    exact = {"p22": np.exp(-dt / tau_m), "p20": p20, "rest": p20 * I_e}
    return {**exact, "g_L": C_m / tau_m, "h_C": dt / C_m, "I_e": np.asarray(I_e)}


LEAKY_PARAMETERS: Mapping[str, Parameter] = {
    "E_L": Parameter(-70.0, "mV", "resting potential"),
    "C_m": Parameter(250.0, "pF", "membrane capacitance", above=1e-3),
    "tau_m": Parameter(10.0, "ms", "membrane time constant", above=SHORTEST_TAU_M),
    "t_ref": Parameter(2.0, "ms", "refractory time, rounded to steps", at_least=0),
    "V_th": Parameter(-55.0, "mV", "threshold", endless=True),
    "V_reset": Parameter(-70.0, "mV", "potential after a spike"),
    "I_e": Parameter(0.0, "pA", "constant current"),
}
