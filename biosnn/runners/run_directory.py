"""The directory that a run writes: made before anything is simulated, never written over."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from biosnn.errors import OutputError


class RunDirectory:
    """A new or empty directory. Raises OutputError where there is none to be had, before any work is lost on it."""

    def __init__(self, asked: Path | None, demo: str) -> None:
        self.path = _unused(Path("runs") / f"{demo}-{time.strftime('%Y%m%d-%H%M%S')}") if asked is None else asked
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if next(self.path.iterdir(), None) is not None:
                raise OutputError(f"--out: {self.path} holds files, and none is overwritten; give a new directory")
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"--out: cannot write to {self.path} ({error.strerror}); give a directory that you may write to"
            ) from None

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a file of strict JSON, whole or not at all."""
        draft = self.file(name + ".tmp")
        draft.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
        os.replace(draft, self.file(name))


def _unused(path: Path) -> Path:
    """`path`, or `path-2`, ... where two runs begin in the same second."""
    found, k = path, 1
    while found.exists():
        k += 1
        found = path.with_name(f"{path.name}-{k}")
    return found
