"""What the plan chooses, and how it reads."""

import pytest

import biosnn as bs
from biosnn.demos import DEMOS
from biosnn.engine import plan


@pytest.mark.parametrize(("cores", "n", "threads"), [(2, 200, 1), (2, 200_000, 2), (5, 200_000, 5), (1, 200_000, 1)])
def test_the_driver_is_parallel_where_a_step_is_long_enough(monkeypatch, cores, n, threads):
    monkeypatch.setattr(plan, "cores", lambda: cores)
    net = bs.Network()
    net.population("neurons", n, bs.models.iaf_psc_delta())
    found = net.plan()
    assert (found.threads, found.parallel) == (threads, threads > 1)
    assert f"{'parallel' if threads > 1 else 'serial'} driver" in str(found)


def test_the_planned_driver_is_the_one_that_is_written(monkeypatch):
    monkeypatch.setattr(plan, "cores", lambda: 2)
    small, large = DEMOS["vogels_abbott"](), DEMOS["vogels_abbott"](n=50_000)
    assert "prange" not in small.build().driver_source
    assert "prange" in large.build().driver_source
    assert "prange" in small.build(threads=2).driver_source  # what is asked for goes before


def test_the_full_microcircuit_is_planned_in_four_bytes_per_synapse():
    found = DEMOS["microcircuit"]().plan(threads=2)
    assert found.n_synapses == 298_880_970
    synapses = next(entry for entry in found.entries if entry.name == "synapses, packed")
    assert synapses.bytes == 4 * 298_880_970
    assert found.bytes < 1.1 * synapses.bytes
    assert "298,880,970 synapses" in str(found)


def test_what_is_rounded_and_what_is_widened_is_noted():
    net = bs.Network()
    a = net.population("a", 100, bs.models.iaf_psc_exp(t_ref=2.04))
    net.connect(a, a, bs.fixed_indegree(10), weight=bs.lognormal(0.0, 3.0), delay=1.23, name="heavy")
    text = str(net.plan())
    for fragment in ("'heavy'", "float32", "delay", "t_ref", "rounded", "overflow"):
        assert fragment in text
