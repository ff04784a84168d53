"""How spikes are to travel: what is refused when it is planned, what is chosen, and what it is planned to take."""

import gc
import itertools
import tracemalloc
from types import SimpleNamespace

import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import biosnn as bs
from biosnn.address.stores import WIDE
from biosnn.backends import cpu
from biosnn.propagation import switching_cpu as switching

LISTS = ("spike_history", "dense", "event_bucketed")
FORMATS = ("float32", "float16", "bfloat16")


def delayed(n=1000, out=50, longest=10.0, wide=False):
    """Neurons with `out` synapses each and delays up to `longest` ms; some of float32 weights, if `wide`."""
    net = bs.Network(dt=0.1)
    a = networks.cells(net, "a", n)
    delays = bs.uniform(0.06, longest + 0.04) if longest > 0.1 else 0.1
    net.connect(a, a, bs.fixed_outdegree(out), weight=bs.normal(1.0, 0.1), delay=delays)
    if wide:
        b = networks.cells(net, "b", n)
        net.connect(a, b, bs.fixed_outdegree(out), weight=stats.t(1.2), delay=delays)
    return net


def ring_bytes(plan):
    """Planned bytes of the ring of values itself."""
    return sum(e.bytes for e in plan.rows if e.name.startswith(("dense ring, packed", "dense ring, wide")))


# What is refused


REFUSED = {
    "values of no ring": (
        {"ring_strategy": "spike_history", "ring_dtype": "float16"}, bs.DescriptionError,
        ["ring_dtype 'float16'", "spike_history keeps spikes", "'dense' or 'event_bucketed'", "ring_dtype 'none'"],
    ),
    "capacity of dense": (
        {"ring_strategy": "dense", "ring_capacity_max": 10**6}, bs.DescriptionError,
        ["ring_capacity_max", "'event_bucketed'", "'dense'", "leave it out"],
    ),
    "capacity of history": (
        {"ring_strategy": "spike_history", "ring_capacity_max": 10**6}, bs.DescriptionError,
        ["ring_capacity_max", "'event_bucketed'", "'spike_history'", "leave it out"],
    ),
    "layout of no matrix": (
        {"synapse_backend": "event_driven", "fused_layout": "csr"}, bs.DescriptionError,
        ["fused_layout", "'spmm_fused'", "'event_driven'", "leave it out"],
    ),
    "too large": (
        # 1000 neurons, in whole cache lines
        {"ring_strategy": "dense", "max_ring_mib": 0.25}, bs.MemoryPlanError,
        ["0.4 MiB", "ring_len 100 x n_post 1,008 x 4 B", "--max-ring-mib 0.25", "event_bucketed", "spike_history",
         "--ring-dtype", "raise the limit"],
    ),
    "too large in 16 bits": (
        {"ring_strategy": "dense", "ring_dtype": "bfloat16", "max_ring_mib": 0.1}, bs.MemoryPlanError,
        ["0.2 MiB", "x 2 B", "--max-ring-mib 0.1"],
    ),
    "less than open blocks": (
        {"ring_strategy": "event_bucketed", "ring_capacity_max": 100 * 64}, bs.MemoryPlanError,
        ["12,864 events", "201 blocks of 64", "--ring-capacity-max 6400", "raise it", "spike_history"],
    ),
    "less memory than open blocks": (
        {"ring_strategy": "event_bucketed", "max_ring_mib": 0.01}, bs.MemoryPlanError,
        ["12,864 events", "6 B an event", "--max-ring-mib 0.01", "raise it", "spike_history"],
    ),
    "unknown backend": (
        {"synapse_backend": "spmm-fused"}, bs.UnknownNameError,
        ["synapse_backend 'spmm-fused'", "did you mean 'spmm_fused'", "event_driven"],
    ),
    "unknown layout": ({"fused_layout": "CSR"}, bs.UnknownNameError, ["fused_layout 'CSR'", "did you mean 'csr'"]),
    "unknown ring": (
        {"ring_strategy": "event_bucket"}, bs.UnknownNameError,
        ["ring_strategy 'event_bucket'", "did you mean 'event_bucketed'", "spike_history"],
    ),
    "unknown format": (
        {"ring_dtype": "bfloat"}, bs.UnknownNameError, ["ring_dtype 'bfloat'", "did you mean 'bfloat16'", "none"],
    ),
    "unknown option": (
        {"ring_stratgy": "dense"}, bs.UnknownNameError, ["'ring_stratgy'", "did you mean 'ring_strategy'"],
    ),
    "no name": ({"synapse_backend": None}, bs.UnknownNameError, ["synapse_backend None", "event_driven"]),
    "no capacity": ({"ring_capacity_max": 0}, bs.DescriptionError, ["ring_capacity_max must be at least 1", "got 0"]),
    "half a capacity": ({"ring_capacity_max": 2.5}, bs.DescriptionError, ["ring_capacity_max", "whole number", "2.5"]),
    "no number": ({"max_ring_mib": "much"}, bs.DescriptionError, ["max_ring_mib", "number (MiB)", "'much'"]),
    "not a number": ({"max_ring_mib": float("nan")}, bs.DescriptionError, ["max_ring_mib", "finite (MiB)"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_ways_that_do_not_go_are_refused_in_one_line_before_anything_is_built(case, monkeypatch):
    way, kind, fragments = REFUSED[case]
    monkeypatch.setattr("biosnn.engine.building.build.build", lambda *_: pytest.fail("it is being built"))
    net = delayed()
    for make in (net.plan, net.build):
        with pytest.raises(kind) as error:
            make(threads=1, **way)
        for fragment in fragments:
            assert fragment in str(error.value)
        assert "\n" not in str(error.value)


def test_a_dense_ring_may_be_as_large_as_its_limit_and_no_byte_larger():
    net = delayed()
    size = 100 * 1008 * 4  # ring_len x n_post x bytes
    assert ring_bytes(net.plan(threads=1, ring_strategy="dense", max_ring_mib=size / 2**20)) == size
    with pytest.raises(bs.MemoryPlanError):
        net.plan(threads=1, ring_strategy="dense", max_ring_mib=(size - 1) / 2**20)
    half = net.plan(threads=1, ring_strategy="dense", ring_dtype="float16", max_ring_mib=size / 2 / 2**20)
    assert ring_bytes(half) == size / 2


def test_the_limit_holds_for_the_rings_of_packed_and_wide_weights_together():
    net = delayed(wide=True)
    slots = 2000
    size = 100 * slots * (4 + 8)
    assert ring_bytes(net.plan(threads=1, ring_strategy="dense", max_ring_mib=size / 2**20)) == size
    with pytest.raises(bs.MemoryPlanError, match="x 12 B"):
        net.plan(threads=1, ring_strategy="dense", max_ring_mib=(size - 1) / 2**20)


@pytest.mark.parametrize("limit", [0, -1, -0.5])
def test_a_limit_of_zero_or_less_is_none(limit):
    net = delayed(n=20_000, longest=2000.0)
    with pytest.raises(bs.MemoryPlanError):
        net.plan(threads=1, ring_strategy="dense", max_ring_mib=1000)
    plan = net.plan(threads=1, ring_strategy="dense", max_ring_mib=limit)
    assert ring_bytes(plan) == 20_000 * 20_000 * 4
    plan = net.plan(threads=1, ring_strategy="event_bucketed", max_ring_mib=limit)
    assert plan.ways.capacity_max == 2**31 - 64  # its events are numbered with 32 bits


def test_a_ring_that_memory_has_no_room_for_is_refused_as_any_array():
    net = delayed(n=200_000, longest=10_000.0)
    with pytest.raises(bs.MemoryPlanError, match="dense ring"):
        net.build(threads=1, ring_strategy="dense", max_ring_mib=0)


def columns(plan, sources=False):
    """Columns that a fused matrix of this layout has where spikes wait."""
    return 32 * int(plan.layout.bit_words(sources)[-1]) * plan.ways.ring_len


def far(n_sources, n_targets, longest):
    """A few sources with long delays to many targets."""
    net = bs.Network(dt=0.1)
    a, b = networks.cells(net, "a", n_sources), networks.cells(net, "b", n_targets)
    net.connect(a, b, bs.fixed_outdegree(100), weight=1.0, delay=bs.uniform(0.06, longest))
    return net


@pytest.mark.parametrize(
    ("n_sources", "n_targets"),
    [
        (200_000, 10),
        (10, 200_000),
    ],
)
def test_a_fused_matrix_of_more_columns_than_32_bits_name_is_refused(n_sources, n_targets):
    net = far(n_sources, n_targets, 3000.0)
    assert columns(net.plan(threads=1, synapse_backend="event_driven")) > 2**32
    with pytest.raises(bs.DescriptionError) as error:
        net.plan(threads=1, synapse_backend="spmm_fused", fused_layout="csr", ring_strategy="spike_history")
    for fragment in ("spmm_fused", "32 bits", "30,000 steps", "event_driven"):
        assert fragment in str(error.value)
    assert "\n" not in str(error.value)
    assert net.plan(threads=1, synapse_backend="auto", ring_strategy="spike_history").ways.backend == "event_driven"
    # where the amounts wait, only the spikes of a few steps are multiplied
    way = {"synapse_backend": "spmm_fused", "fused_layout": "csr", "ring_strategy": "dense"}
    stacked = net.plan(threads=1, max_ring_mib=0, **way)
    assert stacked.ways.backend == "spmm_fused"


# What is chosen


def chosen(net, **way):
    return net.plan(threads=1, **way).ways


def test_of_one_delay_the_spikes_wait():
    for n in (100, 100_000):
        assert chosen(delayed(n=n, longest=0.1)).ring == "spike_history"


def test_of_many_delays_and_few_synapses_of_a_source_the_spikes_do_not_wait():
    for longest in (20.0, 100.0):
        assert chosen(delayed(n=10_000, out=20, longest=longest)).ring != "spike_history"


def test_of_few_delays_and_many_synapses_of_a_source_the_spikes_wait():
    assert chosen(delayed(n=10_000, out=5000, longest=1.0)).ring == "spike_history"


def test_of_long_delays_and_sparse_events_the_events_wait():
    net = delayed(n=200_000, out=50, longest=100.0)
    for way in ({}, {"max_ring_mib": 100}, {"max_ring_mib": 0}):
        ways = chosen(net, **way)
        assert (ways.ring, ways.ring_len) == ("event_bucketed", 1000)
    plan = net.plan(threads=1)
    assert ring_bytes(plan) == 0
    dense = net.plan(threads=1, ring_strategy="dense")
    assert ring_bytes(dense) == 1000 * 200_000 * 4
    assert plan.bytes < dense.bytes - 600e6


def test_a_ring_that_is_asked_for_by_what_belongs_to_it_is_chosen():
    for net in (delayed(), delayed(longest=0.1), delayed(out=0), bs.Network()):
        assert chosen(net, ring_dtype="float16").ring in ("dense", "event_bucketed")
        assert chosen(net, ring_capacity_max=10**6).ring == "event_bucketed"
        assert chosen(net, ring_capacity_max=10**6, ring_dtype="float32").ring == "event_bucketed"


def test_a_product_without_a_ring_of_values_multiplies_spikes_that_wait():
    ways = chosen(delayed(out=20, longest=20.0), synapse_backend="spmm_fused")
    assert (ways.backend, ways.ring) == ("spmm_fused", "spike_history")


def test_matrices_of_long_rows_are_gathered_and_those_of_short_rows_swept():
    way = {"synapse_backend": "spmm_fused", "ring_strategy": "spike_history"}
    assert chosen(delayed(out=50), **way).layout == "csr"
    assert chosen(delayed(out=2), **way).layout == "coo"
    assert chosen(delayed(out=50), **way | {"ring_strategy": "dense"}).layout == "coo"  # a row for each delay
    assert chosen(delayed(out=50), fused_layout="coo", **way).layout == "coo"


def test_neurons_that_cannot_all_fire_at_once_have_no_product():
    def network(t_ref):
        net = bs.Network(dt=0.1)
        a = net.population("a", 1000, bs.models.iaf_psc_exp(t_ref=t_ref))
        net.connect(a, a, bs.fixed_outdegree(500), weight=1.0, delay=1.0)
        return net

    assert chosen(network(0.0)).backend == "auto"
    assert chosen(network(20.0)).backend == "event_driven"
    assert chosen(network(20.0), synapse_backend="spmm_fused").backend == "spmm_fused"


def test_a_network_without_synapses_has_no_product():
    assert chosen(delayed(out=0)).backend == "event_driven"


def test_the_plan_says_what_was_chosen_and_why():
    plan = delayed(n=10_000, out=20, longest=20.0).plan(threads=1)
    head, *lines = str(plan).splitlines()
    assert f"synapse backend {plan.ways.backend}, ring {plan.ways.ring}" in head
    for what in (f"note: ring {plan.ways.ring}: ", f"note: backend {plan.ways.backend}: "):
        assert sum(what in line for line in lines) == 1


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(1, 300_000), st.integers(0, 300), st.sampled_from([0.1, 0.3, 3.0, 30.0, 300.0]),
    st.sampled_from([0.001, 0.1, 10.0, 200.0, 2048.0, 0.0]), st.sampled_from([1, 4]), st.booleans(),
)  # fmt: skip
def test_what_is_left_to_biosnn_fits(n, out, longest, limit, threads, wide):
    plan = delayed(n, out, longest, wide).plan(threads=threads, max_ring_mib=limit)
    if limit:
        assert ring_bytes(plan) <= limit * 2**20
        if plan.ways.ring == "event_bucketed":
            per_event = sum((8 if table.store is WIDE else 4) + 2 for table in plan.tables)
            assert plan.ways.capacity_max * threads * per_event <= limit * 2**20


# What it takes


WAYS = [
    {"synapse_backend": backend, "fused_layout": layout, "ring_strategy": ring, "ring_dtype": dtype}
    for (backend, layout), ring, dtype in itertools.product(
        (("event_driven", "auto"), *itertools.product(("spmm_fused", "auto"), ("csr", "coo"))),
        LISTS,
        ("none", *FORMATS),
    )
    if dtype == "none" or (ring != "spike_history" and (layout != "coo" or dtype == "float16"))
]


def named(way):
    return "-".join(way.values())


@pytest.fixture
def uncompiled(monkeypatch):
    """A driver that does nothing but to let the time pass."""

    def advance(_first, last, _origin, clock):
        clock[0] = last

    driver = SimpleNamespace(ARGUMENTS=("clock",), advance=advance)
    monkeypatch.setattr(cpu, "load_driver", lambda _text: driver)


def delayed_with_sources(n=3000):
    net = delayed(n, 50, 5.0, wide=True)
    sources = net.spike_source("sources", [[0.1, 0.2]] * 10)
    net.connect(sources, net.populations["a"], bs.fixed_outdegree(40), weight=1.0, delay=2.0)
    return net


def ask_for_a_matrix(sim):
    sim.arrays["way_costs"][switching.MOST_NS] = np.inf
    sim.run(0.1)


@pytest.mark.usefixtures("uncompiled")
def test_a_matrix_that_finds_no_memory_ends_no_run(monkeypatch, caplog):
    def no_memory(*_):
        raise MemoryError("too large")

    monkeypatch.setattr("biosnn.engine.building.draws.make_matrix", no_memory)
    sim = delayed_with_sources().build(threads=1, synapse_backend="auto")
    sim.arrays["way_costs"][switching.MOST_NS] = 1e300
    sim.run(0.1)
    sim.run(0.1)  # it is tried, and said, once
    assert sim.step == 2
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(said) == 1
    assert said[0].endswith("MiB of its matrix (too large); delivery stays event-driven")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.usefixtures("uncompiled")
def test_planned_bytes_of_any_way_are_those_allocated(way, threads):
    net = delayed_with_sources()
    planned = net.plan(threads=threads, **way)
    sim = net.build(threads=threads, **way)
    assert (planned.ways.backend, planned.ways.ring) == (way["synapse_backend"], way["ring_strategy"])
    assert sim.bytes == pytest.approx(planned.bytes, rel=0.02)
    if planned.ways.backend == "auto":
        assert planned.later_bytes > 0
        ask_for_a_matrix(sim)
        assert sim.plan.bytes == planned.bytes + planned.later_bytes
        assert sim.bytes == pytest.approx(sim.plan.bytes, rel=0.02)
    else:
        assert planned.later_bytes == 0
        sim.run(0.1)
        assert sim.bytes == pytest.approx(planned.bytes, rel=0.02)


@pytest.mark.parametrize("way", [way for way in WAYS if way["ring_dtype"] == "none"], ids=named)
@pytest.mark.usefixtures("uncompiled")
def test_no_more_memory_is_kept_than_was_planned(way):
    net = delayed_with_sources()
    planned = net.plan(threads=1, **way)
    tracemalloc.start()
    gc.freeze()  # what other tests have left is not looked through each time
    try:
        before = held()
        sim = net.build(threads=1, **way)
        assert held() - before == pytest.approx(sim.bytes, rel=0.02)
        assert held() - before == pytest.approx(planned.bytes, rel=0.02)
        if planned.ways.backend == "auto":
            ask_for_a_matrix(sim)
            assert held() - before == pytest.approx(planned.bytes + planned.later_bytes, rel=0.02)
    finally:
        gc.unfreeze()
        tracemalloc.stop()


def held():
    """Bytes of all NumPy arrays made since tracing began."""
    gc.collect()
    of_numpy = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    return sum(s.size for s in tracemalloc.take_snapshot().filter_traces([of_numpy]).statistics("filename"))
