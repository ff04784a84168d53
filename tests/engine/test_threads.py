"""What must not change a spike: threads, recorders, chunks, growing buffers. And what must: the seed."""

import networks
import numpy as np
import pytest

import biosnn as bs
from biosnn.backends import cpu, meeting


@pytest.mark.bounds
def test_one_two_and_three_threads_give_the_same_spikes_and_states():
    sims = [networks.mixed(4, n=150).build(threads=threads) for threads in (1, 2, 3)]
    spikes = [networks.spikes(sim, 60.0) for sim in sims]
    assert [sim.plan.layout.n_parts for sim in sims] == [1, 2, 3]
    assert len(spikes[0]) > 1000
    for sim, found in zip(sims[1:], spikes[1:], strict=True):
        np.testing.assert_array_equal(found, spikes[0])
        for name in ("iaf_psc_exp_V_m", "iaf_psc_exp_2_I_syn", "iaf_psc_delta_V_m"):
            np.testing.assert_array_equal(sim.arrays[name], sims[0].arrays[name], err_msg=name)


def test_synapses_do_not_depend_on_the_number_of_threads():
    one, *others = (networks.drawn(networks.mixed(4, n=150), threads).synapses() for threads in (1, 2, 3))
    for found in others:
        for what in ("sources", "targets"):
            np.testing.assert_array_equal(getattr(found, what), getattr(one, what))
        # of repeated pairs the order is free
        np.testing.assert_array_equal(multiset(found), multiset(one))


def multiset(synapses):
    columns = synapses.sources, synapses.targets, synapses.weights, synapses.delays
    return np.array(sorted(zip(*columns, strict=True)))


def test_result_of_a_run_is_the_same_on_two_threads():
    first, second = (networks.mixed(4, n=150).build(threads=threads).run(60.0) for threads in (1, 2))
    assert first.fingerprint == second.fingerprint
    assert first.rates == second.rates
    assert first.synaptic_events == second.synaptic_events


def test_recording_changes_no_spike():
    plain = networks.recurrent()
    recorded = networks.recurrent()
    for variable in ("spikes", "V_m", "I_syn_ex", "I_syn_in"):  # both currents are kept, though they decay alike
        recorded.record(recorded.populations["neurons"], variable)
    expected = networks.spikes(plain.build(threads=1), 100.0)
    assert len(expected) > 200
    np.testing.assert_array_equal(networks.spikes(recorded.build(threads=1), 100.0), expected)


@pytest.mark.parametrize("pieces", [[100.0, 100.0], [0.1, 199.9], [0.0, 63.7, 0.1, 0.1, 136.1]])
def test_two_runs_are_one_run_of_both_durations(pieces):
    whole = networks.recurrent()
    neurons = whole.populations["neurons"]
    for variable in ("spikes", "V_m", "I_syn_ex", "I_syn_in"):
        whole.record(neurons, variable, every=None if variable == "spikes" else 0.3)
    together = whole.build(threads=1).run(200.0)
    sim = whole.build(threads=1)
    parts = [sim.run(ms) for ms in pieces]
    assert sim.time == pytest.approx(200.0)
    times = np.concatenate([r.spikes["neurons"].times for r in parts])
    np.testing.assert_array_equal(times, together.spikes["neurons"].times)
    for variable, samples in together.samples["neurons"].items():
        found = np.concatenate([r.samples["neurons"][variable].values for r in parts])
        np.testing.assert_array_equal(found, samples.values, err_msg=variable)
    assert sum(r.synaptic_events for r in parts) == together.synaptic_events
    for part, start in zip(parts, np.cumsum([0.0, *pieces]), strict=False):
        assert part.start_ms == pytest.approx(start)


def test_chunks_of_any_length_give_the_same_spikes():
    expected = networks.spikes(networks.recurrent().build(threads=1), 100.0)
    for steps in (1, 7, 64, 999):
        sim = networks.recurrent().build(threads=1)
        sim.plan.chunk_steps = steps
        np.testing.assert_array_equal(networks.spikes(sim, 100.0), expected)


@pytest.mark.parametrize("parts", [1, 2])
def test_history_grows_and_loses_no_event_when_every_neuron_fires_in_every_step(parts):
    n, steps, delays = 300, 2100, (1, 700, 1000)
    net = bs.Network(dt=0.1)
    firing = networks.cells(net, "firing", n, V_th=1.0, I_e=1e9, C_m=1.0, tau_m=10.0)
    counters = networks.cells(net, "counters", len(delays))
    for k, d in enumerate(delays):
        net.connect(firing, counters[k], bs.all_to_all(), weight=1.0, delay=d * 0.1)
    sim = networks.serial(net, parts)
    small = sim.arrays["spike_ids"].shape[1]
    result = sim.run(steps * 0.1)
    assert result.n_spikes == n * steps
    arrived = [n * (steps - d) for d in delays]
    np.testing.assert_array_equal(sim.arrays["V_m"][n:], np.float32(arrived))  # below 2^24, sums of ones are exact
    assert result.synaptic_events == n * steps * len(delays)
    assert small < 1000 * n / parts < sim.arrays["spike_ids"].shape[1]


def test_another_seed_gives_other_spikes_and_the_same_seed_the_same():
    one, again, two = (networks.spikes(networks.recurrent(seed=s).build(threads=1), 100.0) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, two)


def test_another_seed_gives_other_synapses():
    one, two = (networks.drawn(networks.recurrent(seed=s)).synapses() for s in (1, 2))
    assert len(one) != len(two) or not np.array_equal(one.targets, two.targets)


def test_threads_meet_inside_one_region_or_in_one_region_a_step_with_the_same_spikes(monkeypatch):
    together = networks.recurrent().build(threads=3)
    monkeypatch.setattr(meeting, "can_meet", lambda _n: False)  # as under TBB
    apart = networks.recurrent().build(threads=3)
    assert "meet(" in together.driver_source
    assert "meet(" not in apart.driver_source
    np.testing.assert_array_equal(networks.spikes(together, 100.0), networks.spikes(apart, 100.0))


def test_more_threads_than_run_at_once_cannot_meet():
    assert meeting.can_meet(cpu.n_threads())
    assert not meeting.can_meet(cpu.n_threads() + 1)  # somebody has two turns, one after the other


def test_threads_whose_number_may_change_do_not_meet(monkeypatch):
    monkeypatch.setenv("OMP_DYNAMIC", "TRUE")
    assert not meeting.can_meet.__wrapped__(cpu.n_threads())
