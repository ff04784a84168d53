"""The CPU: loading a driver that was written for a network, and the threads it runs on."""

from __future__ import annotations

import contextlib
import linecache
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from biosnn import _cache, _forks, _sources
from biosnn._numba import COMPILES

_loading = _forks.let_go(threading.RLock())


def load_driver(text: str) -> ModuleType:
    """The driver as a module, executed from memory; its compiled code is found by its name.

    That covers its text, and the sources of all that it imports, so it cannot go stale. A copy of the text stands in
    the cache for people to read.
    """
    name = _name(text)
    with _loading:  # whoever finds a driver finds all of it
        if name not in sys.modules:
            _cache.show(f"{name}.py", text)
            module = ModuleType(name)
            module.__file__ = file = str((_cache.folder() or Path()) / f"{name}.py")
            linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file  # for tracebacks
            sys.modules[name] = module  # Numba looks a function's module up there
            try:
                exec(compile(text, file, "exec"), module.__dict__)
            except BaseException:
                del sys.modules[name]
                raise
        return sys.modules[name]


def is_new(text: str) -> bool:
    """Whether the driver has to be compiled."""
    name = _name(text)
    return COMPILES and name not in sys.modules and not _cache.holds(f"{name}.advance-")


def _name(text: str) -> str:
    return f"biosnn_driver_{_sources.digest(text)[:16]}"


def n_threads() -> int:
    """Threads that a parallel region has now."""
    if not COMPILES:
        return 1
    import numba

    return int(numba.get_num_threads())


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Run with up to n threads: more partitions than cores are shared out among the cores.

    For one thread, none are started, so that a process that has simulated on one can be forked like any other.
    """
    if n == 1 or not COMPILES or _forks.is_alone():
        yield
        return
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(n, numba.config.NUMBA_NUM_THREADS)))
    try:
        yield
    finally:
        numba.set_num_threads(before)
