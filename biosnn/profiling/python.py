"""What Python does while a network is built and run: spans on a time line, and functions, by cProfile.

Spans stand in the code that they are of, and cost nothing unless somebody watches. Where the package nvtx is installed
(extra `profile`), each is a range of NVTX as well, which Nsight Systems shows.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from biosnn.errors import BusyError

TOP = 20  # functions that a profile tells of
COMPILING = "compile"  # Numba's functions are many, and none is ours: they are not counted


class Span(NamedTuple):
    """A stretch of time, in ns of the clock that drivers read."""

    name: str
    begin: int
    end: int


class Function(NamedTuple):
    """What one function took: in calls of its own, and with all that it called."""

    name: str
    calls: int
    own_s: float
    total_s: float


class Watch:
    """What was seen, of one simulation."""

    def __init__(self) -> None:
        import cProfile

        self.spans: list[Span] = []
        self._functions, self._counts = cProfile.Profile(), False
        self._ranges = importlib.import_module("nvtx") if importlib.util.find_spec("nvtx") else None

    def functions(self) -> list[Function]:
        """Those that took most of the time themselves."""
        import pstats

        if not self._functions.getstats():
            return []
        found = pstats.Stats(self._functions).stats  # type: ignore[attr-defined]
        rows = [Function(_readable(*where), n, own, total) for where, (_, n, own, total, _) in found.items()]
        return sorted(rows, key=lambda f: (-f.own_s, f.name))[:TOP]

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Inside the block, functions are counted. Raises BusyError where another profiler of Python is at work."""
        before = self._counts
        self._count(True)
        try:
            yield
        finally:
            self._count(before)

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Note how long the block takes."""
        begin, before = time.monotonic_ns(), self._counts
        if self._ranges is not None:
            self._ranges.push_range(f"biosnn: {name}")
        self._count(before and name != COMPILING)
        try:
            yield
        finally:
            self._count(before)
            if self._ranges is not None:
                self._ranges.pop_range()
            self.spans.append(Span(name, begin, time.monotonic_ns()))

    def _count(self, wanted: bool) -> None:
        if wanted and not self._counts:
            try:
                self._functions.enable()
            except ValueError:
                raise BusyError("profile: another profiler of Python is at work; end that one first") from None
        elif self._counts and not wanted:
            self._functions.disable()
        self._counts = wanted


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def current() -> Watch | None:
    """Who watches; None if nobody does."""
    return _watch.get()


@contextlib.contextmanager
def watching(watch: Watch | None = None) -> Iterator[Watch]:
    """Watch what Python does inside the block.

    Of a network that is built inside it, `Simulation.profile` tells what building took, too.
    """
    watch = watch if watch is not None else Watch()
    before = _watch.set(watch)
    try:
        with watch.counting():
            yield watch
    finally:
        _watch.reset(before)


@contextlib.contextmanager
def span(name: str) -> Iterator[None]:
    """A stretch of the work, by its name, for whoever watches."""
    watch = _watch.get()
    with watch.span(name) if watch is not None else contextlib.nullcontext():
        yield


def _readable(file: str, line: int, function: str) -> str:
    """package/file.py:12 function, without where packages are installed; what is built in has no file."""
    if file == "~":
        return function
    path = Path(file)
    parts = path.parts
    found = next((k + 1 for k in range(len(parts) - 1, -1, -1) if parts[k] in ("site-packages", "dist-packages")), 0)
    if not found and "biosnn" in parts:
        found = len(parts) - 1 - parts[::-1].index("biosnn")
    return f"{'/'.join(parts[found:] if found else parts[-2:])}:{line} {function}"
