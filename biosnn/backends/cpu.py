"""The CPU: loading a driver that was written for a network, and the threads it runs on."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numba

from biosnn import _cache


def load_driver(text: str) -> ModuleType:
    """The driver as a module, from the cache folder: compiled code is found there by the hash of its source.

    The folder's name covers the sources of every function that a driver calls, so it cannot go stale.
    """
    path = _path(text)
    name = path.stem
    if name in sys.modules:
        return sys.modules[name]
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(text)
        os.replace(draft, path)  # whole or not at all, whoever else writes the same
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks a function's module up there
    spec.loader.exec_module(module)
    return module


def is_new(text: str) -> bool:
    """Whether the driver has never been compiled on this machine."""
    return not _path(text).exists()


def _path(text: str) -> Path:
    return _cache.folder() / f"biosnn_driver_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"


def n_threads() -> int:
    """Threads that a parallel region has now."""
    return int(numba.get_num_threads())


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Run with up to n threads: more partitions than cores are shared out among the cores."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(n, numba.config.NUMBA_NUM_THREADS)))
    try:
        yield
    finally:
        numba.set_num_threads(before)
