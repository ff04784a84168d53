"""From a plan to arrays: everything a driver needs, by name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _cache, _forks, half
from biosnn._numba import COMPILES
from biosnn.address.layout import Layout, ModelGroup
from biosnn.backends import cpu, interrupts, meeting
from biosnn.description.description import Description
from biosnn.description.items import Recorder
from biosnn.description.late_changes import as_it_is
from biosnn.engine.building import values as resolve
from biosnn.engine.building.inputs import current_arrays, poisson_arrays, train_arrays
from biosnn.engine.building.memory import in_lines, memory_for
from biosnn.engine.building.own_models import check_own_model
from biosnn.engine.building.tables import Table, build_table
from biosnn.engine.building.travel import travel_arrays
from biosnn.engine.planning.plan import Plan
from biosnn.engine.writing import driver
from biosnn.engine.writing.shape import Shape, own_models, prefix
from biosnn.models.bank import SUMMED
from biosnn.models.base import HOLD
from biosnn.neurons.body import SECTION_COLUMNS, constant_names

_log = logging.getLogger("biosnn")
Arrays = dict[str, NDArray[Any]]


@dataclass
class Sampled:
    """One recorded variable of one model group, or a term of it: which neurons, in the column order of its buffer."""

    recorder: Recorder
    group: int
    order: NDArray[np.int64]  # position in the recorder's group of each column
    offset: NDArray[np.float64]  # added to what is stored (the origin of the variable)


@dataclass(frozen=True)
class StateArray:
    """The array of a state variable, by the name that the driver has for it."""

    array: str
    variable: str
    group: int
    halved: bool  # kept in 16 bits


@dataclass
class Built:
    """A network ready to run."""

    described: Description  # to which something may be added later
    net: Description  # as it was when it was built
    plan: Plan
    arrays: Arrays
    tables: list[Table]
    sampled: list[Sampled]
    source: str
    advance: Callable[..., None]
    arguments: list[str]
    states: list[StateArray]
    travelling: frozenset[str]  # arrays by which spikes travel: all others are the same whatever the ways
    repeating: list[tuple[str, str]]  # arrays `spiked` and `sections` of groups that may fire several times in a step
    build_s: float = 0.0
    compile_s: float = 0.0


def build(net: Description, plan: Plan) -> Built:
    """Draw, pack and allocate what was planned, and compile its driver."""
    plan.check_memory()
    if plan.parallel and _forks.is_alone():
        plan = replace(plan, threads=1, parallel=False)  # the same partitions, one after the other
    first_time = "" if _cache.holds("") or not COMPILES else " (first compiling what draws them, once: some 5 s)"
    _log.info("drawing about %s synapses%s", f"{plan.n_synapses:,.0f}", first_time)
    started = time.perf_counter()
    with cpu.threads(plan.threads):
        tables = [build_table(net, plan, t, plan.threads) for t in plan.tables]
        compiled = sum(t.compile_s for t in tables)
        arrays: Arrays = {"seed": np.array([net.seed], np.uint64)}
        arrays |= (travelling := travel_arrays(net, plan, tables))
        arrays |= _inputs(plan)
        layout = plan.layout
        shape = plan.shape
        with interrupts.held_back():  # of 122 Ctrl-C that came while LLVM compiled, one freed memory twice
            if shape.meets and not meeting.can_meet(cpu.n_threads()):
                shape = replace(shape, meets=False)
        if shape.meets:
            arrays["workers"] = np.array([cpu.n_threads()])
            arrays["meetings"] = np.zeros(8, np.int64)  # a cache line, as that of the clock
        for g, group in enumerate(layout.groups):
            constants = _constants(net, plan, group, shape.per_neuron[g])
            state = _states(net, group, plan.receptor_dtype)
            found: Arrays = {"sections": _sections(layout, g), **constants, **state}
            arrays |= {prefix(shape, g) + name: values for name, values in in_lines(found).items()}
        arrays |= poisson_arrays(net, plan)
        arrays |= current_arrays(net, layout, shape)
        arrays |= train_arrays(net, layout)
        arrays |= _history(plan, bool(net.spike_trains))
        sampled = _probes(net, plan, arrays)
        built_s = time.perf_counter() - started - compiled
        started = time.perf_counter()
        text = driver.write(shape)
        is_new = cpu.is_new(text)
        if is_new:
            for model in own_models(shape):
                check_own_model(model)
        module = cpu.load_driver(text)
        if is_new:
            _log.info("compiling this network's driver (some 5 s)%s", _cache.promise())
        repeating = [
            (f"{prefix(shape, g)}spiked", f"{prefix(shape, g)}sections")
            for g, group in enumerate(layout.groups) if group.model.repeats
        ]  # fmt: skip
        built = Built(
            net, as_it_is(net), plan, arrays, tables, sampled, text, module.advance, list(module.ARGUMENTS),
            states_of(shape), frozenset(travelling), repeating, built_s,
        )  # fmt: skip
        with interrupts.held_back():
            built.advance(0, 0, 0, *(arrays[name] for name in built.arguments))  # compiles, or loads what was compiled
    built.compile_s = compiled + time.perf_counter() - started
    return built


def states_of(shape: Shape) -> list[StateArray]:
    """The state variables of all neurons, those of their membranes and of their receptors."""
    found = []
    for g, group in enumerate(shape.groups):
        pre = prefix(shape, g)
        found += [StateArray(pre + group.model.array(s.name), s.name, g, False) for s in group.model.states]
        found += [StateArray(pre + s.name, s.name, g, group.halved) for s in group.bank.states]
    return found


@memory_for("the input of each neuron")
def _inputs(plan: Plan) -> Arrays:
    n = int(plan.layout.drive_at[-1])
    found = in_lines({"drive": np.zeros(n, np.int32), "drive_at": plan.layout.drive_at})
    if plan.precision.any_wide:
        found["wide_drive"] = np.zeros(n, np.int64)
        found["wide_scale"] = np.array([plan.precision.wide_scale])
        found["wide_unit"] = 1 / found["wide_scale"]
    return found


@memory_for("the spike history")
def _history(plan: Plan, sources: bool) -> Arrays:
    lists, capacity = plan.layout.n_parts + sources, plan.history_capacity
    clock = np.zeros(8, np.int64)
    clock[1] = -plan.ways.kept
    return {
        "clock": clock,  # the step reached, and the step that the history begins with
        "most_spikes": plan.most_spikes,
        "most_repeated": np.array([plan.most_repeated]),
        "stride": np.array([plan.ways.stride]),
        "spike_first": np.zeros((lists, plan.chunk_steps + plan.ways.kept + 1), np.int64),
        "spike_ids": np.zeros((lists, capacity), np.int32),
    }


def _sections(layout: Layout, g: int) -> NDArray[np.int64]:
    """[partition, population]: first and last state index, id - state index, and input - state index for each slot."""
    group = layout.groups[g]
    found = np.zeros((layout.n_parts, len(group.populations), SECTION_COLUMNS + len(group.bank.slots)), np.int64)
    position = {a: q for q, a in enumerate(group.populations)}
    for c, cell in enumerate(layout.cells):
        if cell.population in position:
            q = position[cell.population]
            shifts = [int(shift[c] + layout.drive_at[cell.part] + cell.to_state) for shift in layout.slots_of[g]]
            found[cell.part, q] = [cell.first - cell.to_state, cell.last - cell.to_state, cell.to_state, *shifts]
    return found


@memory_for("constants of neurons")
def _constants(net: Description, plan: Plan, group: ModelGroup, varied: frozenset[str]) -> Arrays:
    """A row of constants and a HOLD per population, and an array for each of the `varied`, one value per neuron."""
    names = [*constant_names(group), *([HOLD] if HOLD in group.model.constants else [])]
    found = []
    for a in group.populations:
        model = net.population_at(a).model
        assert model is not None
        values = model.all_constants(resolve.parameters(net, a), net.dt)
        bank = group.bank
        for k, slot in enumerate(bank.slots):
            values[f"unit_{slot}"] = bank.signs[k] * plan.precision.units[(a, bank.scale[k])]
        found.append([np.asarray(values[name], np.float64) for name in names])
    shared = np.array([[0.0 if x.ndim else float(x) for x in row] for row in found])
    arrays = {
        name: np.concatenate([
            np.broadcast_to(row[k], net.population_at(a).n) for a, row in zip(group.populations, found, strict=True)
        ]).astype(np.int32 if name == HOLD else np.float32)
        for k, name in enumerate(names) if name in varied
    }  # fmt: skip
    n = len(constant_names(group))
    return {"constants": shared[:, :n].astype(np.float32), "holds": shared[:, n:].ravel().astype(np.int32), **arrays}


@memory_for("states of neurons")
def _states(net: Description, group: ModelGroup, receptor_dtype: str) -> Arrays:
    """State variables at time 0."""
    found: Arrays = {group.model.array(s.name): np.zeros(group.n, s.dtype) for s in group.model.states}
    found |= {s.name: np.zeros(group.n, np.float32) for s in group.bank.states}
    at = 0
    for a in group.populations:
        n = net.population_at(a).n
        here = slice(at, at + n)
        at += n
        p = resolve.parameters(net, a)
        for state in group.model.states:
            value = resolve.initial(net, a, state.name)
            if value is None:
                value = p[state.initial] if isinstance(state.initial, str) else state.initial
            origin = p[state.origin] if state.origin is not None else 0.0
            found[group.model.array(state.name)][here] = np.asarray(value) - origin
        model = net.population_at(a).model
        assert model is not None
        given = {r.variable: resolve.initial(net, a, r.variable) for r in model.receptors}
        for s in group.bank.states:
            # a sum over receptors starts as the sum of what was given for its parts
            parts = list(given.values()) if s.name == SUMMED else [given.get(s.name)]
            found[s.name][here] = sum(np.asarray(v) for v in parts if v is not None)
    for s in group.bank.states:
        found[s.name] = half.encode(found[s.name], receptor_dtype)
    found["spiked"] = np.zeros(group.n, np.int32 if group.model.repeats else np.uint8)
    if group.injected:
        found["injected"] = np.zeros(group.n, np.float32)
    return found


@memory_for("what recorders sample")
def _probes(net: Description, plan: Plan, arrays: Arrays) -> list[Sampled]:
    layout = plan.layout
    first = layout.first_of()
    cell_of = layout.cell_table()
    group_of_id = np.repeat(layout.group_of, np.diff(layout.first_id))
    sampled: list[Sampled] = []
    for recorder in net.recorders:
        if recorder.variable == "spikes":
            continue
        ids = recorder.target.ids(first)
        for g in np.unique(group_of_id[ids]):
            position = np.flatnonzero(group_of_id[ids] == g)
            parts = np.array([layout.cells[c].part for c in cell_of[ids[position]]])
            position = position[np.argsort(parts, kind="stable")]
            cells = [layout.cells[c] for c in cell_of[ids[position]]]
            index = ids[position] - np.array([c.to_state for c in cells])
            columns = np.searchsorted(np.sort(parts), np.arange(layout.n_parts + 1))
            rows = plan.chunk_steps // recorder.every + 1
            model = layout.groups[g].model
            recorded = model.terms(recorder.variable)
            offset = _origins(net, layout, recorded.origin, ids[position], [c.population for c in cells])
            for k in range(len(sampled), len(sampled) + len(recorded.terms)):
                arrays[f"probe{k}_columns"] = columns.astype(np.int64)
                arrays[f"probe{k}_index"] = index.astype(np.int64)
                arrays[f"probe{k}_samples"] = np.zeros((rows, position.size), np.float32)
                sampled.append(Sampled(recorder, int(g), position, offset))
                offset = np.zeros(position.size)  # once
    return sampled


def _origins(
    net: Description, layout: Layout, origin: str | None, ids: NDArray[np.int64], populations: list[int]
) -> NDArray[np.float64]:
    """The parameter that the stored values of a variable are relative to, for each neuron."""
    found = np.zeros(ids.size)
    for a in set(populations):
        if origin is not None:
            mine = np.array(populations) == a
            value = np.broadcast_to(resolve.parameters(net, a)[origin], int(np.diff(layout.first_id)[a]))
            found[mine] = value[ids[mine] - layout.first_id[a]]
    return found
