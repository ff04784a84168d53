"""Chrome's trace events: a time line of what Python and each thread of a driver did, for Perfetto.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from biosnn._arrays import I64
from biosnn.profiling.phases import ABOUT, NAMES
from biosnn.profiling.python import Span

PROCESS = 1
PYTHON = 0  # the row of Python; those of threads follow


class Turns(NamedTuple):
    """What one thread did, one phase after the other, in a chunk of steps; times in ns."""

    thread: int
    phases: I64  # numbers
    begins: I64
    ends: I64


def trace_events(threads: Sequence[str], spans: Sequence[Span], turns: Sequence[Turns]) -> list[dict[str, Any]]:
    """Events in us, counted from the first."""
    zero = min([s.begin for s in spans] + [int(t.begins[0]) for t in turns], default=0)
    events = [_about("process_name", PYTHON, name="biosnn")]
    for row, name in enumerate(["Python", *threads]):
        events += [_about("thread_name", row, name=name), _about("thread_sort_index", row, sort_index=row)]
    events += [_event(s.name, "python", PYTHON, s.begin - zero, s.end - zero) for s in sorted(spans, key=_outer_first)]
    for of_chunk in turns:
        events += _of_driver(of_chunk, zero)
    return events


def _of_driver(turns: Turns, zero: int) -> Iterator[dict[str, Any]]:
    for phase, begin, end in zip(*(x.tolist() for x in turns[1:]), strict=True):
        name = NAMES[phase]
        yield _event(name, "driver", 1 + turns.thread, begin - zero, end - zero) | {"args": {"about": ABOUT[name]}}


def _outer_first(span: Span) -> tuple[int, int]:
    return span.begin, -span.end


def _event(name: str, category: str, row: int, begin: int, end: int) -> dict[str, Any]:
    times = {"ts": begin * 1e-3, "dur": (end - begin) * 1e-3}
    return {"name": name, "cat": category, "ph": "X", "pid": PROCESS, "tid": row, **times}


def _about(what: str, row: int, **said: str | int) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": PROCESS, "tid": row, "args": said}
