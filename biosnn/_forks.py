"""What a forked child finds of its parent's threads: none, so it simulates on one.

The libraries behind Numba's threads do not start them again in a child: GNU OpenMP ends it, others let it wait for
ever. So a child that was forked after they had been started does without, and its spikes are the same.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any

_log = logging.getLogger("biosnn")
_alone = _told = False


def is_alone() -> bool:
    """Whether this process must do with one thread; says so once."""
    global _told
    if _alone and not _told:
        _told = True
        _log.warning(
            "this process was forked from one that had started threads, so it simulates on one thread; "
            "multiprocessing.get_context('spawn') starts processes that may have more"
        )
    return _alone


def lock() -> Any:
    """A threading.Lock that is open in a forked child: the thread that held it has stayed behind."""
    found: Any = threading.Lock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=found._at_fork_reinit)
    return found


def _after_fork() -> None:
    global _alone, _told
    threads = sys.modules.get("numba.np.ufunc.parallel")  # Numba is not imported to look whether it has threads
    _alone, _told = _alone or (threads is not None and threads._is_initialized), False


if hasattr(os, "register_at_fork"):  # not where there are no forks
    os.register_at_fork(after_in_child=_after_fork)
