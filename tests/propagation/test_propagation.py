"""Every way for spikes to travel, against the oracle: backends, layouts of the fused matrix, rings, threads."""

import itertools

import naive
import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from travel import (
    DT,
    EVERY,
    MIXED,
    OTHERS,
    PARTS,
    SINGLY,
    SOME,
    UNEVENLY,
    assert_follows,
    choices_of,
    long_rows,
    named,
    recurrent,
    steps_by,
    traced,
    want,
    ways,
)

import biosnn as bs
from biosnn.propagation.spike_history_cpu import collect


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
        sim = networks.serial(net, parts, **way)
        assert [table.store.label for table in sim.plan.tables] == ["packed", "wide"]
        assert_follows(net, sim, expected, pieces, choices_of(sim))


@pytest.mark.parametrize("way", SOME, ids=named)
def test_synaptic_events_are_the_out_degrees_of_the_spikes_of_a_run(way):
    expected = traced(MIXED, 5)
    sim = networks.serial(MIXED(5), 2, **way)
    assert sum(sim.run(steps * DT).synaptic_events for steps in (1, 99, 200)) == expected.events


@pytest.mark.parametrize("parts", [1, 3])
def test_the_ways_that_biosnn_chooses_give_the_spikes_of_the_oracle(parts):
    net = MIXED(5)
    assert_follows(net, networks.serial(net, parts), traced(MIXED, 5), UNEVENLY)


@pytest.mark.parametrize("way", SOME, ids=named)
def test_synapses_are_read_back_alike_from_rows_and_from_matrices(way):
    columns = ("sources", "targets", "weights", "delays")

    def table(found):
        rows = np.column_stack([getattr(found, name) for name in columns])
        return rows[np.lexsort(rows.T[::-1])]

    expected = networks.drawn(MIXED(5))
    for parts in (1, 3):
        sim = networks.serial(MIXED(5), parts, **way)
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
        sim = networks.serial(net, parts, **way)
        assert_follows(net, sim, expected, choices=choices_of(sim))


@pytest.mark.parametrize("way", [*EVERY, ways("auto", "auto", "dense", ring_dtype="float16"), {}], ids=named)
def test_a_network_without_connections_runs_by_any_way(way):
    net = bs.Network(dt=DT)
    networks.cells(net, "a", 20, V_th=1.0, I_e=1e9, C_m=1.0, tau_m=10.0)
    result = networks.serial(net, 2, **way).run(10.0)
    assert (result.n_spikes, result.synaptic_events) == (20 * 100, 0)


@pytest.mark.parametrize("way", SOME, ids=named)
def test_connections_without_synapses_bring_nothing_by_any_way(way):
    net = bs.Network(dt=DT)
    model = bs.models.iaf_psc_exp(tau_syn_in=7.0, V_th=-69.0, I_e=1e9, t_ref=0.0)
    a, b = net.population("a", 20, model), net.population("b", 7, model)
    sources = net.spike_source("sources", [[0.1, 0.3], [0.2]])
    long_rows(net, sources, a)
    net.connect(b[:0], b, bs.fixed_outdegree(14), weight=stats.t(1.2, scale=30.0), delay=bs.uniform(0.1, 2.0))
    sim = networks.serial(net, 3, **way)
    assert [table.store.label for table in sim.plan.tables] == ["packed", "wide"]
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
    expected = naive.run(net, networks.drawn(net), 270)
    sim = networks.serial(net, 2, **way)
    assert [table.store.label for table in sim.plan.tables] == ["packed", "wide"]
    assert_follows(net, sim, expected, choices=choices_of(sim))


@pytest.mark.parametrize("way", SOME, ids=named)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([2, 15, 60]), st.sampled_from([0.1, 0.7, 3.0, 15.0]), PARTS)
def test_random_networks_spike_as_the_oracle_by(way, draw, n, longest, parts):
    net = MIXED(draw, n, longest=longest)
    sim = networks.serial(net, parts, **way)
    assert_follows(net, sim, traced(MIXED, draw, n, longest=longest), UNEVENLY, choices_of(sim))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([15, 60]), st.sampled_from([0.2, 0.5, 3.0]), PARTS)
def test_random_networks_without_short_delays_spike_as_the_oracle_by_a_product_into_buckets(draw, n, shortest, parts):
    net = MIXED(draw, n, shortest, 4.0)
    sim = networks.serial(net, parts, **ways("spmm_fused", "csr", "event_bucketed"))
    assert sim.plan.ways.stride == round(shortest / DT)
    assert_follows(net, sim, traced(MIXED, draw, n, shortest, 4.0), UNEVENLY)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(draw=st.integers(0, 10**6), seed=st.integers(0, 2**63 - 1), longest=st.sampled_from([0.1, 3.0, 20.0]))
def test_random_networks_of_everything_spike_as_the_oracle_by_a_product_into_buckets(draw, seed, longest):
    expected = traced(networks.mixed, draw, seed, longest=longest)
    sim = networks.serial(networks.mixed(draw, seed, longest=longest), 3, **ways("spmm_fused", "csr", "event_bucketed"))
    spikes, events = networks.spikes_and_events(sim, 300 * DT)
    np.testing.assert_array_equal(spikes, expected.pairs)
    assert events == expected.events


@pytest.mark.parametrize("activity", [0.0, 0.02, 0.5, 1.0])
def test_spikes_are_collected_in_order_wherever_a_section_begins_and_ends(activity):
    spiked = (np.random.default_rng(1).random(400) < activity).astype(np.uint8)
    for first, last in [*itertools.product(range(9), range(9, 40)), (3, 3), (0, 400), (5, 7), (7, 400), (3, 195)]:
        expected = first + np.flatnonzero(spiked[first:last])
        ids = np.full((2, expected.size + 3), -1, np.int32)  # two spikes are there, and one id may be written over
        end = collect(spiked, np.array([first, last, 1000]), 0, 2, ids)
        assert end == 2 + expected.size
        np.testing.assert_array_equal(ids[0, 2:end], 1000 + expected)
        assert (ids[1] == -1).all()
        assert (ids[0, :2] == -1).all()
