"""Receptors: their courses against formulas, banks in membranes against an ODE solver, addresses, signs and storage."""

import json

import networks
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import biosnn as bs
from biosnn import receptors as rc
from biosnn.models.kinetics import alpha_propagator, peak, psc_propagator

DT = 0.1
SILENT = {"V_th": 1000.0, "E_L": -70.0, "C_m": 200.0}
KINETICS = {
    "exp": rc.exp("r", tau=4.0, E_rev=0.0),
    "alpha": rc.alpha("r", tau=4.0, E_rev=0.0),
    "dual_exp": rc.dual_exp("r", tau_rise=1.0, tau_decay=12.0, E_rev=0.0),
}


def course(kind, t):
    """Conductance at time t after a spike of weight 1."""
    if kind == "exp":
        return np.exp(-t / 4)
    if kind == "alpha":
        return np.e * t / 4 * np.exp(-t / 4)
    at = np.log(12 / 1) / (1 / 1 - 1 / 12)
    return (np.exp(-t / 12) - np.exp(-t)) / (np.exp(-at / 12) - np.exp(-at))


def build(model, weights, record, **ways):
    """One neuron that is given a spike at 5 ms, with delay 1 ms, for each (receptor, weight); its samples."""
    net = bs.Network(dt=DT)
    neuron = net.population("n", 1, model)
    source = net.spike_source("s", [5.0])
    for receptor, weight in weights:
        net.connect(source, neuron, bs.all_to_all(), weight=weight, delay=1.0, receptor=receptor)
    for variable in record:
        net.record(neuron, variable)
    return net.build(threads=1, **ways)


def traces(*arguments, duration=60.0, **ways):
    found = build(*arguments, **ways).run(duration).samples["n"]
    return {name: samples.values[:, 0] for name, samples in found.items()}


@pytest.mark.parametrize("kind", KINETICS)
def test_a_conductance_follows_its_formula_and_the_membrane_an_ode_solver(kind):
    model = bs.models.iaf_cond_exp(receptors=[KINETICS[kind]], g_L=10.0, **SILENT)
    found = traces(model, [("r", 7.0)], ["g_r", "V_m"])
    t = DT * np.arange(1, found["g_r"].size + 1) - 6.0
    g = np.where(t >= -1e-9, 7.0 * course(kind, np.maximum(t, 0)), 0.0)
    np.testing.assert_allclose(found["g_r"], g, rtol=3e-5, atol=1e-6)

    def slope(time, V):
        return (-10.0 * (V + 70.0) - 7.0 * course(kind, time) * V) / 200.0

    after = t > 0
    exact = solve_ivp(slope, (0, t[-1]), [-70.0], t_eval=t[after], rtol=1e-10, atol=1e-10).y[0]
    np.testing.assert_allclose(found["V_m"][after], exact, atol=2e-4)


@pytest.mark.parametrize("kind", KINETICS)
def test_a_linear_membrane_with_a_current_is_exact_for_any_dt(kind):
    given = KINETICS[kind]
    current = {"exp": rc.exp("r", 4.0), "alpha": rc.alpha("r", 4.0), "dual_exp": rc.dual_exp("r", 1.0, 12.0)}[kind]
    assert given.receptor.kind == current.receptor.kind
    found = {}
    for dt in (0.1, 0.5):
        net = bs.Network(dt=dt)
        neuron = net.population("n", 1, bs.models.iaf_psc_exp(receptors=[current], tau_m=10.0, **SILENT))
        net.connect(net.spike_source("s", [5.0]), neuron, bs.all_to_all(), weight=100.0, delay=1.0)
        net.record(neuron, "V_m")
        each = round(0.5 / dt)
        found[dt] = net.build(threads=1).run(60.0).samples["n"]["V_m"].values[each - 1 :: each, 0]
    np.testing.assert_allclose(found[0.1], found[0.5], rtol=0, atol=3e-5)
    t = np.arange(0.5, 50.0, 0.5)
    exact = solve_ivp(
        lambda time, V: -(V + 70.0) / 10.0 + 100.0 * course(kind, time) / 200.0, (0, t[-1]), [-70.0], t_eval=t,
        rtol=1e-10, atol=1e-10,
    ).y[0]  # fmt: skip
    np.testing.assert_allclose(found[0.5][12 : 12 + t.size], exact, atol=1e-4)


def test_propagators_have_no_singularity():
    for tau_syn in (10.0, 10.0 * (1 + 1e-9), 10.0 * (1 + 1e-5), 9.99):
        assert psc_propagator(250.0, 10.0, tau_syn, DT) == pytest.approx(
            psc_propagator(250.0, 10.0, 10.0, DT), rel=1e-4
        )
        near = alpha_propagator(250.0, 10.0, tau_syn, DT)
        assert near == pytest.approx(alpha_propagator(250.0, 10.0, 10.0, DT), rel=1e-4)
        assert peak(10.0, tau_syn) == pytest.approx(peak(10.0, 10.0), rel=1e-3)
    # either side of where the series ends
    for x in (0.49999999, 0.50000001):
        h = x / (1 / 10.0 - 1 / 1000.0)
        exact = solve_ivp(
            lambda t, y: [y[1] - y[0] / 10.0, (1 - t / 1000.0) * np.exp(-t / 1000.0)], (0, h), [0.0, 0.0], rtol=1e-12
        ).y[0, -1]  # fmt: skip
        assert alpha_propagator(1.0, 10.0, 1000.0, h) == pytest.approx(exact, rel=1e-8)


def test_magnesium_blocks_nmda_as_jahr_and_stevens_measured():
    currents = {}
    for V in (-80.0, -20.0):
        model = bs.models.iaf_cond_exp(receptors=[rc.NMDA(Mg=1.0)], **(SILENT | {"E_L": V, "C_m": 1e6}))
        found = traces(model, [("NMDA", 5.0)], ["V_m", "g_NMDA"], duration=40.0)
        g = found["g_NMDA"]
        currents[V] = (found["V_m"][-1] - V) * 1e6 / (DT * g.sum() * -V)  # a charge, over what would flow unblocked
        assert currents[V] == pytest.approx(1 / (1 + np.exp(-0.062 * V) / 3.57), rel=1e-2)
    assert currents[-80.0] < 0.03 < 0.5 < currents[-20.0]


def test_ampa_shares_with_nmda_what_arrives():
    model = bs.models.iaf_cond_exp(receptors=rc.ei_ampa_nmda_gabaa(), **SILENT)
    found = traces(model, [(None, 4.0), (None, -3.0)], ["g_AMPA", "g_NMDA", "g_GABA_A"])
    assert found["g_AMPA"].max() == pytest.approx(4.0, rel=1e-4)
    assert found["g_NMDA"].max() == pytest.approx(0.4, rel=1e-3)
    assert found["g_GABA_A"].max() == pytest.approx(3.0, rel=1e-4)


def test_receptors_are_reached_by_name_and_inhibitory_weights_are_kept_negative():
    model = bs.models.iaf_cond_exp(receptors=rc.ei_ampa_nmda_gabaa_gabab(), **SILENT)
    sim = build(model, [("NMDA", 2.0), ("GABA_B", 3.0), ("GABA_A", -5.0)], ["g_AMPA", "g_NMDA", "g_GABA_A", "g_GABA_B"])
    found = {name: s.values[:, 0].max() for name, s in sim.run(200.0).samples["n"].items()}
    assert found == pytest.approx({"g_AMPA": 0.0, "g_NMDA": 2.0, "g_GABA_A": 5.0, "g_GABA_B": 3.0}, rel=1e-3)
    assert sorted(sim.synapses("s", "n").weights) == pytest.approx([-5.0, -3.0, 2.0], rel=1e-4)
    for name, weight in (("NMDA", 2.0), ("GABA_B", -3.0), ("GABA_A", -5.0), ("AMPA", 0.0)):
        assert sim.fused_matrix("s", "n", name).sum() == pytest.approx(weight, rel=1e-4)


MEMBRANES = sorted(name for name, model in bs.models.MODELS.items() if "currents" in model.accepts)


@pytest.fixture(scope="module")
def of_each_membrane():
    """Samples of a neuron of each model, with the same bank, and a spike for each receptor. In one driver."""
    bank = [rc.exp("a", 3.0), rc.alpha("b", 2.0, -20.0), rc.dual_exp("c", 1.0, 8.0, -80.0)]
    net = bs.Network(dt=DT)
    source = net.spike_source("s", [5.0])
    for name in MEMBRANES:
        neuron = net.population(name, 1, bs.models.MODELS[name](receptors=bank))
        for receptor, weight, variable in (("a", 20.0, "I_syn_a"), ("b", 1.0, "g_b"), ("c", 1.0, "g_c")):
            net.connect(source, neuron, bs.all_to_all(), weight=weight, delay=1.0, receptor=receptor)
            net.record(neuron, variable)
    return net.build(threads=1).run(30.0).samples


@pytest.mark.parametrize("name", MEMBRANES)
def test_any_membrane_takes_any_bank(name, of_each_membrane):
    found = {variable: s.values[:, 0].max() for variable, s in of_each_membrane[name].items()}
    assert found == pytest.approx({"I_syn_a": 20.0, "g_b": 1.0, "g_c": 1.0}, rel=1e-2)


SLOW = [rc.NMDA(), rc.exp("fast", 5.0, 0.0)]


@pytest.mark.parametrize(("dtype", "worst", "mean"), [("float16", 0.008, 1e-3), ("bfloat16", 0.05, 1e-2)])
def test_sixteen_bits_follow_slow_and_fast_receptors(dtype, worst, mean):
    def run(**ways):
        net = bs.Network(dt=DT)
        neurons = net.population("n", 60, bs.models.iaf_cond_exp(receptors=SLOW, **SILENT))
        source = net.spike_source("s", [1.0])
        for name in ("NMDA", "fast"):
            net.connect(source, neurons, bs.all_to_all(), weight=8.0, receptor=name)
            net.record(neurons, f"g_{name}")
        plan = net.plan(**ways)
        sim = net.build(threads=1, **ways)
        assert plan.bytes == pytest.approx(sim.bytes, rel=0.02)
        return {name: s.values for name, s in sim.run(250.0).samples["n"].items()}, plan

    exact, plain = run()
    found, halved = run(receptor_state_dtype=dtype)
    for name, values in exact.items():
        assert np.abs(found[name] - values).max() < worst * values.max()
        assert np.abs((found[name] - values).mean(1)).max() < mean * values.max()
    receptors = [sum(e.bytes for e in plan.rows if e.section == "receptors") for plan in (plain, halved)]
    assert receptors == [3 * 60 * 4, 3 * 60 * 2]


def test_states_in_sixteen_bits_are_the_same_for_any_number_of_partitions():
    def run(parts):
        net = bs.Network(seed=3)
        n = net.population(
            "n", 300, bs.models.iaf_cond_exp(receptors=rc.ei_ampa_nmda_gabaa()), V_m=bs.normal(-60.0, 5.0)
        )
        net.connect(n, n, bs.fixed_indegree(20), weight=0.5)
        net.poisson(n, rate=3000.0, weight=1.0)
        net.poisson(n, rate=1000.0, weight=1.0, receptor="NMDA")
        return networks.serial(net, parts, receptor_state_dtype="float16").run(200.0)

    one, three = run(1), run(3)
    assert one.n_spikes > 100
    assert one.fingerprint == three.fingerprint


@pytest.mark.parametrize(
    ("model", "weight"),
    [(bs.models.iaf_psc_exp(V_th=1e4), 30000.0), (bs.models.iaf_psc_alpha(tau_syn_ex=0.2), 3000.0)],
    ids=["exp", "alpha"],
)
def test_what_float16_cannot_hold_ends_the_run(model, weight):
    def simulate(dtype):
        net = bs.Network(dt=DT)
        n = net.population("n", 2, model)
        net.connect(net.spike_source("s", [[10.0]] * 3), n, bs.all_to_all(), weight=weight, delay=1.0)
        net.record(n, "I_syn_ex")
        sim = net.build(threads=1, receptor_state_dtype=dtype)
        return sim, sim.run(40.0).samples["n"]["I_syn_ex"].values

    assert simulate("none")[1].max() == pytest.approx(3 * weight, rel=0.01)
    _, values = simulate("bfloat16")
    assert values.max() == pytest.approx(3 * weight, rel=0.02)
    with pytest.raises(
        bs.StateRangeError, match=f"I_syn.* of {model.name} neuron .* it has left the range of float16"
    ) as error:
        simulate("float16")
    result = error.value.result
    assert 11.0 <= result.stop_ms < 40.0
    until_then = result.samples["n"]["I_syn_ex"].values
    assert len(until_then) == round(result.stop_ms / DT)
    assert (until_then[:109] == 0).all()


def test_a_reversal_potential_that_is_drawn_makes_a_receptor_inhibitory_too():
    bank = bs.models.iaf_cond_exp(receptors=[rc.AMPA(), rc.GABA_A(E_rev=bs.normal(-80.0, 2.0))]).bank(())
    assert (bank.exc, bank.inh, bank.signs) == (0, 1, (1, -1))


def test_what_cannot_be_is_refused_by_name():
    net = bs.Network()
    ampa = net.population("ampa", 3, bs.models.iaf_cond_exp(receptors=[rc.AMPA()]))
    both = net.population("both", 3, bs.models.iaf_cond_exp())
    for match, call in {
        "unknown receptor 'GABA'": lambda: net.connect(ampa, both, bs.all_to_all(), weight=1.0, receptor="GABA"),
        "negative weights need an inhibitory receptor": lambda: net.connect(ampa, ampa, bs.all_to_all(), weight=-1.0),
        "must be of one sign": lambda: net.connect(
            ampa, both, bs.all_to_all(), weight=bs.normal(0.0, 1.0), receptor="in"
        ),
        "two receptors 'AMPA'": lambda: bs.models.iaf_cond_exp(receptors=[rc.AMPA(), rc.AMPA()]),
        "compartment 1, but": lambda: bs.models.iaf_cond_exp(receptors=[rc.AMPA(compartment=1)]),
        "share of 'AMPA', which is not there": lambda: bs.models.iaf_cond_exp(receptors=[rc.NMDA(ratio=0.2)]),
        "must be of biosnn.receptors": lambda: bs.models.iaf_cond_exp(receptors=["AMPA"]),
        "must be an identifier": lambda: rc.exp("not a name", 1.0),
        "give it a reversal potential": lambda: rc.exp("x", 1.0, Mg=1.0),
        "tau must be above 0.02": lambda: rc.exp("x", 0.002),
        "unknown parameter 'tau_syn_ex'": lambda: bs.models.iaf_cond_exp(receptors=[rc.AMPA()], tau_syn_ex=2.0),
        "unknown receptor_state_dtype": lambda: net.plan(receptor_state_dtype="half"),
    }.items():
        with pytest.raises(bs.DescriptionError, match=match):
            call()


def test_a_weight_unit_is_named_after_its_receptor():
    net = bs.Network()
    n = net.population("n", 2, bs.models.iaf_cond_exp())
    with pytest.raises(bs.DescriptionError, match="nS"):
        net.connect(n, n, bs.all_to_all(), weight=1e-9)


def test_receptor_modes_of_the_command_line(tmp_path):
    from biosnn.runners import cli

    for mode, extra in (("exc_only", []), ("ei_ampa_nmda_gabaa_gabab", ["--receptor-state-dtype", "float16"])):
        out = tmp_path / mode
        asked = ["--demo", "coba", "--n", "200", "--duration", "20", "--receptor-mode", mode, "--out", str(out)]
        assert cli.main([*asked, *extra]) in (0, None)
        config = json.loads((out / "run_config.json").read_text())
        assert config["receptor_mode"] == mode
        assert config["receptor_state_dtype"] == ("float16" if extra else "float32")
