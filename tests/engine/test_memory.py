"""Memory that the plan found and building does not; where arrays begin in it, and the stack of kernels."""

import inspect

import numba
import numpy as np
import pytest

import biosnn as bs
from biosnn.backends import cpu


def too_many_synapses(net, p):
    net.connect(p, p, bs.fixed_outdegree(2**31 - 1), weight=0.1, delay=1.0)
    return {}


def too_long_a_ring(net, p):
    net.connect(p, p, bs.one_to_one(), weight=0.1, delay=2e8)
    return {"ring_strategy": "dense", "max_ring_mib": 0}


@pytest.mark.parametrize(
    ("describe", "what"), [(too_many_synapses, "synapses"), (too_long_a_ring, "dense ring, packed")]
)
def test_what_memory_has_no_room_for_is_named_with_its_size(describe, what, monkeypatch):
    monkeypatch.setattr("biosnn.engine.planning.plan.free_memory", lambda: None)  # as if it had gone to others since
    net = bs.Network()
    ways = describe(net, net.population("p", 2**17, bs.models.iaf_psc_delta()))
    with pytest.raises(bs.MemoryPlanError, match=rf"^no memory left for {what} \(Unable to allocate .* [TP]iB for"):
        net.build(threads=1, **ways)


def test_states_begin_with_cache_lines_apart_in_their_pages():
    net = bs.Network()
    net.population("p", 5000, bs.models.iaf_cond_exp(), V_m=bs.uniform(-70.0, -60.0))
    arrays = net.build(threads=1, receptor_state_dtype="float16").arrays
    names = ("drive", "V_m", "refractory", "g_ex", "g_in", "spiked")
    places = [arrays[name].ctypes.data % 4096 for name in names]
    assert all(place % 64 == 0 for place in places)
    apart = np.subtract.outer(places, places)[1:, 1:] % 4096
    assert apart[~np.eye(len(apart), dtype=bool)].min() >= 256


def test_kernels_that_update_neurons_begin_their_stack_with_a_cache_line():
    net = bs.Network()
    net.population("p", 10, bs.models.iaf_psc_delta())
    sim = net.build(threads=1)
    module = cpu.load_driver(sim.driver_source)
    update = numba.njit(module.update_iaf_psc_delta.py_func)  # anew: of what lies in the cache Numba shows no code
    update(0, *(sim.arrays[name] for name in list(inspect.signature(update.py_func).parameters)[1:]))
    assert "alignstack=64" in update.inspect_llvm(update.signatures[0])
