"""What a run keeps in memory of what it records: up to a bound that the plan names, and never past it."""

import networks
import numpy as np
import pytest

import biosnn as bs


def storm():
    """Neurons that fire in every step they can."""
    net = bs.Network(seed=1)
    p = net.population("p", 2000, bs.models.iaf_psc_delta(t_ref=0.1, I_e=1e5))
    net.record(p)
    net.record(p[:5], "V_m")
    return net


def test_a_storm_of_spikes_ends_the_run_with_what_it_has_and_it_goes_on_with_a_sink():
    sim = storm().build(threads=1, max_record_mib=8.0)
    with pytest.raises(bs.RecordingFullError) as full:
        sim.run(10_000.0)
    assert "fills the 8 MiB that a run may keep" in str(full.value)
    assert "max_record_mib" in str(full.value)
    result = full.value.result
    assert len(result.spikes["p"]) == result.n_spikes > 8 * 2**20 / 32
    assert result.stop_ms == pytest.approx(sim.time)
    assert result.samples["p"]["V_m"].times[-1] == pytest.approx(sim.time)
    # at most one chunk beyond the bound: nothing of it is lost, and nothing is written over
    begun = sim.step
    more = sim.run(50.0, keep=False, sink=lambda *_: None)
    assert more.n_spikes > 0
    assert (more.start_ms, sim.step) == (pytest.approx(begun * 0.1), begun + 500)


def test_samples_count_and_the_bound_can_be_raised_or_left_out():
    net = bs.Network(seed=1)
    net.record(net.population("p", 1000, bs.models.iaf_psc_exp()), "V_m")
    ends = {}
    for most in (1.0, 4.0):
        sim = net.build(threads=1, max_record_mib=most)
        with pytest.raises(bs.RecordingFullError):
            sim.run(1000.0)
        ends[most] = sim.step
    assert 1.0 * 2**20 / 8000 <= ends[1.0] < ends[4.0]
    assert net.build(threads=1, max_record_mib=0.0).run(100.0).samples["p"]["V_m"].values.shape == (1000, 1000)


def test_the_bound_stands_in_the_plan_where_something_is_recorded():
    net = networks.recurrent()
    assert "MiB of what it records" not in str(net.plan())
    net.record(net.populations["neurons"])
    assert "a run keeps up to 2,048 MiB of what it records (32 B a spike, 8 B a sample" in str(net.plan())
    assert "up to 16 MiB" in str(net.plan(max_record_mib=16))
    assert "MiB of what it records" not in str(net.plan(max_record_mib=0))
    with pytest.raises(bs.DescriptionError, match=r"plan: max_record_mib must be a number \(MiB\), got 'all'"):
        net.plan(max_record_mib="all")


def test_a_bound_that_is_not_reached_changes_nothing():
    results = [storm().build(threads=1, max_record_mib=most).run(5.0) for most in (2048.0, 1e-9 + 64.0)]
    assert results[0].fingerprint == results[1].fingerprint
    np.testing.assert_array_equal(results[0].spikes["p"].times, results[1].spikes["p"].times)
