"""What the plan chooses, and how it reads."""

import networks
import pytest
from scipy import stats

import biosnn as bs
from biosnn.demos import DEMOS
from biosnn.engine.planning import plan


def test_the_plan_says_how_much_there_is_and_what_was_rounded():
    net = bs.Network(dt=0.1)
    a = net.population("a", 300, bs.models.iaf_psc_exp(t_ref=[1.0] * 299 + [1.96]))
    net.connect(a, a, bs.pairwise_bernoulli(0.1), weight=bs.normal(30.0, 3.0), delay=bs.normal(0.15, 0.1), name="drawn")
    net.connect(a, a, bs.one_to_one(), weight=30.0, delay=1.26, name="one")
    net.connect(a, a, bs.one_to_one(), weight=30.0, delay=1.3, name="whole")
    head, *lines = str(net.plan(threads=1)).splitlines()
    assert head == (
        "plan: 300 neurons, about 9,600 synapses, 1 partition(s), serial driver, "
        "synapse backend event_driven, ring dense"
    )
    notes = [line for line in lines if "note: " in line]
    assert lines[len(lines) - len(notes) - 1].split()[:2] == ["total,", "device"]
    below = stats.norm.cdf(0.05, 0.15, 0.1)
    assert [note for note in notes if "delays" in note] == [
        f"  note: connection 'drawn': {below:.1%} of the delays lie below half a step and become one step (0.1 ms)",
        "  note: connection 'one': delays rounded to whole steps, by 0.04 ms at most",
    ]
    assert "  note: population 'a': t_ref rounded to whole steps, by 0.04 ms at most" in notes
    assert any("no sum overflows" in note for note in notes)


def neurons(net, n):
    networks.cells(net, "a", n)


def noise(net, n):
    net.poisson(networks.cells(net, "a", n), rate=1000.0, weight=1.0)


def synapses(net, n):
    a = networks.cells(net, "a", 1000)
    net.connect(a, a, bs.fixed_indegree(n), weight=1.0)


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize(
    ("describe", "few", "many"), [(neurons, 5000, 50_000), (noise, 2000, 20_000), (synapses, 9, 9000)]
)
def test_the_driver_is_parallel_where_a_step_is_worth_dividing(describe, few, many, cores, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(cores)), raising=False)
    for n in (few, many):
        net = bs.Network()
        describe(net, n)
        plan, parallel = net.plan(), n == many and cores == 2
        assert (plan.parallel, plan.threads) == (parallel, 2 if parallel else 1)
        assert f"{'parallel' if parallel else 'serial'} driver" in str(plan)
        for threads in (1, 2, 3):  # whoever asks gets as many
            asked = net.plan(threads=threads)
            assert (asked.threads, asked.parallel) == (threads, threads > 1)


def test_the_planned_driver_is_the_one_that_is_written(monkeypatch):
    monkeypatch.setattr(plan, "cores", lambda: 2)
    small, large = DEMOS["vogels_abbott"](), DEMOS["vogels_abbott"](n=50_000)
    assert "prange" not in networks.drawn(small, None).driver_source
    assert "prange" in networks.drawn(large, None).driver_source
    assert "prange" in networks.drawn(small, 2).driver_source  # what is asked for goes before


def test_the_full_microcircuit_is_planned_in_four_bytes_per_synapse():
    found = DEMOS["microcircuit"]().plan(threads=2)
    assert found.n_synapses == 298_880_970
    synapses = sum(row.bytes for row in found.rows if row.name.endswith("rows, packed"))
    assert synapses == 4 * 298_880_970
    assert found.bytes < 1.1 * synapses
    assert "298,880,970 synapses" in str(found)


def test_a_plan_shows_itself_in_a_notebook_as_it_prints():
    net = bs.Network()
    neurons(net, 3)
    assert repr(net.plan()) == str(net.plan())
