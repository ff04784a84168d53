"""Memory that the plan found, and that building does not: arrays of more bytes than any machine has."""

import pytest

import biosnn as bs


def too_many_synapses(net, p):
    net.connect(p, p, bs.fixed_outdegree(2**31 - 1), weight=0.1, delay=1.0)
    return {}


def too_long_a_ring(net, p):
    net.connect(p, p, bs.one_to_one(), weight=0.1, delay=2e8)
    return {"ring_strategy": "dense", "max_ring_mib": 0}


@pytest.mark.parametrize(("describe", "what"), [(too_many_synapses, "synapses"), (too_long_a_ring, "rings")])
def test_what_memory_has_no_room_for_is_named_with_its_size(describe, what, monkeypatch):
    monkeypatch.setattr("biosnn.engine.plan.free_memory", lambda: None)  # as if it had gone to others since
    net = bs.Network()
    ways = describe(net, net.population("p", 2**17, bs.models.iaf_psc_delta()))
    with pytest.raises(bs.MemoryPlanError, match=rf"^no memory left for {what} \(Unable to allocate .* [TP]iB for"):
        net.build(threads=1, **ways)
