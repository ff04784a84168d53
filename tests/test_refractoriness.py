"""How soon a neuron can spike again: as its model declares it, whatever reaches it, and for as long as is asked for."""

import numpy as np
import pytest
import scalars

import biosnn as bs
from biosnn.errors import DescriptionError

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
        assert plan.most_spikes.sum() == 200 * plan.ways.stride  # what the history must hold
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
def test_a_reset_above_threshold_as_a_tail_may_draw_it_ends_no_refractory_time(model):
    p = model(t_ref=0.4)
    p.values["V_reset"] = -40.0  # past the check, which sees the quantiles of a distribution
    _, spikes = scalars.walk(p, 0.1, np.zeros((50, 6)), [10 * (s.dtype is not np.int32) for s in p.states])
    assert spikes.sum() < 11


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
