"""What a forked child has of its parent's threads: none, so it simulates on one, and no lock may be held by them.

The libraries behind Numba's threads do not start them again in a child: GNU OpenMP ends it, others let it wait for
ever. So a child that was forked after they had been started does without, and its spikes are the same.
"""

from __future__ import annotations

import logging
import os
import sys
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


def let_go(lock: Any) -> Any:
    """The lock (a reentrant one); a fork waits until it is free, so that no child finds it held by nobody."""
    if hasattr(os, "register_at_fork"):  # not where there are no forks
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def _after_fork() -> None:
    global _alone, _told
    threads = sys.modules.get("numba.np.ufunc.parallel")  # Numba is not imported to look whether it has threads
    _alone, _told = _alone or (threads is not None and threads._is_initialized), False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
