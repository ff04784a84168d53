"""AdEx: what it refuses, and that its steps converge to SciPy's solution with the spike inside the step."""

import numpy as np
import pytest
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


@pytest.mark.parametrize("name", ["aeif_cond_exp", "aeif_psc_exp"])
def test_a_sharp_threshold_is_refused_with_the_way_out(name):
    with pytest.raises(DescriptionError, match=f"Delta_T must be above 0.*{name.replace('aeif', 'iaf')}"):
        bs.models.MODELS[name](Delta_T=0.0)
