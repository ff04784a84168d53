"""The backend `auto` changes between rows and products, and loses no spike."""

import functools

import networks
import numpy as np
import pytest
from scipy import stats
from travel import DT, MIXED, OF_AUTO, PLAIN, assert_follows, long_rows, named, steps_by, traced, want

import biosnn as bs
from biosnn.propagation import switching_cpu as switching


def bursting(bursts=((100, 400), (520, 620))):
    """Nobody fires, or everybody in each step: sources drive a population with many delays onto itself and another."""
    net = bs.Network(dt=DT)
    steps = np.concatenate([np.arange(*burst) for burst in bursts]) + 1
    sources = net.spike_source("sources", [steps * DT] * 30)
    model = bs.models.iaf_psc_exp(t_ref=0.0, tau_syn_ex=0.1, tau_syn_in=0.2, V_th=-69.0, V_reset=-70.0)
    a, b = net.population("a", 600, model), net.population("b", 30, model)
    long_rows(net, sources, a)
    net.connect(sources, a, bs.fixed_indegree(15), weight=1000.0, delay=DT)
    net.connect(a, a, bs.fixed_outdegree(60), weight=bs.uniform(-100.0, 100.0), delay=bs.uniform(0.05, 2.05))
    net.connect(a, b, bs.fixed_outdegree(2), weight=bs.uniform(-2000.0, 3000.0), delay=bs.uniform(0.05, 2.05))
    net.connect(b, [a, b], bs.fixed_outdegree(20), weight=stats.t(1.2, scale=0.1), delay=bs.uniform(0.05, 2.05))
    return net


@functools.cache
def bursts_of(way):
    """Spikes and states of the bursting network, run in pieces."""
    sim = bursting().build(threads=1, **dict(way))
    spikes = np.concatenate([networks.spikes(sim, 5.0) for _ in range(16)])
    return spikes, [sim.arrays[name].copy() for name in ("V_m", "I_syn_ex", "I_syn_in")], sim


@pytest.mark.parametrize("way", OF_AUTO, ids=named)
def test_auto_changes_its_way_with_the_activity_and_gives_the_spikes_of_events_alone(way):
    expected, states, _ = bursts_of(tuple(PLAIN.items()))
    per_step = np.bincount(expected[:, 0], minlength=800)
    assert (per_step[110:390] >= 600).all()
    assert not per_step[450:515].any()
    spikes, found, sim = bursts_of(tuple(way.items()))
    assert sim.plan.ways.backend == "auto"
    assert min(steps_by(sim)) > 0
    np.testing.assert_array_equal(spikes, expected)
    for x, y in zip(found, states, strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_plan_counts_the_matrix_of_auto_once_it_is_there():
    net = bursting()
    sim = net.build(threads=1, **OF_AUTO[0])
    before, later = sim.plan.bytes, sim.plan.later_bytes
    assert sim.bytes == pytest.approx(before, rel=0.02)
    assert later > 6 * sim.n_synapses
    want(sim, True)
    sim.run(DT)
    assert (sim.plan.bytes, sim.plan.later_bytes) == (before + later, 0)
    assert sim.bytes == pytest.approx(before + later, rel=0.02)


@pytest.mark.parametrize("way", OF_AUTO, ids=named)
@pytest.mark.parametrize("period", [1, 2, 7, 29, 31, 40])
def test_auto_may_change_its_way_at_any_step(way, period):
    expected = traced(MIXED, 5)
    net = MIXED(5)
    sim = networks.serial(net, 2, **way)
    assert_follows(net, sim, expected, choices=np.arange(300) // period % 2 == 1)
    events, products = steps_by(sim)
    assert (events > 0) if way["ring_strategy"] == "spike_history" else (events + products >= 300)
    assert products >= 100


@pytest.mark.parametrize("way", OF_AUTO, ids=named)
def test_auto_that_changes_in_the_middle_of_a_run_loses_no_spike(way):
    # what a product costs stands just below and above what the spikes of the window are said to cost
    expected = traced(MIXED, 5)
    window = np.convolve(np.bincount(expected.steps, minlength=300), np.ones(30))[:300]
    sim = networks.serial(MIXED(5), 2, **way)
    want(sim, True)
    found = [networks.spikes(sim, DT)]
    for _ in range(23):
        want(sim, True)
        sim.arrays["way_costs"][[switching.EVENT_NS, switching.EVENT_SPIKES]] = 1e12, 1e9
        sim.arrays["way_costs"][switching.PRODUCT_NS] = 1e3 * np.median(window)
        found.append(networks.spikes(sim, 13 * DT))
    np.testing.assert_array_equal(np.concatenate(found), expected.pairs)
    assert min(steps_by(sim)) > 10
