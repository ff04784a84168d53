"""Each piece of advice is given where it is true, as another run shows, and not where it is not."""

import re

import profiled

from biosnn.engine.running import profiling

EVENTS = {"threads": 1, "synapse_backend": "event_driven", "ring_strategy": "spike_history"}
SUMS = EVENTS | {"ring_strategy": "dense"}
PRODUCT = {"threads": 1, "synapse_backend": "spmm_fused", "fused_layout": "csr"}


def advised(how, activity, steps=100, **network):
    """All advice for a network that is built in some way, joined."""
    sim = profiled.firing(activity, **network).build(**how)
    sim.run(30.0)
    return "\n".join(sim.profile(steps).advice)


def times_faster(instead, how, activity, **network):
    """How many times as fast the same network is in another way, by runs of the same steps without clocks."""
    took = []
    for ways in (how, instead):
        sim = profiled.firing(activity, **network).build(**ways)
        sim.run(30.0)
        took.append(min(sim.run(100.0, keep=False).run_s for _ in range(3)))
    return took[0] / took[1]


def promised(text, flag):
    """How many times as fast a piece of advice says that it would be."""
    (found,) = re.findall(rf"`[^`]*{flag}[^`]*` should be ([\d.,e+]+) x faster", text)
    return float(found.replace(",", ""))


def test_a_product_of_all_synapses_where_many_fire():
    text = advised(EVENTS, 0.3)
    assert re.search(r"activity 0\.(29|3|30|31): `--synapse-backend spmm_fused` should be", text)
    assert promised(text, "spmm_fused") > 1.25
    assert times_faster(PRODUCT, EVENTS, 0.3) > 1.25
    assert "spmm_fused" not in advised(EVENTS, 0.002)


def test_rows_where_few_fire():
    text = advised(PRODUCT, 0.002)
    assert promised(text, "--synapse-backend event_driven") > 2
    assert times_faster(EVENTS, PRODUCT, 0.002) > 2
    assert "event_driven" not in advised(PRODUCT, 0.9)


def test_another_ring_where_rows_are_short_and_delays_many():
    text = advised(EVENTS, 0.05)
    assert "50 synapses a source, 20 delays: `--ring-strategy dense` should be" in text
    assert promised(text, "--ring-strategy dense") > 1.25
    assert times_faster(SUMS, EVENTS, 0.05) > 1.25
    assert "--ring-strategy" not in advised(SUMS, 0.05)


def test_one_thread_where_threads_wait_longer_than_they_gain():
    tiny, two = {"n": 6, "out_degree": 2}, SUMS | {"threads": 2}
    text = advised(two, 0.01, steps=500, **tiny)
    assert re.search(r"threads wait for \d+% of the time: `--threads 1` should be", text)
    assert promised(text, "--threads 1") > 1.25
    assert times_faster(SUMS, two, 0.01, **tiny) > 1.25
    assert "--threads" not in advised(SUMS, 0.01, steps=500, **tiny)


def test_more_threads_where_one_has_much_to_do(monkeypatch):
    monkeypatch.setattr(profiling, "cores", lambda: 2)
    text = advised(SUMS, 0.05, n=20_000)
    assert re.search(r"a step takes [\d,]+ us on one of 2 cores: `--threads 2` should be", text)
    assert 1.5 < promised(text, "--threads 2") <= 2
    assert "--threads" not in advised(SUMS, 0.01, steps=500, n=50)
    monkeypatch.setattr(profiling, "cores", lambda: 1)
    assert "--threads" not in advised(SUMS, 0.05)


def test_less_recording_where_it_takes_much_of_the_time():
    text = advised(SUMS, 0.001, every=1.0)
    assert re.search(r"recording takes \d+% of the time: fewer neurons, or every few steps", text)
    assert "recording" not in advised(SUMS, 0.001, every=50.0)
