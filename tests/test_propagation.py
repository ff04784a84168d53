"""Every way for spikes to travel, against the oracle: backends, layouts of the fused matrix, rings, threads, formats.

One shape of network serves most of it: its driver is compiled once for each way, whatever sizes and numbers are in it.
"""

import functools
import itertools
from types import SimpleNamespace

import naive
import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs
from biosnn.backends import cpu
from biosnn.engine.build import build
from biosnn.engine.simulation import Simulation
from biosnn.propagation import switching
from biosnn.propagation.spike_history import collect

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


def recurrent(draw=1, n=40, shortest=0.1, longest=3.0, wide=False):
    """Neurons of two receptors, excited and inhibited by each other and by spike sources, with many delays, repeated
    synapses and synapses onto themselves. `wide` adds a population whose heavy-tailed weights keep float32.
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
    sources = net.spike_source("sources", [np.unique(rng.integers(1, 300, 30)) * DT for _ in range(9)])
    net.connect(a, a, bs.fixed_indegree(12), weight=bs.normal(50.0, 120.0), delay=delays)
    net.connect(a, a, bs.pairwise_bernoulli(0.2), weight=-15.0, delay=longest)
    net.connect(a, a, bs.one_to_one(), weight=bs.uniform(-200.0, 300.0), delay=shortest)
    net.connect(sources, a, bs.fixed_outdegree(15), weight=bs.uniform(-400.0, 600.0), delay=delays)
    long_rows(net, sources, a)
    if wide:
        b = population("b")
        net.connect(a, b, bs.fixed_indegree(8), weight=bs.normal(50.0, 120.0), delay=delays)
        net.connect(sources, b, bs.fixed_outdegree(3), weight=300.0, delay=delays)
        net.connect(b, [a, b], bs.fixed_outdegree(14), weight=stats.t(1.2, scale=30.0), delay=delays)
    return net


def long_rows(net, sources, targets):
    """No synapse, but room for rows of 300: so the tables of all networks have the same types, and one driver does."""
    net.connect(sources[:0], targets, bs.fixed_outdegree(300), weight=100.0, delay=2.0)


MIXED = functools.partial(recurrent, wide=True)  # packed weights and wide ones


def drawn(net):
    """The network with its synapses, and without a driver: nothing is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "load_driver", lambda _text: SimpleNamespace(ARGUMENTS=(), advance=lambda *_: 0))
        return net.build(threads=1, **PLAIN)


@functools.cache
def traced(describe, *args, steps=300, **kwargs):
    """What the oracle says of a network: the same whatever the way and the threads."""
    net = describe(*args, **kwargs)
    return naive.run(net, drawn(net), steps)


def serial(net, parts, **way):
    """A simulation by the serial driver, of a network that is divided nonetheless."""
    plan = net.plan(threads=parts, **way)
    plan.parallel = False
    return Simulation(build(net, plan))


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


def choices_of(sim, n=300):
    """What a simulation of `auto` is told: the same for a while, then now this, now that."""
    if sim.plan.ways.backend != "auto":
        return None
    rng = np.random.default_rng(3)
    return np.repeat(rng.random(n) < 0.5, rng.integers(1, 9, n))[:n]


SINGLY = [1] * 60  # steps
PARTS = st.sampled_from([1, 2, 5])
UNEVENLY = [1, 2, 40, 3, 1, 17, 5, 31, 64, 2, 9, 20, 7, 13, 50, 11, 24]


# The same spikes and inputs, whatever the way


@pytest.mark.parametrize("way", OTHERS, ids=named)
def test_threads_give_the_spikes_and_inputs_of_the_oracle(way):
    expected = traced(recurrent, 8)
    assert len(expected.steps) > 300
    for threads, pieces in ((2, [*SINGLY, 300]), (3, UNEVENLY)):
        net = recurrent(8)
        sim = net.build(threads=threads, **way)
        assert (sim.plan.ways.backend, sim.plan.ways.ring) == (way["synapse_backend"], way["ring_strategy"])
        assert_follows(net, sim, expected, pieces, choices_of(sim))
        if sim.plan.ways.backend == "auto" and len(pieces) > 1:
            assert min(steps_by(sim)) > 20


@pytest.mark.parametrize("way", SOME, ids=named)
def test_packed_weights_beside_wide_ones_arrive_as_in_the_oracle_however_the_network_is_divided(way):
    expected = traced(MIXED, 5)
    assert len(expected.steps) > 300
    for parts, pieces in ((1, None), (3, None), (2, UNEVENLY)):
        net = MIXED(5)
        sim = serial(net, parts, **way)
        assert [table.wide for table in sim.plan.tables] == [False, True]
        assert_follows(net, sim, expected, pieces, choices_of(sim))


@pytest.mark.parametrize("way", SOME, ids=named)
def test_synaptic_events_are_the_out_degrees_of_the_spikes_of_a_run(way):
    expected = traced(MIXED, 5)
    sim = serial(MIXED(5), 2, **way)
    assert sum(sim.run(steps * DT).synaptic_events for steps in (1, 99, 200)) == expected.events


@pytest.mark.parametrize("parts", [1, 3])
def test_the_ways_that_biosnn_chooses_give_the_spikes_of_the_oracle(parts):
    net = MIXED(5)
    assert_follows(net, serial(net, parts), traced(MIXED, 5), UNEVENLY)


@pytest.mark.parametrize("way", SOME, ids=named)
def test_synapses_are_read_back_alike_from_rows_and_from_matrices(way):
    columns = ("sources", "targets", "weights", "delays")

    def table(found):
        rows = np.column_stack([getattr(found, name) for name in columns])
        return rows[np.lexsort(rows.T[::-1])]

    expected = drawn(MIXED(5))
    for parts in (1, 3):
        sim = serial(MIXED(5), parts, **way)
        if way["synapse_backend"] == "auto":
            want(sim, True)
            sim.run(DT)
        for pair in ((None, None), ("a", "b"), ("b", "a"), ("sources", "a")):
            np.testing.assert_array_equal(
                table(sim.synapses(*pair)), table(expected.synapses(*pair)), err_msg=str(pair)
            )


@pytest.mark.parametrize("way", SOME, ids=named)
def test_one_neuron_and_its_synapse_onto_itself_do_on_any_number_of_partitions(way):
    expected = traced(MIXED, 1, n=1)
    assert len(expected.steps) > 20
    for parts in (1, 3):
        net = MIXED(1, n=1)
        sim = serial(net, parts, **way)
        assert_follows(net, sim, expected, choices=choices_of(sim))


@pytest.mark.parametrize("way", [*EVERY, ways("auto", "auto", "dense", ring_dtype="float16"), {}], ids=named)
def test_a_network_without_connections_runs_by_any_way(way):
    net = bs.Network(dt=DT)
    networks.cells(net, "a", 20, V_th=1.0, I_e=1e9, C_m=1.0, tau_m=10.0)
    result = serial(net, 2, **way).run(10.0)
    assert (result.n_spikes, result.synaptic_events) == (20 * 100, 0)


@pytest.mark.parametrize("way", SOME, ids=named)
def test_connections_without_synapses_bring_nothing_by_any_way(way):
    net = bs.Network(dt=DT)
    model = bs.models.iaf_psc_exp(tau_syn_in=7.0, V_th=-69.0, I_e=1e9, t_ref=0.0)
    a, b = net.population("a", 20, model), net.population("b", 7, model)
    sources = net.spike_source("sources", [[0.1, 0.3], [0.2]])
    long_rows(net, sources, a)
    net.connect(b[:0], b, bs.fixed_outdegree(14), weight=stats.t(1.2, scale=30.0), delay=bs.uniform(0.1, 2.0))
    sim = serial(net, 3, **way)
    assert [table.wide for table in sim.plan.tables] == [False, True]
    result = sim.run(10.0)
    assert (sim.n_synapses, len(sim.synapses()), result.n_spikes, result.synaptic_events) == (0, 0, 27 * 100, 0)


@pytest.mark.parametrize("way", [way for way in SOME if way["synapse_backend"] != "event_driven"], ids=named)
def test_delays_far_apart_leave_most_of_a_window_unread(way):
    net = bs.Network(dt=DT)
    sources = net.spike_source("sources", [[0.1, 0.3], [0.2]])
    model = bs.models.iaf_psc_exp(tau_syn_in=7.0, V_th=1e9)
    a, b = net.population("a", 3, model), net.population("b", 2, model)
    long_rows(net, sources, a)
    for delay, weight in ((0.1, 10.0), (3.0, 30.0), (25.0, -100.0)):
        net.connect(sources, a, bs.all_to_all(), weight=weight, delay=delay)
        net.connect(sources, b, bs.fixed_outdegree(5), weight=stats.t(1.2, scale=30.0), delay=delay)
    expected = naive.run(net, drawn(net), 270)
    sim = serial(net, 2, **way)
    assert [table.wide for table in sim.plan.tables] == [False, True]
    assert_follows(net, sim, expected, choices=choices_of(sim))


@pytest.mark.parametrize("way", SOME, ids=named)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([2, 15, 60]), st.sampled_from([0.1, 0.7, 3.0, 15.0]), PARTS)
def test_random_networks_spike_as_the_oracle_by(way, draw, n, longest, parts):
    net = MIXED(draw, n, longest=longest)
    sim = serial(net, parts, **way)
    assert_follows(net, sim, traced(MIXED, draw, n, longest=longest), UNEVENLY, choices_of(sim))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([15, 60]), st.sampled_from([0.2, 0.5, 4.0]), PARTS)
def test_random_networks_without_short_delays_spike_as_the_oracle_by_a_product_into_buckets(draw, n, shortest, parts):
    net = MIXED(draw, n, shortest, 4.0)
    sim = serial(net, parts, **ways("spmm_fused", "csr", "event_bucketed"))
    assert sim.plan.ways.stride == round(shortest / DT)
    assert_follows(net, sim, traced(MIXED, draw, n, shortest, 4.0), UNEVENLY)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(draw=st.integers(0, 10**6), seed=st.integers(0, 2**63 - 1), longest=st.sampled_from([0.1, 3.0, 20.0]))
def test_random_networks_of_everything_spike_as_the_oracle_by_a_product_into_buckets(draw, seed, longest):
    expected = traced(networks.mixed, draw, seed, longest=longest)
    sim = serial(networks.mixed(draw, seed, longest=longest), 3, **ways("spmm_fused", "csr", "event_bucketed"))
    spikes, events = networks.spikes_and_events(sim, 300 * DT)
    np.testing.assert_array_equal(spikes, expected.pairs)
    assert events == expected.events


@pytest.mark.parametrize("activity", [0.0, 0.02, 0.5, 1.0])
def test_spikes_are_collected_in_order_wherever_a_section_begins_and_ends(activity):
    spiked = (np.random.default_rng(1).random(80) < activity).astype(np.uint8)
    for first, last in [*itertools.product(range(9), range(9, 40)), (3, 3), (0, 80), (5, 7), (7, 80)]:
        expected = first + np.flatnonzero(spiked[first:last])
        ids = np.full((2, expected.size + 3), -1, np.int32)  # two spikes are there, and one id may be written over
        end = collect(spiked, np.array([first, last, 1000]), 0, 2, ids)
        assert end == 2 + expected.size
        np.testing.assert_array_equal(ids[0, 2:end], 1000 + expected)
        assert (ids[1] == -1).all()
        assert (ids[0, :2] == -1).all()


# `auto` changes between both ways


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
    sim = serial(net, 2, **way)
    assert_follows(net, sim, expected, choices=np.arange(300) // period % 2 == 1)
    events, products = steps_by(sim)
    assert (events > 0) if way["ring_strategy"] == "spike_history" else (events + products >= 300)
    assert products >= 100


@pytest.mark.parametrize("way", OF_AUTO, ids=named)
def test_auto_that_changes_in_the_middle_of_a_run_loses_no_spike(way):
    # what a product costs stands just below and above what the spikes of the window are said to cost
    expected = traced(MIXED, 5)
    window = np.convolve(np.bincount(expected.steps, minlength=300), np.ones(30))[:300]
    sim = serial(MIXED(5), 2, **way)
    want(sim, True)
    found = [networks.spikes(sim, DT)]
    for _ in range(23):
        want(sim, True)
        sim.arrays["way_costs"][[switching.EVENT_NS, switching.EVENT_SPIKES]] = 1e12, 1e9
        sim.arrays["way_costs"][switching.PRODUCT_NS] = 1e3 * np.median(window)
        found.append(networks.spikes(sim, 13 * DT))
    np.testing.assert_array_equal(np.concatenate(found), expected.pairs)
    assert min(steps_by(sim)) > 10


# Rings of floats round as they add

ROUNDING = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}  # relative error of one addition
FLOATS = [  # each ring with each format, and each backend with each ring
    *(ways("spmm_fused", "csr", "dense", ring_dtype=dtype) for dtype in ("float32", "float16")),
    *(ways("spmm_fused", "csr", "event_bucketed", ring_dtype=dtype) for dtype in ("float32", "bfloat16")),
    ways("event_driven", "auto", "dense", ring_dtype="bfloat16"),
    ways("event_driven", "auto", "event_bucketed", ring_dtype="float16"),
]
LISTENER = functools.partial(bs.models.iaf_psc_exp, tau_syn_in=7.0, V_th=1e9)  # fires never


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


def inputs(sim, steps):
    """What comes in at each receptor (pA) in each step: the current, which is emptied before."""
    found = []
    for _ in range(steps):
        for name in ("I_syn_ex", "I_syn_in"):
            sim.arrays[name][:] = 0.0
        sim.run(DT)
        found.append([sim.arrays[name].astype(np.float64) for name in ("I_syn_ex", "I_syn_in")])
    return np.array(found)


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


# Buckets grow, to a limit


def flood(wide=True, n=30):
    """Sources that all fire in ten steps: many events at once, of packed weights and of wide ones."""
    net = bs.Network(dt=DT, seed=3)
    sources = net.spike_source("sources", [np.arange(20, 30) * DT] * 60)
    model = bs.models.iaf_psc_exp(tau_syn_in=7.0, I_e=700.0, t_ref=0.0)
    a, b = net.population("a", n, model), net.population("b", 2 * n // 3, model)
    long_rows(net, sources, a)
    delays = bs.uniform(0.06, 2.04)
    net.connect(sources, a, bs.fixed_outdegree(250), weight=bs.uniform(-4.0, 6.0), delay=delays)
    if wide:
        net.connect(sources, b, bs.fixed_outdegree(200), weight=stats.t(1.2, scale=0.3), delay=delays)
    net.connect([a, b], a, bs.fixed_outdegree(5), weight=bs.uniform(-4.0, 6.0), delay=delays)
    return net


def room(sim):
    """Events that the buckets of each table have room for."""
    return [sim.arrays["event_value_wide" if table.wide else "event_value"].size for table in sim.plan.tables]


def in_flight(net, sim, expected, wide):
    """Events of one table that wait after each step in each partition, for the spikes of the oracle."""
    found, (train,), layout = sim.synapses(), net.spike_trains, sim.plan.layout
    table = (found.sources < 60) & (found.targets >= layout.first_of()["b"])
    part_of = np.array([cell.part for cell in layout.cells])[layout.cell_table()[found.targets]]
    delays = np.rint(found.delays / DT).astype(int)
    change = np.zeros((400, layout.n_parts), int)
    for step, i in [*zip(train.steps, train.senders, strict=True), *expected.pairs]:
        mine = (found.sources == i) & (table == wide)
        np.add.at(change, (step, part_of[mine]), 1)
        np.subtract.at(change, (step + delays[mine], part_of[mine]), 1)
    return np.cumsum(change, axis=0)


BUCKETS = [way for way in SOME if way["ring_strategy"] == "event_bucketed"]
IN_PARALLEL = ways("spmm_fused", "coo", "event_bucketed")  # an event for each synapse, as of event-driven delivery


@pytest.mark.parametrize("way", BUCKETS, ids=named)
def test_buckets_grow_and_lose_no_event(way):
    n = 200 if way["synapse_backend"] == "spmm_fused" else 30  # it puts one event for each neuron, receptor and delay
    expected = traced(flood, n=n, steps=100)
    for parts, pieces in ((1, [100]), (3, UNEVENLY)):
        net = flood(n=n)
        sim = serial(net, parts, ring_capacity_max=10**6, **way)
        before = room(sim)
        assert_follows(net, sim, expected, pieces)
        times = 4 if way["synapse_backend"] == "event_driven" else 2
        assert all(after >= times * first for first, after in zip(before, room(sim), strict=True))
        assert max(room(sim)) <= 10**6


def test_a_product_that_gathers_takes_an_event_for_each_slot_and_delay_at_most_however_many_fire():
    # 60 slots x 20 delays a step, where the spikes have 15,000 synapses
    for parts in (1, 3):
        net = flood()
        sim = serial(net, parts, **ways("spmm_fused", "csr", "event_bucketed", ring_capacity_max=24_000))
        assert_follows(net, sim, traced(flood, steps=100), UNEVENLY)


@pytest.mark.parametrize("pieces", [SINGLY, UNEVENLY], ids=["singly", "unevenly"])
def test_spikes_that_are_kept_for_the_product_of_auto_need_no_room_in_buckets(pieces):
    net = flood()
    sim = serial(net, 2, **OF_AUTO[-1])
    before = room(sim)
    assert_follows(net, sim, traced(flood, steps=100), [*pieces, 100], choices=[True] * 100)
    assert room(sim) == before
    assert steps_by(sim)[0] < 10


@pytest.mark.parametrize("period", [1, 3, 8])
def test_auto_finds_room_in_buckets_whenever_it_begins_to_push_again(period):
    net = flood()
    sim = serial(net, 2, **OF_AUTO[-1])
    before = room(sim)
    assert_follows(net, sim, traced(flood, steps=100), choices=np.arange(100) // period % 2 == 0)
    assert room(sim) > before


def test_buckets_grow_and_lose_no_event_on_two_and_three_threads():
    for threads, pieces in ((2, [100]), (3, UNEVENLY)):
        net = flood(wide=False)
        sim = net.build(threads=threads, ring_capacity_max=10**6, **IN_PARALLEL)
        (before,) = room(sim)
        assert_follows(net, sim, traced(flood, wide=False, steps=100), pieces)
        assert room(sim)[0] >= 2 * before


@pytest.mark.parametrize(("parts", "threads"), [(1, 1), (2, 1), (2, 2)])
def test_buckets_grow_up_to_their_limit_and_when_it_is_reached_the_run_ends_at_that_step(parts, threads):
    wide, most = threads == 1, 48_000
    expected = traced(flood, wide=wide, steps=100)
    net, way = flood(wide), (BUCKETS[0] if threads == 1 else IN_PARALLEL) | {"ring_capacity_max": most}
    sim = serial(net, parts, **way) if threads == 1 else net.build(threads=threads, **way)
    handed = []
    with pytest.raises(bs.RingFullError) as error:
        sim.run(10.0, sink=lambda steps, ids: handed.append(np.column_stack([steps, ids])))
    for fragment in ("event_bucketed", f"{sim.time:g} ms", "--ring-capacity-max", "--max-ring-mib", "spike_history"):
        assert fragment in str(error.value)
    assert "\n" not in str(error.value)

    # it is neither too late nor much too early: some partition has no more blocks than may have to be opened
    assert 20 < sim.step < 30
    waiting = np.concatenate([in_flight(net, sim, expected, wide) for wide in (False, True)], axis=1)
    assert (waiting[: sim.step - 1] <= most // parts).all()
    assert waiting[sim.step - 1].max() > most // parts - 2 * 64 * (20 + 1)
    assert max(room(sim)) <= most

    # what was simulated until then has been handed over, and is right
    handed = np.concatenate(handed)
    np.testing.assert_array_equal(handed[handed[:, 1] >= 60], expected.pairs[expected.steps < sim.step])
    given = np.array([(step, i) for step in range(20, 30) for i in range(60)]) - [1, 0]
    np.testing.assert_array_equal(handed[handed[:, 1] < 60], given[given[:, 0] < sim.step])
    assert error.value.result.stop_ms == pytest.approx(sim.time)
    assert error.value.result.n_spikes == (handed[:, 1] >= 60).sum()

    # and stays right
    for _ in range(2):
        np.testing.assert_array_equal(sim.arrays["V_m"], expected.V_m[sim.step - 1, 60:])
        np.testing.assert_array_equal(sim.arrays["I_syn_ex"], expected.I_syn[sim.step - 1, 0, 60:])
        step = sim.step
        with pytest.raises(bs.RingFullError):
            sim.run(DT)
        assert sim.step == step


def test_buckets_with_the_least_room_do_not_fill():
    # one event for each of 20 steps to come, from each of three spikes: 20 open blocks of 64 events, and as many spare
    net = bs.Network(dt=DT)
    sources = net.spike_source("sources", [[0.1, 0.2, 0.3]])
    a, b = net.population("a", 20, LISTENER()), net.population("b", 20, LISTENER())
    long_rows(net, sources, a)
    delays = np.arange(1, 21)[None, :] * DT
    net.connect(sources, a, bs.all_to_all(), weight=1.0, delay=delays)
    net.connect(sources, b, bs.all_to_all(), weight=stats.t(1.2, scale=3.0), delay=delays)
    sim = net.build(threads=1, ring_capacity_max=41 * 64, **BUCKETS[0])
    found = inputs(sim, 30)
    expected = np.zeros((30, 20))
    for step in range(3):
        expected[step + np.arange(1, 21), np.arange(20)] += 1.0
    np.testing.assert_array_equal(found[:, 0, :20], expected)
    assert room(sim) == [41 * 64] * 2
