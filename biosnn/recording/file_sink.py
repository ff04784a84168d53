"""What sinks that write files have in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from biosnn.description.population import Group, as_group
from biosnn.errors import DescriptionError
from biosnn.recording.files import new_file, shown
from biosnn.recording.sinks import I64, About, Ids, Sink

AnyPath: TypeAlias = "str | os.PathLike[str]"


class FileSink(Sink):
    """Writes a new file; runs of one simulation that follow one another go on in it.

    Raises OutputError, as it is made and before a run begins, where the file is there already or cannot be written.
    """

    path: Path
    about: About  # of the last run
    reached = -1  # the step before which that ended; -1: there was none yet

    def __init__(self, path: AnyPath) -> None:
        self.place(path)

    def place(self, path: AnyPath) -> None:
        """Say where the file will be."""
        self.path = self._new(path)

    def _new(self, path: AnyPath) -> Path:
        return new_file(type(self).__name__, path)

    def open(self, about: About) -> None:
        if not hasattr(self, "path"):
            raise DescriptionError(f"{type(self).__name__}: it has no file to write to; give it a path")
        if self.reached < 0:
            self._new(self.path)  # a file that is written when the run ends must not meet one then
            self.begin(about)
        elif about.follows(self.about, self.reached):
            self.go_on(about)
        else:
            raise DescriptionError(
                f"{type(self).__name__}: {shown(self.path)} holds a run up to {self.reached * self.about.dt:g} ms, and "
                f"one that begins at {about.first * about.dt:g} ms does not follow it; give a new sink"
            )
        self.about, self.reached = about, about.first

    def begin(self, about: About) -> None:
        """Make the file."""

    def go_on(self, about: About) -> None:
        """Go on in it: another run begins."""

    def close(self, last: int) -> None:
        self.reached = last


class SpikeFileSink(FileSink):
    """A sink of spikes: of all neurons and sources, or `of` a population, a group or a list of them."""

    mask: NDArray[np.bool_] | None = None  # of ids

    def __init__(self, path: AnyPath, *, of: Group | list[Group] | None = None) -> None:
        self.of = None if of is None else as_group(type(self).__name__, of)
        super().__init__(path)

    def open(self, about: About) -> None:
        if self.of is not None:
            self.mask = about.mask(type(self).__name__, self.of)
        super().open(about)

    def chosen(self, steps: I64, ids: Ids) -> tuple[I64, Ids]:
        """Those of the spikes that are asked for."""
        if self.mask is None:
            return steps, ids
        mine = self.mask[ids]
        return steps[mine], ids[mine]
