"""Functions with `prange` loops, in processes that may have threads and in those that have only one."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

import numba

from biosnn import _forks

# Threads of the kind "workqueue" end the process if a parallel region begins while another is running.
_one_at_a_time = threading.RLock()


class Parallel:
    """A function whose loops run on all threads, or on one in a process that has no more."""

    def __init__(self, function: Callable[..., Any], jit: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func, self._jit = function, jit
        self._on_all = jit(function, parallel=True)

    @functools.cached_property
    def _on_one(self) -> Any:
        return self._jit(self.py_func)

    def __call__(self, *arguments: Any) -> Any:
        if _forks.is_alone():
            return self._on_one(*arguments)
        numba.get_num_threads()  # starts the threads, if nobody has: from then on their kind is known
        with _one_at_a_time if numba.threading_layer() == "workqueue" else contextlib.nullcontext():
            return self._on_all(*arguments)
