"""Single neurons and shot noise against the solutions of their equations."""

import numpy as np
import pytest

import biosnn as bs

TAU_M, C_M, E_L = 20.0, 200.0, -65.0
QUIET = {"tau_m": TAU_M, "C_m": C_M, "E_L": E_L, "V_reset": E_L, "V_th": 1e6, "t_ref": 0.0}
FLOAT32 = 2.0**-23  # a decay of 1 - dt/tau, rounded to float32, is off by as much, and tau by that much times tau/dt
EXP, DELTA = bs.models.iaf_psc_exp, bs.models.iaf_psc_delta


def trace(net, neurons, duration):
    """Times (ms) and V_m - E_L (mV) of one neuron, or of several as columns."""
    net.record(neurons, "V_m")
    found = net.build(threads=1).run(duration).samples[neurons.name]["V_m"]
    return found.times, found.values.astype(float) - E_L


def charged(t, current):
    """V_m - E_L after t ms of a constant current, from rest."""
    return current * TAU_M / C_M * (1 - np.exp(-np.clip(t, 0, None) / TAU_M))


@pytest.mark.parametrize("model", [EXP, DELTA])
@pytest.mark.parametrize("dt", [0.05, 0.1, 0.2])
def test_currents_charge_the_membrane_as_its_equation_says(model, dt):
    net = bs.Network(dt=dt)
    neurons = net.population("neurons", 3, model(**QUIET, I_e=[0.0, 0.0, 30.0]))
    net.current(neurons, [100.0, 0.0, 0.0], start=10.0, stop=40.0)
    net.current(neurons[:2], 50.0, start=20.0)  # overlaps the first: currents add up
    net.step_current(neurons[1], [5.0, 30.0], [-80.0, 20.0])
    t, v = trace(net, neurons, 60.0)
    expected = [
        charged(t - 10, 100) - charged(t - 40, 100) + charged(t - 20, 50),
        charged(t - 20, 50) + charged(t - 5, -80) + charged(t - 30, 100),
        charged(t, 30),
    ]
    np.testing.assert_allclose(v, np.transpose(expected), rtol=FLOAT32 * TAU_M / dt, atol=1e-4)


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("tau", [0.5, 5.0, TAU_M])  # the last is the singular case
def test_a_synaptic_current_moves_the_membrane_exactly(tau, dt):
    net = bs.Network(dt=dt)
    neuron = net.population("neuron", 1, EXP(**QUIET, tau_syn_ex=tau, tau_syn_in=0.3 * tau))
    source = net.spike_source("source", [2.0, 9.5])
    net.connect(source, neuron, bs.one_to_one(), weight=500.0, delay=1.5)
    net.connect(source, neuron, bs.one_to_one(), weight=-800.0, delay=3.0)
    t, v = trace(net, neuron, 40.0)

    def psp(t, weight, tau):
        t = np.clip(t, 0, None)
        if tau == TAU_M:
            return weight / C_M * t * np.exp(-t / TAU_M)
        return weight / C_M / (1 / tau - 1 / TAU_M) * (np.exp(-t / TAU_M) - np.exp(-t / tau))

    expected = sum(psp(t - s - 1.5, 500.0, tau) + psp(t - s - 3.0, -800.0, 0.3 * tau) for s in (2.0, 9.5))
    np.testing.assert_allclose(v[:, 0], expected, rtol=FLOAT32 * TAU_M / dt, atol=1e-4)


@pytest.mark.parametrize("t_ref", [0.0, 0.1, 2.0, 7.3])
def test_intervals_of_a_driven_neuron_follow_from_threshold_and_refractory_time(t_ref):
    net = bs.Network()
    neuron = net.population("neuron", 1, DELTA(**QUIET | {"V_th": E_L + 15.0, "t_ref": t_ref}, I_e=300.0))
    net.record(neuron)
    found = net.build(threads=1).run(500.0).spikes["neuron"].times
    rise = -TAU_M * np.log(1 - 15.0 / (300.0 * TAU_M / C_M))
    np.testing.assert_allclose(np.diff(found), t_ref + np.ceil(rise / 0.1) * 0.1, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("rate", "weight"), [(50.0, 0.5), (2000.0, 0.1), (40000.0, -0.02)])
def test_poisson_input_has_the_mean_and_variance_of_shot_noise(rate, weight):
    """Campbell 1909: pulses of `weight` mV that decay with tau_m, at `rate`."""
    net, n = bs.Network(), 4000
    neurons = net.population("neurons", n, DELTA(**QUIET))
    net.poisson(neurons, rate=rate, weight=weight)
    sim = net.build(threads=1)
    sim.run(8 * TAU_M)
    v = sim.arrays["V_m"].astype(float)
    decay = np.exp(-0.1 / TAU_M)
    per_step = rate * 1e-4
    mean, variance = weight * per_step / (1 - decay), weight**2 * per_step / (1 - decay**2)
    assert abs(v.mean() - mean) < 4 * np.sqrt(variance / n) + 1e-3 * abs(mean)  # e^-8 is not settled yet
    assert v.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / n))
    assert abs(np.corrcoef(v[: n // 2], v[n // 2 :])[0, 1]) < 4 / np.sqrt(n / 2)  # each neuron has its own train
