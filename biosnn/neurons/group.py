"""A model group as a part: its constants and states, the function that takes them over a step, and its call."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from biosnn._arrays import I64
from biosnn.address.address import Address
from biosnn.address.layout import ModelGroup
from biosnn.models.base import HOLD
from biosnn.models.own.neuron import OwnModel
from biosnn.neurons.body import (
    SECTION_COLUMNS,
    constant_names,
    keys_of_draws,
    update_arguments,
    varied_constants,
    write_update,
)
from biosnn.neurons.initial import constants, initial
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, row, small
from biosnn.parts.part import Done, Draws, Part, Phase, Work
from biosnn.parts.text import call


class Group(Part):
    """The neurons of one model group."""

    kernels = {
        **dict.fromkeys(("load", "store", "store_dithered"), "biosnn.half"),
        **dict.fromkeys(("NEURON", "keyed", "uniform", "word32"), "biosnn.random"),
        "Input": "biosnn.models.base",
    }

    def __init__(self, address: Address, number: int) -> None:
        self.address, self.number = address, number
        self.group: ModelGroup = address.layout.groups[number]
        self.varied = varied_constants(address.net, self.group)

    @staticmethod
    def make(address: Address) -> Iterator[Group]:
        """One for each model group."""
        for number in range(len(address.layout.groups)):
            yield Group(address, number)

    @functools.cached_property
    def prefix(self) -> str:
        """What the names of its arrays start with: nothing, if it is the only one, with names that we chose.

        Arrays of a user's model start with its number: with its name, a_b_x could be x of a_b, and b_x of a.
        """
        if isinstance(self.group.model, OwnModel):
            return f"own{self.number}_"
        return "" if len(self.address.layout.groups) == 1 else f"{self.group.name}_"

    def rows(self) -> Iterator[Row]:
        yield from self._told()
        bank, states = self._bank_states(), self._states()
        varied = [self._array(n, "int32" if n == HOLD else "float32", Keep.FIXED) for n in sorted(self.varied)]
        injected = [self._array("injected", "float32")] if self.group.injected else []
        spiked = self._array("spiked", "int32" if self.group.model.repeats else "uint8")
        for a in self.group.populations:
            name, n = self.address.layout.names[a], self.address.net.population_at(a).n
            share = n / self.group.n if self.group.n else 0.0
            for arrays, what in ((varied, "constants"), ([*states, *injected], "variables")):
                for dtype in ("float32", "int32"):
                    of_dtype = [array for array in arrays if array.dtype == dtype]
                    if of_dtype:
                        axes = [(len(of_dtype), what), (n, "neurons")]
                        yield row("populations", f"{name}: {self._listed(of_dtype)}", axes, *of_dtype, share=share)
            yield row("populations", f"{name}: spiked", [(n, "neurons")], spiked, share=share)
            if bank:
                axes = [(len(bank), "receptors"), (n, "neurons")]
                yield row("receptors", f"{name}: {self._listed(bank)}", axes, *bank, share=share)

    def functions(self) -> list[list[str]]:
        return [write_update(self.group, self.varied, self.address.precision.any_wide)]

    def statements(self, phase: Phase) -> list[str]:
        if phase is not Phase.UPDATE:
            return []
        lines, inputs = list[str](), ["drive", *(["wide_drive", "wide_unit[0]"] if self._wide else [])]
        if self.group.dithered:  # goes on by the golden ratio from step to step
            inputs.append("u32(step * 0x9E3779B1)")
        for k, (low, high) in enumerate(keys_of_draws(self.group)):
            lines.append(f"key = keyed(seed[0], NEURON + ({k} << 8), step)")
            lines.append(f"{low}, {high} = u32(key & u64(0xFFFFFFFF)), u32(key >> u64(32))")
            inputs += [low, high]
        names = [self.prefix + n for n in update_arguments(self.group, self.varied)]
        return [*lines, *call(f"update_{self.group.name}", ["p", *inputs, *names])]

    def work(self, phase: Phase, done: Done) -> Work:
        if phase is not Phase.UPDATE:
            return super().work(phase, done)
        each = [a.bytes * (2 if a.keep is Keep.STATE else 1) for a in self.arrays() if a.axis is Axis.NEURON]
        slots = 2 * (4 + 8 * self._wide) * self.group.n * len(self.group.bank.slots)  # read, and emptied
        return Work(float(self.group.n * done.steps), done.steps * (sum(each) + slots))

    def draw(self, arrays: Arrays, draws: Draws) -> None:
        """Constants and states at time 0."""
        for name, values in constants(self.address, self.group, self.varied, draws).items():
            arrays[self.prefix + name][...] = values
        for name, values in initial(self.address, self.group, draws).items():
            arrays[self.prefix + name][...] = values

    @property
    def _wide(self) -> bool:
        return self.address.precision.any_wide

    def _told(self) -> Iterator[Row]:
        """What all of its neurons share: where they stand, and a row of constants for each population."""
        group, populations, parts = self.group, len(self.group.populations), self.address.layout.n_parts
        columns = SECTION_COLUMNS + len(group.bank.slots)
        sections = Array(
            f"{self.prefix}sections", (parts, populations, columns), "int64", Keep.FIXED, Axis.PARTITION, self._sections
        )
        axes = [(parts, "partitions"), (populations, "populations"), (columns, "columns")]
        yield row("populations", f"{group.name}: where they stand", axes, sections)
        n = len(constant_names(group))
        constants = Array(f"{self.prefix}constants", (populations, n), "float32", Keep.FIXED)
        holds = Array(f"{self.prefix}holds", (populations * (HOLD in group.model.constants),), "int32", Keep.FIXED)
        yield small("populations", f"{group.name}: constants", constants, holds)

    def _sections(self) -> I64:
        """[partition, population]: first and last state index, id - state index, and input - state index by slot."""
        layout, group = self.address.layout, self.group
        found = np.zeros((layout.n_parts, len(group.populations), SECTION_COLUMNS + len(group.bank.slots)), np.int64)
        position = {a: q for q, a in enumerate(group.populations)}
        for c, cell in enumerate(layout.cells):
            if cell.population in position:
                q = position[cell.population]
                shifts = [
                    int(shift[c] + layout.drive_at[cell.part] + cell.to_state) for shift in layout.slots_of[self.number]
                ]
                found[cell.part, q] = [cell.first - cell.to_state, cell.last - cell.to_state, cell.to_state, *shifts]
        return found

    def _states(self) -> list[Array]:
        """States of the membrane."""
        model = self.group.model
        return [self._array(model.array(s.name), np.dtype(s.dtype).name) for s in model.states]

    def _bank_states(self) -> list[Array]:
        """States of the receptors."""
        return [self._array(s.name, self.address.receptor_dtype) for s in self.group.bank.states]

    def _array(self, name: str, dtype: str, keep: Keep = Keep.STATE) -> Array:
        return Array(self.prefix + name, (self.group.n,), dtype, keep, Axis.NEURON)

    def _listed(self, arrays: list[Array]) -> str:
        return ", ".join(a.name.removeprefix(self.prefix) for a in arrays)
