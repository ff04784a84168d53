"""Izhikevich's neuron, with both ways to integrate it that NEST has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel, Parameter, Resolved, State
from biosnn.models.checks import check_apart

# of the quadratic in V; typed: a plain literal would widen the float32 loop to float64
SQUARE, LINEAR, CONSTANT = np.float32(0.04), np.float32(5), np.float32(140)
FASTEST = 2.0  # of a dt: Euler's method diverges above it


def izhikevich_euler(V_m: Any, U_m: Any, x: Any, p: Any) -> Any:
    """Izhikevich's neuron, one Euler step h of both variables; weights are jumps of V (`consistent_integration`).

        dV/dt = 0.04 V^2 + 5 V + 140 - U + I,      dU/dt = a (b V - U)            V in mV, t in ms

    At V >= V_th the neuron spikes: V is set to c, and d is added to U. Source: Izhikevich 2003, IEEE Trans. Neural
    Netw. 14:1569.
    """
    v = V_m + p.h * (((SQUARE * V_m + LINEAR) * V_m + CONSTANT) - U_m + (x.I_start - x.G_start * V_m)) + x.jump
    u = U_m + p.ha * (p.b * V_m - U_m)
    return fire(v, u, p)


def izhikevich_published(V_m: Any, U_m: Any, x: Any, p: Any) -> Any:
    """The same equations as in the publication: V by two half steps, U with the new V; weights are currents for a step.

    Izhikevich's own choice for h = 1 ms. The constant h is that of a half step here.
    """
    v = V_m + p.h * (((SQUARE * V_m + LINEAR) * V_m + CONSTANT) - U_m + (x.I_start - x.G_start * V_m) + x.jump)
    v = v + p.h * (((SQUARE * v + LINEAR) * v + CONSTANT) - U_m + (x.I_mid - x.G_mid * v) + x.jump)
    u = U_m + p.ha * (p.b * v - U_m)
    return fire(v, u, p)


def fire(v: Any, u: Any, p: Any) -> Any:
    """V held above V_min, and the reset of both variables where V has reached V_th."""
    v = p.V_min if v < p.V_min else v
    spiked = v >= p.V_th
    return (p.reset if spiked else v), (u + p.d if spiked else u), spiked


class izhikevich(NeuronModel):  # noqa: N801 - NEST's name
    """Izhikevich's neuron: a quadratic membrane with a recovery variable.

        dV_m/dt = 0.04 V_m^2 + 5 V_m + 140 - U_m + I_e + I_stim,      dU_m/dt = a (b V_m - U_m)
        at V_m >= V_th a spike: V_m <- c, U_m <- U_m + d

    V_m jumps by the weight (mV) where a spike arrives. `consistent_integration=True`: Euler steps of dt;
    False: the published scheme, where a weight is a current for the length of one step, so that it shrinks with dt.
    V_m never falls below V_min. Parameters, units and defaults are those of NEST's `izhikevich`; V_m starts at -65 mV,
    U_m at -13 mV. Both schemes are of first order: with I_e = 10 pA, the fourth spike (115.9 ms) comes too late by

        dt (ms)                           1      0.5    0.2    0.1    0.05   0.01
        consistent_integration            10.1   5.1    2.5    1.4    0.63   0.13      ms
        the published scheme              25.1   11.6   2.5    1.3    0.58   0.12      ms

    Source: Izhikevich 2003, IEEE Trans. Neural Netw. 14:1569.
    """

    name = "izhikevich"
    membrane: ClassVar[Mapping[str, Parameter]] = {
        "a": Parameter(0.02, "1/ms", "rate of recovery"),
        "b": Parameter(0.2, "", "sensitivity of recovery to V_m"),
        "c": Parameter(-65.0, "mV", "potential after a spike"),
        "d": Parameter(8.0, "mV", "what a spike adds to U_m"),
        "V_th": Parameter(30.0, "mV", "threshold", endless=True),
        "V_min": Parameter(-1.7976931348623157e308, "mV", "lowest potential; by default there is none"),
        "I_e": Parameter(0.0, "pA", "constant current"),
    }
    choices: ClassVar[Mapping[str, bool]] = {"consistent_integration": True}
    states = (State("V_m", "mV", initial=-65.0), State("U_m", "mV", initial=-13.0))
    step = staticmethod(izhikevich_euler)
    step_constants = ("h", "ha", "b", "reset", "d", "V_th", "V_min")

    def check(self) -> None:
        """c must lie below V_th, in mV; I_e must be in pA."""
        _validate.check_unit(self.name, "I_e", extremes(self.values["I_e"]), "pA")
        if self.endless("V_th").any():
            raise DescriptionError(
                f"{self.name}: V_th must be finite, got inf: V_m would run there within milliseconds; a neuron that "
                f"shall not spike needs a negative I_e"
            )
        self.check_order()
        check_apart(self, "c", "V_th")

    def check_order(self) -> None:
        """c must lie below V_th."""
        self.check_ordered("c", "V_th")

    def function(self) -> Callable[..., Any]:
        """The scalar function of the chosen scheme."""
        return izhikevich_euler if self.chosen["consistent_integration"] else izhikevich_published

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of the chosen scheme."""
        fastest = float(np.max(p["a"]))
        if dt * fastest > FASTEST:
            raise DescriptionError(
                f"{self.name}: dt must be at most {FASTEST / fastest:.3g} ms, got {dt:g}: twice the time in which U_m "
                f"recovers, 1/a"
            )
        return {
            **{name: np.asarray(p[name]) for name in ("b", "d", "V_th", "I_e")},
            "reset": np.asarray(p["c"]),
            "h": np.asarray(dt if self.chosen["consistent_integration"] else dt / 2),
            "ha": dt * np.asarray(p["a"]),
            "V_min": np.maximum(p["V_min"], -_validate.LARGEST),
        }
