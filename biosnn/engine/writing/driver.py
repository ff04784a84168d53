"""Writing the driver: one short Python module for one network, that holds its time loop.

The text is what the parts of a plan state, phase by phase, in a frame of the time loop. It names its arrays as the rest
of BioSNN does; `Plan.driver_source` and `Simulation.driver_source` show it.
"""

from __future__ import annotations

import builtins
import re
import symtable
from collections.abc import Collection, Sequence

from biosnn.backends.frames import Around, Frame, time_loop
from biosnn.models.base import NeuronModel
from biosnn.models.own.neuron import OwnModel
from biosnn.models.own.source import FUNCTIONS
from biosnn.neurons.group import Group
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call, indented
from biosnn.profiling.laps import Laps

IN_PARTITION = (Phase.DELIVER, Phase.TAKE, Phase.ARRIVE, Phase.UPDATE, Phase.COLLECT, Phase.MARK, Phase.SAMPLE)
ADVANCE = "Simulate steps first_step..last_step-1, fewer if the history is full; clock[0] is the step reached."
MEETING = {"meet": "biosnn.backends.meeting"}
# Functions of scalars, besides those of models
SCALARS = {"unblocked": "biosnn.models.base", **dict.fromkeys(FUNCTIONS, "biosnn.fastmath")}
POLICY = (
    "align_stack", "f32", "f64", "flush_subnormals", "i32", "i64", "kernel", "nanoseconds", "parallel_kernel", "prange",
    "restore_mode", "scalar", "seldom", "u32", "u64", "u8",
)  # fmt: skip


def write(parts: Sequence[Part], frame: Frame, strides: bool, laps: Laps | None = None) -> str:
    """The text of the driver, `strides` if partitions take more than one step at once; with `laps`, one with clocks.

    Its `ARGUMENTS` are the arrays that `advance` takes.
    """
    return (_Writer(parts, frame, strides) if laps is None else _Timing(parts, frame, strides, laps)).text()


def helpers_of(parts: Sequence[Part]) -> dict[str, str]:
    """What the statements of parts may call, and where it stands."""
    return MEETING | {name: module for part in parts for name, module in part.kernels.items()}


class _Writer:
    own: tuple[str, ...] = ()  # what `one_partition` is given besides

    def __init__(self, parts: Sequence[Part], frame: Frame, strides: bool) -> None:
        self.parts, self.frame, self.strides = parts, frame, strides
        self.helpers = helpers_of(parts)
        self.groups = [part.group for part in parts if isinstance(part, Group)]
        self.declared = {a.name for part in parts for a in part.arrays()}

    def text(self) -> str:
        of_partition, step = self._partition()
        loop = time_loop(self.frame, self._around(), step, self.strides)
        if not of_partition:
            loop = _flushing(loop)
        outer = self._arrays(["first_step", "last_step", "origin"], loop)
        advance = [
            "@parallel_kernel" if self.frame.parallel else "@kernel",
            *call("def advance", ["first_step", "last_step", "origin", *outer], ":"),
            f'    """{ADVANCE}"""',
            *indented(loop),
        ]
        functions = [block for part in self.parts for block in part.functions()]
        blocks = ["\n".join(block) for block in (*functions, of_partition, advance) if block]
        return "\n\n\n".join([self._head(outer, "\n".join(blocks)), *blocks]) + "\n"

    def _partition(self) -> tuple[list[str], list[str]]:
        """The function that is one step of one partition, for threads to call; and the lines of that step in a loop.

        Where one thread takes all partitions, those are its statements: to hand a function 25 arrays takes 80 ns.
        """
        step = self._step()
        if not self.frame.parallel:
            return [], step
        given = [*self.own, "p", "step", "first_step", "origin"]
        inner = self._arrays(given, step)
        function = [
            "@kernel",
            *call("def one_partition", [*given, *inner], ":"),
            '    """One step of one partition: deliver what is due, take in input, update, collect the spikes."""',
            *indented(_flushing(step)),
        ]
        return function, call("one_partition", [*given, *inner])

    def _step(self) -> list[str]:
        """The statements of one step of one partition."""
        return [line for phase in IN_PARTITION for line in self._stated(phase)]

    def _stated(self, phase: Phase) -> list[str]:
        return [line for part in self.parts for line in part.statements(phase)]

    def _around(self) -> Around:
        """What is done once a step and once a stride; and the question whether some buffer is full."""
        full = " or ".join(condition for part in self.parts for condition in part.full())
        return Around(self._stated(Phase.BEFORE), any(p.waits for p in self.parts), self._stated(Phase.AFTER), full)

    def _arrays(self, parameters: list[str], body: list[str]) -> list[str]:
        """The arrays that a function is handed: what its body reads, and neither makes nor imports."""
        text = "\n".join([f"def function({', '.join(parameters)}):", *indented(body)])
        (function,) = symtable.symtable(text, "driver", "exec").get_children()
        functions = {"one_partition", *(f"update_{group.name}" for group in self.groups)}
        read = {symbol.get_name() for symbol in function.get_symbols() if symbol.is_global()}
        found = read - functions - set(dir(builtins)) - set(POLICY) - set(self.helpers)
        assert found <= self.declared, f"no part declares {sorted(found - self.declared)}"
        return sorted(found)

    def _head(self, outer: list[str], body: str) -> str:
        models = ", ".join(g.name for g in self.groups) or "nothing"
        own = own_models(self.parts)
        ours = [g.model for g in self.groups if g.model not in own]
        functions = {f.__name__: f.__module__ for f in (model.function() for model in ours)}
        rare = {f.__name__: f.__module__ for f in (model.at_spike for model in ours) if f is not None}
        body = "\n\n".join([*(model.source.text for model in own), body])
        policy = [body, "scalar" if self.groups else "", "seldom" if rare else ""]
        imports = [f"from biosnn._numba import {', '.join(_mentioned(policy, POLICY))}"]
        imports += [f"from {module} import {name}" for name, module in (functions | rare).items()]
        imports += [f"from {SCALARS[name]} import {name}" for name in _mentioned([body], SCALARS)]
        helpers = _mentioned([body], self.helpers)
        for module in sorted({self.helpers[name] for name in helpers}):
            names = [name for name in helpers if self.helpers[name] == module]
            imports.append(f"from {module} import {', '.join(names)}")
        lines = [
            f'"""Driver of a network of {models}; written by BioSNN."""',
            "",
            *(["from collections import namedtuple", ""] if self.groups else []),
            *sorted(imports),
            "",
            *(f"{name} = scalar({name})" for name in [*functions, *_mentioned([body], SCALARS)]),
            *(f"{name} = seldom({name})" for name in rare),
            *(f"\n\n{_decorated(model.source.text)}" for model in own),
            *(["", ""] if own else []),
            *call("ARGUMENTS = ", [repr(name) for name in outer], ","),
        ]
        return "\n".join(lines)


class _Timing(_Writer):
    """The same, with a lap after all that takes time."""

    def __init__(self, parts: Sequence[Part], frame: Frame, strides: bool, laps: Laps) -> None:
        self.laps = laps
        self.own = (frame.row,) if frame.head else ()
        super().__init__([*parts, laps], frame.told(*laps.lap("{}", "WAIT")), strides)

    def _step(self) -> list[str]:
        return [*self.laps.lap(self.frame.row, "LOOP"), *super()._step()]

    def _stated(self, phase: Phase) -> list[str]:
        lines, row = super()._stated(phase), "0" if phase is Phase.BEFORE else self.frame.row
        before = self.laps.lap(row, "LOOP") if phase is Phase.BEFORE else []
        return [*before, *lines, *self.laps.lap(row, phase)] if lines else []


def own_models(parts: Sequence[Part]) -> list[OwnModel]:
    """The models of the user's own, whose text stands in the driver."""
    models: list[NeuronModel] = [part.group.model for part in parts if isinstance(part, Group)]
    return list({m.function_name: m for m in models if isinstance(m, OwnModel)}.values())


def _flushing(lines: list[str]) -> list[str]:
    """Lines in which numbers too small to be normal count as zero."""
    return ["mode = flush_subnormals()", *lines, "restore_mode(mode)"]


def _decorated(text: str) -> str:
    return re.sub(r"^def ", "@scalar\ndef ", text, flags=re.MULTILINE)


def _mentioned(lines: list[str], names: Collection[str]) -> list[str]:
    """Those of the names that stand in some lines, sorted."""
    words = set(re.findall(r"\w+", "\n".join(lines)))
    return sorted(words & set(names))
