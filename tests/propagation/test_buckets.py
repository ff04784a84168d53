"""Buckets of events grow, up to a limit."""

import networks
import numpy as np
import pytest
from scipy import stats
from travel import (
    DT,
    LISTENER,
    OF_AUTO,
    SINGLY,
    SOME,
    UNEVENLY,
    assert_follows,
    flood,
    inputs,
    long_rows,
    named,
    steps_by,
    traced,
    ways,
)

import biosnn as bs


def room(sim):
    """Events that the buckets of each table have room for."""
    return [sim.arrays[f"event_value{table.suffix}"].size for table in sim.plan.tables]


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
        sim = networks.serial(net, parts, ring_capacity_max=10**6, **way)
        before = room(sim)
        assert_follows(net, sim, expected, pieces)
        times = 4 if way["synapse_backend"] == "event_driven" else 2
        assert all(after >= times * first for first, after in zip(before, room(sim), strict=True))
        assert max(room(sim)) <= 10**6


def test_a_product_that_gathers_takes_an_event_for_each_slot_and_delay_at_most_however_many_fire():
    # 60 slots x 20 delays a step, where the spikes have 15,000 synapses
    for parts in (1, 3):
        net = flood()
        sim = networks.serial(net, parts, **ways("spmm_fused", "csr", "event_bucketed", ring_capacity_max=24_000))
        assert_follows(net, sim, traced(flood, steps=100), UNEVENLY)


@pytest.mark.parametrize("pieces", [SINGLY, UNEVENLY], ids=["singly", "unevenly"])
def test_spikes_that_are_kept_for_the_product_of_auto_need_no_room_in_buckets(pieces):
    net = flood()
    sim = networks.serial(net, 2, **OF_AUTO[-1])
    before = room(sim)
    assert_follows(net, sim, traced(flood, steps=100), [*pieces, 100], choices=[True] * 100)
    assert room(sim) == before
    assert steps_by(sim)[0] < 10


@pytest.mark.parametrize("period", [1, 3, 8])
def test_auto_finds_room_in_buckets_whenever_it_begins_to_push_again(period):
    net = flood()
    sim = networks.serial(net, 2, **OF_AUTO[-1])
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
    sim = networks.serial(net, parts, **way) if threads == 1 else net.build(threads=threads, **way)
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
