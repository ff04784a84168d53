"""Files that a full disk cannot break: whole or not there, or lines up to the last chunk that found room.

What cannot be written is an OutputError that names the file. Text is UTF-8, whatever the locale.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from biosnn.backends import interrupts
from biosnn.errors import OutputError


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A new file, written beside its place and moved there at the end of the block; after an error nothing remains."""
    draft = path.with_name(f"{path.name}.tmp")
    with naming(path):
        file = draft.open("xb")
        try:
            with file:
                yield file
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


class Lines:
    """A new text file that grows by whole chunks of lines: of one that is refused, nothing remains."""

    def __init__(self, path: Path, header: str) -> None:
        self.path, self.size = path, 0
        self.error: OutputError | None = None
        with naming(path):
            self.file = path.open("xb", buffering=0)  # a buffer would be written again, in part, as it is closed
        try:
            self.write(header)
        except OutputError:
            self.file.close()
            raise

    def write(self, text: str) -> None:
        """Append lines; once that has failed, it fails for good, so that no line is missing between others."""
        if self.error is not None:
            raise self.error
        data = memoryview(text.encode())
        size = self.size + len(data)
        try:
            with naming(self.path):
                while data:  # a nearly full disk takes a part, and refuses the rest
                    data = data[self.file.write(data) :]
        except OutputError as error:
            self.error = error
            with contextlib.suppress(OSError):
                self.file.truncate(self.size)
            raise
        self.size = size

    def close(self) -> None:
        """Close the file; some systems say only now that they could not keep it."""
        with naming(self.path):
            self.file.close()


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
    with interrupts.held_back():
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


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Inside the block, what the system refuses, memory included, is an OutputError about this file."""
    try:
        yield
    except OutputError:
        raise
    except (OSError, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "out of memory"
        raise OutputError(f"cannot write {shown(path)} ({why}); make room, or give --out another place") from None


def shown(path: Path) -> str:
    """A path as messages show it: on one line, whatever its name holds."""
    text = str(path)
    return text if text.isprintable() else repr(text)
