"""Writing the driver: one short Python module for one network, that holds its time loop.

The text is made from the plan: a loop per model group around the group's scalar function, a line per synapse table,
input and recorder. It names its arrays as the rest of BioSNN does, and `Simulation.driver_source` shows it.
"""

from __future__ import annotations

import builtins
import re
import symtable
import textwrap
from collections.abc import Collection

from biosnn.engine.writing.delivery import write_delivery, write_fullness, write_left, write_mark
from biosnn.engine.writing.frames import Around, indented, steps_apart, steps_together
from biosnn.engine.writing.shape import Shape, own_models, prefix
from biosnn.models.own.source import FUNCTIONS
from biosnn.neurons.body import keys_of_draws, update_arguments, write_update

HELPERS = {  # what a driver may call, and where it stands
    "arrive": "biosnn.inputs.poisson_cpu",
    "meet": "biosnn.backends.meeting",
    "arrive_varying": "biosnn.inputs.varying_poisson_cpu",
    "change": "biosnn.inputs.currents_cpu",
    "fluctuate": "biosnn.inputs.currents_cpu",
    "begin_currents": "biosnn.inputs.currents_cpu",
    "oscillate": "biosnn.inputs.currents_cpu",
    "fire": "biosnn.inputs.spike_trains_cpu",
    "deliver": "biosnn.propagation.event_driven_cpu",
    "mark": "biosnn.propagation.spmm_fused_cpu",
    "multiply_coo": "biosnn.propagation.spmm_fused_cpu",
    "multiply_csr": "biosnn.propagation.spmm_fused_cpu",
    "choose": "biosnn.propagation.switching_cpu",
    "EVENTS": "biosnn.propagation.switching_cpu",
    "MARKED": "biosnn.propagation.switching_cpu",
    "PRODUCT": "biosnn.propagation.switching_cpu",
    "dense": "biosnn.propagation.dense_cpu",
    "take_dense": "biosnn.propagation.dense_cpu",
    "Buckets": "biosnn.propagation.event_bucketed_cpu",
    "are_full": "biosnn.propagation.event_bucketed_cpu",
    "take_events": "biosnn.propagation.event_bucketed_cpu",
    "Now": "biosnn.propagation.spike_history_cpu",
    "collect": "biosnn.propagation.spike_history_cpu",
    "collect_each": "biosnn.propagation.spike_history_cpu",
    "is_crowded": "biosnn.propagation.spike_history_cpu",
    "sample": "biosnn.recording.kernels_cpu",
    "load": "biosnn.half",
    "store": "biosnn.half",
    "store_dithered": "biosnn.half",
    "Input": "biosnn.models.base",
    "NEURON": "biosnn.random",
    "keyed": "biosnn.random",
    "uniform": "biosnn.random",
    "word32": "biosnn.random",
}
# Functions of scalars, besides those of models
SCALARS = {"unblocked": "biosnn.models.base", **dict.fromkeys(FUNCTIONS, "biosnn.fastmath")}
POLICY = (
    "align_stack", "f32", "f64", "flush_subnormals", "i32", "i64", "kernel", "nanoseconds", "parallel_kernel", "prange",
    "restore_mode", "scalar", "seldom", "u32", "u64", "u8",
)  # fmt: skip


def write(shape: Shape) -> str:
    """The text of the driver. Its `ARGUMENTS` are the arrays that `advance` takes."""
    partition = _partition(shape)
    inner = _arrays(["p", "step", "first_step", "origin"], partition, shape)
    around = _around(shape)
    of_partition = [
        "@kernel",
        *_call("def one_partition", ["p", "step", "first_step", "origin", *inner], ":"),
        '    """One step of one partition: deliver what is due, take in input, update, collect the spikes."""',
        "    mode = flush_subnormals()",
        *indented(partition, 4),
        "    restore_mode(mode)",
    ]
    step = _call("one_partition", ["p", "step", "first_step", "origin", *inner])
    if shape.meets:
        loop = steps_together(around, step, shape.strides)
    else:
        loop = steps_apart(around, step, shape.strides, shape.parallel)
    outer = _arrays(["first_step", "last_step", "origin"], loop, shape)
    advance = [
        "@parallel_kernel" if shape.parallel else "@kernel",
        *_call("def advance", ["first_step", "last_step", "origin", *outer], ":"),
        '    """Simulate steps first_step..last_step-1, fewer if the history is full; clock[0] is the step reached."""',
        *indented(loop, 4),
    ]
    updates = [write_update(g, shape.per_neuron[k], shape.wide) for k, g in enumerate(shape.groups)]
    blocks = ["\n".join(block) for block in (*updates, of_partition, advance)]
    return "\n\n\n".join([_head(shape, outer, "\n".join(blocks)), *blocks]) + "\n"


def _decorated(text: str) -> str:
    return re.sub(r"^def ", "@scalar\ndef ", text, flags=re.MULTILINE)


def _head(shape: Shape, outer: list[str], body: str) -> str:
    models = ", ".join(g.name for g in shape.groups) or "nothing"
    own = own_models(shape)
    ours = [g.model for g in shape.groups if g.model not in own]
    functions = {f.__name__: f.__module__ for f in (model.function() for model in ours)}
    rare = {f.__name__: f.__module__ for f in (model.at_spike for model in ours) if f is not None}
    body = "\n\n".join([*(model.source.text for model in own), body])
    policy = [body, "scalar" if shape.groups else "", "seldom" if rare else ""]
    imports = [f"from biosnn._numba import {', '.join(_mentioned(policy, POLICY))}"]
    imports += [f"from {module} import {name}" for name, module in (functions | rare).items()]
    imports += [f"from {SCALARS[name]} import {name}" for name in _mentioned([body], SCALARS)]
    helpers = _mentioned([body], HELPERS)
    for module in sorted({HELPERS[name] for name in helpers}):
        names = [name for name in helpers if HELPERS[name] == module]
        imports.append(f"from {module} import {', '.join(names)}")
    lines = [
        f'"""Driver of a network of {models}; written by BioSNN."""',
        "",
        *(["from collections import namedtuple", ""] if shape.groups else []),
        *sorted(imports),
        "",
        *(f"{name} = scalar({name})" for name in [*functions, *_mentioned([body], SCALARS)]),
        *(f"{name} = seldom({name})" for name in rare),
        *(f"\n\n{_decorated(model.source.text)}" for model in own),
        *(["", ""] if own else []),
        *_call("ARGUMENTS = ", [repr(name) for name in outer], ","),
    ]
    return "\n".join(lines)


def _partition(shape: Shape) -> list[str]:
    """What one thread does for its partition in one step."""
    lines = write_delivery(shape.travel, _call)
    for wide, there in zip((False, True), shape.poisson, strict=True):
        if there:
            kind, drive = ("_wide", "wide_drive") if wide else ("", "drive")
            tables = [f"poisson_{x}{kind}" for x in ("part", "rows", "key", "table", "start", "weight")]
            lines += _call("arrive", ["step", "seed[0]", "p", *tables, drive])
    for wide, there in zip((False, True), shape.varying, strict=True):
        if there:
            kind, drive = ("_wide", "wide_drive") if wide else ("", "drive")
            parts = ("part", "rows", "sources", "turns", "step", "mean", "table", "counting", "weight")
            lines += _call("arrive_varying", ["step", "seed[0]", "p", *(f"varying_{x}{kind}" for x in parts), drive])
    for g, group in enumerate(shape.groups):
        lines += _currents(shape, g)
        names = [prefix(shape, g) + n for n in update_arguments(group, shape.per_neuron[g])]
        inputs = ["drive", *(["wide_drive", "wide_unit[0]"] if shape.wide else [])]
        if group.dithered:  # goes on by the golden ratio from step to step
            inputs.append("u32(step * 0x9E3779B1)")
        for k, (low, high) in enumerate(keys_of_draws(group)):
            lines.append(f"key = keyed(seed[0], NEURON + ({k} << 8), step)")
            lines.append(f"{low}, {high} = u32(key & u64(0xFFFFFFFF)), u32(key >> u64(32))")
            inputs += [low, high]
        lines += _call(f"update_{group.name}", ["p", *inputs, *names])
    lines.append("n = spike_first[p, step - origin]")
    for g in sorted(range(len(shape.groups)), key=lambda g: shape.groups[g].model.repeats):
        # those that repeat come last: they take what room there is
        pre = prefix(shape, g)
        found = f"{pre}spiked, {pre}sections[p, q], p, n"
        lines.append(f"for q in range({pre}sections.shape[1]):")
        if shape.groups[g].model.repeats:
            lines.append(f"    n = collect_each({found}, most_repeated[0], spike_ids)")
        else:
            lines.append(f"    n = collect({found}, spike_ids)")
    lines.append("spike_first[p, step - origin + 1] = n")
    lines += write_mark(shape.travel, "p", _call)
    for k, probe in enumerate(shape.probes):
        row = f"(step + 1) // {probe.every} - first_step // {probe.every} - 1"
        variable = prefix(shape, probe.group) + probe.variable
        lines.append(f"if (step + 1) % {probe.every} == 0:")
        names = [f"probe{k}_columns", f"probe{k}_index", variable, f"probe{k}_samples"]
        lines += indented(_call("sample", ["p", row, *names]), 4)
    return lines


def _currents(shape: Shape, g: int) -> list[str]:
    """The currents of a group that are new in each step."""
    pre, kinds = prefix(shape, g), shape.currents[g]
    if not kinds & {"wave", "noise"}:
        return []
    lines = _call("begin_currents", ["p", f"{pre}sections", f"{pre}held", f"{pre}injected"])
    if "wave" in kinds:
        tables = ["wave_part", "wave_rows", "wave_between", "wave_turns", "wave", "injected"]
        lines += _call("oscillate", ["step", "p", *(pre + x for x in tables)])
    if "noise" in kinds:
        tables = [f"{pre}noise_{x}" for x in ("part", "rows", "sources", "forget")]
        tables += [f"{pre}noise", "drawing", f"{pre}injected"]
        lines += _call("fluctuate", ["step", "seed[0]", "p", *tables])
    return lines


def _around(shape: Shape) -> Around:
    """What is done once a step and once a stride; and the question whether some buffer is full."""
    lines: list[str] = []
    changed = [g for g, kinds in enumerate(shape.currents) if "change" in kinds]
    for k, g in enumerate(changed):
        into = "injected" if shape.currents[g] == {"change"} else "held"
        names = [f"{prefix(shape, g)}{n}" for n in ("change_step", "change_range", "change_value", into)]
        lines += _call("change", ["step", "cursor", str(k), *names])
    if shape.sources:
        where = ["spike_ids.shape[0] - 1", "spike_first", "spike_ids"]
        lines += _call("fire", ["step", "origin", "cursor", str(len(changed)), "train_step", "train_id", *where])
        lines += write_mark(shape.travel, "spike_ids.shape[0] - 1", _call)
    crowded = "is_crowded(step - origin, spike_first, most_spikes, spike_ids.shape[1])"
    full = " or ".join([crowded, *write_fullness(shape.travel)])
    return Around(lines, bool(changed), write_left(shape.travel), full)


def _arrays(parameters: list[str], body: list[str], shape: Shape) -> list[str]:
    """The arrays that a function is handed: what its body reads, and neither makes nor imports."""
    text = "\n".join([f"def function({', '.join(parameters)}):", *indented(body, 4)])
    (function,) = symtable.symtable(text, "driver", "exec").get_children()
    functions = {"one_partition", *(f"update_{group.name}" for group in shape.groups)}
    read = {symbol.get_name() for symbol in function.get_symbols() if symbol.is_global()}
    return sorted(read - functions - set(dir(builtins)) - set(POLICY) - set(HELPERS))


def _mentioned(lines: list[str], names: Collection[str]) -> list[str]:
    """Those of the names that stand in some lines, sorted."""
    words = set(re.findall(r"\w+", "\n".join(lines)))
    return sorted(words & set(names))


def _call(function: str, arguments: list[str], end: str = "") -> list[str]:
    """A call or a signature, on as many lines as it takes."""
    close = ")" + end if end != "," else ",)"  # a tuple keeps its comma
    one = f"{function}({', '.join(arguments)}{close}"
    if len(one) <= 110:
        return [one]
    wrapped = textwrap.wrap(", ".join(arguments) + ",", 100, break_long_words=False, break_on_hyphens=False)
    return [f"{function}(", *indented(wrapped, 8 if end == ":" else 4), ")" + end.strip(",")]
