"""Rings of floats round as they add."""

import functools

import numpy as np
import pytest
from scipy import stats
from travel import DT, FLOATS, LISTENER, PLAIN, inputs, listening, named

import biosnn as bs

ROUNDING = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}  # relative error of one addition


def arriving(net, sim, steps):
    """How many synapses bring something to each receptor in each step, and the sum of their sizes (pA)."""
    shape = (steps + 5, 2, sim.plan.layout.n_neurons)
    count, size = np.zeros(shape), np.zeros(shape)
    found, (train,), n_sources = sim.synapses(), net.spike_trains, net.populations["sources"].n
    for step, sender in zip(train.steps, train.senders, strict=True):
        mine = found.sources == sender
        due = step + np.rint(found.delays[mine] / DT).astype(int)
        where = due, (found.weights[mine] < 0).astype(int), found.targets[mine] - n_sources
        np.add.at(count, where, 1)
        np.add.at(size, where, np.abs(found.weights[mine]))
    return count[:steps], size[:steps]


@functools.cache
def exactly():
    """Inputs of the listening network without rounding; the additions behind each, and the sum of their sizes."""
    net = listening()
    sim = net.build(threads=1, **PLAIN)
    return inputs(sim, 50), *arriving(net, sim, 50)


@pytest.mark.parametrize("way", FLOATS, ids=named)
def test_a_ring_of_floats_rounds_each_addition_once_and_each_sum_to_whole_units(way):
    exact, n, size = exactly()
    assert n.max() > 8
    sim = listening().build(threads=1, **way)
    found, precision = inputs(sim, 50), sim.plan.precision
    # an amount becomes float32, is added in float32, and rounded to the format
    once = ROUNDING[way["ring_dtype"]] + 2.0**-23
    wide = np.repeat([False, True], 20)  # a, b
    unit = np.where(wide, 1 / precision.wide_scale, precision.units[(1, 0)])
    most = np.where(wide, 2.0**62, 2.0**31) * unit  # of any sum; in float16 it is 2^15, and its smallest number 2^-24
    least = most * 2.0**-40 if way["ring_dtype"] == "float16" else 0.0
    if way["ring_strategy"] == "dense":  # n additions one after the other: Higham 2002, Accuracy and Stability, eq. 4.4
        allowed = n * once / (1 - n * once) * size + unit / 2 + n * least
    else:
        allowed = once * size + n * (unit / 2 + least)
    allowed = allowed + 2.0**-22 * size  # of the currents, in float32
    error = np.abs(found - exact)
    assert (error <= allowed)[n > 0].all()
    assert not found[n == 0].any()
    if way["ring_dtype"] == "float32":
        np.testing.assert_array_equal(found[..., ~wide], exact[..., ~wide])  # sums are below 2^24 units
    else:
        assert (error[..., wide] > 0).mean() > 0.1
        assert error.max() < 0.02 * np.abs(exact).max()


@pytest.mark.parametrize("way", [FLOATS[1], FLOATS[3], FLOATS[5]], ids=named)
def test_the_largest_sum_there_can_be_does_not_change_its_sign_when_it_is_rounded_up(way):
    net = bs.Network(dt=DT)
    sources = net.spike_source("sources", [[DT]] * 4)
    a, b = net.population("a", 1, LISTENER()), net.population("b", 1, LISTENER())
    net.connect(sources, a, bs.fixed_indegree(70_000), weight=0.7, delay=DT)
    net.connect(sources, b, bs.fixed_outdegree(14), weight=stats.t(1.2, scale=30.0), delay=DT)
    sim = net.build(threads=1, **way)
    assert 0.99 * 2**31 < 0.7 * 70_000 / sim.plan.precision.units[(1, 0)] < 2**31
    found = inputs(sim, 3)
    assert found[1, 0, 0] == pytest.approx(0.7 * 70_000, rel=1.1 * ROUNDING[way["ring_dtype"]])
