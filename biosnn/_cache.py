"""What is kept on disk between processes: where it stands, and when it goes.

Each thing has a name that covers all that it depends on (_compiled.py, _sources.py), so it is never stale, and no
version of BioSNN throws away what another can use. What nobody has used for a month goes.

Nothing here is needed, and nothing is believed: what is not as it was written counts as not there, and where nothing
can be written, nothing is kept. The worst that a cache can do is to be empty.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import re
import shutil
import sys
import time
import uuid
from pathlib import Path

SUFFIX = ".code"  # of what was sealed
DAY = 86400.0
OLD = 30 * DAY  # without use, until something is removed
FORMAT = "cache 2"  # of what stands in a folder; another one, another folder
_OURS = re.compile(r"cpython-\w+-[0-9a-f]{16}")  # the names of our folders
_DIGEST = hashlib.sha256().digest_size
_log = logging.getLogger("biosnn")
_told = False


@functools.cache
def folder() -> Path | None:
    """The folder of this Python and this format, be it there or not; None where the user has no home for it."""
    root = _root()
    if root is None:
        return None
    path = root / f"{sys.implementation.cache_tag}-{hashlib.sha256(FORMAT.encode()).hexdigest()[:16]}"
    _use(path)
    return path


def load(name: str) -> bytes | None:
    """What was saved under a name; None if it is not there, or not as it was written."""
    path = folder()
    try:
        if path is None or not (path / (name + SUFFIX)).is_file():  # a pipe would wait for somebody to write
            return None
        sealed = (path / (name + SUFFIX)).read_bytes()
    except (OSError, MemoryError):
        return None
    _use(path / (name + SUFFIX))
    return sealed[_DIGEST:] if sealed[:_DIGEST] == _seal(name, sealed[_DIGEST:]) else None


def save(name: str, data: bytes) -> None:
    """Keep data for `load`, in place of what stood there."""
    _write(name + SUFFIX, _seal(name, data) + data)


def show(name: str, text: str) -> None:
    """Leave a copy of a text for people to read; nothing here reads it."""
    path, data = folder(), text.encode()
    with contextlib.suppress(OSError):
        if path is not None and (path / name).read_bytes() == data:
            _use(path / name)
            return
    _write(name, data)


def holds(start: str) -> bool:
    """Whether something was saved under a name that starts like this."""
    path = folder()
    try:
        return path is not None and any(n.startswith(start) and n.endswith(SUFFIX) for n in os.listdir(path))
    except OSError:
        return False


def promise() -> str:
    """How a message goes on that says what is being compiled, and is to be kept."""
    return "" if _told else f", once; it is kept in {folder()}"


def clear() -> tuple[int, int, Path | None]:
    """Remove our folders, of any version: their number, the bytes that they took, and where they stood.

    What else stands there remains. Raises OSError for a folder that cannot be removed.
    """
    root = _root()
    found = _folders(root) if root is not None else []
    taken = sum(file.stat().st_size for path in found for file in path.rglob("*") if file.is_file())
    for path in found:
        shutil.rmtree(path)
    return len(found), taken, root


def _root() -> Path | None:
    asked = os.environ.get("BIOSNN_CACHE_DIR")
    if asked:
        return Path(asked).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"))
    return cache / "biosnn" if cache.is_absolute() else None  # "~" stands for nothing where the user has no home


def _seal(name: str, data: bytes) -> bytes:
    # The name is part of it: what was written as one function must not be run as another.
    return hashlib.sha256(name.encode() + b"\0" + data).digest()


def _write(name: str, data: bytes) -> None:
    """Write a file, whole or not at all, whoever else writes the same; say once if it cannot be written."""
    path = folder()
    if path is None:
        _say("there is no home folder")
        return
    draft = path / f"{name}.{uuid.uuid4().hex}.tmp"
    try:
        path.mkdir(parents=True, exist_ok=True)
        _tidy(path)
        try:
            draft.write_bytes(data)
            os.replace(draft, path / name)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        _say(f"{path}: {error.strerror}")


def _use(path: Path) -> None:
    """Note that something is in use, once a day: see `_tidy`."""
    with contextlib.suppress(OSError):  # it is not there, or somebody else's
        if time.time() - path.stat().st_mtime > DAY:
            os.utime(path)


@functools.cache
def _tidy(path: Path) -> None:
    """Remove other folders, and what is kept in this one, that have not been used for long: once in a process."""
    for other in _folders(path.parent):
        if other != path and _is_old(other):
            shutil.rmtree(other, ignore_errors=True)  # somebody else removes it, or it is not ours to remove
    for file in path.iterdir():
        if _is_old(file) and not file.is_dir():
            with contextlib.suppress(OSError):
                file.unlink()


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat(follow_symlinks=False).st_mtime > OLD
    except OSError:
        return False


def _folders(root: Path) -> list[Path]:
    """Our folders, of any version."""
    try:
        return [p for p in root.iterdir() if _OURS.fullmatch(p.name) and p.is_dir() and not p.is_symlink()]
    except OSError:
        return []


def _say(why: str) -> None:
    global _told
    if not _told:
        _told = True
        _log.warning("compiled code is not kept for the next run: %s; BIOSNN_CACHE_DIR may name another folder", why)
