"""Parts of a plan: each table of synapses may have a backend and a ring of its own; arrays say what they are."""

from dataclasses import replace

import golden
import networks
import pytest
import travel

import biosnn as bs
from biosnn.engine.building.build import build
from biosnn.engine.planning.tables import traffic_of
from biosnn.engine.running.simulation import Simulation
from biosnn.parts.array import Axis, Keep
from biosnn.propagation.backend import Backend, Trip
from biosnn.propagation.dense import Dense
from biosnn.propagation.event_bucketed import Buckets
from biosnn.propagation.event_driven import EventDriven
from biosnn.propagation.spike_history import SpikeHistory
from biosnn.propagation.spmm_fused import Coo, Csr
from biosnn.propagation.switching import Auto
from biosnn.propagation.traffic import Wanted


def of_two_ways(net, packed, wide, threads):
    """A plan whose packed table travels one way, and whose wide one travels another."""
    plan = net.plan(threads=threads, **travel.ways("event_driven", "auto", "spike_history"))
    backends, first = [], next(k for k, part in enumerate(plan.parts) if isinstance(part, Backend))
    stride = 1 if Auto in (packed[0], wide[0]) else plan.ways.stride
    for table, (backend, ring, product), of in zip(plan.tables, (packed, wide), ("", "_wide"), strict=True):
        size = ring.settle(traffic_of(plan.address, [table]), Wanted())
        trip = Trip([table], ring, size, stride, product, of)
        backends.append((product if backend is Csr else backend)(plan.address, trip))
    clock, *_ = plan.parts
    clock.stride = stride
    parts = [*plan.parts[:first], *backends, *plan.parts[first + 1 :]]
    return replace(plan, parts=parts, ways=replace(plan.ways, trip=plan.ways.trip._replace(stride=stride)))


@pytest.mark.parametrize(
    ("packed", "wide"),
    [
        ((EventDriven, Dense, None), (Csr, SpikeHistory, Csr)),
        ((EventDriven, SpikeHistory, None), (EventDriven, Buckets, None)),
        ((Csr, Dense, Coo), (Auto, SpikeHistory, Csr)),
    ],
)
def test_each_table_may_travel_a_way_of_its_own(packed, wide):
    known = networks.spikes(travel.MIXED().build(threads=1, **travel.PLAIN), 30.0)
    plan = of_two_ways(travel.MIXED(), packed, wide, threads=1)
    sim = Simulation(build(plan.address.net, plan))
    assert len(known) > 100
    assert networks.spikes(sim, 30.0).tolist() == known.tolist()


def test_every_array_says_what_is_kept_of_it_and_what_it_counts():
    describe, how = golden.cases()["everything auto csr event_bucketed 2"]
    plan = describe().plan(**how)
    arrays = {a.name: a for part in plan.parts for a in part.arrays()}
    states = {name for name, a in arrays.items() if a.keep is Keep.STATE}
    assert {"clock", "spike_ids", "spike_first", "event_value", "iaf_psc_exp_V_m", "train_cursor"} <= states
    fixed = {name for name, a in arrays.items() if a.keep is Keep.FIXED}
    assert {"words", "segments", "seed", "iaf_psc_exp_constants"} <= fixed
    counts = {Axis.SLOT: plan.address.n_slots, Axis.PARTITION: (2, 3), Axis.SYNAPSE: plan.tables[0].n_synapses}
    for a in arrays.values():
        if a.axis in counts and not a.name.endswith("_wide"):
            expected = counts[a.axis]
            assert a.shape[0] in (expected if isinstance(expected, tuple) else (expected,)), a.name


def test_another_choice_of_recordings_compiles_nothing():
    def built(*recorded):
        net = bs.Network()
        p = net.population("p", 30, bs.models.aeif_cond_exp(I_e=900.0))
        net.connect(p, p, bs.fixed_indegree(5), weight=1.0, delay=1.0)
        for variable, every in recorded:
            net.record(p[: 10 + len(variable)], variable, every=every)
        return net.build(threads=1, synapse_backend="event_driven")

    first = built(("V_m", 1.0))
    compiled = list(first._built.advance.signatures)
    for recorded in ((), (("V_m", 0.5), ("w", 2.0)), (("w", 0.1),)):
        sim = built(*recorded)
        assert sim.driver_source == first.driver_source
        assert sim._built.advance is first._built.advance
        assert sim._built.advance.signatures == compiled
        samples = sim.run(10.0).samples
        assert {variable for found in samples.values() for variable in found} == {variable for variable, _ in recorded}
