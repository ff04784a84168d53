"""Currents, synapses, refractory time and Poisson input against the solutions of their equations."""

import math

import numpy as np
import pytest
from laboratory import C_M, E_L, MODELS, TAU, laboratory

import biosnn as bs


def trace(*how, **more):
    """Times, and V_m above E_L, of a laboratory in its first 60 ms."""
    samples = laboratory(*how, **more).run(60.0).samples["cells"]["V_m"]
    return samples.times, samples.values.astype(float) - E_L


def charged(t, current):
    """V (mV) at time t (ms) after a constant current (pA) began: C_m dV/dt = -C_m/tau_m V + I."""
    return np.where(t > 0, TAU / C_M * current * -np.expm1(-np.maximum(t, 0.0) / TAU), 0.0)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("dt", [0.05, 0.1, 0.2])
def test_constant_and_stepped_currents_charge_the_membrane_exactly_and_add_up(model, dt):
    times, V = trace(model, dt=dt, n=3, currents=[
        (slice(None), [10.0], [150.0]),
        ([0, 2], [5.0, 20.0, 40.0], [-80.0, 300.0, 0.0]),
        (slice(1, 3), [20.0, 30.0], [[40.0, 50.0], [0.0, -60.0]]),
    ], I_e=30.0)  # fmt: skip
    jumps = [  # (when, by how much) of the sum, for each neuron
        [(0.0, 30.0), (10.0, 150.0), (5.0, -80.0), (20.0, 380.0), (40.0, -300.0)],
        [(0.0, 30.0), (10.0, 150.0), (20.0, 40.0), (30.0, -40.0)],
        [(0.0, 30.0), (10.0, 150.0), (5.0, -80.0), (20.0, 430.0), (40.0, -300.0), (30.0, -110.0)],
    ]
    expected = np.transpose([sum(charged(times - start, by) for start, by in each) for each in jumps])
    np.testing.assert_allclose(V, expected, rtol=0, atol=1e-6 * TAU / dt)


def psp(model, t, tau_syn):
    """V (mV) at time t after a spike of weight 1 arrived: Rotter & Diesmann 1999, eq. 11, or a decaying jump."""
    t, arrived = np.maximum(t, 0.0), t > -1e-9
    if model is bs.models.iaf_psc_delta:
        return arrived * np.exp(-t / TAU)
    if tau_syn == TAU:
        return arrived * t / C_M * np.exp(-t / TAU)
    return arrived * TAU * tau_syn / (C_M * (TAU - tau_syn)) * (np.exp(-t / TAU) - np.exp(-t / tau_syn))


@pytest.mark.parametrize(("model", "tau_syn"), [*((MODELS[0], tau) for tau in (0.5, TAU, 30.0)), (MODELS[1], 0.0)])
@pytest.mark.parametrize("dt", [0.05, 0.1, 0.2])
def test_given_spikes_arrive_after_their_delay_and_cause_the_exact_potential_at_every_step(model, tau_syn, dt):
    trains, delays, weights = [[0.2], [3.0, 3.4, 17.0], [dt, 30.0]], [0.2, 1.0, 12.4], [300.0, 100.0, -200.0]
    weights = np.array(weights) * (0.01 if model is MODELS[1] else 1.0)
    values = {"tau_syn_ex": tau_syn, "tau_syn_in": tau_syn} if model is MODELS[0] else {}
    times, V = trace(model, dt=dt, n=3, trains=trains, weight=weights, delay=delays, **values)
    expected = np.transpose([
        w * sum(psp(model, times - t - d, tau_syn) for t in train)
        for train, d, w in zip(trains, delays, weights, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(V, expected, rtol=0, atol=2e-6 * TAU / dt)


def test_synapses_currents_and_columns_follow_the_order_of_their_groups():
    rng = np.random.default_rng(1)
    net = bs.Network()
    a, b = (net.population(name, n, bs.models.iaf_psc_delta(tau_m=TAU, C_m=C_M)) for name, n in (("a", 3), ("b", 4)))
    ids = np.arange(7)  # of a, then b
    sources = net.spike_source("sources", [[1.0]] * 7)
    order, turned, seen = rng.permutation(7), np.r_[2, 1, 0, 6, 5, 4, 3], rng.permutation(7)
    weights, levels = np.arange(1.0, 8.0), np.arange(10.0, 80.0, 10.0)
    net.connect(sources, (a + b)[order], bs.one_to_one(), weight=weights, delay=0.1)
    net.step_current((b + a)[::-1], [0.0], levels[None, :])
    net.record((a + b)[seen], "V_m", name="seen")
    V = net.build(threads=1).run(1.1).samples["seen"]["V_m"].values[-1]
    expected = np.zeros(7)
    expected[ids[order]] += weights
    expected[ids[turned]] += charged(1.1, levels)
    np.testing.assert_allclose(V + 70.0, expected[ids[seen]], atol=1e-3)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize(("dt", "t_ref"), [(0.1, 0.0), (0.1, 0.1), (0.1, 2.0), (0.1, 2.04), (0.05, 2.05), (0.2, 3.0)])
def test_a_neuron_is_held_at_reset_for_its_refractory_time_exactly(model, dt, t_ref):
    drive, reset, threshold = TAU / C_M * 1000.0, -5.0, 1.0  # mV above E_L
    sim = laboratory(model, dt, V_reset=E_L + reset, V_th=E_L + threshold, t_ref=t_ref, I_e=1000.0)
    result = sim.run(30.0)
    held, rising = round(t_ref / dt), math.ceil(TAU / dt * math.log((drive - reset) / (drive - threshold)))
    fired = np.rint(result.spikes["spikes"].times / dt).astype(int)
    np.testing.assert_array_equal(np.diff(fired), held + rising)
    since = np.maximum(np.arange(held + rising) - held, 0) * dt
    expected = drive + (reset - drive) * np.exp(-since / TAU)
    V = result.samples["cells"]["V_m"].values[fired[0] - 1 : fired[1] - 1, 0] - E_L  # the first sample is at dt
    np.testing.assert_allclose(V, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_poisson_input_causes_shot_noise_of_the_mean_and_variance_of_campbell_s_theorem(model):
    n, dt, tau_syn = 20_000, 0.1, 2.0
    net = bs.Network(dt=dt)
    cells = net.population("cells", n, model(C_m=C_M, tau_m=TAU, E_L=E_L, V_reset=E_L, V_th=0.0))
    net.connect(cells, cells, bs.fixed_indegree(0), weight=1.0)
    scale = 1.0 if model is MODELS[0] else 0.005
    noise = [(6000.0, 20.0 * scale), (1000.0, -60.0 * scale)]  # Hz, weight
    for rate, weight in noise:
        net.poisson(cells, rate=rate, weight=weight)
    sim = net.build(threads=1)
    sim.run(120.0)
    V = sim.arrays["V_m"].astype(float)
    kernel = psp(model, np.arange(1200) * dt, tau_syn)
    cumulant = {k: sum(rate * dt * 1e-3 * ((weight * kernel) ** k).sum() for rate, weight in noise) for k in (1, 2, 4)}
    assert abs(V.mean() - cumulant[1]) < 4 * math.sqrt(cumulant[2] / n)
    assert abs(V.var() - cumulant[2]) < 4 * math.sqrt((cumulant[4] + 2 * cumulant[2] ** 2) / n)
