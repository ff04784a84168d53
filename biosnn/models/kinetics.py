"""Receptors: how a conductance or a current rises and decays after a spike, and the constants of one step of it.

Every kinetics is linear, so it is integrated exactly. `exp` has one state, g; `alpha` and `dual_exp` have two, of which
the first feeds the second:

    exp          g' = -g / tau,                                 g jumps by w
    alpha        x' = -x / tau,       g' = x - g / tau,         x jumps by w e / tau
    dual_exp     x' = -x / tau_rise,  g' = x - g / tau_decay,   x jumps by w times what makes the peak of g equal w

so that the weight w is the peak in each. Without a reversal potential g is the current itself (pA); with one the
current is g (E_rev - V) (g in nS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from biosnn._arrays import F64
from biosnn.distributions import Distribution

Value = float | F64 | Distribution
Resolved = Mapping[str, "float | F64"]  # parameter values of one population, distributions drawn

STEEPEST = 700.0  # e^x is still finite there; above it e^x - 1 and x - 1 are as good as e^x and x
SHORTEST_TAU = 0.02  # ms; no synapse is faster: such a value was given in s
# Magnesium block, Jahr & Stevens 1990, J. Neurosci. 10:3178: 1 / (1 + [Mg] / 3.57 mM exp(-0.062 V / mV))
MG_HALF, MG_SLOPE = 3.57, 0.062


@dataclass(frozen=True)
class Parameter:
    """A parameter in user units: default, unit and the bounds it must keep."""

    default: float
    unit: str
    meaning: str
    above: float | None = None
    at_least: float | None = None
    endless: bool = False  # it may be inf: of a threshold, neurons that never spike


@dataclass(frozen=True)
class Receptor:
    """One receptor of a bank. `tau`, `reversal`, `magnesium` and `partner` name parameters, which `parameters` declare.

    `tau` has one name for exp and alpha, two for dual_exp. `reversal` None: a current. `magnesium`: the concentration
    (mM) that blocks it. `partner` = (name of another receptor, parameter): that fraction of what arrives there reaches
    this one, too.
    """

    name: str
    kind: str  # exp, alpha, dual_exp
    tau: tuple[str, ...]
    reversal: str | None = None
    magnesium: str | None = None
    partner: tuple[str, str] | None = None
    compartment: int = 0
    parameters: Mapping[str, Parameter] = field(default_factory=dict, compare=False)

    @property
    def variable(self) -> str:
        """Name of its conductance or current."""
        return f"{'I_syn' if self.reversal is None else 'g'}_{self.name}"

    @property
    def rising(self) -> str | None:
        """Name of the state that feeds it, if there is one."""
        return None if self.kind == "exp" else f"d{self.variable}"

    @property
    def unit(self) -> str:
        """Unit of the weights and of the variable."""
        return "pA" if self.reversal is None else "nS"


def taus(p: Mapping[str, Any], receptor: Receptor) -> tuple[Any, Any]:
    """Time constants of rise and decay (ms), as arrays."""
    return np.asarray(p[receptor.tau[0]]), np.asarray(p[receptor.tau[-1]])


def kinetics(receptor: Receptor, p: Resolved, dt: float, origin: float | F64) -> dict[str, Any]:
    """Constants of a receptor for a step of dt ms: `decay`, `feed` and `rise` of its states, by dt and by dt / 2.

    `origin` (mV) is what the potential of its compartment is relative to.
    """
    name, (rise, decay) = receptor.name, taus(p, receptor)
    found: dict[str, Any] = {f"decay_{name}": np.exp(-dt / decay), f"mid_decay_{name}": np.exp(-dt / decay / 2)}
    if receptor.rising:
        found |= {
            f"rise_{name}": np.exp(-dt / rise),
            f"feed_{name}": difference_of_decays(rise, decay, dt),
            f"mid_feed_{name}": difference_of_decays(rise, decay, dt / 2),
            f"jump_{name}": 1 / peak(rise, decay),
        }
    if receptor.reversal is not None:
        found[f"E_{name}"] = np.asarray(p[receptor.reversal]) - origin
    if receptor.magnesium is not None:
        found[f"Mg_{name}"] = np.asarray(p[receptor.magnesium]) / MG_HALF * np.exp(-MG_SLOPE * np.asarray(origin))
    if receptor.partner is not None:
        found[f"share_{name}"] = np.asarray(p[receptor.partner[1]])
    return found


def gains(receptor: Receptor, p: Resolved, dt: float, C_m: Any, tau_m: Any) -> dict[str, Any]:
    """What a receptor's states, currents of 1 pA (or pA/ms) at its start, add to V (mV) of a linear membrane within dt.

    Source: Rotter & Diesmann 1999, Biol. Cybern. 81:381, section 3.1.
    """
    name, (rise, decay) = receptor.name, taus(p, receptor)
    found = {f"gain_{name}": psc_propagator(C_m, tau_m, decay, dt)}
    if receptor.rising:
        apart = _are_apart(rise, decay)
        rates = np.where(apart, 1 / rise - 1 / decay, 1.0)
        twice = (psc_propagator(C_m, tau_m, decay, dt) - psc_propagator(C_m, tau_m, rise, dt)) / rates
        found[f"gain_rise_{name}"] = np.where(apart, twice, alpha_propagator(C_m, tau_m, decay, dt))
    return found


def difference_of_decays(rise: Any, decay: Any, dt: float) -> Any:
    """What a feeding state of 1 adds to g within dt: (exp(-dt/decay) - exp(-dt/rise)) / (1/rise - 1/decay)."""
    rise, decay = np.asarray(rise), np.asarray(decay)
    x = dt * (1 / decay - 1 / rise)
    ratio = np.where(x == 0, 1.0, np.expm1(np.minimum(x, STEEPEST)) / np.where(x == 0, 1.0, x))
    return np.where(x > STEEPEST, dt * np.exp(-dt / rise) / np.maximum(x, 1.0), dt * np.exp(-dt / decay) * ratio)


def peak(rise: Any, decay: Any) -> Any:
    """The largest value that g takes after x jumped by 1, in ms: tau / e, if both time constants are tau."""
    rise, decay = np.asarray(rise), np.asarray(decay)
    apart = _are_apart(rise, decay)
    other = np.where(apart, rise, decay / 2)
    at = np.log(decay / other) / (1 / other - 1 / decay)
    highest = (np.exp(-at / decay) - np.exp(-at / other)) / (1 / other - 1 / decay)
    return np.where(apart, highest, decay / np.e)


def psc_propagator(C_m: Any, tau_m: Any, tau_syn: Any, dt: float) -> Any:
    """What 1 pA of a current that decays with tau_syn adds to V (mV) within dt.

        1/C_m * integral_0^dt exp(-(dt-s)/tau_m) exp(-s/tau_syn) ds = dt/C_m exp(-dt/tau_m) (exp(x)-1)/x,
        x = dt (1/tau_m - 1/tau_syn)

    The last factor tends to 1 as tau_syn approaches tau_m.
    """
    return difference_of_decays(tau_syn, tau_m, dt) / np.asarray(C_m)


def alpha_propagator(C_m: Any, tau_m: Any, tau_syn: Any, dt: float) -> Any:
    """What a current t exp(-t/tau_syn) of 1 pA/ms adds to V (mV) within dt.

    1/C_m * integral_0^dt exp(-(dt-s)/tau_m) s exp(-s/tau_syn) ds = dt^2/C_m exp(-dt/tau_m) f(x),
    f(x) = integral_0^1 u exp(x u) du = sum_k x^k / (k! (k+2)),      x as in `psc_propagator`
    """
    x = np.asarray(dt * (1 / np.asarray(tau_m) - 1 / np.asarray(tau_syn)))
    small, steep = np.abs(x) < 0.5, x > STEEPEST
    near, far = np.where(small, x, 0.0), np.where(small | steep, 1.0, x)
    series = sum(near**k / (_factorial(k) * (k + 2)) for k in range(14))
    ratio = np.where(small, series, (np.exp(far) * (far - 1) + 1) / far**2)
    found = np.exp(-dt / np.asarray(tau_m)) * ratio
    return dt**2 / np.asarray(C_m) * np.where(steep, np.exp(-dt / np.asarray(tau_syn)) / np.maximum(x, 1.0), found)


def _factorial(k: int) -> float:
    return float(np.prod(np.arange(1, k + 1)))


def _are_apart(rise: Any, decay: Any) -> Any:
    """Whether two time constants differ so much that dividing by the difference of their rates loses nothing."""
    return np.abs(rise - decay) > 1e-6 * decay
