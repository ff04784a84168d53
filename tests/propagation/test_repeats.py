"""Several spikes of one neuron in one step: each is sent, counted and recorded, however many there are."""

import hashlib
import struct
from collections import Counter

import networks
import numpy as np
import pytest
import travel

import biosnn as bs
from biosnn.address.repeats import MOST, find_repeats

ALL = bs.all_to_all()
RINGS = ("spike_history", "dense", "event_bucketed")


def parrots(net, name, n=1):
    return net.population(name, n, bs.models.parrot_neuron())


# Given spikes


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("ring", RINGS)
def test_a_time_given_several_times_is_as_many_spikes(ring, parts):
    net = travel.recurrent(often=4)
    expected = travel.traced(travel.recurrent, often=4)
    sim = networks.serial(net, parts, synapse_backend="event_driven", ring_strategy=ring)
    travel.assert_follows(net, sim, expected, travel.UNEVENLY)


def test_room_is_for_the_given_spikes_of_any_stride():
    net = bs.Network()
    source = net.spike_source("s", np.array([3, 3, 4, 5, 5, 5, 9, 9, 20]) * 0.1, [0, 0, 1, 1, 0, 1, 1, 0, 2])
    cells = networks.cells(net, "cells", 10, t_ref=5.0)
    for delay, most in ((2.0, 9), (0.5, 6), (0.3, 6), (0.2, 4), (0.1, 3)):
        net.connect(source, cells, ALL, weight=1.0, delay=delay)
        assert networks.history(net.plan(threads=1)).most_spikes.tolist()[-1] == most


def test_no_sum_overflows_however_often_a_source_fires():
    net = bs.Network()
    source = net.spike_source("s", [[1.0] * 70_000, [1.0]])
    cell = networks.cells(net, "cell", 1)
    net.connect(source[:1], cell, ALL, weight=1.0, delay=1.0)  # 70,000 x 32,767 are more than 2^31
    net.connect(source[1:], cell, ALL, weight=0.001, delay=2.0)
    net.record(cell, "V_m")
    values = net.build(threads=1).run(5.0).samples["cell"]["V_m"].values[:, 0]
    assert values[19] == 70_000.0
    assert values[-1] == pytest.approx(70_000.001, rel=1e-7)


# Parrots


def linear(pairs, delays, n, given, n_steps):
    """Spikes of each parrot in each step: what arrives, that is the sum over its synapses."""
    counts = np.zeros((n_steps, n), np.int64)
    for step in range(n_steps):
        counts[step] = given.get(step, 0)
        for (i, j), d in zip(pairs, delays, strict=True):
            if step >= d:
                counts[step, j] += counts[step - d, i]
    return counts


@pytest.mark.bounds
@pytest.mark.parametrize(("ring", "parts"), [*((ring, 1) for ring in RINGS), ("dense", 3), ("spike_history", None)])
def test_parrots_that_multiply_spikes_send_each_of_them(ring, parts):
    """On partitions, or on two threads."""
    rng, n, n_steps = np.random.default_rng(4), 40, 50
    pairs, delays = rng.integers(0, n, (90, 2)), rng.integers(1, 6, 90)
    net = bs.Network()
    source = net.spike_source("s", [[0.1] * 3, [0.4, 0.4, 0.9]])
    p = parrots(net, "p", n)
    cells = networks.cells(net, "cells", n)
    net.connect(source, p, ([0, 1], [0, 5]), weight=0.0, delay=0.1)
    net.connect(p, p, (pairs[:, 0], pairs[:, 1]), weight=rng.normal(size=90), delay=delays * 0.1)
    net.connect(p, cells, bs.one_to_one(), weight=0.5, delay=0.1)
    way = {"ring_strategy": ring}
    sim = networks.serial(net, parts, **way) if parts else net.build(threads=2, **way)
    history = sim.arrays["spike_ids"].shape[1]
    expected = linear(
        pairs, delays, n, {1: 3 * (np.arange(n) == 0), 4: 2 * (np.arange(n) == 5), 9: np.arange(n) == 5}, n_steps
    )
    found = []
    sim.run(1.3, sink=lambda *chunk: found.append(np.stack(chunk)))
    result = sim.run(n_steps * 0.1 - 1.3, sink=lambda *chunk: found.append(np.stack(chunk)))
    steps, ids = np.concatenate(found, axis=1)
    counts = np.bincount(steps * sim.plan.layout.n_ids + ids, minlength=n_steps * sim.plan.layout.n_ids)
    np.testing.assert_array_equal(counts.reshape(n_steps, -1)[:, 2 : 2 + n], expected)
    np.testing.assert_array_equal(sim.arrays["iaf_psc_delta_V_m"], 0.5 * expected[:-1].sum(0))
    np.testing.assert_array_equal(result.populations["p"].counts, expected[13:].sum(0))
    assert expected[-1].sum() > history  # the lists had to grow amid a step, and more than once
    assert sim.arrays["spike_ids"].shape[1] > 2 * history


def test_a_chain_of_parrots_makes_a_million_spikes_of_ten():
    net = bs.Network()
    before = net.spike_source("s", [[0.1] * 10])
    for k in range(6):
        chain = parrots(net, f"p{k}")
        n = 10 if k else 1
        net.connect(before, chain, ([0] * n, [0] * n), weight=1.0, delay=0.1)
        before = chain
    cell = networks.cells(net, "cell", 1)
    net.connect(before, cell, ALL, weight=0.25, delay=0.1)
    net.connect(before, cell, ALL, weight=-1e-4, delay=1.0)
    sim = net.build(threads=1)
    result = sim.run(1.0)
    assert [result.populations[f"p{k}"].counts.tolist() for k in range(6)] == [[10 ** (k + 1)] for k in range(6)]
    assert sim.arrays["iaf_psc_delta_V_m"].tolist() == [250_000.0]
    assert result.synaptic_events == 10 + 11_111_10 * 10 - 10_000_00 * 8


def looped(n, out):
    """Parrots that lead back to themselves, `out` times, and the spike that starts them."""
    net = bs.Network()
    p = parrots(net, "p", n)
    net.connect(net.spike_source("s", [0.1]), p, ALL, weight=1.0, delay=0.1)
    net.connect(p, p, ALL if out == n else ([0] * out, [0] * out), weight=1.0, delay=0.1)
    return net


@pytest.mark.parametrize(
    ("n", "out", "free", "message"),
    [
        (
            1,
            2,
            1000,
            "a neuron fired 2,097,152 times in the step to 2.3 ms, over the 1,048,576 that sums have room for",
        ),
        (100, 100, 100, "101,000,000 spikes until 0.5 ms need 5,394 MiB, and 100 are free"),
    ],
)
def test_a_loop_that_multiplies_without_end_ends_the_run_with_what_it_recorded(n, out, free, message, monkeypatch):
    monkeypatch.setattr("biosnn.propagation.history.free_memory", lambda: free * 2**20)
    sim = looped(n, out).build(threads=1)
    with pytest.raises(bs.errors.RingFullError) as caught:
        sim.run(10.0)
    assert message in str(caught.value)
    assert "break their loop" in str(caught.value)
    kept = round(caught.value.result.stop_ms / 0.1)
    assert kept > 2
    assert caught.value.result.n_spikes == sum(n * out**k for k in range(kept - 1))
    with pytest.raises(bs.errors.RingFullError, match="break their loop"):
        sim.run(10.0)


def test_how_often_a_parrot_can_fire_is_known_unless_it_leads_back_to_itself():
    net = bs.Network()
    source = net.spike_source("s", [[1.0] * 5, [1.0]], n=4)
    noise = net.population("noise", 3, bs.models.poisson(rate=[10.0, 0.0, 50.0]))
    first, second, loop, behind = (parrots(net, name, 2) for name in ("first", "second", "loop", "behind"))
    net.connect([source, noise], first, bs.fixed_indegree(3), weight=1.0)
    net.connect(first, second, bs.one_to_one(), weight=1.0)
    net.connect(source[2:], second, ALL, weight=1.0)
    net.connect(second, loop, ALL, weight=1.0)
    net.connect(loop, loop, bs.one_to_one(), weight=1.0)
    net.connect(loop, behind, bs.one_to_one(), weight=1.0)
    found = find_repeats(net)  # more than 3 events of a mean of 0.005 are less likely than 2^-33
    assert found.most == {
        "s": 5, "noise": 3, "first": 15, "second": 15 + 2 * 5, "loop": MOST, "behind": MOST
    }  # fmt: skip
    chain = bs.Network()
    before = chain.spike_source("s", [[1.0] * 3])
    for k in range(3000):  # deeper than Python's stack
        after = parrots(chain, f"p{k}")
        chain.connect(before, after, ALL, weight=1.0)
        before = after
    assert set(find_repeats(chain).most.values()) == {3}


def test_parrots_with_many_inputs_count_as_far_as_sums_reach():
    net = bs.Network()
    p = parrots(net, "p", 2)
    net.connect(p, p, bs.fixed_indegree(10_000), weight=1.0)
    assert find_repeats(net).limit == 2**31 * (1 - 2**-7) // 10_000
    net.spike_source("s", np.ones(300_000))
    with pytest.raises(
        bs.DescriptionError, match="'s': a source may fire 213,070 times in a step at most, got 300,000"
    ):
        net.plan()


# Ways to travel


def test_a_product_that_counts_a_spike_once_is_not_used():
    net = travel.recurrent(often=2)
    with pytest.raises(bs.DescriptionError, match=r"spmm_fused knows whether.*use --synapse-backend event_driven"):
        net.plan(synapse_backend="spmm_fused")
    plan = net.plan()
    assert plan.ways.backend == "event_driven"
    assert any("several times in a step" in note for note in plan.notes)
    assert travel.recurrent(often=1).plan(synapse_backend="spmm_fused").ways.backend == "spmm_fused"


def test_strides_stay_as_long_as_the_shortest_delay_where_few_spikes_are_repeated():
    net = bs.Network()
    noise = net.population("noise", 50, bs.models.poisson(rate=100.0))
    p = parrots(net, "p", 50)
    net.connect(noise, p, bs.one_to_one(), weight=1.0, delay=1.0)
    assert net.plan().ways.stride == 10
    net.connect(p, p, bs.one_to_one(), weight=1.0, delay=1.0)
    assert net.plan().ways.stride == 1


# What is recorded


def test_statistics_count_each_spike_and_intervals_of_zero():
    net = bs.Network()
    times = [[1.0, 1.0, 2.0, 4.5, 4.5, 4.5], [3.0] * 4, [1.0, 2.0, 3.0]]
    source = net.spike_source("s", times)
    p = parrots(net, "p", 3)
    net.connect(source, p, bs.one_to_one(), weight=1.0, delay=1.0)
    net.record(p)
    pairs = []
    result = net.build(threads=1).run(10.0, sink=lambda *found: pairs.append(np.column_stack(found)))
    steps = {k: np.rint(np.array(times[k]) / 0.1).astype(int) + 9 for k in range(3)}
    expected = sorted((int(step), 3 + k) for k in steps for step in steps[k])
    assert [tuple(x) for x in np.concatenate(pairs).tolist() if x[1] >= 3] == expected
    p = result.populations["p"]
    assert p.counts.tolist() == [6, 4, 3]
    assert p.rate == pytest.approx(13 / 3 / 0.01)
    intervals = np.diff(times[0])
    assert p.cv_isi == pytest.approx((intervals.std() / intervals.mean() + 0.0) / 2)  # of all in one step, none
    assert result.spike_counts("p", 1.0)[:, 1:6].tolist() == [[2, 1, 0, 0, 3], [0, 0, 4, 0, 0], [1, 1, 1, 0, 0]]
    per_step = Counter(step for step, _ in expected)
    busy = b"".join(struct.pack("<qq", *item) for item in sorted(per_step.items()))
    ids = b"".join(struct.pack("<i", i) for _, i in expected)
    fingerprint = hashlib.sha256(hashlib.sha256(busy).digest() + hashlib.sha256(ids).digest()).hexdigest()
    assert result.fingerprint == fingerprint
