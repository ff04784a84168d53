"""Ways for spikes to travel, networks that are run by each of them, and how they are compared with the oracle.

One shape of network serves most of it: its driver is compiled once for each way, whatever sizes and numbers are in it.
"""

import functools
import itertools

import naive
import networks
import numpy as np
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs
from biosnn.propagation import switching_cpu as switching

RINGS = ("spike_history", "dense", "event_bucketed")
BACKENDS = (("event_driven", "auto"), *itertools.product(("spmm_fused", "auto"), ("csr", "coo")))
DT = 0.1


def ways(backend, layout, ring, **more):
    return {"synapse_backend": backend, "fused_layout": layout, "ring_strategy": ring} | more


PLAIN = ways("event_driven", "auto", "spike_history")
EVERY = [ways(backend, layout, ring) for backend, layout in BACKENDS for ring in RINGS]
SOME = [  # each backend with each layout and each ring
    PLAIN, ways("event_driven", "auto", "dense"), ways("event_driven", "auto", "event_bucketed"),
    ways("spmm_fused", "csr", "spike_history"), ways("spmm_fused", "csr", "event_bucketed"),
    ways("spmm_fused", "coo", "dense"), ways("auto", "coo", "spike_history"), ways("auto", "csr", "dense"),
    ways("auto", "csr", "event_bucketed"),
]  # fmt: skip
OF_AUTO = [way for way in SOME if way["synapse_backend"] == "auto"]
# A driver takes seconds to compile. So SOME are run by the serial driver, on one to three partitions, and the others by
# the parallel one, on threads; with test_strides.py, each backend and each ring meets both.
OTHERS = [way for way in EVERY if way not in SOME]


def named(way):
    return "-".join(str(x) for x in way.values()) if isinstance(way, dict) else str(way)


def recurrent(draw=1, n=40, shortest=0.1, longest=3.0, wide=False, often=1):
    """Neurons of two receptors, excited and inhibited by each other and by spike sources, with many delays, repeated
    synapses and synapses onto themselves. `wide` adds a population whose heavy-tailed weights keep float32. Sources
    fire up to `often` times in a step.
    """
    rng = np.random.default_rng(draw)
    net = bs.Network(dt=DT, seed=draw)
    delays = bs.uniform(shortest - 0.04, longest + 0.04)

    def population(name):
        size = int(rng.integers(1, n + 1))
        model = bs.models.iaf_psc_exp(
            tau_syn_ex=rng.uniform(0.5, 3.0), tau_syn_in=rng.uniform(4.0, 9.0), t_ref=int(rng.integers(0, 4)) * DT,
            I_e=rng.uniform(600.0, 1200.0), tau_m=rng.uniform(5.0, 15.0),
        )  # fmt: skip
        return net.population(name, size, model, V_m=rng.uniform(-72.0, -55.0, size))

    a = population("a")
    trains = [np.unique(rng.integers(1, 300, 30)) * DT for _ in range(9)]
    if often > 1:
        trains = [np.repeat(train, rng.integers(1, often + 1, train.size)) for train in trains]
    sources = net.spike_source("sources", trains)
    net.connect(a, a, bs.fixed_indegree(12), weight=bs.normal(50.0, 120.0), delay=delays)
    net.connect(a, a, bs.pairwise_bernoulli(0.2), weight=-15.0, delay=longest)
    net.connect(a, a, bs.one_to_one(), weight=bs.uniform(-200.0, 300.0), delay=shortest)
    net.connect(sources, a, bs.fixed_outdegree(15), weight=bs.uniform(-400.0, 600.0), delay=delays)
    long_rows(net, sources, a, longest)
    if wide:
        b = population("b")
        net.connect(a, b, bs.fixed_indegree(8), weight=bs.normal(50.0, 120.0), delay=delays)
        net.connect(sources, b, bs.fixed_outdegree(3), weight=300.0, delay=delays)
        net.connect(b, [a, b], bs.fixed_outdegree(14), weight=stats.t(1.2, scale=30.0), delay=delays)
    return net


def long_rows(net, sources, targets, delay=2.0):
    """No synapse, but room for rows of 300: so the tables of all networks have the same types, and one driver does."""
    net.connect(sources[:0], targets, bs.fixed_outdegree(300), weight=100.0, delay=delay)


LISTENER = functools.partial(bs.models.iaf_psc_exp, tau_syn_in=7.0, V_th=1e9)  # fires never
MIXED = functools.partial(recurrent, wide=True)  # packed weights and wide ones
FLOATS = [  # each ring with each format, and each backend with each ring
    *(ways("spmm_fused", "csr", "dense", ring_dtype=dtype) for dtype in ("float32", "float16")),
    *(ways("spmm_fused", "csr", "event_bucketed", ring_dtype=dtype) for dtype in ("float32", "bfloat16")),
    ways("event_driven", "auto", "dense", ring_dtype="bfloat16"),
    ways("event_driven", "auto", "event_bucketed", ring_dtype="float16"),
]


def flood(wide=True, n=30, n_sources=60):
    """Sources that all fire in ten steps: many events at once, of packed weights and of wide ones."""
    net = bs.Network(dt=DT, seed=3)
    sources = net.spike_source("sources", [np.arange(20, 30) * DT] * n_sources)
    model = bs.models.iaf_psc_exp(tau_syn_in=7.0, I_e=700.0, t_ref=0.0)
    a, b = net.population("a", n, model), net.population("b", 2 * n // 3, model)
    long_rows(net, sources, a)
    delays = bs.uniform(0.06, 2.04)
    net.connect(sources, a, bs.fixed_outdegree(250), weight=bs.uniform(-4.0, 6.0), delay=delays)
    if wide:
        net.connect(sources, b, bs.fixed_outdegree(200), weight=stats.t(1.2, scale=0.3), delay=delays)
    net.connect([a, b], a, bs.fixed_outdegree(5), weight=bs.uniform(-4.0, 6.0), delay=delays)
    return net


def listening():
    """Sources, whose synapses of few delays meet at few neurons: packed weights at those of a, wide ones at b's."""
    rng = np.random.default_rng(1)
    net = bs.Network(dt=DT)
    sources = net.spike_source("sources", [np.unique(rng.integers(1, 40, 20)) * DT for _ in range(12)])
    a, b = net.population("a", 20, LISTENER()), net.population("b", 20, LISTENER())
    long_rows(net, sources, a)
    delays = bs.uniform(0.06, 0.44)
    net.connect(sources, a, bs.fixed_outdegree(60), weight=bs.uniform(-400.0, 600.0), delay=delays)
    net.connect(sources, b, bs.fixed_outdegree(60), weight=stats.t(1.2, scale=30.0), delay=delays)
    return net


@functools.cache
def traced(describe, *args, steps=300, **kwargs):
    """What the oracle says of a network: the same whatever the way and the threads."""
    net = describe(*args, **kwargs)
    return naive.run(net, networks.drawn(net, **PLAIN), steps)


def want(sim, product):
    """Let `auto` find from here on that a sparse product costs less than nothing, or more than anything."""
    costs, counts = sim.arrays["way_costs"], sim.arrays["way_counts"]
    costs[switching.MOST_NS] = np.inf  # the matrix is made before the next run
    counts[switching.MEASURED] = switching.TRIALS
    counts[switching.LAST_CHANGED] = -(2**62)  # it may change again
    costs[[switching.EVENT_NS, switching.EVENT_SPIKES]] = 1.0
    costs[switching.PRODUCT_NS] = -1.0 if product else 1e30


def steps_by(sim):
    """Steps that went by events, and by a product."""
    return sim.backend_steps["event_driven"], sim.backend_steps["spmm_fused"]


def assert_follows(net, sim, expected, pieces=None, choices=None):
    """Spikes are the oracle's to the bit, and so are, after each piece of the run, the states: V_m and what came in.

    `pieces` are lengths in steps, one by one if not given. `choices` are what `auto` is told before each.
    """
    layout, spikes, last = sim.plan.layout, [], len(expected.V_m)
    ids = np.flatnonzero(np.repeat(np.array(layout.group_of) >= 0, np.diff(layout.first_id)))
    for k, steps in enumerate(pieces or [1] * last):
        if choices is not None:
            want(sim, choices[k])
        steps = min(steps, last - sim.step)
        if not steps:
            break
        spikes.append(networks.spikes(sim, steps * net.dt))
        now = sim.step - 1
        np.testing.assert_array_equal(sim.arrays["V_m"], expected.V_m[now, ids], err_msg=f"V_m, step {now}")
        for r, name in enumerate(("I_syn_ex", "I_syn_in")):
            np.testing.assert_array_equal(sim.arrays[name], expected.I_syn[now, r, ids], err_msg=f"{name}, step {now}")
    assert sim.step == last
    np.testing.assert_array_equal(np.concatenate(spikes), expected.pairs)


def inputs(sim, steps):
    """What comes in at each receptor (pA) in each step: the current, which is emptied before."""
    found = []
    for _ in range(steps):
        for name in ("I_syn_ex", "I_syn_in"):
            sim.arrays[name][:] = 0.0
        sim.run(DT)
        found.append([sim.arrays[name].astype(np.float64) for name in ("I_syn_ex", "I_syn_in")])
    return np.array(found)


def choices_of(sim, n=300):
    """What a simulation of `auto` is told: the same for a while, then now this, now that."""
    if sim.plan.ways.backend != "auto":
        return None
    rng = np.random.default_rng(3)
    return np.repeat(rng.random(n) < 0.5, rng.integers(1, 9, n))[:n]


SINGLY = [1] * 60  # steps
PARTS = st.sampled_from([1, 2, 5])
UNEVENLY = [1, 2, 40, 3, 1, 17, 5, 31, 64, 2, 9, 20, 7, 13, 50, 11, 24]
