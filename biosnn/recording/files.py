"""Files that a full disk cannot break: whole or not there, or up to the last piece that found room.

What cannot be written is an OutputError that names the file. Text is UTF-8, whatever the locale.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.errors import DescriptionError, OutputError

PLAIN = " ,+-_=()[]"  # in the name of a file, besides letters and digits


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


class Growing:
    """A new file that grows by whole pieces: of one that is refused, nothing remains."""

    def __init__(self, path: Path, head: bytes) -> None:
        self.path, self.size = path, 0
        self.error: OutputError | None = None
        with naming(path):
            self.file = path.open("xb", buffering=0)  # a buffer would be written again, in part, as it is closed
        try:
            self.append(head)
        except OutputError:
            self.file.close()
            raise

    def append(self, data: bytes | memoryview, head: bytes = b"") -> None:
        """Append a piece, then write `head` over the first bytes.

        Once that has failed, it fails for good, so that no piece is missing between others.
        """
        if self.error is not None:
            raise self.error
        try:
            with naming(self.path):
                self._write(data)
                if head:
                    self.file.seek(0)
                    self._write(head)
                    self.file.seek(0, os.SEEK_END)
        except OutputError as error:
            self.error = error
            with contextlib.suppress(OSError):
                self.file.truncate(self.size)
            raise
        self.size += len(data)

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:  # a nearly full disk takes a part, and refuses the rest
            left = left[self.file.write(left) :]

    def close(self) -> None:
        """Close the file; some systems say only now that they could not keep it."""
        with naming(self.path):
            self.file.close()

    def reopen(self) -> None:
        """Go on where the file ended when it was closed."""
        if self.error is not None:
            raise self.error
        with naming(self.path):
            self.file = self.path.open("r+b", buffering=0)
            self.file.seek(self.size)


class Lines(Growing):
    """A text file that grows by whole pieces of lines."""

    def __init__(self, path: Path, header: str) -> None:
        super().__init__(path, header.encode())

    def write(self, text: str) -> None:
        """Append lines."""
        self.append(text.encode())


class Rows(Growing):
    """A .npy file that grows by whole rows, and that NumPy can load at any time: its header is kept up to date.

    NumPy leaves room in the header for a first axis that grows.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self.dtype, self.n = dtype, 0
        super().__init__(path, self._header())

    def write(self, rows: NDArray[Any]) -> None:
        """Append rows, an array (n,) of `dtype`."""
        self.n += len(rows)
        self.append(rows.tobytes(), self._header())

    def _header(self) -> bytes:
        header = io.BytesIO()
        descr = np.lib.format.dtype_to_descr(self.dtype)
        np.lib.format.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": (self.n,)})
        return header.getvalue()


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Inside the block, what the system refuses, memory included, is an OutputError about this file."""
    try:
        yield
    except OutputError:
        raise
    except (OSError, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "out of memory"
        raise OutputError(f"cannot write {shown(path)} ({why}); make room, or give another place (--out)") from None


def new_file(owner: str, path: Any) -> Path:
    """The path of a file that is not there, in a folder that is.

    So a file that could not be written is known before anything is simulated. Raises DescriptionError for what is no
    path, OutputError.
    """
    found = _path(owner, path)
    with naming(found):
        if os.path.lexists(found):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        _check_writable(found.parent)
    return found


def new_folder(owner: str, path: Any) -> Path:
    """The path of a folder that is empty, or that can be made. Raises likewise."""
    found = _path(owner, path)
    with naming(found):
        if not os.path.lexists(found):
            _check_writable(next(p for p in found.absolute().parents if os.path.lexists(p)))
        elif next(found.iterdir(), None) is not None:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        else:
            _check_writable(found)
    return found


def _path(owner: str, path: Any) -> Path:
    if not isinstance(path, (str, Path)) or not str(path) or "\0" in str(path):
        raise DescriptionError(f"{owner}: the path must be a string or a pathlib.Path, got {_validate.shown(path)}")
    return Path(path)


def _check_writable(folder: Path) -> None:
    if not folder.is_dir():
        number = errno.ENOTDIR if os.path.lexists(folder) else errno.ENOENT
        raise OSError(number, os.strerror(number))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def shown(path: Path) -> str:
    """A path as messages show it: on one line, whatever its name holds."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def plain(name: str) -> str:
    """A name as a part of the name of a file: what is no letter, digit or one of ` ,+-_=()[]` is % and its number."""
    return "".join(c if c.isalnum() or c in PLAIN else f"%{ord(c):02x}" for c in name)


def field(name: str) -> str:
    """A name as a field of a CSV file: quoted if it holds a comma, a quote or a line break."""
    row = io.StringIO()
    csv.writer(row).writerow([name])
    return row.getvalue().removesuffix("\r\n")
