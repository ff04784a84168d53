"""The directory that a run writes: made before anything is simulated, never written over."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from biosnn.errors import OutputError
from biosnn.recording.files import shown, whole


class RunDirectory:
    """A new or empty directory. Raises OutputError where there is none to be had, before any work is lost on it."""

    def __init__(self, asked: Path | None, demo: str) -> None:
        self.path = asked or Path("runs") / f"{demo}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            if asked is None:
                self.path = _made_anew(self.path)
            else:
                self.path.mkdir(parents=True, exist_ok=True)
            if next(self.path.iterdir(), None) is not None:
                raise OutputError(f"--out: {self} holds files, and none is overwritten; give a new directory")
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OutputError:
            raise
        except OSError as error:
            why = "it is no directory" if isinstance(error, FileExistsError) else error.strerror
            raise OutputError(
                f"--out: cannot write to {self} ({why}); give a directory that you may write to"
            ) from None

    def __str__(self) -> str:
        return shown(self.path)

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a file of strict JSON, whole or not at all."""
        with whole(self.file(name)) as file:
            file.write((json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _made_anew(path: Path) -> Path:
    """`path`, or `path-2`, ... where other runs begin in the same second: whoever makes it has it."""
    found, k = path, 1
    while True:
        try:
            found.mkdir(parents=True)
        except FileExistsError:
            if not os.path.lexists(found):  # what is there, and no directory, is `runs`
                raise
        else:
            return found
        k += 1
        found = path.with_name(f"{path.name}-{k}")
