"""A network that has been built: run it, look into it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.backends import cpu
from biosnn.engine import interrupts
from biosnn.engine.build import Built
from biosnn.engine.recorders import Recording, SpikeSink
from biosnn.engine.room import check_range, make_room
from biosnn.engine.synapses import Synapses, read_fused, read_synapses
from biosnn.engine.ways import BACKENDS
from biosnn.errors import RunEndedError
from biosnn.propagation.spike_history import keep_latest
from biosnn.propagation.switching import EVENT_STEPS, PRODUCT_STEPS
from biosnn.recording.results import Result, in_ms

CHUNK_SECONDS = 0.2  # wall time from one return to Python to the next: often enough for a progress bar and Ctrl-C
Progress = Callable[[int, int], None]  # steps done, steps to do


class Simulation:
    """A network with all its arrays. `run` advances it; time goes on where the last run ended."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self.plan = built.plan
        self.step = 0
        self._chunk = 256

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
        return sum(t.n_synapses for t in self._built.tables)

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
        backend = self.plan.ways.backend
        if backend != "auto":
            return {name: self.step if name == backend else 0 for name in BACKENDS[1:]}
        counts = self.arrays["way_counts"]
        return {"event_driven": int(counts[EVENT_STEPS]), "spmm_fused": int(counts[PRODUCT_STEPS])}

    def run(self, duration: float, *, progress: bool | Progress | None = None, sink: SpikeSink | None = None) -> Result:
        """Simulate `duration` ms (a multiple of dt) and return what was recorded.

        A progress bar is shown on a terminal, unless progress is False; a function is called with (done, total) steps
        instead. `sink(steps, ids)` is handed the spikes of each chunk as the run goes on. Ctrl-C ends a run between two
        chunks; the simulation can be run on from there. Raises RingFullError where an event_bucketed ring is full and
        may not grow, StateRangeError where a receptor's state has left the range of `receptor_state_dtype`; the
        `result` of both is what was recorded until then.
        """
        net = self._built.net
        steps = _validate.whole_steps("run", "duration", duration, net.dt)
        report, close = _reporter(progress, steps, net.dt)
        recording = Recording(self._built, sink)
        start, end = self.step, self.step + steps
        before = self.backend_steps
        started = time.perf_counter()
        try:
            with interrupts.held_back() as check, contextlib.ExitStack() as at_end:
                at_end.callback(close)
                while self.step < end:
                    self._advance(min(end, self.step + min(self._chunk, self.plan.chunk_steps)), recording)
                    report(self.step - start, steps)
                    check()
        except RunEndedError as error:
            error.result = self._result(recording, start, before, time.perf_counter() - started)
            raise
        return self._result(recording, start, before, time.perf_counter() - started)

    def _result(self, recording: Recording, start: int, before: dict[str, int], run_s: float) -> Result:
        """What was recorded from step `start` until now."""
        dt = self._built.net.dt
        return Result(
            start_ms=start * dt,
            stop_ms=self.step * dt,
            dt=dt,
            spikes=recording.recorded_spikes(),
            samples=recording.recorded_samples(start, self.step),
            populations=recording.populations((self.step - start) * dt * 1e-3),
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
        """Run to step `last` or until some buffer is full, hand over what happened, drop what is past."""
        make_room(self._built, self.step)
        arrays, keep = self.arrays, self.plan.ways.kept
        origin, first = self.step - keep, self.step
        started = time.perf_counter()
        with cpu.threads(self.plan.threads):
            reached = int(self._built.advance(first, last, origin, *(arrays[name] for name in self._built.arguments)))
        seconds = time.perf_counter() - started
        recording.take(first, reached, origin)
        self.step = reached
        keep_latest(reached - origin, keep, arrays["spike_first"], arrays["spike_ids"])
        pace = (reached - first) / max(seconds, 1e-6)
        self._chunk = int(np.clip(pace * CHUNK_SECONDS, 64, 4 * self._chunk))
        check_range(self._built)


def _reporter(progress: bool | Progress | None, steps: int, dt: float) -> tuple[Progress, Callable[[], None]]:
    """A function to report to, and one to call at the end."""
    if callable(progress):
        return progress, lambda: None
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return lambda _done, _total: None, lambda: None
    from tqdm import tqdm

    bar = tqdm(
        total=round(steps * dt, 6),
        unit="ms",
        bar_format="{l_bar}{bar}| {n:.0f}/{total:.0f} ms [{elapsed}<{remaining}{postfix}]",
    )
    started = time.perf_counter()

    def report(done: int, _total: int) -> None:
        rtf = (time.perf_counter() - started) / (done * dt * 1e-3)
        bar.set_postfix_str(f"real-time factor {rtf:.3g}", refresh=False)
        bar.update(done * dt - bar.n)

    return report, bar.close
