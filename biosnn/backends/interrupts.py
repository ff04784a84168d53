"""Ctrl-C, and what else ends a run as it does, held back until what was recorded is whole, and files are closed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
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


@contextlib.contextmanager
def finishing(steps: Sequence[Callable[[], object]]) -> Iterator[None]:
    """After the block, take each of these steps, whatever becomes of the others; Ctrl-C waits until all are taken.

    The first error is raised, be it the block's; the others are its notes.
    """
    errors: list[BaseException] = []
    try:
        yield
    except BaseException as error:
        errors.append(error)
    with held_back():
        for step in steps:
            try:
                step()
            except Exception as error:
                if error not in errors:  # a file that could not be written says so once
                    errors.append(error)
        if errors:
            for other in errors[1:]:
                errors[0].add_note(str(other) or repr(other))
            raise errors[0]
