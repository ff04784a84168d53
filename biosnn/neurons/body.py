"""Writing the loop over the neurons of one model group: its membrane's scalar function and its bank of receptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from biosnn.address.layout import ModelGroup
from biosnn.description.description import Description
from biosnn.description.items import Values
from biosnn.distributions import Distribution
from biosnn.models.bank import Course, SynapticState, Term
from biosnn.models.base import HOLD

# Columns of the table of sections before those of the input slots: first and last state index, id - state index.
SECTION_COLUMNS = 3
# What an Input says of a step: its field, and the part of a receptor's course that it is made of.
MOMENTS = ("start", "middle", "end")
# Dithers of neighbouring neurons, and of the states of one neuron, lie apart by these fractions of 2^32.
SPREAD, APART = 0x85EBCA77, 0x61C88647
EACH = "for i in range(first, last):"
# Neurons whose state stays in the first cache while several loops go over it: AdEx 15 % faster than over all at once.
TILE = 512
OF_TILE = "for i in range(tile, until):"


def constant_names(group: ModelGroup) -> list[str]:
    """Columns of a group's table of constants: those of the membrane first, then what its input is made with.

    HOLD, a whole number, stands in a table of its own, `holds`.
    """
    bank, constants = group.bank, [name for name in group.model.constants if name != HOLD]
    names = [*constants, *(["rest"] if bank.exact else ["I_e"])]
    names += ["p20"] if bank.exact and group.injected else []
    names += [s.gain for s in bank.states if s.gain is not None]
    for course in bank.courses:
        names += [c for c, _ in course.middle + course.end if c is not None]
        r = course.receptor
        names += [f"E_{r.name}"] if r.reversal is not None else []
        names += [f"Mg_{r.name}"] if r.magnesium is not None else []
    for s in bank.states:
        names += [c for c, _ in s.terms if c is not None]
        names += [c for _, factor in s.arrivals if factor is not None for c in factor.split(" * ")]
    return list(dict.fromkeys([*names, *(f"unit_{slot}" for slot in bank.slots)]))


def varied_constants(net: Description, group: ModelGroup) -> frozenset[str]:
    """Constants of a group that differ between the neurons of a population: found with two neurons for all."""
    found: set[str] = set()
    for a in group.populations:
        model = net.population_at(a).model
        assert model is not None
        if model.size() == 0:
            continue  # nobody's
        constants = model.all_constants({name: _two_of(value) for name, value in model.values.items()}, net.dt)
        found |= {name for name, value in constants.items() if np.ndim(value)}
    return frozenset(found.intersection([HOLD, *constant_names(group)]))


def _two_of(value: Values) -> float | NDArray[np.float64]:
    if isinstance(value, Distribution):
        return np.asarray(value.quantile(np.array([0.25, 0.75])), np.float64)
    return value if isinstance(value, float) else np.resize(value, 2)


def update_arguments(group: ModelGroup, per_neuron: frozenset[str]) -> list[str]:
    """Arrays of the group that its loop takes, in order."""
    states = [group.model.array(s.name) for s in group.model.states] + [s.name for s in group.bank.states]
    holds = ["holds"] if HOLD in group.model.constants and HOLD not in per_neuron else []
    injected = ["injected"] if group.injected else []
    return ["sections", "constants", *holds, *states, *injected, "spiked", *sorted(per_neuron)]


def keys_of_draws(group: ModelGroup) -> list[tuple[str, str]]:
    """Names of both halves of the key of each random word that a neuron of the group takes in a step."""
    return [(f"low_{k}", f"high_{k}") for k in range(group.model.draws)]


def write_update(group: ModelGroup, per_neuron: frozenset[str], wide: bool) -> list[str]:
    """The lines of `update_GROUP`, section by section: a section is a population's part of the partition.

    Constants that all neurons of a population share are read before the loop over its neurons, others in it.
    """
    return _Writer(group, per_neuron, wide).lines()


class _Writer:
    def __init__(self, group: ModelGroup, per_neuron: frozenset[str], wide: bool) -> None:
        self.group, self.per_neuron, self.wide = group, per_neuron, wide
        self.bank, self.model = group.bank, group.model
        self.columns = {name: k for k, name in enumerate(constant_names(group))}

    def lines(self) -> list[str]:
        """The function: what neurons of a section share, and the loop over them."""
        group, constants = self.group, self.model.constants
        shared = [n for n in self.columns if n not in constants and n not in self.per_neuron]
        drives = ["drive", *(["wide_drive", "wide_unit"] if self.wide else [])]
        drives += ["phase"] if group.dithered else []
        drives += [name for pair in keys_of_draws(group) for name in pair]
        section = [
            "first, last = u64(sections[p, q, 0]), u64(sections[p, q, 1])",
            *(f"to_{slot} = u64(sections[p, q, {SECTION_COLUMNS + k}])" for k, slot in enumerate(self.bank.slots)),
            *(["shift_id = u64(sections[p, q, 2])"] if self.model.draws else []),
            *([] if self._vary() else self._constants()),
            *(f"{n} = constants[q, {self.columns[n]}]" for n in shared),
            *self._loops(),
        ]
        return [
            f"{self.model.constants_name} = namedtuple({self.model.constants_name!r}, {' '.join(constants)!r})",
            "",
            "",
            "@kernel",
            f"def update_{group.name}(p, {', '.join([*drives, *update_arguments(group, self.per_neuron)])}):",
            f'    """One step of the neurons of partition p: {self.model.name}."""',
            "    align_stack()",
            "    for q in range(sections.shape[1]):",
            *(f"        {line}" for line in section),
        ]

    def _loops(self) -> list[str]:
        """One loop over the neurons; or, tile by tile, one for each part, if spiking has a function of its own."""
        membrane = [_at(self.model.array(s.name)) for s in self.model.states]
        words = [f"word32(u32(i + shift_id), {low}, {high})" for low, high in keys_of_draws(self.group)]
        into, inputs = ([f"arriving = {self._arriving()}"], ["arriving"]) if self.bank.exact else self._inputs()
        inputs += [self._asked(what) for what in self.model.asks]
        given = ", ".join([*self.model.arguments(membrane, inputs), *words])
        begin = [*(self._constants() if self._vary() else []), *into]
        step = [*begin, f"{', '.join([*membrane, 'spiked[i]'])} = {self.group.function}({given})"]
        at_spike = self.model.at_spike
        after = [
            *(self._advance(s, apart=at_spike is not None) for s in self.bank.states),
            *(f"drive[i + to_{slot}] = i32(0)" for slot in self.bank.slots),
            *(f"wide_drive[i + to_{slot}] = i64(0)" for slot in self.bank.slots if self.wide),
        ]
        if at_spike is None:
            return [EACH, *(f"    {line}" for line in step + after)]
        changed = [*membrane, *(["spiked[i]"] if self.model.repeats else [])]
        spike = [*begin, f"{', '.join(changed)} = {at_spike.__name__}({given})"]
        rare = [OF_TILE, "    if spiked[i]:", *(f"        {line}" for line in spike)]
        tile = [
            f"until = min(tile + u64({TILE}), last)",
            *(OF_TILE, *(f"    {line}" for line in step)),
            *("some = u8(0)", OF_TILE, "    some |= spiked[i]"),
            *("if some:", *(f"    {line}" for line in rare)),
            *(OF_TILE, *(f"    {line}" for line in after)),
        ]
        return [f"for tile in range(first, last, u64({TILE})):", *(f"    {line}" for line in tile)]

    def _vary(self) -> bool:
        """Whether constants of the membrane differ between neurons."""
        return bool(self.per_neuron & set(self.model.constants))

    def _constants(self) -> list[str]:
        """The line that gathers the constants of the membrane."""
        shared = {HOLD: "holds[q]"} | {n: f"constants[q, {k}]" for n, k in self.columns.items()}
        made = (_at(n) if n in self.per_neuron else shared[n] for n in self.model.constants)
        return [f"c = {self.model.constants_name}({', '.join(made)})"]

    def _asked(self, what: str) -> str:
        """What a model takes beyond its synaptic input."""
        return "injected[i]" if what == "injected" and self.group.injected else "f32(0)"

    def _arriving(self) -> str:
        """What the input adds to V within the step, of a membrane that is integrated exactly."""
        terms = [self._value("rest")]
        terms += [f"{self._value(s.gain)} * {self._read(s.name)}" for s in self.bank.states if s.gain is not None]
        terms += [] if self.bank.states else [self._arrived(tuple(range(len(self.bank.slots))))]
        terms += [f"{self._value('p20')} * injected[i]"] if self.group.injected else []
        return " + ".join(terms)

    def _inputs(self) -> tuple[list[str], list[str]]:
        """Lines that make an Input for each compartment, and their names."""
        injected = ["injected[i]"] if self.group.injected else []
        lines = [f"current = {' + '.join([self._value('I_e'), *injected])}"]
        names = []
        for k, V in enumerate(self.model.potentials):
            courses = [course for course in self.bank.courses if course.receptor.compartment == k]
            for course in courses:
                lines += self._course(course, self.model.array(V))
            currents, conductances = [], []
            for moment in MOMENTS:
                current, conductance = self._sums(courses, moment, k)
                currents.append(current)
                conductances.append(conductance)
            jump = self._arrived((0,)) if not self.bank.states and k == 0 else "f32(0)"
            names.append(f"x{k}")
            lines += [f"x{k} = Input(", *(f"    {v}," for v in (jump, *currents, *conductances)), ")"]
        return lines, names

    def _course(self, course: Course, V: str) -> Iterator[str]:
        """Lines that name a receptor's conductance or current at each moment of the step."""
        r = course.receptor
        for moment, terms in zip(MOMENTS, (course.start, course.middle, course.end), strict=True):
            yield f"{moment}_{r.variable} = {self._sum(terms)}"
        if r.magnesium is not None:  # at the potential of the step's start, for all of the step
            yield f"open_{r.name} = unblocked({_at(V)}, {self._value(f'Mg_{r.name}')})"

    def _sums(self, courses: Sequence[Course], moment: str, compartment: int) -> tuple[str, str]:
        """Current and conductance of one compartment at one moment."""
        current = ["current"] if compartment == 0 else []
        conductance = []
        for course in courses:
            r = course.receptor
            g = f"{moment}_{r.variable}"
            g = f"open_{r.name} * {g}" if r.magnesium is not None else g
            if r.reversal is None:
                current.append(g)
            else:
                conductance.append(g)
                current.append(f"{self._value(f'E_{r.name}')} * {g}")
        return " + ".join(current) or "f32(0)", " + ".join(conductance) or "f32(0)"

    def _advance(self, s: SynapticState, apart: bool) -> str:
        """The line that takes a variable of the bank over the step; `apart` from the loop that named its end."""
        named = not apart and any(c.receptor.variable == s.name for c in self.bank.courses)
        value = f"end_{s.name}" if named else self._sum(s.terms)
        for slots, factor in s.arrivals:
            times = "" if factor is None else " * ".join(map(self._value, factor.split(" * "))) + " * "
            arrived = self._arrived(slots)
            value += f" + {times}({arrived})" if times and self.wide else f" + {times}{arrived}"
        if s.name in self.group.dithered:
            k = [state.name for state in self.bank.states].index(s.name)
            return (
                f"store_dithered({s.name}, i, {value}, u32(u32(i) * u32({SPREAD}) + phase + u32({k * APART % 2**32})))"
            )
        return f"store({s.name}, i, {value})" if self.group.halved else f"{_at(s.name)} = {value}"

    def _sum(self, terms: Sequence[Term]) -> str:
        return " + ".join(
            self._read(state) if constant is None else f"{self._value(constant)} * {self._read(state)}"
            for constant, state in terms
        )

    def _read(self, state: str) -> str:
        return f"load({state}, i)" if self.group.halved else _at(state)

    def _value(self, name: str) -> str:
        return _at(name) if name in self.per_neuron else name

    def _arrived(self, slots: tuple[int, ...]) -> str:
        """Input to some slots, in user units; integers are summed first: a sum and its parts agree to the bit."""
        names = [f"i + to_{self.bank.slots[s]}" for s in slots]
        unit = self._value(f"unit_{self.bank.slots[slots[0]]}")
        text = f"{unit} * f32({' + '.join(f'drive[{n}]' for n in names)})"
        if self.wide:
            sign = "-" if self.bank.signs[slots[0]] < 0 else "+"
            text += f" {sign} f32(f64({' + '.join(f'wide_drive[{n}]' for n in names)}) * wide_unit)"
        return text


def _at(array: str) -> str:
    return f"{array}[i]"
