"""All levels of glif_psc against a plain loop in float64, which agrees with NEST 3.10.0 to 1e-12 mV."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import biosnn as bs

glif_psc = bs.models.glif_psc
MECHANISMS = ("spike_dependent_threshold", "after_spike_currents", "adapting_threshold")
LEVELS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1)]
C, G, E_L, V_TH, V_RESET, T_REF = 58.72, 9.43, -78.85, -51.68, -78.85, 3.7
TAU, WEIGHT, ARRIVALS = 2.0, 500.0, (21.5, 61.5, 62.5, 101.5, 151.5, 152.5, 153.5, 271.5)
CURRENT, ON, OFF, DURATION = 300.0, 50.0, 250.0, 300.0
SUMS = ("threshold", "ASCurrents_sum")
ASC = {"asc_init": [20.0, -30.0], "asc_decay": [0.003, 0.1], "asc_amps": [-9.18, -198.94], "asc_r": [0.5, 0.2]}


def loop(r, asc, a, h=0.1):
    """Spike times, and V_m, the sum of after-spike currents and both parts of the threshold after each step."""
    p22, p20 = math.exp(-h * G / C), (1 - math.exp(-h * G / C)) / G
    kernel = [quad(lambda s, k=k: s**k * math.exp(-s / TAU - (h - s) * G / C) / C, 0, h)[0] for k in (0, 1)]
    amps, decay, keep = (np.array(ASC[f"asc_{name}"]) for name in ("amps", "decay", "r"))
    decayed, index, rate = np.exp(-decay * h), 0.005, 0.09
    after = np.array(ASC["asc_init"])
    V, theta_s, theta_v, left, current, rising, syn = 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0
    spikes, trace = [], []
    for step in range(1, round(DURATION / h) + 1):
        if left:
            left -= 1
        else:
            mean = asc * np.sum(after * (1 - decayed) / (decay * h))
            after, theta_s, before = after * decayed, theta_s * math.exp(-0.009 * h), V
            V = p22 * V + p20 * (current + mean) + kernel[0] * syn + kernel[1] * rising
            # threshold_voltage' = index V - rate threshold_voltage, for V as constant currents drive it
            far, phi = (current + mean) / G, index / (rate - G / C)
            homogeneous = theta_v - phi * (before - far) - index / rate * far
            theta_v = a * (phi * (before - far) * p22 + math.exp(-rate * h) * homogeneous + index / rate * far)
            if V_TH - E_L + theta_s + theta_v < V:
                spikes.append(step * h)
                left = round(T_REF / h)
                after = asc * amps + after * keep * np.exp(-decay * T_REF)
                V = 0.2 * before + 18.51 if r else V_RESET - E_L
                theta_s = theta_s * math.exp(-0.009 * T_REF) + 0.37 * r
        syn = math.exp(-h / TAU) * (syn + h * rising)
        arrived = sum(round(t / h) == step for t in ARRIVALS)
        rising = math.exp(-h / TAU) * rising + math.e / TAU * WEIGHT * arrived
        current = CURRENT if round(ON / h) <= step < round(OFF / h) else 0.0
        trace.append((V + E_L, *after, theta_s, theta_v))
    return np.array(spikes), np.array(trace).T


@pytest.fixture(scope="module")
def result():
    """A population of each level, in one network."""
    net = bs.Network()
    source = net.spike_source("s", [[t - 1.5 for t in ARRIVALS]])
    for level in LEVELS:
        model = glif_psc(**dict(zip(MECHANISMS, map(bool, level), strict=True)), t_ref=T_REF, tau_syn=[7.0, TAU], **ASC)
        neuron = net.population(str(level), 1, model)
        net.connect(source, neuron, bs.all_to_all(), weight=WEIGHT, delay=1.5, receptor="port2")
        net.current(neuron, CURRENT, start=ON, stop=OFF)
        for variable in ("spikes", "V_m", "ASCurrents_1", "ASCurrents_2", "threshold_spike", "threshold_voltage"):
            net.record(neuron, variable)
    for variable in SUMS:
        net.record(neuron, variable)  # of the last level, which has all mechanisms
    return net.build(threads=1).run(DURATION)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_follows_a_loop_in_double_precision(result, level):
    spikes, trace = loop(*level)
    assert spikes.size > 3
    np.testing.assert_allclose(result.spikes[str(level)].times, spikes, rtol=0, atol=1e-9)
    samples = result.samples[str(level)]
    np.testing.assert_allclose(samples["V_m"].values[:, 0], trace[0], rtol=0, atol=2e-3)
    if level[1]:
        np.testing.assert_allclose(samples["ASCurrents_1"].values[:, 0], trace[1], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(samples["ASCurrents_2"].values[:, 0], trace[2], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(samples["threshold_spike"].values[:, 0], trace[3], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(samples["threshold_voltage"].values[:, 0], trace[4], rtol=1e-3, atol=1e-4)


def test_what_makes_no_model_is_refused():
    with pytest.raises(bs.errors.DescriptionError) as caught:
        glif_psc(adapting_threshold=True)
    assert "adapting_threshold alone makes no level" in str(caught.value)
    assert all(
        level in str(caught.value) for level in ("lif: none", "lif_r:", "lif_asc:", "lif_r_asc:", "lif_r_asc_a:")
    )
    for wrong, message in (
        ({"asc_amps": 3.0}, "asc_amps must be a list of one or two values"),
        ({"asc_amps": [1.0, 2.0, 3.0]}, "asc_amps must be a list of one or two values"),
        ({"asc_amps": [1.0]}, "must be lists of one length"),
        ({"asc_decay": [0.1, -1.0]}, "asc_decay_2 must be above 0"),
        ({"tau_syn": 2.0}, "tau_syn must be a list"),
        ({"tau_syn": [2.0, 0.0]}, "tau_syn_2 must be above"),
        ({"tau_syn": [2.0], "receptors": [bs.receptors.exp("a")]}, "tau_syn or receptors, not both"),
        ({"V_reset": -50.0}, "V_reset must be below V_th"),
        ({"V_th": -0.05}, "V_th must be in mV"),
    ):
        with pytest.raises(bs.errors.DescriptionError) as caught:
            glif_psc(**wrong)
        assert message in str(caught.value)


def test_one_after_spike_current_leaves_the_other_out():
    model = glif_psc(after_spike_currents=True, asc_init=[1.0], asc_decay=[0.1], asc_amps=[-5.0], asc_r=[1.0])
    assert model.values["asc_amps_1"] == -5.0
    assert model.values["asc_amps_2"] == model.values["asc_init_2"] == 0.0


def test_sums_are_recorded_as_nest_does(result):
    """Its `threshold` is absolute, its `ASCurrents_sum` that of both."""
    found = {name: s.values for name, s in result.samples[str(LEVELS[-1])].items()}
    parts = found["threshold_spike"] + found["threshold_voltage"]
    assert np.ptp(parts) > 0.1
    np.testing.assert_allclose(found["threshold"], V_TH + parts, rtol=1e-6)
    np.testing.assert_allclose(found["ASCurrents_sum"], found["ASCurrents_1"] + found["ASCurrents_2"], atol=1e-4)
