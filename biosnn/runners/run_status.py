"""run_status.json: where a run is, written anew once a second, whole each time, for whoever looks on."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from biosnn.recording.sinks import About, Sink
from biosnn.runners.run_directory import RunDirectory
from biosnn.runners.terminal import NobodyReadsError

EVERY = 1.0  # seconds of wall time between two heartbeats, at least


class RunStatus(Sink):
    """The life of a run: building, warming up, running; then done, stopped (by Ctrl-C or a signal), or error.

    A process that was killed leaves the state in which it was, and a heartbeat that gets old.
    """

    def __init__(self, directory: RunDirectory, steps: int) -> None:
        self.directory, self.written = directory, 0.0
        self.content: dict[str, Any] = {
            "state": "building", "message": None, "pid": os.getpid(), "started": _now(), "heartbeat": None,
            "steps": steps, "steps_done": 0, "time_ms": None,
        }  # fmt: skip
        self._write()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Around all that is done: at the end the file says how it ended."""
        try:
            yield
        except KeyboardInterrupt:
            self.enter("stopped")
            raise
        except NobodyReadsError:  # what is printed; the files are there
            self.enter("done")
            raise
        except BaseException as error:
            self.content["message"] = str(error) or type(error).__name__
            self.enter("error")
            raise
        self.enter("done")

    def enter(self, state: str) -> None:
        """Say what begins, or how it ended. Where that finds no room, the run goes on: its other files say so."""
        self.content["state"] = state
        with contextlib.suppress(OSError):
            self._write()

    def open(self, about: About) -> None:
        self.first, self.dt = about.first, about.dt
        self.enter("running")

    def end_chunk(self, last: int) -> None:
        self.content |= {"steps_done": last - self.first, "time_ms": round(last * self.dt, 9)}
        if time.monotonic() - self.written >= EVERY:
            self.enter("running")

    def _write(self) -> None:
        self.content["heartbeat"], self.written = _now(), time.monotonic()
        self.directory.write_json("run_status.json", self.content)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
