"""Writing the loop over the neurons of one model group: its membrane's scalar function and its bank of receptors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from biosnn.distributions import Distribution
from biosnn.engine.layout import ModelGroup
from biosnn.network.description import Description
from biosnn.network.items import Values

# Columns of the table of sections before those of the input slots: first and last state index, id - state index.
SECTION_COLUMNS = 3


def constant_names(group: ModelGroup) -> list[str]:
    """Columns of a group's table of constants: those of the membrane first, then what its input is made with."""
    bank = group.bank
    names = [*group.model.constants, "rest", *(["p20"] if group.injected else [])]
    names += [s.gain for s in bank.states if s.gain is not None] + [s.decay for s in bank.states]
    return list(dict.fromkeys([*names, *(f"unit_{slot}" for slot in bank.slots)]))


def varied_constants(net: Description, group: ModelGroup) -> frozenset[str]:
    """Constants of a group that differ between the neurons of a population: found with two neurons for all."""
    found: set[str] = set()
    for a in group.populations:
        model = list(net.populations.values())[a].model
        assert model is not None
        constants = model.discretise({name: _two_of(value) for name, value in model.values.items()}, net.dt)
        found |= {name for name, value in constants.items() if np.ndim(value)}
    return frozenset(found.intersection(constant_names(group)))


def _two_of(value: Values) -> float | NDArray[np.float64]:
    if isinstance(value, Distribution):
        return np.asarray(value.quantile(np.array([0.25, 0.75])), np.float64)
    return value if isinstance(value, float) else np.resize(value, 2)


def update_arguments(group: ModelGroup, per_neuron: frozenset[str]) -> list[str]:
    """Arrays of the group that its loop takes, in order."""
    states = [s.name for s in group.model.states] + [s.name for s in group.bank.states]
    return ["sections", "constants", *states, *(["injected"] if group.injected else []), "spiked", *sorted(per_neuron)]


def write_update(group: ModelGroup, per_neuron: frozenset[str], wide: bool) -> list[str]:
    """The lines of `update_GROUP`, section by section: a section is a population's part of the partition.

    Constants that all neurons of a population share are read before the loop over its neurons, others in it.
    """
    bank, model = group.bank, group.model
    step = model.step.__name__
    columns = {name: k for k, name in enumerate(constant_names(group))}
    membrane = [s.name for s in model.states]

    def value(name: str) -> str:
        return f"{name}[i]" if name in per_neuron else name

    make = ", ".join(f"{n}[i]" if n in per_neuron else f"constants[q, {columns[n]}]" for n in model.constants)
    varied = bool(per_neuron & set(model.constants))
    shared = [n for n in columns if n not in model.constants and n not in per_neuron]
    drives = ["drive", *(["wide_drive", "wide_unit"] if wide else [])]
    head = [
        f"{step}_constants = namedtuple({step + '_constants'!r}, {' '.join(model.constants)!r})",
        "",
        "",
        "@kernel",
        f"def update_{group.name}(p, {', '.join([*drives, *update_arguments(group, per_neuron)])}):",
        f'    """One step of the neurons of partition p: {model.name}."""',
        "    for q in range(sections.shape[1]):",
        "        first, last = u64(sections[p, q, 0]), u64(sections[p, q, 1])",
        *(f"        to_{slot} = u64(sections[p, q, {SECTION_COLUMNS + k}])" for k, slot in enumerate(bank.slots)),
        *([] if varied else [f"        c = {step}_constants({make})"]),
        *(f"        {n} = constants[q, {columns[n]}]" for n in shared),
        "        for i in range(first, last):",
    ]
    terms = [value("rest")]
    terms += [f"{value(s.gain)} * {s.name}[i]" for s in bank.states if s.gain is not None]
    terms += [] if bank.states else [_arrived(group, tuple(range(len(bank.slots))), wide, value)]
    terms += [f"{value('p20')} * injected[i]"] if group.injected else []
    outputs = ", ".join([*(f"{n}[i]" for n in membrane), "spiked[i]"])
    loop = [
        *([f"c = {step}_constants({make})"] if varied else []),
        f"arriving = {' + '.join(terms)}",
        f"{outputs} = {step}({', '.join(f'{n}[i]' for n in membrane)}, arriving, c)",
        *(
            f"{s.name}[i] = {value(s.decay)} * {s.name}[i] + {_arrived(group, s.slots, wide, value)}"
            for s in bank.states
        ),
        *(f"drive[i + to_{slot}] = i32(0)" for slot in bank.slots),
        *(f"wide_drive[i + to_{slot}] = i64(0)" for slot in bank.slots if wide),
    ]
    return [*head, *(f"            {line}" for line in loop)]


def _arrived(group: ModelGroup, slots: tuple[int, ...], wide: bool, value: Callable[[str], str]) -> str:
    """Input to some slots, in user units. Integers are summed first: a current and its two parts agree to the bit."""
    names = [f"i + to_{group.bank.slots[s]}" for s in slots]
    text = f"{value(f'unit_{group.bank.slots[slots[0]]}')} * f32({' + '.join(f'drive[{n}]' for n in names)})"
    if wide:
        text += f" + f32(f64({' + '.join(f'wide_drive[{n}]' for n in names)}) * wide_unit)"
    return text
