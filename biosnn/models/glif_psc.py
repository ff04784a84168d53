"""Generalised leaky integrate-and-fire neurons of the Allen Institute: five levels, by three mechanisms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.distributions import as_values
from biosnn.errors import DescriptionError
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Resolved, State, Sum
from biosnn.models.checks import check_apart, check_millivolts, check_step
from biosnn.models.kinetics import difference_of_decays
from biosnn.models.leaky import NONE, counted_down, linear_constants, through_conductances
from biosnn.models.receptors import GivenReceptor, own

# (spike_dependent_threshold, after_spike_currents, adapting_threshold) of each level
LEVELS = {
    (False, False, False): "lif",
    (True, False, False): "lif_r",
    (False, True, False): "lif_asc",
    (True, True, False): "lif_r_asc",
    (True, True, True): "lif_r_asc_a",
}
OF_CURRENTS = ("asc_init", "asc_decay", "asc_amps", "asc_r")
MOST_CURRENTS = 2  # the models of the Allen Institute have two


def glif(
    V_m: Any,
    refractory: Any,
    ASCurrents_1: Any,
    ASCurrents_2: Any,
    threshold_spike: Any,
    threshold_voltage: Any,
    arriving: Any,
    injected: Any,
    p: Any,
) -> Any:
    """All levels of the model, integrated exactly over one step h; what a level lacks has constants of zero.

        V(t+h) = p22 V(t) + arriving + gain A,      A: mean of the after-spike currents over the step (pA)
        theta_v(t+h) = decay_v theta_v(t) + feed_v (V(t) - R (injected + A)) + hold_v R (injected + A)

    V in mV above E_L. At V > theta the neuron spikes: V is set to fraction V(t) + V_reset, and everything is held for
    `hold` steps, over which the jumps of the after-spike currents and of the threshold have decayed beforehand.
    """
    free = refractory <= NONE
    current = p.mean_1 * ASCurrents_1 + p.mean_2 * ASCurrents_2
    v = p.p22 * V_m + arriving + p.gain * current
    first, second, theta_s = p.decay_1 * ASCurrents_1, p.decay_2 * ASCurrents_2, p.decay_s * threshold_spike
    rest = p.R * (injected + current)
    theta_v = p.decay_v * threshold_voltage + p.feed_v * (V_m - rest) + p.hold_v * rest
    spiked = (v > p.V_th + theta_s + theta_v) & free
    v = p.fraction * V_m + p.V_reset if spiked else v
    first = p.amp_1 + p.carry_1 * first if spiked else first
    second = p.amp_2 + p.carry_2 * second if spiked else second
    theta_s = p.carry_s * theta_s + p.add_s if spiked else theta_s
    return (
        (v if free else V_m),
        (p.hold if spiked else counted_down(refractory)),
        (first if free else ASCurrents_1),
        (second if free else ASCurrents_2),
        (theta_s if free else threshold_spike),
        (theta_v if free else threshold_voltage),
        spiked,
    )


def glif_with_conductances(
    V_m: Any,
    refractory: Any,
    ASCurrents_1: Any,
    ASCurrents_2: Any,
    threshold_spike: Any,
    threshold_voltage: Any,
    x: Any,
    injected: Any,
    p: Any,
) -> Any:
    """The same where conductances act on the membrane."""
    arriving = through_conductances(V_m, x, p) - p.p22 * V_m
    return glif(
        V_m, refractory, ASCurrents_1, ASCurrents_2, threshold_spike, threshold_voltage, arriving, injected, p
    )  # fmt: skip


class glif_psc(NeuronModel):  # noqa: N801 - NEST's name
    """Generalised leaky integrate-and-fire, alpha-shaped postsynaptic currents, integrated exactly.

        C_m dV_m/dt = -g (V_m - E_L) + I_syn + ASCurrents_1 + ASCurrents_2 + I_stim
        a spike at V_m > V_th + threshold_spike + threshold_voltage, with V_m <- V_reset

    Three mechanisms make the five levels lif, lif_r, lif_asc, lif_r_asc and lif_r_asc_a:

    `spike_dependent_threshold` (r): at a spike V_m - E_L becomes its voltage_reset_fraction, of the step before, plus
    voltage_reset_add; threshold_spike jumps by th_spike_add, and decays at the rate th_spike_decay (1/ms).
    `after_spike_currents` (asc): ASCurrents_j decay at the rate asc_decay[j] (1/ms), and become asc_amps[j] (pA) plus
    the fraction asc_r[j] of what they were. They start at asc_init[j] (NEST: at its ASCurrents). All four
    are lists of one or two values.
    `adapting_threshold` (a): threshold_voltage' = th_voltage_index (V_m - E_L) - th_voltage_decay threshold_voltage.
    Over a step, V_m is taken there as I_stim and the after-spike currents alone drive it, as in NEST.

    `tau_syn` (ms) is a list with a time constant for each receptor; they are called port1, port2, ..., and weights (pA)
    are peaks. All variables are held for t_ref after a spike. Parameters, units and defaults are those of NEST's
    `glif_psc`. Source: Teeter et al. 2018, Nat. Commun. 9:709.
    """

    name = "glif_psc"
    membrane: ClassVar[Mapping[str, Parameter]] = {
        "E_L": Parameter(-78.85, "mV", "resting potential"),
        "C_m": Parameter(58.72, "pF", "membrane capacitance", above=1e-3),
        "g": Parameter(9.43, "nS", "membrane conductance", above=1e-6),
        "t_ref": Parameter(3.75, "ms", "refractory time, rounded to steps", at_least=0),
        "V_th": Parameter(-51.68, "mV", "threshold at rest", endless=True),
        "V_reset": Parameter(-78.85, "mV", "potential after a spike, of levels without r"),
        "th_spike_add": Parameter(0.37, "mV", "what a spike adds to the threshold"),
        "th_spike_decay": Parameter(0.009, "1/ms", "rate at which that decays", above=0),
        "voltage_reset_fraction": Parameter(0.2, "", "fraction of V_m - E_L kept after a spike", at_least=0),
        "voltage_reset_add": Parameter(18.51, "mV", "what is added to that"),
        "th_voltage_index": Parameter(0.005, "1/ms", "growth of the threshold with V_m"),
        "th_voltage_decay": Parameter(0.09, "1/ms", "rate at which that decays", above=0),
        "asc_init_1": Parameter(0.0, "pA", "first after-spike current at the start"),
        "asc_init_2": Parameter(0.0, "pA", "second after-spike current at the start"),
        "asc_decay_1": Parameter(0.003, "1/ms", "rate of decay of the first", above=0),
        "asc_decay_2": Parameter(0.1, "1/ms", "rate of decay of the second", above=0),
        "asc_amps_1": Parameter(-9.18, "pA", "what a spike adds to the first"),
        "asc_amps_2": Parameter(-198.94, "pA", "what a spike adds to the second"),
        "asc_r_1": Parameter(1.0, "", "fraction of the first that is kept over a spike", at_least=0),
        "asc_r_2": Parameter(1.0, "", "fraction of the second that is kept over a spike", at_least=0),
    }
    choices: ClassVar[Mapping[str, bool]] = {
        "spike_dependent_threshold": False,
        "after_spike_currents": False,
        "adapting_threshold": False,
    }
    states = (
        State("V_m", "mV", initial="E_L", origin="E_L"),
        REFRACTORY,
        State("ASCurrents_1", "pA", initial="asc_init_1"),
        State("ASCurrents_2", "pA", initial="asc_init_2"),
        State("threshold_spike", "mV"),
        State("threshold_voltage", "mV"),
    )
    sums: ClassVar[Mapping[str, Sum]] = {
        "threshold": Sum("mV", ("threshold_spike", "threshold_voltage"), "V_th"),
        "ASCurrents_sum": Sum("pA", ("ASCurrents_1", "ASCurrents_2")),
    }
    asks = ("injected",)
    refractory_time = "t_ref"
    exact = staticmethod(glif)
    exact_constants = (
        "p22", "gain", "R", "mean_1", "mean_2", "decay_1", "decay_2", "amp_1", "amp_2", "carry_1", "carry_2",
        "decay_s", "carry_s", "add_s", "decay_v", "feed_v", "hold_v", "V_th", "fraction", "V_reset", "hold",
    )  # fmt: skip
    step = staticmethod(glif_with_conductances)
    step_constants = (*exact_constants, "g_L", "h_C")

    def __init__(self, *, tau_syn: Any = None, receptors: Sequence[GivenReceptor] | None = None, **values: Any) -> None:
        if receptors is None:
            receptors = _ports(self.name, [2.0] if tau_syn is None else tau_syn)
        elif tau_syn is not None:
            raise DescriptionError(f"{self.name}: give tau_syn or receptors, not both")
        values |= _of_currents(self.name, {name: values.pop(name) for name in OF_CURRENTS if name in values})
        super().__init__(receptors=receptors, **values)

    def check(self) -> None:
        """The mechanisms must make a level; potentials must be in order and in mV."""
        mechanisms = tuple(self.chosen[name] for name in self.choices)
        if mechanisms not in LEVELS:
            known = "; ".join(
                f"{level}: {' and '.join(n for n, on in zip(self.choices, flags, strict=True) if on) or 'none'}"
                for flags, level in LEVELS.items()
            )
            given = " and ".join(name for name, on in self.chosen.items() if on)
            raise DescriptionError(f"{self.name}: {given} alone makes no level of the model; they are {known}")
        check_millivolts(self, self.name, {name: self.values[name] for name in ("E_L", "V_reset", "V_th")})
        self.check_order()
        check_apart(self, "V_reset", "V_th")

    def check_order(self) -> None:
        """V_reset must lie below V_th."""
        self.check_ordered("V_reset", "V_th")

    def linear(self, p: Resolved) -> tuple[Any, Any]:
        """Capacitance and time constant."""
        return np.asarray(p["C_m"]), np.asarray(p["C_m"]) / p["g"]

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of all levels; those of mechanisms that are off are zero."""
        r, asc, a = (float(self.chosen[name]) for name in self.choices)
        C_m, tau_m = self.linear(p)
        if not self.is_exact:
            check_step(self, dt, tau_m, 1.0)
        t_ref, g, E_L = np.asarray(p["t_ref"]), np.asarray(p["g"]), np.asarray(p["E_L"])
        b_s, b_v = np.asarray(p["th_spike_decay"]), np.asarray(p["th_voltage_decay"])
        linear = linear_constants(C_m, tau_m, 0.0, dt)
        found = {
            **linear,
            "gain": linear["p20"],
            "R": 1 / g,
            "V_th": np.asarray(p["V_th"]) - E_L,
            "fraction": r * np.asarray(p["voltage_reset_fraction"]),
            "V_reset": np.asarray(p["voltage_reset_add"]) if r else np.asarray(p["V_reset"]) - E_L,
            "decay_s": np.exp(-b_s * dt),
            "carry_s": np.exp(-b_s * t_ref),
            "add_s": r * np.asarray(p["th_spike_add"]),
            "decay_v": np.exp(-b_v * dt),
            "feed_v": a * np.asarray(p["th_voltage_index"]) * difference_of_decays(1 / b_v, tau_m, dt),
            "hold_v": a * np.asarray(p["th_voltage_index"]) / b_v * -np.expm1(-b_v * dt),
        }
        for j in (1, 2):
            decay = np.asarray(p[f"asc_decay_{j}"])
            found |= {
                f"mean_{j}": asc * -np.expm1(-decay * dt) / (decay * dt),
                f"decay_{j}": np.exp(-decay * dt),
                f"amp_{j}": asc * np.asarray(p[f"asc_amps_{j}"]),
                f"carry_{j}": np.asarray(p[f"asc_r_{j}"]) * np.exp(-decay * t_ref),
            }
        return found


def _ports(owner: str, tau_syn: Any) -> list[GivenReceptor]:
    """A receptor for each time constant."""
    if not _validate.is_array(tau_syn) or not len(tau_syn):
        raise DescriptionError(
            f"{owner}: tau_syn must be a list of time constants (ms), got {_validate.shown(tau_syn)}"
        )
    found = []
    for k, tau in enumerate(tau_syn, 1):
        receptor = own(f"port{k}", "alpha", f"tau_syn_{k}", 2.0, what=f"currents of port {k}")
        rule = receptor.parameters[f"tau_syn_{k}"]
        found.append(GivenReceptor(receptor, {
            f"tau_syn_{k}": as_values(owner, f"tau_syn_{k}", tau, None, rule.unit, above=rule.above)
        }))  # fmt: skip
    return found


def _of_currents(owner: str, lists: Mapping[str, Any]) -> dict[str, Any]:
    """Values for each after-spike current, from lists of one length; a second one that is not there adds nothing."""
    found: dict[str, Any] = {}
    for name, given in lists.items():
        if not _validate.is_array(given) or not 1 <= len(given) <= MOST_CURRENTS:
            raise DescriptionError(
                f"{owner}: {name} must be a list of one or two values, one for each after-spike current, "
                f"got {_validate.shown(given)}"
            )
        found |= {f"{name}_{j}": value for j, value in enumerate(given, 1)}
    lengths = {len(lists[name]) if name in lists else MOST_CURRENTS for name in OF_CURRENTS}
    if len(lengths) > 1:
        raise DescriptionError(f"{owner}: {', '.join(OF_CURRENTS)} must be lists of one length (by default two values)")
    if lengths == {1}:
        found |= {"asc_init_2": 0.0, "asc_amps_2": 0.0}
    return found
