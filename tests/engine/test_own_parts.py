"""What docs/architecture.md says of new things: each is one file in `oracle/own/`, and a line that names it."""

import networks
import numpy as np
import pytest
from own.own_input import Pulses
from own.own_model import counter
from own.own_recorder import Busiest
from own.own_ring import SideBySide
from own.own_rule import FirstMore

import biosnn as bs
from biosnn.propagation.ways import RINGS


@pytest.fixture
def side_by_side(monkeypatch):
    monkeypatch.setitem(RINGS, SideBySide.name, SideBySide)
    return {"ring_strategy": SideBySide.name}


def delayed():
    net = networks.recurrent()
    (a,) = net.populations.values()
    net.connect(a, a, bs.fixed_indegree(10), weight=bs.normal(20.0, 5.0), delay=bs.uniform(0.5, 4.0))
    return net


@pytest.mark.parametrize("threads", [1, 2])
def test_a_ring_of_ones_own_gives_the_same_spikes(side_by_side, threads):
    known = delayed().build(threads=threads, synapse_backend="event_driven").run(50.0)
    sim = delayed().build(threads=threads, synapse_backend="event_driven", **side_by_side)
    assert sim.plan.ways.ring == "side_by_side"
    assert f"{sim.arrays['sums'].shape[0]} slots x 40 steps x 4 B" in str(sim.plan)
    found = sim.run(50.0)
    assert found.n_spikes > 100
    assert found.fingerprint == known.fingerprint


def test_an_input_a_recorder_a_model_and_a_rule_of_ones_own():
    net = bs.Network(dt=0.1)
    p = net.population("p", 20, counter(V_th=3.0))
    net.connect(p, p, FirstMore(n_more=5), weight=1.0, delay=1.0)
    net.attach(lambda address: [Pulses(address, 10, 1.0)], "pulses")
    net.attach(lambda address: [Busiest(address)])
    sim = net.build(threads=1)
    assert sim.bytes == sim.plan.bytes
    degrees = np.bincount(sim.synapses("p", "p").sources, minlength=20)
    np.testing.assert_array_equal(degrees, [2] * 5 + [1] * 15)
    result = sim.run(2.1)  # pulses in steps 0, 10 and 20: at the third, all reach the threshold
    np.testing.assert_array_equal(result.populations["p"].counts, np.ones(20))
    np.testing.assert_array_equal(sim.arrays["busiest"], [20])


def test_what_is_attached_is_a_function():
    with pytest.raises(bs.DescriptionError, match=r"^attach: make must be a function of an address, got 3$"):
        bs.Network().attach(3)
