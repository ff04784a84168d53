"""AdEx: what it refuses, and that its steps converge to SciPy's solution with the spike inside the step."""

import re

import numpy as np
import pytest
import scalars
from scipy.integrate import solve_ivp

import biosnn as bs
from biosnn.errors import DescriptionError

CURRENT = 700.0  # pA


def solved(until):
    """V of aeif_psc_exp under a constant current, with the resets, and its spikes (ms).

    In z = exp(-(V - V_th)/Delta_T) the upswing is nearly a straight line, which meets zero where V runs to infinity.
    """

    def change(_t, y):
        V, w = -50.4 - 2.0 * np.log(max(y[0], 1e-11)), y[1]
        rest = -30.0 * (V + 70.6) - w + CURRENT
        return -30.0 / 281.0 - y[0] * rest / (2.0 * 281.0), (4.0 * (V + 70.6) - w) / 144.0

    def peak(_t, y):
        return y[0] - np.exp(-50.4 / 2.0)

    peak.terminal, peak.direction = True, -1
    t, y, spikes = 0.0, [np.exp(20.2 / 2.0), 0.0], []
    while t < until:
        found = solve_ivp(change, (t, until), y, method="DOP853", rtol=1e-9, atol=1e-11, events=peak)
        t, y = found.t[-1], list(found.y[:, -1])
        if found.status == 1:
            spikes.append(t)
            y = [np.exp(9.6 / 2.0), y[1] + 80.5]
    return -50.4 - 2.0 * np.log(y[0]), np.array(spikes)


@pytest.mark.parametrize("dt", [0.2, 0.1])
def test_adex_follows_scipy_s_solution_through_its_spikes(dt):
    net = bs.Network(dt=dt)
    neurons = net.population("neurons", 1, bs.models.aeif_psc_exp(I_e=CURRENT))
    net.record(neurons, "spikes")
    net.record(neurons, "V_m")
    result = net.build(threads=1).run(100.0)
    V, spikes = solved(100.0)
    assert spikes.size > 1
    np.testing.assert_array_equal(np.rint(result.spikes["neurons"].times / dt), np.ceil(spikes / dt))
    assert result.samples["neurons"]["V_m"].values[-1, 0] == pytest.approx(V, abs=0.01)


def run(model, current=0.0, duration=100.0):
    """One neuron: the steps in which it spikes, V_m and w after each step."""
    net = bs.Network()
    n = net.population("n", 1, model)
    net.current(n, current)
    for variable in ("spikes", "V_m", "w"):
        net.record(n, variable)
    found = net.build(threads=1).run(duration)
    return np.rint(found.spikes["n"].times * 10), *(found.samples["n"][name].values[:, 0] for name in ("V_m", "w"))


def test_adex_of_no_slope_is_the_leaky_one_of_nest_with_adaptation():
    """NEST 3.10.0, aeif_cond_exp(Delta_T=0.0, gsl_error_tol=1e-9), V_m from -70.6 mV, at a resolution of 1 us."""
    spikes, V, w = run(bs.models.aeif_cond_exp(Delta_T=0.0, I_e=CURRENT))
    np.testing.assert_array_equal(spikes, np.ceil(np.array([19.142, 51.336]) * 10))
    np.testing.assert_allclose(V[99:599:100], [-55.3136, -59.1396, -53.2254, -51.1681, -50.4506], rtol=0, atol=1e-3)
    np.testing.assert_allclose(w[99:599:100], [2.435, 87.0, 85.179, 84.454, 84.116], rtol=0, atol=0.005)


@pytest.mark.parametrize("D", [0.002, 0.2])
def test_adex_follows_scipy_s_solution_however_sharp_its_upswing_is(D):
    def change(_t, y):
        upswing = 30.0 * D * np.exp(min((y[0] + 50.4) / D, 40.0))
        return (-30.0 * (y[0] + 70.6) + upswing - y[1] + CURRENT) / 281.0, (4.0 * (y[0] + 70.6) - y[1]) / 144.0

    def peak(_t, y):
        return y[0] + 50.4 - 20 * D  # from there it takes V 1e-8 ms to infinity

    peak.terminal = True
    t, y, expected = 0.0, [-70.6, 0.0], []
    while t < 100.0:
        found = solve_ivp(change, (t, 100.0), y, method="LSODA", rtol=1e-9, atol=1e-9, events=peak)
        t, y = found.t[-1], found.y[:, -1]
        if found.status == 1:
            expected.append(t)
            y = [-60.0, y[1] + 80.5]
    spikes, V, _ = run(bs.models.aeif_psc_exp(Delta_T=D, I_e=CURRENT))
    assert len(expected) == 2
    np.testing.assert_array_equal(spikes, np.ceil(np.array(expected) * 10))
    assert V[-1] == pytest.approx(y[0], abs=0.01)


@pytest.mark.parametrize("name", ["aeif_cond_exp", "aeif_psc_exp", "adex_2c", "adex_3c"])
@pytest.mark.parametrize("D", [0.0, 1e-5, 0.002, 0.2, 2.0, 1000.0])
def test_no_slope_and_no_input_make_an_adex_neuron_diverge(name, D):
    """With a weak current it spikes seldom, with 100 nA and more in most steps; V stays between its bounds."""
    rng = np.random.default_rng(1)
    model = bs.models.MODELS[name](Delta_T=D, t_ref=0.0, V_peak=5000.0 if D == 1000 else 0.0)
    sizes = 10.0 ** np.repeat(np.arange(1, 19), 10)
    push = np.where(rng.random(sizes.size) < 0.2, -1, 1) * sizes
    inputs = np.concatenate([np.tile(push, (3, 1)), np.tile(1e-3 * sizes * (rng.random(sizes.size) < 0.3), (3, 1))]).T
    trace, spikes = scalars.walk(model, 0.1, inputs, [0.0] * len(model.states))
    assert np.isfinite(trace).all()
    strong = (sizes >= 1e5) & (inputs[:, 3] == 0) & (push > 0)
    assert spikes[strong & np.roll(strong, 1)].mean() > (0.5 if D < 1000 else 0)


def test_a_current_of_100_nA_makes_a_sharp_neuron_spike_in_every_step():
    spikes, V, w = run(bs.models.aeif_cond_exp(Delta_T=0.2), 1e5, 10.0)
    np.testing.assert_array_equal(spikes, np.arange(1, 101))
    assert np.isfinite(V).all()
    decay = np.exp(-0.1 / 144.0)
    assert w[-1] == pytest.approx(80.5 * (1 - decay**100) / (1 - decay), rel=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bs.models.aeif_psc_exp(Delta_T=-0.1), "aeif_psc_exp: Delta_T must be at least 0 (mV), got -0.1"),
        (lambda: bs.models.aeif_psc_exp(Delta_T=0.0, V_reset=-50.4), "aeif_psc_exp: V_reset must be below V_th"),
        (lambda: bs.models.adex_2c(V_peak=np.inf), "adex_2c: V_peak must be finite, got inf"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(DescriptionError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("model", "most"),
    [
        (bs.models.aeif_cond_exp(a=1e6), "0.09"), (bs.models.adex_3c(a=1e8), "0.0339"),
        (bs.models.izhikevich(a=50.0), "0.04"),
    ],
    ids=lambda x: getattr(x, "name", None),
)  # fmt: skip
def test_recovery_that_is_too_fast_for_dt_is_refused(model, most):
    net = bs.Network()
    net.population("n", 1, model)
    with pytest.raises(DescriptionError, match=f"{model.name}: dt must be at most {most} ms, got 0.1"):
        net.build()
