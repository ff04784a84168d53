"""What a shell sees of the command line: standard output, one line for an error, and the signals that end it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from biosnn.backends import interrupts
from biosnn.errors import BioSNNError, OutputError

INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended
UNREAD = 141  # and for one that wrote into a pipe that nobody reads


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
    for line in (text, *(f"error: {note}" for note in getattr(error, "__notes__", ()))):
        logging.getLogger("biosnn").error("biosnn: %s", line)


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
    with _handled(signal.SIG_DFL, signal.default_int_handler):
        yield


@contextlib.contextmanager
def ended_at_once() -> Iterator[None]:
    """Inside the block, where there is nothing to finish yet, they end the process, without an exception.

    LLVM does not bear one wherever it comes. Of 122 signals that came while it compiled, four did in a function that it
    called back, which Python can only complain about; one in a destructor, and memory was freed twice.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                os.write(2, b"biosnn: interrupted\n")  # whatever Python was writing
        os._exit(INTERRUPTED)

    with _handled(signal.default_int_handler, end):
        yield


@contextlib.contextmanager
def _handled(before: Any, by: Any) -> Iterator[None]:
    """Handle signals inside the block, those that were handled by `before`."""
    mine = threading.current_thread() is threading.main_thread()
    taken = [s for s in interrupts.ENDING if mine and signal.getsignal(s) is before]
    for s in taken:
        signal.signal(s, by)
    try:
        yield
    finally:
        for s in taken:
            signal.signal(s, before)
