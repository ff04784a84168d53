"""Ctrl-C, and what else ends a run as it does, held back until what was recorded is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Ctrl-C; what batch systems send; what terminals send as they are closed (Windows has no such signal).
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Hold back Ctrl-C inside the block; the function it yields raises KeyboardInterrupt if there was one.

    Only signals that mean KeyboardInterrupt: a handler of the user's own, and other threads, are left alone.
    """
    mine = threading.current_thread() is threading.main_thread()
    held = [s for s in ENDING if mine and signal.getsignal(s) is signal.default_int_handler]
    pressed = threading.Event()

    def remember(_signal: int, _frame: FrameType | None) -> None:
        pressed.set()

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    try:
        for s in held:
            signal.signal(s, remember)
        yield check
    finally:
        for s in held:
            signal.signal(s, signal.default_int_handler)
    check()  # pressed after the last look
