"""From a plan to arrays: everything a driver needs, by name."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from biosnn import _cache, _forks
from biosnn._numba import COMPILES
from biosnn.backends import cpu, interrupts, meeting
from biosnn.description.description import Description
from biosnn.engine.building.draws import Drawing
from biosnn.engine.building.memory import PAGE, in_lines, memory_for
from biosnn.engine.building.own_models import check_own_model
from biosnn.engine.planning.plan import Plan
from biosnn.engine.writing.driver import own_models
from biosnn.parts.array import Arrays, Axis, apart
from biosnn.parts.part import Part
from biosnn.profiling.python import COMPILING, span

_log = logging.getLogger("biosnn")


@dataclass
class Built:
    """A network ready to run."""

    described: Description  # to which something may be added later
    plan: Plan
    arrays: Arrays
    draws: Drawing
    source: str
    advance: Callable[..., None]
    arguments: list[str]
    build_s: float = 0.0
    compile_s: float = 0.0

    @property
    def net(self) -> Description:
        """As it was when it was planned."""
        return self.plan.address.net

    def run(self, first: int, last: int, origin: int) -> None:
        """Take steps first..last-1, or fewer where some buffer is full then."""
        self.advance(first, last, origin, *(self.arrays[name] for name in self.arguments))


def build(net: Description, plan: Plan) -> Built:
    """Draw, pack and allocate what was planned, and compile its driver."""
    plan.check_memory()
    if plan.parallel and _forks.is_alone():
        plan = replace(plan, threads=1, parallel=False)  # the same partitions, one after the other
    first_time = "" if _cache.holds("") or not COMPILES else " (first compiling what draws them, once: some seconds)"
    _log.info("drawing about %s synapses%s", f"{plan.n_synapses:,.0f}", first_time)
    started = time.perf_counter()
    with cpu.threads(plan.threads):
        with span("build"):
            draws = Drawing(plan.address, plan.threads)
            arrays, places = Arrays(), itertools.count()
            for part in plan.parts:
                arrays |= {name: values for name, values in allocated(part, places).items() if name not in arrays}
                part.draw(arrays, draws)
        built_s = time.perf_counter() - started - draws.compile_s
        started = time.perf_counter()
        with span(COMPILING):
            text = plan.driver(meets=meets(plan))
            advance, arguments = load(plan, text)
            built = Built(net, plan, arrays, draws, text, advance, arguments, built_s)
            with interrupts.held_back():
                built.run(0, 0, 0)  # compiles, or loads what was compiled
    built.compile_s = draws.compile_s + time.perf_counter() - started
    return built


def allocated(part: Part, places: Iterator[int]) -> Arrays:
    """The arrays of a part at time 0; those that it draws itself are empty, and so is what is allocated later.

    `places`: see `in_lines`.
    """
    found: Arrays = {}
    for row in part.rows():
        with memory_for(row.name):
            for array in row.arrays:
                if array.name not in found:
                    found[array.name] = array.empty() if row.later or array.fill is None else array.make()
    # what kernels go through in every step
    swept = {a.name for a in part.arrays() if a.axis in (Axis.NEURON, Axis.SLOT)}
    found |= {name: apart(values) for name, values in found.items() if values.nbytes < PAGE}
    return found | in_lines({name: values for name, values in found.items() if name in swept}, places)


def meets(plan: Plan) -> bool:
    """Whether the driver's threads stay together for all steps of a chunk."""
    with interrupts.held_back():  # of 122 Ctrl-C that came while LLVM compiled, one freed memory twice
        return plan.parallel and meeting.can_meet(cpu.n_threads())


def load(plan: Plan, text: str) -> tuple[Callable[..., None], list[str]]:
    """The driver, as a function, and its arguments; it is compiled when it is called first."""
    is_new = cpu.is_new(text)
    if is_new:
        for model in own_models(plan.parts):
            check_own_model(model)
    module = cpu.load_driver(text)
    if is_new:
        _log.info("compiling this network's driver (some seconds)%s", _cache.promise())
    return module.advance, list(module.ARGUMENTS)
