"""The Hodgkin-Huxley membrane, and its named combination with receptors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.distributions import extremes
from biosnn.errors import DescriptionError
from biosnn.fastmath import exp, fma
from biosnn.models.base import REFRACTORY, NeuronModel, Parameter, Resolved, State, Value
from biosnn.models.checks import check_absolute
from biosnn.models.leaky import HALF, NONE, ONE, SIXTH, TWO, at, bearable, counted_down
from biosnn.models.receptors import own

# typed: a plain literal would widen the float32 loop to float64
ONE_SIXTH, ONE_THIRD, TWO_THIRDS, FIVE_SIXTHS = (np.float32(k / 6) for k in (1, 2, 4, 5))
PER_10, PER_12, PER_18, PER_20, PER_80, PER_720 = (np.float32(1 / n) for n in (10, 12, 18, 20, 80, 720))
ALPHA_H, BETA_M, BETA_N = np.float32(0.07), np.float32(4), np.float32(0.125)  # 1/ms, at -65 mV
E1, E2_5, E3 = np.float32(math.e), np.float32(math.exp(2.5)), np.float32(math.exp(3))
NEAR = np.float32(0.25)  # of x^2
# The method is stable where the fastest rate times the substep is below 2.7; at the peak of a spike it is 45 / ms, by a
# quarter of g_Na and two fifths of g_K.
LONGEST_DT, FASTEST = 0.125, 45.0  # ms, 1/ms
FASTEST_GATE = 2.5  # a rate of a gate times the substep
LOWEST = -290.0  # mV; there exp(-(V + 65)/10) is large, but its products are finite


def hodgkin_huxley(V_m: Any, Act_m: Any, Inact_h: Any, Act_n: Any, refractory: Any, x: Any, p: Any) -> Any:
    """Hodgkin-Huxley membrane over one step: three substeps by the classical Runge-Kutta method.

        C_m dV/dt = -g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) + I(t) - G(t) V        I in pA
        dy/dt = alpha_y(V) (1 - y) - beta_y(V) y,      y = m, h, n

    V_m holds V above E_L, which has three more bits near the threshold: rounding V itself shifted spikes by 1 us in
    0.4 s. The neuron spikes where V is at least 0 mV and has begun to fall, and then not for `hold` steps.
    Source: Hodgkin & Huxley 1952, J. Physiol. 117:500.
    """
    k_C = bearable(p.k_C, p.g_peak, x)
    t1, t2, t4, t5 = ONE_SIXTH, ONE_THIRD, TWO_THIRDS, FIVE_SIXTHS
    I1, G1 = at(t1, x.I_start, x.I_mid, x.I_end), at(t1, x.G_start, x.G_mid, x.G_end)
    I2, G2 = at(t2, x.I_start, x.I_mid, x.I_end), at(t2, x.G_start, x.G_mid, x.G_end)
    I4, G4 = at(t4, x.I_start, x.I_mid, x.I_end), at(t4, x.G_start, x.G_mid, x.G_end)
    I5, G5 = at(t5, x.I_start, x.I_mid, x.I_end), at(t5, x.G_start, x.G_mid, x.G_end)
    v, m, h, n = substep(V_m, Act_m, Inact_h, Act_n, x.I_start, I1, I2, x.G_start, G1, G2, k_C, p)
    v, m, h, n = substep(v, m, h, n, I2, x.I_mid, I4, G2, x.G_mid, G4, k_C, p)
    v, m, h, n = substep(v, m, h, n, I4, I5, x.I_end, G4, G5, x.G_end, k_C, p)
    spiked = (v >= p.zero) & (V_m > v) & (refractory <= NONE)
    return v, m, h, n, (p.hold if spiked else counted_down(refractory)), spiked


def substep(
    V: Any, m: Any, h: Any, n: Any, I0: Any, Im: Any, I1: Any, G0: Any, Gm: Any, G1: Any, k_C: Any, p: Any
) -> Any:
    """A third of a step."""
    V1, m1, h1, n1 = changes(V, m, h, n, I0, G0, k_C, p)
    V2, m2, h2, n2 = changes(fma(HALF, V1, V), fma(HALF, m1, m), fma(HALF, h1, h), fma(HALF, n1, n), Im, Gm, k_C, p)
    V3, m3, h3, n3 = changes(fma(HALF, V2, V), fma(HALF, m2, m), fma(HALF, h2, h), fma(HALF, n2, n), Im, Gm, k_C, p)
    V4, m4, h4, n4 = changes(V + V3, m + m3, h + h3, n + n3, I1, G1, k_C, p)
    return (
        fma(SIXTH, fma(TWO, V2 + V3, V1 + V4), V),
        fma(SIXTH, fma(TWO, m2 + m3, m1 + m4), m),
        fma(SIXTH, fma(TWO, h2 + h3, h1 + h4), h),
        fma(SIXTH, fma(TWO, n2 + n3, n1 + n4), n),
    )


def changes(V: Any, m: Any, h: Any, n: Any, current: Any, G: Any, k_C: Any, p: Any) -> Any:
    """What V (above E_L), m, h and n change by in a substep, at their present rates.

        alpha_m = 0.1 (V + 40) / (1 - exp(-(V + 40)/10)),      beta_m = 4 exp(-(V + 65)/18)
        alpha_h = 0.07 exp(-(V + 65)/20),                      beta_h = 1 / (1 + exp(-(V + 35)/10))
        alpha_n = 0.01 (V + 55) / (1 - exp(-(V + 55)/10)),     beta_n = 0.125 exp(-(V + 65)/80)      in 1/ms

    Three exponentials and one division make them all: the other arguments differ from these by constants and a factor
    of two (more squares would cost digits: with e20 = e80^4, V is off by 0.12 mV instead of 0.06), and what is divided
    by is the product of all denominators (a division takes as long as eight products).

    Rates are those of a V held between `lowest` and `highest`, and beta_m is held at `most_18`: -204, 710 and, for m,
    -118 mV at dt 0.1 ms. m and h are at their ends there, and faster rates would make the method diverge.
    """
    v = p.lowest if p.lowest > V else V
    v = p.highest if v > p.highest else v
    above = v + p.from_65
    e80, e20, e18 = exp(-PER_80 * above), exp(-PER_20 * above), exp(-PER_18 * above)
    e10 = e20 * e20
    e18 = p.most_18 if e18 > p.most_18 else e18
    over_m, under_m = opening(PER_10 * (v + p.from_40), E2_5 * e10)
    over_n, under_n = opening(PER_10 * (v + p.from_55), E1 * e10)
    under_h = fma(E3, e10, ONE)
    under = under_m * under_n
    per = ONE / (under * under_h)
    beta_h = under * per
    per = under_h * per
    alpha_m, alpha_n = over_m * (under_n * per), PER_10 * over_n * (under_m * per)
    alpha_h = ALPHA_H * e20
    nn = n * n
    Na, K = p.g_Na * (m * m * m * h), p.g_K * (nn * nn)
    total = fma(-p.g_L, V, fma(-K, V - p.E_K, fma(-Na, V - p.E_Na, fma(-G, V, current))))
    return (
        k_C * total,
        p.k * fma(-fma(BETA_M, e18, alpha_m), m, alpha_m),
        p.k * fma(-(alpha_h + beta_h), h, alpha_h),
        p.k * fma(-fma(BETA_N, e80, alpha_n), n, alpha_n),
    )


def opening(x: Any, e: Any) -> Any:
    """x / (1 - e), e = exp(-x), above and below the line: its series for |x| < 0.5, where 1 - e loses digits; 5e-7."""
    xx = x * x
    near = xx < NEAR
    return (fma(xx, fma(-PER_720, xx, PER_12), fma(HALF, x, ONE)) if near else x), (ONE if near else ONE - e)


class hh_psc_alpha(NeuronModel):  # noqa: N801 - NEST's name
    """Hodgkin-Huxley neuron with alpha-shaped postsynaptic currents.

        C_m dV/dt = -g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) + I_syn_ex + I_syn_in + I_e + I_stim
        I_syn_x = sum over spikes of w e t/tau_syn_x exp(-t/tau_syn_x),      t: time since the spike arrived

    m, h and n (`Act_m`, `Inact_h`, `Act_n`) follow Hodgkin's and Huxley's rates. A spike is a maximum of V_m above
    0 mV, told at the end of the first step in which V_m falls; for t_ref no other is told. The weight w (pA) is the
    peak. Parameters, units, defaults and initial values (-65 mV, gates at rest there) are those of NEST's
    `hh_psc_alpha`. Three substeps a step, by the classical Runge-Kutta method; dt is at most 0.125 ms.
    Source: Hodgkin & Huxley 1952, J. Physiol. 117:500.
    """

    name = "hh_psc_alpha"
    membrane: ClassVar[Mapping[str, Parameter]] = {
        "C_m": Parameter(100.0, "pF", "membrane capacitance", above=1e-3),
        "g_Na": Parameter(12000.0, "nS", "largest sodium conductance", at_least=0),
        "g_K": Parameter(3600.0, "nS", "largest potassium conductance", at_least=0),
        "g_L": Parameter(30.0, "nS", "leak conductance", at_least=0),
        "E_Na": Parameter(50.0, "mV", "reversal potential of sodium"),
        "E_K": Parameter(-77.0, "mV", "reversal potential of potassium"),
        "E_L": Parameter(-54.402, "mV", "reversal potential of the leak"),
        "t_ref": Parameter(2.0, "ms", "time after a spike in which no other is told, rounded to steps", at_least=0),
        "I_e": Parameter(0.0, "pA", "constant current"),
    }
    own_receptors = (
        own("ex", "alpha", "tau_syn_ex", 0.2, what="excitatory currents"),
        own("in", "alpha", "tau_syn_in", 2.0, what="inhibitory currents"),
    )
    states = (
        State("V_m", "mV", initial=-65.0, origin="E_L"),
        State("Act_m", initial=0.05293248525724958),  # where the rates balance at -65 mV
        State("Inact_h", initial=0.5961207535084603),
        State("Act_n", initial=0.3176769140606974),
        REFRACTORY,
    )
    refractory_time = "t_ref"
    step = staticmethod(hodgkin_huxley)
    step_constants = (
        "g_Na", "g_K", "g_L", "g_peak", "E_Na", "E_K", "zero", "from_40", "from_55", "from_65", "lowest", "highest",
        "most_18", "k", "k_C", "hold",
    )  # fmt: skip

    def check(self) -> None:
        """I_e must be in pA, potentials in mV."""
        _validate.check_unit(self.name, "I_e", extremes(self.values["I_e"]), "pA")
        check_absolute(self.name, {name: self.values[name] for name in ("E_Na", "E_K", "E_L")})

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """V_m must be in mV; gates are open to a part."""
        check_absolute(owner, {name: value for name, value in initial.items() if name == "V_m"})
        for gate in {"Act_m", "Inact_h", "Act_n"}.intersection(initial):
            low, high = extremes(initial[gate])
            if low < 0 or high > 1:
                raise DescriptionError(f"{owner}: {gate} must be between 0 and 1, got {low if low < 0 else high:g}")

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """Constants of a substep, a third of dt; potentials are above E_L."""
        g_peak = np.asarray(p["g_Na"]) / 4 + np.asarray(p["g_K"]) * 0.4 + p["g_L"]
        longest = LONGEST_DT * min(1.0, FASTEST / float(np.max(g_peak / p["C_m"])))
        if dt > longest:
            raise DescriptionError(
                f"{self.name}: dt must be at most {longest:.3g} ms, got {dt:g}: a spike is too fast for longer steps"
            )
        E_L, fastest = np.asarray(p["E_L"]), FASTEST_GATE / (dt / 3)
        return {
            **{name: np.asarray(p[name]) for name in ("g_Na", "g_K", "g_L", "I_e")},
            **{name: np.asarray(p[name]) - E_L for name in ("E_Na", "E_K")},
            "g_peak": g_peak,
            "zero": -E_L,
            # where alpha_h, beta_m or alpha_m, near (V + 40)/10, times dt/3 is that fast
            "lowest": max(-65 - 20 * math.log(fastest / ALPHA_H), LOWEST) - E_L,
            "most_18": np.asarray(fastest / BETA_M),
            "highest": 10 * fastest - 40 - E_L,
            **{f"from_{V}": E_L + V for V in (40, 55, 65)},
            "k": np.asarray(dt / 3),
            "k_C": dt / 3 / np.asarray(p["C_m"]),
        }
