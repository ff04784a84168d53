"""What a shell sees of the command line: standard output, one line for an error, and the signals that end it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

from biosnn.engine import interrupts
from biosnn.errors import BioSNNError, OutputError


class NobodyReadsError(Exception):
    """Standard output leads into a pipe that nobody reads from any more, as with `| head -1`."""


def say(message: str) -> None:
    """A line on standard error; where nothing can be said, the work goes on."""
    logging.getLogger("biosnn").info(message)


def say_error(error: BaseException) -> None:
    """A line that says what ended the work, and one for each file that could not be written besides."""
    text = f"error: {error}"
    if isinstance(error, KeyboardInterrupt):
        text = "interrupted"
    elif isinstance(error, MemoryError) and not isinstance(error, BioSNNError):
        had_not = f" ({error})" if str(error) else ""
        text = f"error: out of memory{had_not}; use fewer neurons, synapses or threads"
    say(f"biosnn: {text}")
    for note in getattr(error, "__notes__", ()):
        say(f"biosnn: error: {note}")


def show(text: str) -> None:
    """Print to standard output; characters that its encoding lacks are escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    with standard_output():
        print(text.encode(encoding, "backslashreplace").decode(encoding))


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Around what is printed: raises NobodyReadsError, or OutputError where standard output cannot be written."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:  # None: closed, with `>&-`
                sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())  # or Python would try again as it ends, and complain
        if isinstance(error, BrokenPipeError):
            raise NobodyReadsError from None
        raise OutputError(f"cannot write to standard output ({error.strerror or error})") from None


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside the block, SIGTERM and SIGHUP do what Ctrl-C does, unless they are ignored or handled already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [s for s in interrupts.ENDING if signal.getsignal(s) is signal.SIG_DFL]
    for s in taken:
        signal.signal(s, signal.default_int_handler)
    try:
        with _raised_again():
            yield
    finally:
        for s in taken:
            signal.signal(s, signal.SIG_DFL)


@contextlib.contextmanager
def _raised_again() -> Iterator[None]:
    """Inside the block, an interrupt that reaches Python where nothing can be raised is raised a moment later.

    LLVM calls back while it compiles: of 39 signals during that time, three came to nothing but a complaint. An error
    that follows is one of what was not done in that call.
    """
    before, timers = sys.unraisablehook, list[threading.Timer]()

    def hook(found: sys.UnraisableHookArgs) -> None:
        if issubclass(found.exc_type, KeyboardInterrupt):
            timers.append(threading.Timer(0.05, _interrupt))
            timers[-1].start()
        elif "_as_parameter_" not in str(found.exc_value):  # of objects of LLVM that an interrupt left half made
            before(found)

    sys.unraisablehook = hook
    try:
        yield
    except Exception:
        if timers:
            raise KeyboardInterrupt from None
        raise
    finally:
        sys.unraisablehook = before
        for timer in timers:
            timer.cancel()


def _interrupt() -> None:
    heard = [s for s in interrupts.ENDING if callable(signal.getsignal(s))]
    if heard:
        signal.raise_signal(heard[0])
