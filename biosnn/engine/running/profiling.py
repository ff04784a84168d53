"""A profile of some steps: the driver written once more, with clocks in it, and what is made of their laps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from biosnn._machine import cores
from biosnn.engine.building.build import Built, allocated, load, meets
from biosnn.engine.planning.choice import wanted_of
from biosnn.engine.planning.plan import Plan
from biosnn.engine.planning.tables import traffic_of
from biosnn.parts.part import NOTHING, Done, Phase, Work
from biosnn.profiling.advice import Seen, advice
from biosnn.profiling.laps import Laps
from biosnn.profiling.limits_cpu import limits
from biosnn.profiling.phases import CHARGED, ENDED, FIRST, LAP_NS, LOGGED, LOOP, NAMES, WAIT
from biosnn.profiling.profile import PYTHON, REST, PhaseFigures, Profile
from biosnn.profiling.python import COMPILING, Span, Watch, span
from biosnn.profiling.trace import Turns
from biosnn.recording.results import Result


class Clocked:
    """The driver of a built network with clocks in it. It runs on the same arrays, beside those of the clocks."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self._laps = Laps(max(built.plan.layout.n_parts, built.plan.threads))
        own = allocated(self._laps, iter(()))
        self.laps, self.log = own["laps"], own["lap_log"]
        self.turns: list[Turns] = []
        self._load()

    def advance(self, first: int, last: int, origin: int) -> None:
        """Take steps first..last-1, as `Built.run` does."""
        if self.plan is not self.built.plan:  # the ring was full, and is another one now
            self._load()
        laps = self.laps
        seen = laps[:, LOGGED].copy()
        laps[:, ENDED] = begin = time.monotonic_ns()
        self._call(first, last, origin)
        ended, used = time.monotonic_ns(), laps[:, LOGGED] > 0
        # from a thread's last lap until all are back
        laps[used, FIRST + 2 * (WAIT if self.plan.parallel else LOOP)] += ended - laps[used, ENDED]
        for row in range(len(laps)):
            phases, ends = self.log[row, seen[row] : laps[row, LOGGED]].T
            if ends.size:
                begins = ends.copy()
                begins[0], begins[1:] = begin, ends[:-1]
                self.turns.append(Turns(row, phases.copy(), begins, ends.copy()))

    def figures(self) -> list[PhaseFigures]:
        """What each phase took in each of the threads that there were."""
        rows = self.laps[self.laps[:, LOGGED] > 0]
        found = []
        for k, name in enumerate(NAMES):
            times, calls = rows[:, FIRST + 2 * k], int(rows[:, FIRST + 2 * k + 1].sum())
            if times.any():
                found.append(PhaseFigures(name, tuple((times * 1e-9).tolist()), calls))
        return found

    @property
    def threads(self) -> tuple[str, ...]:
        """What the rows are called that were in use."""
        what = "thread" if self.meets or not self.plan.parallel else "partition"
        return tuple(f"{what} {row}" for row, n in enumerate(self.laps[:, LOGGED]) if n)

    def _load(self) -> None:
        with span(COMPILING):
            self.plan = self.built.plan
            self.meets = meets(self.plan)
            self._advance, self.names = load(self.plan, self.plan.driver(self.meets, self._laps))
            before = self.laps.copy()
            self._call(0, 0, 0)  # compiles, or loads what was compiled
            self.laps[:] = before

    def _call(self, first: int, last: int, origin: int) -> None:
        arrays = self.built.arrays | {"laps": self.laps, "lap_log": self.log}
        self._advance(first, last, origin, *(arrays[name] for name in self.names))


def profile_of(clocked: Clocked, watch: Watch, spans: Sequence[Span], result: Result) -> Profile:
    """The profile of a run whose chunks were taken by `clocked`; `spans` are those of the run alone."""
    plan = clocked.plan
    steps = round((result.stop_ms - result.start_ms) / result.dt)
    done = Done(steps, result.n_spikes, result.synaptic_events, result.backend_steps)
    worked = work_of(plan, done)
    of_driver = [replace(f, work=worked.get(f.name, NOTHING)) for f in clocked.figures()]
    phases = [*of_driver, *(_of_python(name, spans) for name in PYTHON)]
    rest = PhaseFigures(REST, (result.run_s - sum(phase.seconds for phase in phases),), 1)
    return Profile(
        steps=steps,
        dt=result.dt,
        threads=clocked.threads,
        wall_s=result.run_s,
        phases=(*phases, rest),
        functions=tuple(watch.functions()),
        spans=tuple(watch.spans),
        turns=tuple(clocked.turns),
        limits=limits(max(len(clocked.threads), 1)),
        advice=tuple(advice(_seen(plan, done, of_driver))),
        result=result,
    )


def _of_python(name: str, spans: Sequence[Span]) -> PhaseFigures:
    mine = [(s.end - s.begin) * 1e-9 for s in spans if s.name == name]
    return PhaseFigures(name, (sum(mine),), len(mine))


def _seen(plan: Plan, done: Done, figures: Sequence[PhaseFigures]) -> Seen:
    """What advice goes by: the driver's times. What Python does once a chunk weighs less in a longer run."""
    traffic = traffic_of(plan.address, plan.tables)
    us = {f.name: max(f.seconds - f.calls / len(f.each) * LAP_NS * 1e-9, 0.0) / done.steps * 1e6 for f in figures}
    return Seen(
        traffic=traffic,
        wanted=wanted_of(plan.asked),
        backend=plan.ways.backend,
        ring=plan.ways.ring,
        threads=len(figures[0].each) if figures else 1,
        cores=cores(),
        activity=done.events / max(traffic.n_synapses * done.steps, 1),
        step_us=sum(us.values()),
        travel_us=us.get("deliver", 0.0) + us.get("rings", 0.0),
        wait_us=us.get("wait", 0.0),
        record_us=us.get("record", 0.0),
    )


def work_of(plan: Plan, done: Done) -> dict[str, Work]:
    """What all parts went through, by the names of phases."""
    found: dict[str, Work] = {}
    for phase in Phase:
        name = CHARGED[phase].lower()
        for part in plan.parts:
            before, more = found.get(name, NOTHING), part.work(phase, done)
            found[name] = Work(before.events + more.events, before.bytes + more.bytes)
    return found
