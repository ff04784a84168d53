"""A network that has been built: run it, look into it."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.backends import cpu, interrupts
from biosnn.description.late_changes import names_of_late
from biosnn.engine.building.build import Built
from biosnn.engine.planning.plan import Plan
from biosnn.engine.running.between_chunks import bad_state, finish, make_ready, said_of
from biosnn.engine.running.plots import SimulationPlots
from biosnn.engine.running.profiling import Clocked, profile_of
from biosnn.engine.running.progress import Progress, Reporter, reporter
from biosnn.engine.running.read_back import Synapses, read_fused, read_synapses
from biosnn.engine.running.recording import Recording
from biosnn.errors import BusyError, DescriptionError, LateChangeWarning, RunEndedError, StateRangeError
from biosnn.monitors.base import Monitor
from biosnn.profiling.profile import Profile
from biosnn.profiling.python import current, span, watching
from biosnn.propagation.ways import steps_of
from biosnn.recording.results import Result
from biosnn.recording.sinks import Sink, SpikeFunction, as_sinks
from biosnn.recording.times import in_ms

CHUNK_SECONDS = 0.2  # wall time from one return to Python to the next: often enough for a progress bar and Ctrl-C
AnySink = Sink | SpikeFunction


class Simulation:
    """A network with all its arrays. `run` advances it; time goes on where the last run ended.

    Whatever is raised in a run, it goes on from there: arrays and step belong together at any time.
    """

    def __init__(self, built: Built) -> None:
        self._built = built
        self._chunk = 256
        self._running = threading.Lock()
        self._damage = ""  # what was said of a state that was found to be NaN or infinite
        self._warned = 0
        self._take_steps = built.run
        self._watch = current()  # who watched it being built

    @property
    def plan(self) -> Plan:
        """What was allocated and chosen, and why."""
        return self._built.plan

    @property
    def step(self) -> int:
        """Simulated steps so far."""
        return int(self.arrays["clock"][0])

    @property
    def driver_source(self) -> str:
        """The Python module, written for this network, that holds its time loop."""
        return self._built.source

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array of the simulation by name, as the driver sees it: state, input, history, synapses."""
        return self._built.arrays

    @property
    def time(self) -> float:
        """Simulated time so far, ms."""
        return self.step * self._built.net.dt

    @property
    def n_synapses(self) -> int:
        """Synapses, as drawn."""
        return sum(int(self.arrays[f"row_first{t.suffix}"][-1]) for t in self.plan.tables)

    @property
    def bytes(self) -> int:
        """Bytes of all arrays, as allocated."""
        return sum(a.nbytes for a in self._built.arrays.values())

    @property
    def build_s(self) -> float:
        """Seconds that drawing and allocating took."""
        return self._built.build_s

    @property
    def compile_s(self) -> float:
        """Seconds that compiling took, or loading what had been compiled before."""
        return self._built.compile_s

    @property
    def backend_steps(self) -> dict[str, int]:
        """Steps so far in which each synapse backend delivered; of `auto`, both may in one step."""
        return steps_of(self.plan.backends, self.arrays)

    @property
    def plot(self) -> SimulationPlots:
        """Plots: `weights`, `degrees`, `positions`; they take the `plot` extra."""
        return SimulationPlots(self._built)

    def run(
        self,
        duration: float,
        *,
        progress: bool | Progress | None = None,
        sink: AnySink | Sequence[AnySink] | None = None,
        keep: bool = True,
        monitored: bool = True,
    ) -> Result:
        """Simulate `duration` ms (a multiple of dt) and return what was recorded.

        A progress bar is shown on a terminal and in a notebook, unless progress is False; with True, elsewhere a line
        on standard error every ten seconds. A function is called with (done, total) steps instead. A `sink` takes in
        each chunk as the run goes on: a `biosnn.recording.Sink`, such as SpikesCsv, which writes a file, a function of
        (steps, ids), called with all spikes, or a list of these. With keep=False, what is recorded goes to the sinks
        alone, memory does not grow, and the result holds the statistics. Else a run may keep as much as
        `max_record_mib` of the plan says.

        The monitors of the network watch, unless `monitored` is False, as for a warm-up.

        Ctrl-C ends a run between two chunks; the simulation can be run on from there. Raises RingFullError where an
        event_bucketed ring that was asked for is full and may not grow, StateRangeError where a state has become NaN or
        infinite or has left the range of `receptor_state_dtype`, RecordingFullError where what is recorded fills
        `max_record_mib`, OutputError where a sink cannot write its file, BusyError while another run goes on. The
        `result` of the first four, and of KeyboardInterrupt, is what was recorded until then.
        """
        if self._running.locked():
            raise BusyError("run: this simulation is running already; wait for that run to end, or build another")
        with self._running:
            watching = self._built.net.monitors if _validate.flag("run", "monitored", monitored) else []
            sinks = [*watching, *_no_monitors(as_sinks("run", sink))]
            return self._run(duration, progress, sinks, _validate.flag("run", "keep", keep))

    def profile(self, steps: int = 20) -> Profile:
        """Simulate some steps with clocks in the driver, and return what their time went to; print it.

        They are steps like any others: time goes on, and spikes and states are those of a run, to the bit. The driver
        with clocks is another one, written and compiled when it is first asked for. What Python does is watched by
        cProfile meanwhile, and slower for it. The first profile of a network that was built inside
        `biosnn.profiling.watching()` tells of its building, too.

        Raises what `run` raises, and DescriptionError for no steps.
        """
        steps = _validate.count("profile", "steps", steps, at_least=1)
        if self._running.locked():
            raise BusyError("profile: this simulation is running already; wait for that run to end, or build another")
        built_by, self._watch = self._watch, None
        with self._running, watching(built_by) as watch:
            with cpu.threads(self.plan.threads):
                clocked = Clocked(self._built)
            before, self._take_steps = len(watch.spans), clocked.advance
            try:
                with span("run"):
                    result = self._run(steps * self._built.net.dt, False, [], keep=True)
            finally:
                self._take_steps = self._built.run
        return profile_of(clocked, watch, watch.spans[before:], result)

    def _run(self, duration: float, progress: bool | Progress | None, sinks: Sequence[Sink], keep: bool) -> Result:
        net = self._built.net
        steps = _validate.whole_steps("run", "duration", duration, net.dt)
        if not (progress is None or isinstance(progress, bool) or callable(progress)):
            raise DescriptionError(f"run: progress must be True, False or a function, got {_validate.shown(progress)}")
        self._warn_of_late_changes()
        recording = Recording(self._built, sinks, keep)
        start, before, run_s = self.step, self.backend_steps, 0.0
        told = reporter(progress, steps, net.dt)
        try:
            with recording.sinks.opened(lambda: recording.until):
                started = time.perf_counter()
                try:
                    self._run_to(start + steps, recording, told)
                finally:
                    run_s = time.perf_counter() - started  # what the sinks take to finish their files is no part of it
        except (RunEndedError, KeyboardInterrupt, OSError) as error:
            if recording.whole:  # else a signal handler of the user's own raised while it was taking something in
                error.result = self._result(recording, start, before, run_s)  # type: ignore
            raise
        return self._result(recording, start, before, run_s)

    def _run_to(self, end: int, recording: Recording, told: Reporter) -> None:
        start = self.step
        with interrupts.held_back() as check, contextlib.ExitStack() as at_end:
            at_end.callback(told.close)
            if self._damage and bad_state(self._built) is not None:  # else it has been mended
                raise StateRangeError(self._damage)
            while self.step < end:
                with span("chunk"):
                    self._advance(min(end, self.step + min(self._chunk, self.plan.chunk_steps)), recording)
                told.report(self.step - start, recording.n_spikes)
                check()

    def _result(self, recording: Recording, start: int, before: dict[str, int], run_s: float) -> Result:
        """What was recorded from step `start` on."""
        dt, stop = self._built.net.dt, recording.until
        return Result(
            start_ms=start * dt,
            stop_ms=stop * dt,
            dt=dt,
            spikes=recording.recorded_spikes(),
            samples=recording.recorded_samples(start, stop),
            populations=recording.populations((stop - start) * dt * 1e-3),
            fingerprint=recording.statistics.fingerprint(),
            synaptic_events=recording.events,
            backend_steps={name: n - before[name] for name, n in self.backend_steps.items()},
            run_s=run_s,
        )

    def synapses(self, source: str | None = None, target: str | None = None) -> Synapses:
        """The synapses between two populations (None: any), read back from the packed tables."""
        for name in (source, target):
            if name is not None:
                _validate.known("synapses", "population", name, self.plan.layout.names)
        return read_synapses(self._built, source, target)

    def weights(self, source: str, target: str) -> Any:
        """Weights between two populations: scipy.sparse.csr_matrix (n_source, n_target); repeated pairs are summed."""
        from scipy.sparse import csr_matrix

        for name in (source, target):
            _validate.known("weights", "population", name, self.plan.layout.names)
        found = self.synapses(source, target)
        populations = self._built.net.populations
        shape = (populations[source].n, populations[target].n)
        return csr_matrix((found.weights, (found.sources, found.targets)), shape=shape)

    def fused_matrix(self, source: str, target: str, receptor: str | None = None) -> Any:
        """The fused matrix between two populations: scipy.sparse.csr_matrix (n_target, n_delays * n_source).

        Column k * n_source + i holds the weights of source i's synapses with the k-th delay of `sim.delays`. So its
        product with the spikes of the steps that are due, those of the shortest delay first, is the input of a step.
        `receptor` names one of the target model's receptors (None: all of them together). Raises UnknownNameError.
        """
        return read_fused(self._built, source, target, receptor)

    @property
    def delays(self) -> NDArray[np.float64]:
        """The distinct delays of the network, ms, ascending."""
        return in_ms(self.plan.delays, self._built.net.dt)

    def _advance(self, last: int, recording: Recording) -> None:
        """Run to step `last` or until some buffer is full, and hand over what happened."""
        built = self._built
        with cpu.threads(self.plan.threads):
            with span("make room"):
                finish(built)
                make_ready(built)
            first, origin = (int(x) for x in self.arrays["clock"][:2])
            started = time.perf_counter()
            with span("driver"):
                self._take_steps(first, last, origin)
            seconds = time.perf_counter() - started
        with span("hand out"):
            finish(built)
            recording.take(first, self.step)
        pace = (self.step - first) / max(seconds, 1e-6)
        self._chunk = int(np.clip(pace * CHUNK_SECONDS, 64, 4 * self._chunk))
        with span("check"):
            bad = bad_state(built)
        if bad is not None:
            self._damage = said_of(built, bad, first)
            raise StateRangeError(self._damage)

    def _warn_of_late_changes(self) -> None:
        late = names_of_late(self._built.described, self._built.net)
        if len(late) > self._warned:
            warnings.warn(
                f"run: {', '.join(late)}: added to the network after this simulation was built, and no part of it; "
                f"build it again",
                LateChangeWarning,
                stacklevel=4,
            )
            self._warned = len(late)


def _no_monitors(sinks: Sequence[Sink]) -> Sequence[Sink]:
    """The sinks of a run. Raises DescriptionError for a monitor: what it asks for has to be planned."""
    for sink in sinks:
        if isinstance(sink, Monitor):
            raise DescriptionError(
                f"run: {type(sink).__name__} is a monitor, not a sink of one run; give it to net.monitor(...) before "
                f"net.build(), and it watches every run"
            )
    return sinks
