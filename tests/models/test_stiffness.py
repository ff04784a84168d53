"""What drives a membrane faster than a step can follow: V goes where it is driven, and is never lost."""

import naive
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import biosnn as bs


def volleys(cases, dt=0.1):
    """Of two neurons for each case (model, weight, receptor), which a spike reaches at 11 and at 31 ms: the result."""
    net = bs.Network(dt=dt)
    source = net.spike_source("s", [10.0, 30.0])
    for name, (model, weight, receptor) in cases.items():
        n = net.population(name, 2, model)
        net.connect(source, n, bs.all_to_all(), weight=weight, delay=1.0, receptor=receptor)
        net.record(n, "spikes")
        for variable in model.potentials:
            net.record(n, variable, every=0.1)
    return net.build(threads=1).run(50.0)


INHIBITED = {
    "iaf_cond_exp": (bs.models.iaf_cond_exp(), -10000.0, None),
    "small iaf_cond_exp": (bs.models.iaf_cond_exp(C_m=20.0, g_L=2.0), -1000.0, None),
    "iaf_cond_alpha": (bs.models.iaf_cond_alpha(), -10000.0, None),
    "aeif_cond_exp": (bs.models.aeif_cond_exp(I_e=700.0), -10000.0, None),
    "mat2_psc_exp": (bs.models.mat2_psc_exp(receptors=[bs.receptors.AMPA(), bs.receptors.GABA_A()]), -4000.0, None),
    "lif_3c": (bs.models.lif_3c(), -400.0, "in_ais"),
    "adex_2c": (bs.models.adex_2c(), -4000.0, "in_dend"),
    "adex_3c": (bs.models.adex_3c(), -400.0, "in_ais"),
}


@pytest.fixture(scope="module")
def inhibited():
    """All of them in one driver, for two dt."""
    return [volleys(INHIBITED, dt) for dt in (0.1, 0.005)]


@pytest.mark.parametrize("name", INHIBITED)
def test_inhibition_of_any_strength_pulls_to_its_reversal_potential(name, inhibited):
    model = INHIBITED[name][0]
    assert [len(result.spikes[name]) for result in inhibited] == [0, 0]
    for variable in model.potentials:
        trace, expected = (result.samples[name][variable].values[:, 0] for result in inhibited)
        # V is pulled down within a step of 0.1 ms, and follows in three
        apart = np.abs(trace - expected)
        assert apart[:110].max() < 0.01
        assert apart[115:310].max() < 0.5
        assert apart[315:].max() < 0.5
        assert trace.min() > -86.0


@pytest.mark.parametrize(("dt", "tau", "weight"), [(1.0, 0.2, -9000.0), (0.1, 0.03, -15000.0)])
def test_a_conductance_that_peaks_within_a_step_pulls_no_further(dt, tau, weight):
    net = bs.Network(dt=dt)
    n = net.population("n", 1, bs.models.iaf_cond_alpha(tau_syn_in=tau))
    net.connect(net.spike_source("s", [10.0]), n, bs.all_to_all(), weight=weight, delay=1.0)
    net.record(n, "V_m")
    V = net.build(threads=1).run(20.0).samples["n"]["V_m"].values
    assert -86.0 < V.min() < -80.0


def test_conductances_that_a_step_can_follow_are_left_alone():
    """Against an independent solution, right below the bound and where it is reached."""
    bounds = {-1000.0: 0.002, -2000.0: 0.05, -4000.0: 1.0}
    result = volleys({f"{weight:g}": (bs.models.iaf_cond_exp(), weight, None) for weight in bounds})
    for weight, most in bounds.items():
        t = np.arange(1, 501) * 0.1

        def slope(t, V, w=weight):
            g = sum(-w * np.exp(-(t - at) / 2.0) for at in (11.0, 31.0) if t >= at)
            return (-16.6667 * (V + 70) - g * (V + 85)) / 250

        V = solve_ivp(slope, (0, 50), [-70.0], t_eval=t, rtol=1e-9, atol=1e-9, max_step=0.05).y[0]
        assert np.abs(result.samples[f"{weight:g}"]["V_m"].values[:, 0] - V).max() < most


@pytest.mark.parametrize(
    ("model", "dt", "most"),
    [
        (bs.models.lif_3c(), 1.0, "0.8"),
        (bs.models.lif_3c(g_sa=np.array([20.0, 100.0])), 0.5, "0.19"),
        (bs.models.adex_2c(C_d=5.0), 0.5, "0.333"),
        (bs.models.aeif_cond_exp(C_m=1.0), 0.1, "0.0667"),
        (bs.models.iaf_cond_exp(C_m=0.5), 0.1, "0.06"),
        (bs.models.hh_psc_alpha(C_m=1.0), 0.1, "0.00126"),
        (bs.models.hh_psc_alpha(g_Na=120000.0), 0.1, "0.0179"),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_membranes_that_are_too_fast_for_dt_are_refused(model, dt, most):
    net = bs.Network(dt=dt)
    net.population("n", 2, model)
    with pytest.raises(bs.errors.DescriptionError, match=f"{model.name}: dt must be at most {most} ms, got {dt:g}"):
        net.build()


@pytest.mark.parametrize(("tau_m", "tau_syn"), [(0.11, 2.0), (10.0, 0.2), (5.0, 5.0)])
def test_a_step_of_a_thousand_time_constants_has_finite_propagators(tau_m, tau_syn):
    """The exponential of their difference overflowed."""
    model = bs.models.iaf_psc_exp(tau_m=tau_m, tau_syn_ex=tau_syn)
    found = model.all_constants(model.values, 100.0)["gain_ex"]
    assert found == pytest.approx(naive.psp_per_pA(250.0, tau_m, tau_syn, 100.0), rel=1e-6)
    model = bs.models.iaf_psc_alpha(tau_m=tau_m, tau_syn_ex=tau_syn)
    assert all(np.isfinite(x).all() for x in model.all_constants(model.values, 100.0).values())
    assert np.isfinite(bs.models.glif_psc(g=58720.0).all_constants(bs.models.glif_psc(g=58720.0).values, 1.0)["feed_v"])


@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_hodgkin_huxley_survives_any_current(dt):
    for current, most in ((-2500.0, 0.01), (-10000.0, 0.5), (-1e5, np.inf), (1e6, np.inf)):
        E_L = np.array([-54.402, -60.0])
        net = bs.Network(dt=dt)
        n = net.population("n", 2, bs.models.hh_psc_alpha(E_L=E_L, I_e=current))
        variables = ("V_m", "Act_m", "Inact_h", "Act_n")
        for name in variables:
            net.record(n, name)
        samples = net.build(threads=1).run(20.0).samples["n"]
        found = np.array([samples[name].values for name in variables])
        assert np.isfinite(found).all()
        assert found[1:].min() >= -1e-3
        assert found[1:].max() <= 1.001
        for i in range(2):
            t = samples["V_m"].times
            V = solve_ivp(
                hodgkin_huxley, (0, 20), [-65, *found_at_rest()], t_eval=np.minimum(t, 20), rtol=1e-8, atol=1e-8,
                method="BDF", args=(current, E_L[i]),
            ).y[0]  # fmt: skip
            assert np.abs(found[0, :, i] - V).max() < most


def found_at_rest():
    """m, h and n where their rates balance at -65 mV."""
    return 0.05293248525724958, 0.5961207535084603, 0.3176769140606974


def hodgkin_huxley(_t, y, current, E_L):
    V, m, h, n = y
    alpha_m, beta_m = ratio((V + 40) / 10), 4 * np.exp(-(V + 65) / 18)
    alpha_h, beta_h = 0.07 * np.exp(-(V + 65) / 20), 1 / (1 + np.exp(-(V + 35) / 10))
    alpha_n, beta_n = 0.1 * ratio((V + 55) / 10), 0.125 * np.exp(-(V + 65) / 80)
    ionic = 12000 * m**3 * h * (V - 50) + 3600 * n**4 * (V + 77) + 30 * (V - E_L)
    return [
        (current - ionic) / 100, alpha_m * (1 - m) - beta_m * m, alpha_h * (1 - h) - beta_h * h,
        alpha_n * (1 - n) - beta_n * n,
    ]  # fmt: skip


def ratio(x):
    return 1.0 if abs(x) < 1e-9 else x / -np.expm1(-x)


@pytest.mark.parametrize(("gate", "value"), [("Act_m", -0.1), ("Inact_h", 1.5), ("Act_n", 45.0)])
def test_gates_are_open_to_a_part(gate, value):
    net = bs.Network()
    with pytest.raises(bs.errors.DescriptionError, match=f"{gate} must be between 0 and 1"):
        net.population("n", 2, bs.models.hh_psc_alpha(), **{gate: value})
