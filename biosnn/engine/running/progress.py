"""How far a run is: a bar on a terminal, a widget in a notebook, else a line now and then; or the user's function."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

Progress = Callable[[int, int], None]  # steps done, steps to do
LINE_SECONDS = 10.0  # wall time from one line to the next, where there is no terminal
BAR = "{l_bar}{bar}| {n:.0f}/{total:.0f} ms [{elapsed}<{remaining}{postfix}]"


def reporter(asked: bool | Progress | None, total: int, dt: float) -> Reporter:
    """What is told of a run of `total` steps. True: a bar or lines; None: a bar where one can be; False: nothing."""
    if callable(asked):
        return Told(asked, total)
    in_notebook = "ipykernel" in sys.modules
    if asked is False or (asked is None and not in_notebook and not _is_terminal()):
        return Reporter()
    return Bar(total, dt, in_notebook) if in_notebook or _is_terminal() else Lines(total, dt)


class Reporter:
    """Tells nothing."""

    def report(self, done: int, spikes: int) -> None:
        """Steps and spikes of the run so far; called after each chunk."""

    def close(self) -> None:
        """The run has ended, however it did."""


class Told(Reporter):
    """A function of (steps done, steps to do)."""

    def __init__(self, function: Progress, total: int) -> None:
        self.function, self.total = function, total

    def report(self, done: int, spikes: int) -> None:
        self.function(done, self.total)


class Pace(Reporter):
    """How fast a run is, in words."""

    def __init__(self, total: int, dt: float) -> None:
        self.total, self.dt, self.started = total, dt, time.perf_counter()

    def said(self, done: int, spikes: int) -> str:
        """Real-time factor, and spikes of a second of wall time."""
        seconds = time.perf_counter() - self.started
        rtf, rate = seconds / (done * self.dt * 1e-3), spikes / max(seconds, 1e-9)
        return f"real-time factor {rtf:.3g}, {rate:,.0f} spikes/s"


class Bar(Pace):
    """A bar, by tqdm: biological time, time gone and left, steps, pace."""

    def __init__(self, total: int, dt: float, in_notebook: bool) -> None:
        super().__init__(total, dt)
        self.bar = _tqdm(in_notebook)(total=round(total * dt, 6), unit="ms", bar_format=BAR)

    def report(self, done: int, spikes: int) -> None:
        self.bar.set_postfix_str(f"step {done:,}, {self.said(done, spikes)}", refresh=False)
        self.bar.update(done * self.dt - self.bar.n)

    def close(self) -> None:
        self.bar.close()


class Lines(Pace):
    """A line on standard error every LINE_SECONDS; where nothing can be said, the run goes on."""

    def __init__(self, total: int, dt: float) -> None:
        super().__init__(total, dt)
        self.last = self.started

    def report(self, done: int, spikes: int) -> None:
        now = time.perf_counter()
        if now - self.last < LINE_SECONDS or sys.stderr is None:
            return
        self.last = now
        left = (now - self.started) * (self.total - done) / done
        with contextlib.suppress(OSError, ValueError):
            print(
                f"{done * self.dt:g} of {self.total * self.dt:g} ms (step {done:,}), {self.said(done, spikes)}, "
                f"{left:,.0f} s left",
                file=sys.stderr,
                flush=True,
            )


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _tqdm(in_notebook: bool) -> Any:
    if not in_notebook:
        from tqdm import tqdm

        return tqdm
    from tqdm.auto import tqdm as widget  # text, where ipywidgets is missing

    return widget
