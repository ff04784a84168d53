"""Writing the driver: one short Python module for one network, that holds its time loop.

The text is made from the plan: a loop per model group around the group's scalar function, a line per synapse table, input and
recorder. It names its arrays as the rest of BioSNN does, and `Simulation.driver_source` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from biosnn.engine.layout import ModelGroup


@dataclass(frozen=True)
class Probe:
    """A recorded variable of one model group, as the driver sees it."""

    group: int
    variable: str
    every: int


@dataclass(frozen=True)
class Shape:
    """What a driver depends on. Networks of one shape share a driver, whatever their sizes and parameters."""

    groups: list[ModelGroup]
    per_neuron: list[frozenset[str]]  # of each group: constants that are arrays
    tables: list[bool]  # wide?
    poisson: list[bool]  # Poisson inputs into the int32 input, into the int64 input
    sources: bool
    wide: bool  # there is an int64 input
    probes: list[Probe]
    parallel: bool


def prefix(shape: Shape, g: int) -> str:
    """What the names of a group's arrays start with: nothing, if it is the only one."""
    return "" if len(shape.groups) == 1 else f"{shape.groups[g].name}_"


def constant_names(group: ModelGroup) -> list[str]:
    """Columns of a group's table of constants: those of the membrane first, then what its input is made with."""
    bank = group.bank
    names = [*group.model.constants, "rest"]
    names += ["p20"] if group.injected else []
    names += [s.gain for s in bank.states if s.gain is not None] + [s.decay for s in bank.states]
    return list(dict.fromkeys([*names, *(f"unit_{slot}" for slot in bank.slots)]))


def write(shape: Shape) -> str:
    """The text of the driver. Its `ARGUMENTS` name the arrays that `advance` takes."""
    updates = [_update(shape, g) for g in range(len(shape.groups))]
    body = _partition_body(shape, [u.arguments for u in updates])
    outer = _outer_body(shape)
    inner = sorted(_names(body) - {"p", "step", "first_step", "origin", "n"})
    arguments = sorted(_names(outer) | set(inner) - {"step"})
    loop, decorator = ("prange", "parallel_kernel") if shape.parallel else ("range", "kernel")
    head = [
        f'"""Driver of a network of {", ".join(g.name for g in shape.groups) or "nothing"}; written by BioSNN."""',
        *_imports(shape),
        f"ARGUMENTS = {tuple(arguments)!r}",
    ]
    one = [
        "@kernel",
        f"def one_partition(p, step, first_step, origin, {', '.join(inner)}):",
        *(f"    {line.text}" for line in body),
    ]
    advance = [
        f"@{decorator}",
        f"def advance(first_step, last_step, origin, {', '.join(arguments)}):",
        '    """Simulate steps first_step to last_step - 1; returns the step reached, earlier if the spike history is full."""',
        "    for step in range(first_step, last_step):",
        *(f"        {line.text}" for line in outer[:-1]),
        f"        for p in {loop}(drive_at.size - 1):",
        f"            one_partition(p, step, first_step, origin, {', '.join(inner)})",
        f"        {outer[-1].text}",
        "            return step + 1",
        "    return last_step",
    ]
    blocks = [head, *(u.lines for u in updates), one, advance]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


@dataclass(frozen=True)
class _Line:
    text: str
    arrays: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Update:
    lines: list[str]
    arguments: list[str]


def _names(lines: list[_Line]) -> set[str]:
    return {name for line in lines for name in line.arrays}


def _call(function: str, scalars: str, arrays: list[str], before: str = "", after: str = "") -> _Line:
    return _Line(f"{before}{function}({', '.join(x for x in (scalars, *arrays) if x)}){after}", tuple(arrays))


def _imports(shape: Shape) -> list[str]:
    lines = ["from collections import namedtuple", ""]
    jit = "parallel_kernel, prange, " if shape.parallel else ""
    lines.append(f"from biosnn._numba import f32, f64, i32, i64, kernel, {jit}scalar, u64")
    if any(shape.poisson):
        lines.append("from biosnn.inputs.poisson import arrive")
    if any(g.injected for g in shape.groups):
        lines.append("from biosnn.inputs.currents import change")
    if shape.sources:
        lines.append("from biosnn.inputs.spike_trains import fire")
    steps = {g.model.step.__name__: g.model.step.__module__ for g in shape.groups}
    lines += [f"from {module} import {name}" for name, module in steps.items()]
    if shape.tables:
        kinds = ["deliver_wide" if wide else "deliver_packed" for wide in sorted(set(shape.tables))]
        lines.append(f"from biosnn.propagation.event_driven import {', '.join(kinds)}, due_segments")
    lines.append("from biosnn.propagation.spike_history import collect, is_crowded")
    if shape.probes:
        lines.append("from biosnn.recording.kernels import sample")
    lines += ["", *(f"{name} = scalar({name})" for name in steps)]
    return lines


def _update(shape: Shape, g: int) -> _Update:
    """The loop over the neurons of one model group, section by section (a population's part of the partition)."""
    group, per_neuron = shape.groups[g], shape.per_neuron[g]
    bank, model = group.bank, group.model
    columns = {name: k for k, name in enumerate(constant_names(group))}
    local = [n for n in columns if n not in model.constants]
    membrane = [s.name for s in model.states]
    arrays = [*membrane, *(s.name for s in bank.states), *(["injected"] if group.injected else []), "spiked"]
    arrays += sorted(per_neuron)

    def value(name: str) -> str:
        return f"{name}[i]" if name in per_neuron else name

    def column(name: str) -> str:
        return f"{name}[i]" if name in per_neuron else f"constants[q, {columns[name]}]"

    def arrived(slots: tuple[int, ...]) -> str:
        """Input to some slots, in user units: the integer sums come first, so that splitting them changes nothing."""
        unit = value(f"unit_{bank.slots[slots[0]]}")
        text = f"{unit} * f32({' + '.join(f'drive[i + to_{bank.slots[s]}]' for s in slots)})"
        if shape.wide:
            text += f" + f32(f64({' + '.join(f'wide_drive[i + to_{bank.slots[s]}]' for s in slots)}) * wide_unit)"
        return text

    build = f"{model.step.__name__}_constants({', '.join(column(n) for n in model.constants)})"
    built_per_neuron = bool(per_neuron & set(model.constants))
    terms = [f"{value(s.gain)} * {s.name}[i]" for s in bank.states if s.gain is not None]
    terms += [] if bank.states else [arrived(tuple(range(len(bank.slots))))]
    terms += [f"{value('p20')} * injected[i]"] if group.injected else []
    outputs = ", ".join([*(f"{n}[i]" for n in membrane), "spiked[i]"])
    wide = ["wide_drive", "wide_unit"] if shape.wide else []
    parameters = ["sections", "constants", *arrays]
    lines = [
        f"{model.step.__name__}_constants = namedtuple("
        f"{model.step.__name__ + '_constants'!r}, {' '.join(model.constants)!r})",
        "", "",
        "@kernel",
        f"def update_{group.name}(p, drive, {', '.join([*wide, *parameters])}):",
        "    for q in range(sections.shape[1]):",
        "        first, last = u64(sections[p, q, 0]), u64(sections[p, q, 1])",
        *(f"        to_{slot} = u64(sections[p, q, {3 + k}])" for k, slot in enumerate(bank.slots)),
        *([] if built_per_neuron else [f"        c = {build}"]),
        *(f"        {n} = constants[q, {columns[n]}]" for n in local if n not in per_neuron),
        "        for i in range(first, last):",
        *([f"            c = {build}"] if built_per_neuron else []),
        f"            arriving = {' + '.join([value('rest'), *terms])}",
        f"            {outputs} = {model.step.__name__}({', '.join(f'{n}[i]' for n in membrane)}, arriving, c)",
        *(f"            {s.name}[i] = {value(s.decay)} * {s.name}[i] + {arrived(s.slots)}" for s in bank.states),
        *(f"            drive[i + to_{slot}] = i32(0)" for slot in bank.slots),
        *(f"            wide_drive[i + to_{slot}] = i64(0)" for slot in bank.slots if shape.wide),
    ]  # fmt: skip
    pre = prefix(shape, g)
    return _Update(lines, ["drive", *wide, *(pre + n for n in parameters)])


def _partition_body(shape: Shape, updates: list[list[str]]) -> list[_Line]:
    """What one thread does for its partition in one step."""
    lines = []
    for t, wide in enumerate(shape.tables):
        kind = "_wide" if wide else ""
        history = ["delays", "spike_first", "spike_ids"]
        rows = [f"row_first{kind}", f"segments{kind}", "due_begin", "due_end"]
        lines.append(_call("due_segments", "step, origin, p", [*history, *rows], before="n = "))
        target = ["wide_drive"] if wide else ["drive"]
        words = ["due_begin", "due_end", f"words{kind}", *target]
        scale = ", wide_scale[0])" if wide else ")"
        text = f"events[p, {t}] += {'deliver_wide' if wide else 'deliver_packed'}(p, n, {', '.join(words)}, u64(drive_at[p]){scale}"
        lines.append(_Line(text, ("events", *words, "drive_at", *(["wide_scale"] if wide else []))))
    for wide, there in zip((False, True), shape.poisson, strict=True):
        if there:
            kind = "_wide" if wide else ""
            tables = ["poisson_part", "poisson_rows", "poisson_key", "poisson_table", "poisson_start", "poisson_weight"]
            names = [f"{n}{kind}" for n in tables] + (["wide_drive"] if wide else ["drive"])
            lines.append(_Line(f"arrive(step, seed[0], p, {', '.join(names)})", ("seed", *names)))
    for g, arguments in enumerate(updates):
        text = ", ".join("wide_unit[0]" if a == "wide_unit" else a for a in arguments)
        lines.append(_Line(f"update_{shape.groups[g].name}(p, {text})", tuple(arguments)))
    lines.append(_Line("n = spike_first[p, step - origin]", ("spike_first",)))
    for g in range(len(shape.groups)):
        pre = prefix(shape, g)
        lines.append(_Line(f"for q in range({pre}sections.shape[1]):", (f"{pre}sections",)))
        columns = ", ".join(f"{pre}sections[p, q, {k}]" for k in range(3))
        lines.append(_Line(f"    n = collect({pre}spiked, {columns}, p, n, spike_ids)", (f"{pre}spiked", "spike_ids")))
    lines.append(_Line("spike_first[p, step - origin + 1] = n"))
    for k, probe in enumerate(shape.probes):
        names = [
            f"probe{k}_columns",
            f"probe{k}_index",
            prefix(shape, probe.group) + probe.variable,
            f"probe{k}_samples",
        ]
        row = f"(step + 1) // {probe.every} - first_step // {probe.every} - 1"
        lines.append(_Line(f"if (step + 1) % {probe.every} == 0:"))
        lines.append(_Line(f"    sample(p, {row}, {', '.join(names)})", tuple(names)))
    return lines


def _outer_body(shape: Shape) -> list[_Line]:
    """What is done once a step, before the partitions; the last line, after them, asks whether the history is full."""
    lines = []
    injected = [g for g in range(len(shape.groups)) if shape.groups[g].injected]
    for k, g in enumerate(injected):
        pre = prefix(shape, g)
        names = [f"{pre}change_step", f"{pre}change_range", f"{pre}change_value", f"{pre}injected"]
        lines.append(_Line(f"change(step, cursor, {k}, {', '.join(names)})", ("cursor", *names)))
    if shape.sources:
        names = ["train_step", "train_id"]
        text = f"fire(step, origin, cursor, {len(injected)}, {', '.join(names)}, spike_ids.shape[0] - 1, spike_first, spike_ids)"
        lines.append(_Line(text, ("cursor", *names, "spike_first", "spike_ids")))
    full = "if is_crowded(step - origin, spike_first, most_spikes, spike_ids.shape[1]):"
    lines.append(_Line(full, ("spike_first", "most_spikes", "spike_ids", "drive_at")))
    return lines
