"""The rows of a memory plan: every array of a network, by what it belongs to, with the formula of its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from biosnn.address.layout import ModelGroup
from biosnn.description.description import Description
from biosnn.description.items import CurrentInput, PoissonInput, VaryingCurrent
from biosnn.description.stimuli import Levels, Sinusoidal
from biosnn.engine.planning.choice import MOST_EVENTS, value_bytes
from biosnn.inputs.sizes import DRAWN, TILE
from biosnn.models.base import HOLD
from biosnn.neurons.body import varied_constants
from biosnn.propagation.sizes import BLOCK, LISTED, POST_BYTES, padded

if TYPE_CHECKING:
    from biosnn.engine.planning.plan import Plan, TablePlan

PARTS = ("populations", "receptors", "projections", "rings", "inputs", "recorders")


@dataclass(frozen=True)
class Entry:
    """One array of the plan, or several of one formula. `later`: allocated when it is needed, if it ever is."""

    part: str
    name: str
    formula: str
    dtype: str
    bytes: int
    later: bool = False


def list_entries(net: Description, plan: Plan) -> list[Entry]:
    """All of them, in the order of PARTS."""
    found = [*_populations(net, plan), *_inputs(net, plan), *_rings(net, plan), *_recorders(net, plan)]
    for table in plan.tables:
        found += _projections(net, plan, table)
    return sorted(found, key=lambda e: PARTS.index(e.part))


def _populations(net: Description, plan: Plan) -> Iterator[Entry]:
    for group in plan.layout.groups:
        extra = ["injected"] if group.injected else []
        reached = _reached(net, plan, group)
        extra += ["held"] if any(isinstance(c, VaryingCurrent) for c, _ in reached) else []
        state = [s.name for s in group.model.states if s.dtype is np.float32] + extra
        whole = [s.name for s in group.model.states if s.dtype is np.int32]
        bank = [s.name for s in group.bank.states]
        constants = varied_constants(net, group)
        varied = sorted(constants - {HOLD})
        whole += sorted(constants & {HOLD})
        for a in group.populations:
            name, n = plan.layout.names[a], net.population_at(a).n
            variables = [(len(state), "variables"), (n, "neurons")]
            if state:
                yield _array("populations", f"{name}: {', '.join(state)}", variables, "float32")
            if whole:
                counts = [(len(whole), "variables"), (n, "neurons")]
                yield _array("populations", f"{name}: {', '.join(whole)}", counts, "int32")
            spiked = "int32" if group.model.repeats else "uint8"
            yield _array("populations", f"{name}: spiked", [(n, "neurons")], spiked)
            if varied:
                per_neuron = [(len(varied), "constants"), (n, "neurons")]
                yield _array("populations", f"{name}: {', '.join(varied)}", per_neuron, "float32")
            if bank:
                receptors = [(len(bank), "receptors"), (n, "neurons")]
                yield _array("receptors", f"{name}: {', '.join(bank)}", receptors, plan.receptor_dtype)
        yield from _currents(group, reached)


def _projections(net: Description, plan: Plan, table: TablePlan) -> Iterator[Entry]:
    ways, layout = plan.ways, plan.layout
    kind, word = ("wide", "uint64") if table.wide else ("packed", "uint32")
    n_lags = plan.delays.size if ways.by_delay else 1
    lists = f"{layout.n_ids:,} sources"
    for k in table.connections:
        name, n = net.connections[k].name, net.connections[k].n_expected
        if ways.rows:
            yield _array("projections", f"{name}: rows, {kind}", [(n, "synapses")], word)
            if not ways.by_delay:
                yield _array("projections", f"{name}: delays", [(n, "synapses")], plan.wait_dtype().__name__)
        if ways.fused:
            each, what = _fused_bytes(plan, table)
            formula = f"{n:,.0f} synapses x {each} B"
            yield Entry("projections", f"{name}: fused matrix, {ways.layout}", formula, what, int(n * each), ways.rows)
    yield _array("projections", f"row starts, {kind}", [(layout.n_ids + 1, "sources + 1")], "int64")
    if ways.rows or ways.ring == "event_bucketed":
        columns = layout.n_parts * n_lags + 1
        width = table.segment_dtype.__name__
        formula = f"{lists} x ({layout.n_parts} partitions x {n_lags} delays + 1)"
        yield _entry("projections", f"segments, {kind}", formula, width, layout.n_ids * columns)
    if ways.fused:
        rows = plan.fused_rows()
        yield _array("projections", f"rows of the fused matrix, {kind}", [(rows + 1, "rows + 1")], "int64", ways.rows)


def _rings(net: Description, plan: Plan) -> Iterator[Entry]:
    ways, layout = plan.ways, plan.layout
    slots = int(layout.drive_at[-1])
    parts, lists = layout.n_parts, layout.n_parts + bool(net.spike_trains)
    yield _array("rings", "input", [(slots, "slots")], "int32")
    if plan.precision.any_wide:
        yield _array("rings", "input, wide", [(slots, "slots")], "int64")
    for table in plan.tables:
        kind, exact = ("wide", "int64") if table.wide else ("packed", "int32")
        dtype = exact if ways.ring_dtype == "none" else ways.ring_dtype
        width = value_bytes(np.dtype(exact).itemsize, ways.ring_dtype)
        if ways.ring == "dense":
            formula = f"ring_len {ways.ring_len:,} x n_post {slots:,} x {width} B"
            yield Entry("rings", f"dense ring, {kind}", formula, dtype, ways.ring_len * slots * width)
            if table is plan.tables[0]:
                starts = [(parts, "partitions"), (padded(ways.ring_len), "delays")]
                yield _array("rings", "dense ring, starts of rows", starts, "uint64")
        if ways.ring == "event_bucketed":
            events = ways.capacity * parts
            grows = "if it must" if ways.capacity_max == MOST_EVENTS else f"to {ways.capacity_max * parts:,}"
            formula = f"capacity {events:,} events x ({width} + {POST_BYTES}) B (grows {grows})"
            size = events * (width + POST_BYTES)
            yield Entry("rings", f"event buckets, {kind}", formula, f"{dtype}, uint16", size)
            blocks = [(parts, "partitions"), (2 * (ways.capacity // BLOCK) + padded(ways.ring_len) + 16, "numbers")]
            yield _array("rings", f"event buckets, {kind}, chains", blocks, "int32")
    room = [(lists, "lists"), (plan.history_capacity, "spikes")]
    yield _array("rings", "spike history (grows if it must)", room, "int32")
    window = [(lists, "lists"), (plan.chunk_steps + ways.kept + 1, "steps")]
    yield _array("rings", "spike history, steps", window, "int64")
    if plan.tables and ways.rows:
        yield _array("rings", "due segments", [(2, "ends"), (parts, "partitions"), (LISTED, "segments")], "int64")
    if plan.tables and ways.fused:
        words = int(layout.bit_words(bool(net.spike_trains))[-1])
        yield _array(
            "rings", "spikes as bits", [(2 * (ways.window + ways.stride), "steps"), (words, "words")], "uint32"
        )
        yield _array("rings", "bit of each neuron", [(layout.n_ids, "sources")], "uint32")


def _inputs(net: Description, plan: Plan) -> Iterator[Entry]:
    for wide in (False, True):
        varying = [s for s, feed in zip(net.poisson_inputs, plan.precision.poisson, strict=True) if feed.wide == wide]
        varying = [s for s in varying if not isinstance(s.rate, float)]
        kind = ", wide" if wide else ""
        for s in varying:
            levels, width = _rate_shape(s)
            yield _array("inputs", f"{s.name}: rates", [(levels, "levels"), (width, "neurons")], "float32")
        if varying:
            yield _array(
                "inputs",
                f"counting arrivals{kind}",
                [(plan.layout.n_parts, "partitions"), (3 * TILE, "numbers")],
                "float64",
            )
    if any(isinstance(c, VaryingCurrent) and not isinstance(c.source, Sinusoidal) for c in net.currents):
        yield _array(
            "inputs", "drawing noise", [(plan.layout.n_parts, "partitions"), (2 * DRAWN, "numbers")], "float32"
        )
    if net.spike_trains:
        given = sum(t.steps.size for t in net.spike_trains)
        yield _array("inputs", "given spikes: step, source", [(2, "columns"), (given, "spikes")], "int64")


def _recorders(net: Description, plan: Plan) -> Iterator[Entry]:
    for r in net.recorders:
        if r.variable != "spikes":
            models = [population.model for population in r.target.populations]
            n_terms = max((len(m.terms(r.variable).terms) for m in models if m is not None), default=1)
            size = [(plan.chunk_steps // r.every + 1, "samples"), (len(r.target), "neurons")]
            size += [(n_terms, "terms")] if n_terms > 1 else []
            yield _array("recorders", f"{r.name}.{r.variable}", size, "float32")


def _fused_bytes(plan: Plan, table: TablePlan) -> tuple[int, str]:
    """Bytes of one synapse in the fused matrix, and the dtypes that they are."""
    if plan.ways.layout == "coo":
        return (12, "uint32, uint64") if table.wide else (8, "uint32, uint32")
    return (8, "uint32, float32") if table.wide else (6, "uint32, int16")


def _currents(group: ModelGroup, reached: Sequence[tuple[CurrentInput | VaryingCurrent, int]]) -> Iterator[Entry]:
    """What is kept of the currents into a group."""
    # the values they take: one per change where neurons share it, else one per neuron
    shared = all(c.amplitudes.shape[1] == 1 for c, _ in reached if isinstance(c, CurrentInput))
    levels = sum(c.steps.size * (1 if shared else n) for c, n in reached if isinstance(c, CurrentInput))
    changes = sum(c.steps.size for c, _ in reached if isinstance(c, CurrentInput))
    if levels:
        yield _array("inputs", f"{group.name}: levels of currents", [(levels, "levels")], "float32")
        yield _array("inputs", f"{group.name}: changes of currents", [(5, "columns"), (changes, "changes")], "int64")
    for c, n in reached:
        if isinstance(c, VaryingCurrent):
            what = "offset, sine, cosine" if isinstance(c.source, Sinusoidal) else "mean, std, noise"
            yield _array("inputs", f"{group.name}: {what} of {c.name}", [(3, "variables"), (n, "neurons")], "float32")


def _reached(net: Description, plan: Plan, group: ModelGroup) -> list[tuple[CurrentInput | VaryingCurrent, int]]:
    """The currents that reach a group, and how many of its neurons each does."""
    names = {plan.layout.names[a] for a in group.populations}
    counts = [(c, sum(len(index) for p, index, _ in c.target.by_population() if p.name in names)) for c in net.currents]
    return [(c, n) for c, n in counts if n]


def _rate_shape(source: PoissonInput) -> tuple[int, int]:
    """Of the means kept for a varying rate: levels, and one or one per neuron."""
    rate = source.rate
    if isinstance(rate, Levels):
        return rate.values.shape[0], rate.values.shape[1]
    assert isinstance(rate, Sinusoidal)
    each = any(np.ndim(x) for x in (rate.offset, rate.amplitude, rate.phase))
    return 3, len(source.target) if each else 1


def _array(part: str, name: str, axes: Sequence[tuple[float, str]], dtype: str, later: bool = False) -> Entry:
    formula = " x ".join(f"{count:,.0f} {what}" for count, what in axes)
    return _entry(part, name, formula, dtype, float(np.prod([count for count, _ in axes])), later)


def _entry(part: str, name: str, formula: str, dtype: str, count: float, later: bool = False) -> Entry:
    width = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
    return Entry(part, name, f"{formula} x {width} B", dtype, int(count * width), later)
