"""`Profile`: what the time of some steps went to, as a table, and as a file that Perfetto opens."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from biosnn.parts.part import NOTHING, Work
from biosnn.profiling.phases import ABOUT
from biosnn.profiling.python import Function, Span
from biosnn.profiling.trace import Turns, trace_events
from biosnn.recording.files import whole
from biosnn.recording.results import Result

# What Python does in a run besides calling the driver, by the names of its spans.
PYTHON = {
    "make room": "Python, before a chunk of steps",
    "hand out": "Python, after it: statistics, recorders, sinks",
    "check": "Python: is every state a number?",
}
REST = "rest"  # of the wall time


class Limits(NamedTuple):
    """What the machine can do with so many threads at best."""

    threads: int
    copy_bytes_per_s: float  # bytes read and bytes written between arrays that no cache holds
    scatter_events_per_s: float  # synapses, added into an input that stays in the cache


@dataclass(frozen=True)
class PhaseFigures:
    """What one phase took. `seconds` is the mean over threads, so the phases of a run add up to its wall time."""

    name: str
    each: tuple[float, ...]  # s of each thread; of Python, one
    calls: int
    work: Work = NOTHING

    @property
    def seconds(self) -> float:
        """Of wall time."""
        return sum(self.each) / len(self.each)

    @property
    def about(self) -> str:
        """What it does, in words."""
        return (ABOUT | PYTHON | {REST: "Python, around all that"})[self.name]

    @property
    def events_per_s(self) -> float | None:
        """By all threads together; None where nothing is counted."""
        return self.work.events / self.seconds if self.work.events and self.seconds else None

    @property
    def bytes_per_s(self) -> float | None:
        """Likewise."""
        return self.work.bytes / self.seconds if self.work.bytes and self.seconds else None

    def share_of(self, limits: Limits) -> tuple[str, float] | None:
        """The limit that it is held against, and how near it comes. More than 1: it stays in a cache."""
        if self.name == "deliver" and self.events_per_s is not None:
            return "scatter", self.events_per_s / limits.scatter_events_per_s
        return ("copy", self.bytes_per_s / limits.copy_bytes_per_s) if self.bytes_per_s is not None else None


@dataclass(frozen=True)
class Profile:
    """What `Simulation.profile` returns; print it. `result` is what was recorded in these steps, as of any run."""

    steps: int
    dt: float
    threads: tuple[str, ...]  # rows of the time line: threads, or partitions where threads cannot be told
    wall_s: float
    phases: tuple[PhaseFigures, ...]
    functions: tuple[Function, ...]  # of Python, those that took most of the time themselves
    spans: tuple[Span, ...]  # of Python, with building if that was watched
    turns: tuple[Turns, ...]  # of phases, the first of each thread
    limits: Limits
    advice: tuple[str, ...]
    result: Result

    def summary(self) -> dict[str, Any]:
        """What stands in profile.json under "biosnn": figures, in s, bytes and events; null where there are none."""
        return {
            "steps": self.steps,
            "dt_ms": self.dt,
            "start_ms": self.result.start_ms,
            "threads": list(self.threads),
            "wall_s": self.wall_s,
            "phases": [self._told(phase) for phase in self.phases],
            "limits": self.limits._asdict(),
            "functions": [f._asdict() for f in self.functions],
            "advice": list(self.advice),
        }

    def _told(self, phase: PhaseFigures) -> dict[str, Any]:
        limit, share = phase.share_of(self.limits) or (None, None)
        return {
            "name": phase.name,
            "about": phase.about,
            "seconds": phase.seconds,
            "share": phase.seconds / self.wall_s,
            "seconds_of_threads": list(phase.each),
            "calls": phase.calls,
            "events": phase.work.events,
            "bytes": phase.work.bytes,
            "events_per_s": phase.events_per_s,
            "bytes_per_s": phase.bytes_per_s,
            "limit": limit,
            "share_of_limit": share,
        }

    def trace(self) -> dict[str, Any]:
        """Chrome's trace events, which Perfetto and chrome://tracing open, and `summary` beside them."""
        return {
            "traceEvents": trace_events(self.threads, self.spans, self.turns),
            "displayTimeUnit": "ns",
            "biosnn": self.summary(),
        }

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the trace as strict JSON, whole or not at all. Raises OutputError where it cannot be written."""
        with whole(Path(path)) as file:
            file.write((json.dumps(self.trace(), allow_nan=False) + "\n").encode())

    def __repr__(self) -> str:
        return str(self)  # a notebook shows what is returned by its repr

    def __str__(self) -> str:
        us = self.wall_s / self.steps * 1e6
        head = (
            f"profile: {self.steps:,} step(s) of {self.dt:g} ms on {len(self.threads)} thread(s), "
            f"{self.wall_s * 1e3:,.2f} ms: {us:,.1f} us a step"
        )
        rows = [["phase", "share", "us a step", "times", "million/s", "GB/s", "of the limit", ""]]
        rows += [self._row(phase) for phase in self.phases]
        return "\n".join([head, *_table(rows), *(f"advice: {line}" for line in self.advice)])

    def _row(self, phase: PhaseFigures) -> list[str]:
        limit, share = phase.share_of(self.limits) or ("", 0.0)
        near = f"{share:.0%} of {limit}" if limit else ""
        return [
            phase.name,
            f"{phase.seconds / self.wall_s:.1%}",
            f"{phase.seconds / self.steps * 1e6:,.2f}",
            f"{phase.calls:,}",
            _number(phase.events_per_s, 1e6),
            _number(phase.bytes_per_s, 1e9),
            near if share <= 1 else "cached",  # a copy goes through memory
            phase.about,
        ]


def _number(value: float | None, unit: float) -> str:
    return f"{value / unit:,.3g}" if value is not None else ""


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first and the last column begin at the left, the others end at the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for first, *numbers, last in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:-1], strict=True)]
        lines.append("  ".join([f"  {first:<{widths[0]}}", *cells, last]).rstrip())
    return lines
