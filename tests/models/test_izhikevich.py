"""Izhikevich's neuron against a plain loop in float64, in both schemes, and against its equations as dt shrinks."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import biosnn as bs

izhikevich = bs.models.izhikevich
SIX = {  # of the cells of figure 2 of the paper: regular, bursting, chattering, fast, low threshold, resonator
    "a": np.array([0.02, 0.02, 0.02, 0.1, 0.02, 0.1]),
    "b": np.array([0.2, 0.2, 0.2, 0.2, 0.25, 0.26]),
    "c": np.array([-65.0, -55.0, -50.0, -65.0, -65.0, -65.0]),
    "d": np.array([8.0, 4.0, 2.0, 2.0, 2.0, 2.0]),
}
I_E, LOWEST = 12.0, -66.0
DURATION = 50.0  # ms; later, rounding has moved the spikes of those that burst
PULSES = ([20.0, 30.0, 31.0], 7.0), ([25.0, 35.0, 36.0, 37.0], -9.0)  # times of arrival (ms), weight (mV)


def loop(consistent, dt, n_steps):
    """Spikes (step, neuron) and V_m at the end of each step."""
    a, b, c, d = SIX.values()
    v, u = np.full(6, -65.0), np.full(6, -13.0)
    spikes, trace = [], []
    for step in range(n_steps):
        arrived = sum(w * np.count_nonzero(np.rint(np.array(t) / dt) == step + 1) for t, w in PULSES)
        if consistent:
            v, u = v + dt * (0.04 * v * v + 5 * v + 140 - u + I_E) + arrived, u + dt * a * (b * v - u)
        else:
            for _ in range(2):
                v = v + dt / 2 * (0.04 * v * v + 5 * v + 140 - u + I_E + arrived)
            u = u + dt * a * (b * v - u)
        v = np.maximum(v, LOWEST)
        spiked = v >= 30.0
        spikes += [(step + 1, i) for i in np.flatnonzero(spiked)]
        v, u = np.where(spiked, c, v), np.where(spiked, u + d, u)
        trace.append(v)
    return spikes, np.array(trace)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_both_schemes_in_one_network_follow_a_loop_in_double_precision(dt):
    net = bs.Network(dt=dt)
    schemes = {"euler": True, "published": False}
    for name, consistent in schemes.items():
        model = izhikevich(**SIX, V_min=LOWEST, I_e=I_E, consistent_integration=consistent)
        population = net.population(name, 6, model)
        for k, (times, weight) in enumerate(PULSES):
            source = net.spike_source(f"{name} {k}", [np.array(times) - 2.0])
            net.connect(source, population, bs.all_to_all(), weight=weight, delay=2.0)
        net.record(population)
        net.record(population, "V_m")
    result = net.build(threads=1).run(DURATION)
    for name, consistent in schemes.items():
        spikes, trace = loop(consistent, dt, round(DURATION / dt))
        ours = result.spikes[name]
        assert len(spikes) > 15
        assert list(zip(np.rint(ours.times / dt).astype(int), ours.senders, strict=True)) == spikes
        # a rounding error grows a thousandfold in the upstroke of a spike
        np.testing.assert_allclose(result.samples[name]["V_m"].values, trace, rtol=0, atol=0.2)


def test_the_error_of_the_first_spike_time_shrinks_with_dt():
    def equation(_, y):
        return [0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + 10.0, 0.02 * (0.2 * y[0] - y[1])]

    def peak(_, y):
        return y[0] - 30.0

    peak.terminal = True
    exact = solve_ivp(equation, (0, 100), [-65.0, -13.0], events=peak, rtol=1e-10, atol=1e-10).t_events[0][0]
    errors = []
    for dt in (0.4, 0.2, 0.1, 0.05):
        net = bs.Network(dt=dt)
        net.record(net.population("cell", 1, izhikevich(I_e=10.0)))
        errors.append(net.build(threads=1).run(20.0).spikes["cell"].times[0] - exact)
    assert errors[0] > errors[1] > errors[2] > errors[3] > 0
    assert errors[3] < 0.2


def test_any_receptors_can_drive_it():
    net = bs.Network()
    neurons = net.population("n", 2, izhikevich(receptors=[bs.receptors.exp("pA", tau=5.0)]))
    source = net.spike_source("s", [[10.0]])
    net.connect(source, neurons[0], bs.all_to_all(), weight=100.0)
    net.record(neurons)
    spikes = net.build(threads=1).run(60.0).spikes["n"]
    assert spikes.senders.size
    assert not spikes.senders.any()


def test_the_scheme_is_true_or_false():
    with pytest.raises(bs.errors.DescriptionError, match="consistent_integration must be True or False, got 1"):
        izhikevich(consistent_integration=1)
    with pytest.raises(bs.errors.DescriptionError, match=r"izhikevich: V_th must be at least 0\.2 mV above c"):
        izhikevich(c=-0.065, V_th=0.03)
    assert repr(izhikevich(consistent_integration=False)) == "izhikevich(consistent_integration=False)"
