"""Neurons of several compartments against their equations, solved by SciPy, and against single compartments."""

import networks
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import biosnn as bs

ALL = bs.all_to_all()
MODELS = [bs.models.lif_3c, bs.models.adex_2c, bs.models.adex_3c]
DURATION, CURRENT, OFF = 80.0, 1000.0, 75.0
# times of arrival (ms), weight (nS or -nS) and receptor
INPUTS = [([10.0, 12.0, 40.0], 15.0, "ex"), ([30.0], 20.0, "in"), ([20.0, 21.0, 22.0, 60.0], 30.0, "ex_dend"),
          ([25.0, 61.0], 10.0, "in_dend"), ([50.0, 52.0], 4.0, "ex_ais"), ([70.0], 6.0, "in_ais")]  # fmt: skip


def inputs(model):
    return [x for x in INPUTS if x[2] in {r.name for r in model.own_receptors}]


def simulate(model, dt=0.1, current=CURRENT, **values):
    """One neuron with all inputs, and a current from 5 ms to OFF."""
    net = bs.Network(dt=dt)
    neuron = net.population("n", 1, model(**values))
    for times, weight, receptor in inputs(model):
        source = net.spike_source(receptor, [np.array(times) - 1.0])
        net.connect(source, neuron, ALL, weight=weight, delay=1.0, receptor=receptor)
    net.current(neuron, current, start=5.0, stop=OFF)
    net.record(neuron)
    for variable in model().recordable():
        net.record(neuron, variable)
    result = net.build(threads=1).run(DURATION)
    traces = {name: s.values[:, 0].astype(float) for name, s in result.samples["n"].items()}
    return result.spikes["n"].times, traces


def solve(model, current=CURRENT, **values):
    """The same by SciPy, with spikes at the times when they happen: their times, and a function of time for each
    state.
    """
    p = {name: x.default for name, x in model().parameters.items()} | values
    potentials, adex, E_L = model.potentials, "Delta_T" in p, p["E_L"]
    last = len(potentials) - 1 if "V_a" in potentials else 0  # the compartment that spikes
    k = len(potentials)
    suffix = ("", "_dend", "_ais")
    C = [p["C_m"], p["C_d"], p.get("C_a")]
    g_L = [p["g_L"], p["g_L_d"], p.get("g_L_a")]

    def conductance(t, name):
        found = [(times, weight) for times, weight, receptor in INPUTS if receptor == name]
        tau = p[f"tau_syn_{name}"]
        return sum(w * np.exp(-(t - s) / tau) for times, w in found for s in times if s <= t)

    def slope(t, y, held):
        V, w = y[:k], y[k]
        flow = np.array([-g_L[c] * (V[c] - E_L) for c in range(k)])
        for c in range(k):
            flow[c] -= conductance(t, "ex" + suffix[c]) * (V[c] - p["E_ex"])
            flow[c] -= conductance(t, "in" + suffix[c]) * (V[c] - p["E_in"])
        flow[0] += p["I_e"] + (current if 5.0 <= t < OFF else 0.0) - (w if adex else 0.0)
        for other, g in ((1, p["g_sd"]), (2, p.get("g_sa"))):
            if other < k:
                flow[0] += g * (V[other] - V[0])
                flow[other] += g * (V[0] - V[other])
        if adex:
            flow[last] += g_L[last] * p["Delta_T"] * np.exp((V[last] - p["V_th"]) / p["Delta_T"])
        flow /= C[:k]
        flow[last] = 0.0 if held else flow[last]
        return [*flow, (p["a"] * (V[0] - E_L) - w) / p["tau_w"] if adex else 0.0]

    top = p["V_peak"] if adex else p["V_th"]

    def spike(_t, y, _held):
        return y[last] - top

    spike.terminal, spike.direction = True, 1
    breaks = sorted({5.0, OFF, DURATION, *(t for times, _, _ in inputs(model) for t in times)})
    t, y, until, spikes, pieces = 0.0, np.array([E_L] * k + [0.0]), -1.0, [], []
    while t < DURATION - 1e-9:
        held = t < until - 1e-9
        end = min(b for b in [*breaks, until] if b > t + 1e-9)
        # a break lies inside no piece: what begins there is looked at from just after it
        found = solve_ivp(
            slope, (t + 1e-12, end - 1e-12), y, args=(held,), events=None if held else spike, rtol=1e-8, atol=1e-8,
            dense_output=True, method="LSODA",
        )  # fmt: skip
        pieces.append((t, found.t[-1], found.sol))
        t, y = (end if found.status == 0 else found.t[-1]), found.y[:, -1].copy()
        if found.status == 1:
            spikes.append(t)
            y[last], y[k], until = p["V_reset"], y[k] + p.get("b", 0.0), t + p["t_ref"]
    return np.array(spikes), pieces


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_potentials_below_threshold_solve_the_equations_to_the_fourth_order(model):
    quiet = {"V_th": 0.0} if model is bs.models.lif_3c else {"V_th": -30.0}
    _, pieces = solve(model, current=250.0, **quiet)
    states = [*model.potentials, *(["w"] if "Delta_T" in model.membrane else [])]
    worst = {}
    for dt in (0.5, 0.25, 0.1):
        spikes, traces = simulate(model, dt, current=250.0, **quiet)
        assert not spikes.size
        errors = []
        for a, b, solution in pieces:
            steps = np.arange(round(a / dt) + 1, round(b / dt) + 1)
            for j, name in enumerate(states):
                scale = 10.0 if name == "w" else 1.0  # pA
                errors.append(
                    np.max(np.abs(traces[name][steps - 1] - solution(steps * dt - 2e-12)[j]) / scale, initial=0.0)
                )
        worst[dt] = max(errors)
    assert worst[0.1] < 2e-3
    assert worst[0.5] > 20 * worst[0.1]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_spikes_come_when_the_equations_say_to_within_steps(model):
    expected, _ = solve(model)
    assert expected.size > 3
    off = []
    for dt in (0.1, 0.02):
        spikes, _ = simulate(model, dt)
        assert spikes.size == expected.size
        off.append(np.abs(spikes - expected).max())
    assert off[0] < 1.0
    assert off[1] < off[0] / 3


def test_a_segment_without_coupling_is_iaf_cond_exp():
    values = {"V_th": -52.0, "V_reset": -65.0, "t_ref": 2.0, "E_L": -70.6}
    kinetics = {"tau_syn_ex": 2.0, "tau_syn_in": 5.0, "E_ex": 0.0, "E_in": -85.0}
    net = bs.Network()
    apart = net.population("apart", 1, bs.models.lif_3c(**values, g_sd=0.0, g_sa=0.0, C_a=100.0, g_L_a=10.0))
    alone = net.population("alone", 1, bs.models.iaf_cond_exp(**values, **kinetics, C_m=100.0, g_L=10.0))
    for name, times, weight in (("ex", np.arange(20) * 4.0 + 5.0, 12.0), ("in", [30.0, 55.0], 5.0)):
        source = net.spike_source(name, [times])
        net.connect(source, apart, ALL, weight=weight, receptor=f"{name}_ais")
        net.connect(source, alone, ALL, weight=weight, receptor=name)
    net.record([apart, alone], name="both")
    net.record(alone, "V_m")
    for potential in ("V_m", "V_d", "V_a"):
        net.record(apart, potential)
    result = net.build(threads=1).run(120.0)
    senders, times = result.spikes["both"].senders, result.spikes["both"].times
    assert np.count_nonzero(senders == 0) > 3
    np.testing.assert_array_equal(times[senders == 0], times[senders == 1])
    samples = result.samples["apart"]
    np.testing.assert_allclose(samples["V_a"].values, result.samples["alone"]["V_m"].values, rtol=0, atol=1e-3)
    np.testing.assert_allclose(samples["V_m"].values, -70.6, rtol=0, atol=1e-5)
    np.testing.assert_allclose(samples["V_d"].values, -70.6, rtol=0, atol=1e-5)


def test_any_receptors_lie_in_any_compartment_and_two_partitions_give_the_same():
    receptors = [bs.receptors.AMPA(), bs.receptors.NMDA(compartment=1), bs.receptors.GABA_A(compartment=2)]
    found = []
    for parts in (1, 2):
        net = bs.Network(seed=5)
        neurons = net.population("n", 100, bs.models.adex_3c(receptors=receptors, I_e=bs.uniform(0.0, 900.0)))
        for name, weight in (("AMPA", 4.0), ("NMDA", 3.0), ("GABA_A", 1.0)):
            net.poisson(neurons, rate=500.0, weight=weight, receptor=name)
        net.record(neurons)
        net.record(neurons, "g_NMDA", every=1.0)
        found.append(networks.serial(net, parts).run(100.0))
    assert found[0].spikes["n"].times.size > 100
    np.testing.assert_array_equal(found[0].spikes["n"].times, found[1].spikes["n"].times)
    assert found[0].samples["n"]["g_NMDA"].values.mean() > 1.0


def test_a_reset_above_the_peak_and_volts_are_refused():
    for model, wrong, message in (
        (bs.models.lif_3c, {"V_reset": -40.0}, "lif_3c: V_reset must be below V_th"),
        (bs.models.adex_2c, {"V_peak": -70.0}, "adex_2c: V_reset must be below V_peak"),
        (bs.models.adex_3c, {"E_L": -0.07}, "adex_3c: E_L must be in mV"),
        (bs.models.adex_3c, {"g_sa": -1.0}, "g_sa must be at least 0 (nS)"),
    ):
        with pytest.raises(bs.errors.DescriptionError) as caught:
            model(**wrong)
        assert message in str(caught.value)
