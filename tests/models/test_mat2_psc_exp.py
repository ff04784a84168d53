"""The threshold of mat2_psc_exp against its exponentials, and its membrane, which no spike disturbs, against any dt."""

import numpy as np
import pytest

import biosnn as bs

PARAMETERS = {"C_m": 120.0, "tau_m": 8.0, "omega": -55.0, "tau_1": 5.0, "tau_2": 80.0, "alpha_1": 20.0, "alpha_2": 3.0}
CURRENT, DURATION = 500.0, 200.0


def simulate(dt, t_ref=2.0, **values):
    """One neuron under a constant current, and an excitatory spike at 31 ms."""
    net = bs.Network(dt=dt)
    neuron = net.population("n", 1, bs.models.mat2_psc_exp(**PARAMETERS, I_e=CURRENT, t_ref=t_ref, **values))
    source = net.spike_source("s", [[30.0]])
    net.connect(source, neuron, bs.all_to_all(), weight=800.0)
    for variable in ("V_m", "V_th_alpha_1", "V_th_alpha_2"):
        net.record(neuron, variable)
    net.record(neuron)
    result = net.build(threads=1).run(DURATION)
    samples = {name: s.values[:, 0].astype(float) for name, s in result.samples["n"].items()}
    return np.arange(1, round(DURATION / dt) + 1) * dt, samples, result.spikes["n"].times


@pytest.mark.parametrize("t_ref", [0.0, 2.0, 15.0])
def test_spikes_come_where_the_membrane_meets_the_exponentials_of_earlier_spikes(t_ref):
    times, samples, spikes = simulate(0.1, t_ref)
    expected = []
    for t, V in zip(times, samples["V_m"], strict=True):
        since = t - np.array(expected)
        theta = -55.0 + np.sum(20.0 * np.exp(-since / 5.0) + 3.0 * np.exp(-since / 80.0))
        if theta <= V and (since > t_ref + 0.05).all():
            expected.append(t)
    assert len(expected) > 3
    np.testing.assert_allclose(spikes, expected, rtol=0, atol=1e-9)
    for name, tau, alpha in (("V_th_alpha_1", 5.0, 20.0), ("V_th_alpha_2", 80.0, 3.0)):
        since = times[:, None] - spikes
        theta = alpha * np.sum(np.where(since > -0.05, np.exp(-np.maximum(since, 0.0) / tau), 0.0), axis=1)
        np.testing.assert_allclose(samples[name], theta, rtol=1e-4, atol=1e-5)


def test_the_membrane_is_that_of_the_equation_at_any_dt():
    times, samples, spikes = simulate(0.2)
    finer = simulate(0.1)
    assert spikes.size
    np.testing.assert_allclose(samples["V_m"], finer[1]["V_m"][1::2], rtol=0, atol=5e-4)
    before = times < 30.9  # the spike arrives at 31 ms
    charged = -70.0 + CURRENT * 8.0 / 120.0 * -np.expm1(-times / 8.0)
    np.testing.assert_allclose(samples["V_m"][before], charged[before], rtol=0, atol=1e-4)


def test_potentials_are_in_millivolts():
    with pytest.raises(bs.errors.DescriptionError, match=r"mat2_psc_exp: omega must be at least 0\.2 mV above E_L"):
        bs.models.mat2_psc_exp(E_L=-0.07, omega=-0.05)


def test_the_threshold_itself_is_recorded_as_nest_does():
    """NEST 3.10.0, mat2_psc_exp(I_e=500.0), V_m from -70 mV, dt 0.1 ms: V_th at 10, 20, 30, 40 and 60 ms."""
    omega = np.array([-51.0, -20.0])
    net = bs.Network()
    n = net.population("n", 2, bs.models.mat2_psc_exp(I_e=500.0, omega=omega))
    for variable in ("V_th", "V_th_alpha_1", "V_th_alpha_2"):
        net.record(n, variable)
    net.record(n[::-1], "V_th", every=10.0, name="turned")
    found = net.build(threads=1).run(60.0).samples
    V_th = found["n"]["V_th"].values
    nest = [-21.0638, -38.8366, -9.2836, -33.4504, -17.8218]
    np.testing.assert_allclose(V_th[[99, 199, 299, 399, 599], 0], nest, rtol=0, atol=3e-4)
    parts = found["n"]["V_th_alpha_1"].values + found["n"]["V_th_alpha_2"].values
    np.testing.assert_allclose(V_th, omega + parts, rtol=1e-5)
    np.testing.assert_array_equal(found["turned"]["V_th"].values, V_th[99::100, ::-1])


def test_the_threshold_cannot_be_set():
    with pytest.raises(bs.errors.UnknownNameError, match="unknown state variable 'V_th'"):
        bs.Network().population("n", 1, bs.models.mat2_psc_exp(), V_th=-40.0)
