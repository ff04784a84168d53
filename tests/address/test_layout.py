"""Sizes at which addresses, partitions, rows and buffers could break; and what is planned against what is taken."""

import itertools
import resource
import time

import networks
import numpy as np
import pytest
import scipy.sparse

import biosnn as bs


def fires_once(net, name="source", n=1):
    """Neurons that fire in step 0, and never again."""
    return networks.cells(net, name, n, V_th=1.0, V_m=2.0)


# Many neurons, many synapses


@pytest.mark.parametrize("parts", [1, 3])
def test_a_source_reaches_70_000_targets_each_with_its_own_weight(parts):
    net = bs.Network()
    source, targets = fires_once(net), networks.cells(net, "targets", 70_000)
    weights = np.random.default_rng(1).permutation(70_000)[None, :] + 30_000.0
    net.connect(source, targets, bs.all_to_all(), weight=weights, delay=0.3)
    sim = networks.serial(net, parts)
    assert sim.plan.layout.n_parts == max(parts, 2)
    assert sim.run(0.3).synaptic_events == 70_000
    assert not sim.arrays["V_m"][1:].any()
    sim.run(0.1)
    unit = weights.max() / 32767
    np.testing.assert_allclose(sim.arrays["V_m"][1:], weights[0], rtol=0, atol=unit / 2 * 1.01)
    found = sim.synapses("source", "targets")
    np.testing.assert_array_equal(found.targets, np.arange(70_000))
    np.testing.assert_allclose(found.weights, weights[0], rtol=0, atol=unit / 2 * 1.01)


def test_40_000_neurons_of_two_receptors_need_more_slots_than_16_bits_name():
    net = bs.Network()
    source = networks.cells(net, "source", 2, V_th=1.0, V_m=2.0)
    targets = net.population("targets", 40_000, bs.models.iaf_psc_exp(tau_syn_in=5.0, V_th=1e9))
    net.connect(source[0], targets, bs.all_to_all(), weight=np.arange(1.0, 40_001.0)[None, :], delay=0.1)
    net.connect(source[1], targets, bs.all_to_all(), weight=-np.arange(40_000.0, 0.0, -1.0)[None, :], delay=0.1)
    sim = net.build(threads=1)
    assert sim.plan.layout.n_parts >= 2
    sim.run(0.2)
    np.testing.assert_allclose(sim.arrays["iaf_psc_exp_I_syn_ex"], np.arange(1.0, 40_001.0), rtol=0, atol=0.7)
    np.testing.assert_allclose(sim.arrays["iaf_psc_exp_I_syn_in"], -np.arange(40_000.0, 0.0, -1.0), rtol=0, atol=0.7)


def test_rows_of_more_than_65_535_synapses_arrive_whole():
    net = bs.Network()
    source, targets = fires_once(net, n=3), networks.cells(net, "targets", 50)
    for delay in (0.1, 0.2, 0.3):
        net.connect(source, targets, bs.fixed_outdegree(40_000), weight=1.0, delay=delay)
    sim = net.build(threads=1)
    s = sim.synapses("source", "targets")
    np.testing.assert_array_equal(np.bincount(s.sources), 120_000)
    for step, delay in enumerate((0.1, 0.2, 0.3)):
        sim.run(0.2 if step == 0 else 0.1)
        expected = np.bincount(s.targets[s.delays <= delay + 0.05], minlength=50)
        np.testing.assert_allclose(sim.arrays["V_m"][3:], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("rule", "n_source", "shared"),
    [
        (bs.fixed_indegree(66_000, allow_autapses=False), 2, 1),  # all of the shared neuron's come from the other
        (bs.fixed_total_number(170_000, allow_autapses=False), 3, 1),
        (bs.fixed_total_number(140_000), 2, 0),
        (bs.fixed_outdegree(70_000, allow_autapses=False), 2, 1),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_rows_that_grow_beyond_65_535_synapses_by_their_rule_arrive_whole(rule, n_source, shared):
    net = bs.Network()
    sources = fires_once(net, "sources", n_source)
    others = networks.cells(net, "others", 0 if rule.name == "fixed_indegree" else 2 - shared)
    net.connect(sources, sources[:shared] + others, rule, weight=1.0, delay=0.1)
    sim = net.build(threads=1)
    assert np.diff(sim.arrays["row_first"]).max() > 65_535
    assert sim.n_synapses == len(sim.synapses()) == net.connections[0].n_expected
    assert sim.run(0.1).synaptic_events == sim.n_synapses  # all sources fire in step 0
    sim.run(0.1)
    arrived = np.bincount(sim.synapses().targets, minlength=sim.plan.layout.n_ids)[n_source:]
    np.testing.assert_allclose(sim.arrays["V_m"][n_source:], arrived, rtol=1e-5)


def test_hundreds_of_populations_are_told_apart():
    net = bs.Network()
    chain = [fires_once(net, "0", 2), *(networks.cells(net, str(k), 2, V_th=1.0) for k in range(1, 300))]
    for a, b in itertools.pairwise(chain):
        net.connect(a, b, bs.one_to_one(), weight=2.0, delay=0.1)
    for parts in (1, 2):
        pairs = networks.spikes(networks.serial(net, parts), 30.0)
        np.testing.assert_array_equal(pairs[:, 1], np.arange(600))
        np.testing.assert_array_equal(pairs[:, 0], np.repeat(np.arange(300), 2))


def test_sources_may_stand_between_the_neurons():
    net = bs.Network()
    first = net.spike_source("first", [[0.1], [0.5]])
    a = networks.cells(net, "a", 3, V_th=1.0)
    second = net.spike_source("second", [0.3, 0.9])
    b = networks.cells(net, "b", 2, V_th=1.0)
    net.connect(first, a[1:], bs.one_to_one(), weight=2.0, delay=0.1)
    net.connect(second, b, bs.all_to_all(), weight=2.0, delay=0.2)
    net.connect(b, a[0], bs.all_to_all(), weight=2.0, delay=0.1)
    pairs = networks.spikes(net.build(threads=1), 2.0)
    # ids: first 0-1, a 2-4, second 5, b 6-7; a spike at t and a delay d fire the target in step (t + d) / dt - 1
    assert pairs.tolist() == [[1, 3], [4, 6], [4, 7], [5, 2], [5, 4], [10, 6], [10, 7], [11, 2]]


# Delays


@pytest.mark.parametrize("parts", [1, 2])
def test_delays_of_one_to_a_thousand_steps_are_kept_exactly(parts):
    net = bs.Network()
    source, targets = fires_once(net), networks.cells(net, "targets", 1000, V_th=1.0)
    delays = np.random.default_rng(1).permutation(1000) + 1
    net.connect(source, targets, bs.all_to_all(), weight=2.0, delay=delays[None, :] * 0.1)
    pairs = networks.spikes(networks.serial(net, parts), 120.0)
    expected = sorted([(0, 0), *zip(delays.tolist(), range(1, 1001), strict=True)])
    np.testing.assert_array_equal(pairs, expected)


def test_a_neuron_connected_to_itself_fires_whenever_its_own_spike_returns():
    net = bs.Network()
    neuron = fires_once(net)
    net.connect(neuron, neuron, bs.one_to_one(), weight=2.0, delay=0.7)
    pairs = networks.spikes(net.build(threads=1), 5.0)
    np.testing.assert_array_equal(pairs[:, 0], np.arange(0, 50, 7))


def test_a_delay_longer_than_a_chunk_of_steps_is_kept():
    net = bs.Network()
    source, target = fires_once(net), networks.cells(net, "target", 1, V_th=1.0)
    net.connect(source, target, bs.all_to_all(), weight=2.0, delay=1000.0)  # 10,000 steps
    assert networks.spikes(net.build(threads=1), 1001.0).tolist() == [[0, 0], [10_000, 1]]


# Little or nothing


@pytest.mark.parametrize("parts", [1, 3])
def test_projections_populations_and_groups_may_be_empty(parts):
    net = bs.Network()
    some, none, one = fires_once(net, "some", 5), networks.cells(net, "none", 0), networks.cells(net, "one", 1)
    net.connect(some, one, bs.pairwise_bernoulli(0.0), weight=bs.normal(1.0, 0.1))
    net.connect(some, one, bs.fixed_indegree(0), weight=1.0, delay=0.5)
    net.connect(some, none, bs.fixed_indegree(10), weight=1.0)
    net.connect(none, one, bs.fixed_outdegree(10), weight=1.0)
    net.connect(none, none, bs.all_to_all(), weight=1.0)
    net.connect(none, none, bs.one_to_one(), weight=1.0)
    net.connect(some, one, bs.fixed_total_number(0), weight=1.0)
    net.connect(some, one, ([], []), weight=[], delay=[])
    net.connect(some, one, scipy.sparse.csr_matrix((5, 1)))
    net.connect(some[:0], one, bs.all_to_all(), weight=1.0)
    net.connect(some[[]], one[:0], bs.all_to_all(), weight=1.0)
    sim = networks.serial(net, parts)
    assert sim.n_synapses == len(sim.synapses()) == 0
    result = sim.run(1.0)
    assert (result.n_spikes, result.synaptic_events) == (5, 0)
    assert result.rates["none"] == 0.0


def test_an_empty_projection_beside_a_full_one_changes_nothing():
    net = bs.Network()
    a, b = fires_once(net, "a", 2), networks.cells(net, "b", 3)
    net.connect(a, b, bs.pairwise_bernoulli(0.0), weight=5.0, delay=0.2)
    net.connect(a, b, bs.all_to_all(), weight=1.0, delay=0.1)
    sim = net.build(threads=1)
    sim.run(1.0)
    np.testing.assert_array_equal(sim.arrays["V_m"][2:], 2.0)


@pytest.mark.parametrize("threads", [1, 3])
def test_one_neuron_runs_alone_on_any_number_of_threads(threads):
    net = bs.Network()
    neuron = net.population("neuron", 1, bs.models.iaf_psc_delta(I_e=1000.0))
    net.record(neuron)
    result = net.build(threads=threads).run(100.0)
    # 1000 pA through 10 ms / 250 pF: 40 mV of drive, of which 15 reach the threshold; then 2 ms of rest
    interval = np.ceil(-10.0 * np.log(1 - 15 / 40) / 0.1) * 0.1 + 2.0
    np.testing.assert_allclose(np.diff(result.spikes["neuron"].times), interval)


def test_a_network_without_neurons_passes_the_time():
    net = bs.Network()
    sim = net.build(threads=1)
    assert sim.run(10.0).n_spikes == 0
    assert sim.time == 10.0


def test_a_network_of_spike_sources_alone_records_them():
    net = bs.Network()
    sources = net.spike_source("sources", [[0.1, 5.0], [], [3.0]])
    net.record(sources)
    result = net.build(threads=1).run(10.0)
    np.testing.assert_allclose(result.spikes["sources"].times, [0.1, 3.0, 5.0])
    np.testing.assert_array_equal(result.spikes["sources"].senders, [0, 2, 0])
    assert result.n_spikes == 0


# The plan


def plain(net):
    a = net.population("a", 20_000, bs.models.iaf_psc_exp())
    net.connect(a, a, bs.fixed_indegree(100), weight=bs.normal(30.0, 3.0), delay=bs.normal(1.5, 0.75))


def drawn_number(net):
    a = networks.cells(net, "a", 3000)
    net.connect(a, a, bs.pairwise_bernoulli(0.1), weight=1.0)


def float32_weights(net):
    a = networks.cells(net, "a", 3000)
    net.connect(a, a, bs.fixed_outdegree(300), weight=bs.lognormal(0.0, 2.5))


def recorded(net):
    a = net.population("a", 3000, bs.models.iaf_psc_exp())
    for variable in ("V_m", "I_syn_ex"):
        net.record(a, variable, every=1.0)


def per_neuron_parameters(net):
    tau_m = np.random.default_rng(1).uniform(5.0, 20.0, 300_000)
    net.population("a", 300_000, bs.models.iaf_psc_exp(tau_m=tau_m, I_e=bs.normal(100.0, 10.0)))


def per_neuron_currents(net):
    a = networks.cells(net, "a", 300_000)
    net.step_current(a, [1.0, 2.0, 3.0], np.random.default_rng(1).normal(0.0, 100.0, (3, 300_000)))


def poisson(net):
    a = networks.cells(net, "a", 20_000)
    for rate in (10.0, 1e3, 1e6):
        net.poisson(a, rate=rate, weight=0.1)


def many_given_spikes(net):
    net.spike_source("a", np.tile(np.arange(1, 2001), 500) * 0.1, np.repeat(np.arange(500), 2000))


BUILDERS = [
    plain, drawn_number, float32_weights, recorded, per_neuron_parameters, per_neuron_currents, poisson,
    many_given_spikes,
]  # fmt: skip


@pytest.mark.parametrize("describe", BUILDERS, ids=lambda f: f.__name__)
def test_planned_bytes_are_those_allocated(describe):
    net = bs.Network()
    describe(net)
    planned = net.plan(threads=1).bytes
    sim = networks.drawn(net)
    assert sim.bytes == pytest.approx(planned, rel=0.02)
    assert sim.plan.bytes == planned


def test_a_network_beyond_all_memory_is_refused_before_anything_is_allocated():
    net = bs.Network()
    neurons = net.population("neurons", 10_000_000, bs.models.iaf_psc_delta())
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    net.connect(neurons, neurons, bs.fixed_indegree(10_000), weight=0.1)
    assert net.plan().n_synapses == 1e11  # planning itself is no problem
    with pytest.raises(bs.MemoryPlanError) as error:
        net.build()
    for fragment in ("memory", "synapses", "GiB", "fewer"):
        assert fragment in str(error.value)
    assert "\n" not in str(error.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB, of 400 GB
    assert time.perf_counter() - started < 20.0


def test_the_plan_shows_each_array_once_with_its_bytes():
    plan = networks.recurrent().plan(threads=1)
    text = str(plan)
    for row in plan.rows:
        assert row.minor or row.name in text
        assert row.minor or row.formula in text
    assert sum(row.bytes for row in plan.rows) == plan.bytes
    assert len({row.name for row in plan.rows}) == len(plan.rows)
    assert "200 neurons" in text
