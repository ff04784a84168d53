"""Each piece of advice is given where what was seen calls for it, and not elsewhere. `benchmarks/advice.py` times it.

The networks are real; the times are chosen here, because those of a busy machine say what they like.
"""

import re

import profiled
import pytest

from biosnn.engine.planning.choice import wanted_of
from biosnn.engine.planning.tables import traffic_of
from biosnn.profiling.advice import Seen, advice

EVENTS = {"threads": 1, "synapse_backend": "event_driven", "ring_strategy": "spike_history"}
SUMS = EVENTS | {"ring_strategy": "dense"}
PRODUCT = {"threads": 1, "synapse_backend": "spmm_fused", "fused_layout": "csr"}


def advised(how, activity, travel_us=80.0, wait_us=0.0, record_us=0.0, cores=1, step_us=100.0, **network):
    """All advice on a network that is built in some way, of whose steps these times were seen."""
    plan = profiled.firing(activity, **network).plan(**how)
    seen = Seen(
        traffic_of(plan.address, plan.tables), wanted_of(plan.asked), plan.ways.backend, plan.ways.ring, plan.threads,
        cores, activity, step_us, travel_us, wait_us, record_us,
    )  # fmt: skip
    return "\n".join(advice(seen))


def promised(text, flag):
    """How many times as fast a piece of advice says that it would be."""
    (found,) = re.findall(rf"`[^`]*{flag}[^`]*` should be ([\d.,e+]+) x faster", text)
    return float(found.replace(",", ""))


def test_a_product_of_all_synapses_where_many_fire():
    text = advised(EVENTS, 0.3)
    assert "activity 0.3: `--synapse-backend spmm_fused` should be" in text
    assert promised(text, "spmm_fused") > 1.25
    assert promised(advised(EVENTS, 0.9), "spmm_fused") > promised(text, "spmm_fused")
    assert "spmm_fused" not in advised(EVENTS, 0.002)
    assert "spmm_fused" not in advised(EVENTS, 0.3, travel_us=10.0)  # there is little to be won
    assert "--synapse-backend spmm_fused --ring-strategy spike_history" in advised(SUMS, 0.9)


def test_rows_where_few_fire():
    text = advised(PRODUCT, 0.002)
    assert promised(text, "--synapse-backend event_driven") > 2
    assert "event_driven" not in advised(PRODUCT, 0.9)


def test_another_ring_where_rows_are_short_and_delays_many():
    text = advised(EVENTS, 0.05)
    assert "50 synapses a source, 20 delays: `--ring-strategy dense` should be" in text
    assert promised(text, "--ring-strategy dense") > 1.25
    assert "--ring-strategy" not in advised(SUMS, 0.05)


@pytest.mark.parametrize(("wait", "times"), [(90.0, 5.0), (70.0, 1.7), (55.0, None), (0.0, None)])
def test_one_thread_where_threads_wait_longer_than_they_gain(wait, times):
    text = advised(SUMS | {"threads": 2}, 0.01, wait_us=wait, travel_us=5.0)
    if times is None:
        assert "--threads" not in text
    else:
        assert f"threads wait for {wait:.0f}% of the time: `--threads 1` should be" in text
        assert promised(text, "--threads 1") == times
    assert "--threads" not in advised(SUMS, 0.01, wait_us=wait, travel_us=5.0)


def test_more_threads_where_one_has_much_to_do():
    text = advised(SUMS, 0.05, cores=4, step_us=1000.0)
    assert "a step takes 1,000 us on one of 4 cores: `--threads 4` should be" in text
    assert promised(text, "--threads 4") == 4.0
    assert promised(advised(SUMS, 0.05, cores=2, record_us=40.0), "--threads 2") == 1.4
    assert "--threads" not in advised(SUMS, 0.05, cores=4, step_us=10.0, travel_us=8.0)  # meeting would take it
    assert "--threads" not in advised(SUMS, 0.05, cores=1, step_us=1000.0)


def test_less_recording_where_it_takes_much_of_the_time():
    text = advised(SUMS, 0.001, record_us=50.0, travel_us=10.0)
    assert "recording takes 50% of the time: fewer neurons, or every few steps (`every`) should be 2 x faster" in text
    assert "recording" not in advised(SUMS, 0.001, record_us=10.0)


def test_a_profile_gives_the_advice_that_follows_from_its_own_times():
    profile = profiled.firing(0.3).build(**EVENTS).profile(30)
    assert any("spmm_fused" in piece for piece in profile.advice)
    assert all(piece in str(profile) for piece in profile.advice)
    assert profile.summary()["advice"] == list(profile.advice)
