"""The demonstration networks: their sizes, and that they do what they are known for."""

import inspect

import pytest

import biosnn as bs
from biosnn.demos import DEMOS


def rates(name, duration=500.0, **arguments):
    sim = DEMOS[name](**arguments).build(threads=1)  # the other cores have tests of their own
    sim.run(200.0)
    return sim.run(duration).populations


@pytest.mark.parametrize(
    ("name", "sizes", "synapses"),
    [
        ("network", [3200, 800], 320_000),
        ("vogels_abbott", [3200, 800], 320_000),
        ("brunel", [10_000, 2500], 15_625_000),
        ("microcircuit", [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948], 298_880_970),
    ],
)
def test_defaults_have_the_published_size(name, sizes, synapses):
    net = DEMOS[name]()
    assert [p.n for p in net.populations.values()] == sizes
    assert net.plan().n_synapses == synapses


def test_each_takes_a_step_and_a_seed():
    assert all({"dt", "seed"} <= set(inspect.signature(make).parameters) for make in DEMOS.values())


@pytest.mark.parametrize("arguments", [{}, {"n": 1000, "p": 0.1}, {"n": 10_000}, {"p": 0.1}], ids=str)
def test_balanced_network_is_slow_and_irregular_at_any_size(arguments):
    for population in rates("network", **arguments).values():
        assert 5.0 < population.rate < 20.0
        assert population.cv_isi > 0.4


def test_a_network_may_be_one_neuron_or_have_no_synapses():
    for arguments in ({"n": 1}, {"n": 100, "p": 0.0}):
        assert rates("network", 50.0, **arguments)["exc"].rate > 0


def test_brunel_is_the_more_irregular_the_stronger_its_synapses():
    weak, strong = rates("brunel", n=2500, J=0.1), rates("brunel", n=2500, J=0.5)
    assert strong["exc"].cv_isi > 2 * weak["exc"].cv_isi


def test_brunel_is_quiet_without_input():
    assert rates("brunel", n=500, eta=0.0)["exc"].counts.sum() == 0


def test_inhibition_slows_brunel_down():
    assert rates("brunel", n=1000, J=0.2, g=6.0)["exc"].rate < rates("brunel", n=1000, J=0.2, g=4.5)["exc"].rate


def test_vogels_abbott_keeps_itself_active():
    for population in rates("vogels_abbott").values():
        assert 4.0 < population.rate < 7.0


def test_microcircuit_at_another_step_has_the_same_rates():
    coarse, fine = rates("microcircuit", scale=0.05), rates("microcircuit", scale=0.05, dt=0.05)
    for name in ("L4E", "L4I", "L5E", "L6I"):
        assert coarse[name].rate == pytest.approx(fine[name].rate, rel=0.15)


@pytest.mark.parametrize(
    ("name", "arguments", "fragments"),
    [
        ("network", {"p": -0.1}, ["network", "p must be at least 0"]),
        ("network", {"n": 2.5}, ["n must be a whole number", "2.5"]),
        ("vogels_abbott", {"n": 4}, ["n must be at least 5"]),
        ("brunel", {"n": 60}, ["multiple of 50", "100"]),
        ("brunel", {"J": -0.1}, ["J must be above 0", "mV"]),
        ("brunel", {"g": 0}, ["g must be above 0"]),
        ("brunel", {"eta": -1}, ["eta must be at least 0"]),
        ("microcircuit", {"scale": 0}, ["scale must be above 0"]),
    ],
)
def test_arguments_out_of_range_are_refused(name, arguments, fragments):
    with pytest.raises(bs.DescriptionError) as error:
        DEMOS[name](**arguments)
    for fragment in fragments:
        assert fragment in str(error.value)
