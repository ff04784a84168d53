"""Partitions that take the steps of the shortest delay at once, before they hear of one another's spikes."""

import naive
import networks
import numpy as np
import pytest

import biosnn as bs

WAYS = [
    {"synapse_backend": "event_driven", "ring_strategy": "spike_history"},
    {"synapse_backend": "event_driven", "ring_strategy": "dense"},
    {"synapse_backend": "event_driven", "ring_strategy": "event_bucketed"},
    {"synapse_backend": "spmm_fused", "ring_strategy": "spike_history", "fused_layout": "csr"},
    {"synapse_backend": "spmm_fused", "ring_strategy": "dense", "fused_layout": "coo"},
]
SHORTEST = 5  # steps


def network():
    """Two kinds of neurons and spike sources, no delay below half a millisecond."""
    rng = np.random.default_rng(3)
    net = bs.Network(dt=0.1, seed=5)
    a = net.population("a", 90, bs.models.iaf_psc_exp(t_ref=1.0), V_m=rng.uniform(-72.0, -54.0, 90))
    b = net.population("b", 40, bs.models.iaf_psc_delta(t_ref=0.0, I_e=300.0), V_m=rng.uniform(-72.0, -54.0, 40))
    s = net.spike_source("s", [np.unique(rng.integers(1, 400, 12)) * 0.1 for _ in range(7)])
    net.connect(a, a, bs.fixed_indegree(12), weight=bs.normal(40.0, 120.0), delay=bs.uniform(0.5, 2.0))
    net.connect(b, b, bs.fixed_outdegree(9), weight=bs.normal(0.5, 1.0), delay=bs.uniform(0.7, 2.0))
    net.connect(s, a, bs.all_to_all(), weight=200.0, delay=bs.uniform(0.5, 1.0))
    net.poisson(a, rate=9000.0, weight=30.0)
    return net


@pytest.fixture(scope="module")
def expected():
    net = network()
    return naive.run(net, networks.drawn(net, **WAYS[0]), 600)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("ways", WAYS, ids=lambda w: " ".join(w.values()))
def test_strides_of_the_shortest_delay_change_no_spike(ways, threads, expected):
    if ways["synapse_backend"] == "event_driven":
        sim = network().build(threads=threads, **ways)
    else:  # threads meet after a stride whatever they did in it: here they are as many partitions
        sim = networks.serial(network(), threads, **ways)
    assert sim.plan.ways.stride == SHORTEST
    # pieces that are no multiples of a stride
    spikes = np.concatenate([networks.spikes(sim, ms) for ms in (0.3, 1.7, 20.0, 0.1, 37.9)])
    assert len(spikes) > 800
    np.testing.assert_array_equal(spikes, expected.pairs)


def test_a_current_that_changes_is_seen_by_all_in_its_step():
    net = network()
    net.current(net.populations["a"], 50.0, start=1.3, stop=7.7)
    plan = net.plan(threads=2)
    assert plan.ways.stride == 1
    sim = networks.serial(net, 2)
    np.testing.assert_array_equal(networks.spikes(sim, 20.0), naive.run(net, sim, 200).pairs)


def test_a_history_has_room_for_what_a_stride_can_fire():
    net = bs.Network()
    fast = networks.cells(net, "fast", 100, V_th=1.0, I_e=1e9, C_m=1.0, tau_m=10.0)
    slow = networks.cells(net, "slow", 100, V_th=1.0, I_e=1e9, C_m=1.0, tau_m=10.0, t_ref=0.7)
    net.connect(fast, slow, bs.one_to_one(), weight=0.0, delay=2.0)
    plan = net.plan(threads=1, synapse_backend="event_driven")
    assert plan.ways.stride == 20
    assert networks.history(plan).most_spikes.tolist() == [100 * 20 + 100 * 3]  # one spike in eight steps


def test_what_decays_below_float32_becomes_zero_and_numpy_goes_on_as_before():
    net = bs.Network()
    a = net.population("a", 50, bs.models.iaf_psc_exp(tau_syn_in=5.0), I_syn_ex=1e-37, I_syn_in=1.0)
    sim = net.build(threads=1)
    sim.run(10.0)
    assert sim.arrays["I_syn_ex"].tolist() == [0.0] * a.n  # 7e-40, were it kept
    assert (sim.arrays["I_syn_in"] > 0).all()
    assert np.float32(1e-38) * np.float32(0.01) > 0
