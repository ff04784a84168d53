"""How soon a neuron can spike again: as its model declares it, whatever reaches it, and for as long as is asked for."""

import networks
import numpy as np
import pytest
import scalars

import biosnn as bs
from biosnn.errors import DescriptionError

SETTERS = {
    "V_th": "iaf_psc_exp iaf_cond_alpha lif_3c glif_psc aeif_cond_exp aeif_psc_exp adex_2c adex_3c",
    "omega": "mat2_psc_exp",
}
THRESHOLDS = [(model, name) for name, models in SETTERS.items() for model in models.split()]
REFRACTORY = [name for name, model in bs.models.MODELS.items() if model.refractory_time is not None]


@pytest.mark.parametrize("name", REFRACTORY)
@pytest.mark.parametrize("receptors", [None, [bs.receptors.AMPA(), bs.receptors.GABA_A()]], ids=["own", "conductances"])
def test_no_input_makes_a_neuron_spike_sooner_than_its_model_declares(name, receptors):
    rng = np.random.default_rng(1)
    model = bs.models.MODELS[name](t_ref=0.4, receptors=receptors)
    current, conductance = 10 ** rng.uniform([2, -2], [6, 2], (300, 2)).T
    inputs = np.concatenate([current * rng.normal(0.5, 1, (3, 300)), conductance * rng.random((3, 300))]).T
    start = [0 if s.dtype is np.int32 else rng.normal(0, 1) for s in model.states]
    _, spikes = scalars.walk(model, 0.1, inputs, start)
    apart = np.diff(np.flatnonzero(spikes))
    assert apart.size > 1
    assert apart.min() >= 1 + 4


@pytest.mark.parametrize("model", [bs.models.izhikevich(), bs.models.parrot_neuron(), bs.models.poisson()])
def test_models_that_may_spike_in_every_step_say_so(model):
    assert model.refractory_time is None


@bs.neuron(state={"v": 0.0}, params={"t_ref": 0.01})
def eager(v, I, p, dt):  # noqa: ARG001, E741
    """Spikes in every step; its t_ref means something else."""
    return v + p.t_ref, v >= 0


def test_a_parameter_of_one_s_own_that_is_called_t_ref_promises_nothing():
    for t_ref in (0.01, 100.0):
        net = bs.Network()
        net.population("n", 200, eager(t_ref=t_ref))
        plan = net.plan(threads=1)
        assert networks.history(plan).most_spikes.sum() == 200 * plan.ways.stride  # what the history must hold
        assert "t_ref" not in str(plan)
    assert net.build(threads=1).run(1.0).rates["n"] == pytest.approx(10_000)


def test_a_refractory_time_of_more_steps_than_float32_counts_holds_to_the_step():
    held = np.array([2**24 + 1, 2**31 - 1])
    net = bs.Network()
    each = net.population("each", 2, bs.models.iaf_psc_exp(t_ref=held * net.dt, I_e=1000.0))
    alike = net.population("alike", 1, bs.models.iaf_psc_exp(t_ref=held[0] * net.dt, I_e=1000.0))
    net.record(each + alike, name="all")
    sim = net.build(threads=1)
    first = sim.run(10.0).spikes["all"]
    assert sorted(first.senders) == [0, 1, 2]
    steps = np.rint(first.times / net.dt).astype(int)[np.argsort(first.senders)]
    refractory = sim.arrays["refractory"]
    np.testing.assert_array_equal(refractory, held[[0, 1, 0]] - (100 - steps))
    refractory -= 2**24 - 200  # what so many steps do: a minute's run
    again = sim.run(40.0).spikes["all"]
    assert sorted(again.senders) == [0, 2]
    np.testing.assert_array_equal(np.rint(again.times / net.dt) + 2**24 - 200, 2 * steps[0] + held[0])


@pytest.mark.parametrize("model", [bs.models.iaf_psc_exp, bs.models.iaf_cond_exp, bs.models.lif_3c])
def test_a_reset_above_threshold_ends_no_refractory_time(model):
    p = model(t_ref=0.4)
    p.values["V_reset"] = -40.0  # past the check
    _, spikes = scalars.walk(p, 0.1, np.zeros((50, 6)), [10 * (s.dtype is not np.int32) for s in p.states])
    assert spikes.sum() < 11


class Tail(bs.distributions.Distribution):
    """-70 at the 65,536 quantiles that are looked at when a model is made, -40 between them."""

    def quantile(self, u):
        return np.where(u * 2**16 % 1 == 0.5, -70.0, -40.0)

    def cdf(self, x):
        return float(x >= -40)


@pytest.mark.parametrize("name", ["iaf_psc_exp", "iaf_cond_exp", "lif_3c", "adex_2c", "aeif_psc_exp", "glif_psc"])
def test_a_reset_above_threshold_that_a_tail_draws_is_refused(name):
    """A neuron that is held above its threshold would spike in every step."""
    threshold = {"V_peak": -50.0} if "V_peak" in bs.models.MODELS[name].membrane else {"V_th": -50.0}
    net = bs.Network()
    net.population("n", 3, bs.models.MODELS[name](V_reset=Tail(), **threshold))
    with pytest.raises(DescriptionError, match=r"'n', as drawn: .* V_reset must be below V_\w+ \(mV\), got -40 and"):
        net.build(threads=1)


def test_what_cannot_be_counted_is_refused():
    net = bs.Network()
    with pytest.raises(
        DescriptionError, match=r"'n': t_ref must be at most 2\*\*31 - 1 steps of 0.1 ms, got 2.14748e\+08"
    ):
        net.population("n", 1, bs.models.iaf_psc_exp(t_ref=2**31 * net.dt))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bs.models.iaf_psc_exp(V_th=[-50.0, -55.0], V_reset=[-50 - 1e-9, -70]), "V_reset must be below V_th"),
        (lambda: bs.models.lif_3c(V_th=[-50.0, -55.0], V_reset=[-50 - 1e-9, -70]), "V_reset must be below V_th"),
        (lambda: bs.models.adex_2c(V_peak=[0.0, 0.0], V_reset=[-1e-9, -70]), "V_reset must be below V_peak"),
    ],
)
def test_potentials_that_are_one_in_float32_are_refused(make, message):
    """A neuron that is held at its threshold spikes in every step."""
    with pytest.raises(DescriptionError, match=message):
        make()


@pytest.mark.parametrize(("name", "threshold"), THRESHOLDS)
def test_neurons_of_an_infinite_threshold_never_spike_and_those_beside_them_do(name, threshold):
    model = bs.models.MODELS[name](**{threshold: [np.inf, -50.0]})
    counts = []
    for k in range(2):
        alone = bs.models.MODELS[name](**{threshold: float(model.values[threshold][k])})
        inputs = np.tile([2e4, 2e4, 2e4, 0.0, 0.0, 0.0], (300, 1))
        trace, spikes = scalars.walk(alone, 0.1, inputs, [0.0] * len(model.states))
        assert np.isfinite(trace).all()
        counts.append(spikes.sum())
    assert counts[0] == 0 < counts[1]


def test_an_infinite_threshold_in_an_array_holds_for_its_neuron_alone():
    net = bs.Network()
    for name in ("iaf_psc_exp", "aeif_cond_exp"):
        model = bs.models.MODELS[name](V_th=[-50.0, np.inf, -50.0], I_e=2000.0)
        net.record(net.population(name, 3, model))
    result = net.build(threads=1).run(50.0)
    for spikes in result.spikes.values():
        assert set(spikes.senders) == {0, 2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bs.models.iaf_psc_exp(V_th=-np.inf), r"V_th must be finite or inf \(mV\), got -inf"),
        (lambda: bs.models.iaf_psc_exp(V_th=[-50.0, np.nan]), r"V_th must be finite or inf, got nan \(at index 1\)"),
        (lambda: bs.models.iaf_psc_exp(V_reset=np.inf), "V_reset must be finite"),
        (lambda: bs.models.izhikevich(V_th=np.inf), "V_th must be finite, got inf: V_m would run there"),
    ],
)
def test_what_is_infinite_but_no_threshold_is_refused(make, message):
    with pytest.raises(DescriptionError, match=message):
        make()
