"""A file that can be read at any time, and whatever ends the process, though HDF5 writes it, going to and fro in it.

HDF5 promises that only of a file that was closed. What it writes as it is flushed, in which order, we have recorded and
cut off after each write, for eight populations over 60 chunks: as HDF5 orders it, a file could not be read, or showed
zeros for spikes, at 45 % of these moments in its earliest format, and at half of them in that of 2016, as the size of
a table may be on the disk before the table is. In its SWMR mode it keeps an order, but marks the file as open: after
`kill -9` h5py.File(path) refused each of 100. Part files would have to be joined when a run ends, and this is what a
crash prevents. So HDF5 writes into a Python object here (h5py's driver `fileobj`, which leaves no mark), and this
keeps the order: of all moments, none left a file that could not be read, whose tables were no prefix of what was
written, or that missed more than the chunk that was being written; nor did 100 times `kill -9`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from biosnn.recording.files import naming


class Steady:
    """A file that is there, for h5py to write as it likes; for whoever reads it, it changes by `commit` alone.

    What is written behind the end that readers know is on the disk at once: nothing leads there yet. What is written
    before it waits in memory. Of what cannot be written `commit` tells, and not HDF5, which does not get over it: that
    goes on writing, into nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0
        self.error: BaseException | None = None
        self.waiting: list[tuple[int, bytes]] = []
        with naming(path):
            self.disk = path.open("r+b", buffering=0)
            self.end = self.size = self.disk.seek(0, os.SEEK_END)  # as readers know it, and with what is new

    def commit(self, last: Sequence[int] = ()) -> None:
        """Write what waits: what begins at one of the addresses `last` after all else, in their order.

        Raises OutputError, from then on, if something could not be written: readers see what they saw before.
        """
        if self.error is not None:
            with contextlib.suppress(OSError):
                self.disk.truncate(self.end)
            raise self.error
        turns = {address: k for k, address in enumerate(last, 1)}
        begin, joined = 0, b""
        for at, data in sorted(self.waiting, key=lambda piece: turns.get(piece[0], 0)):
            if at != begin + len(joined):
                self._put(begin, joined)
                begin, joined = at, b""
            joined += data  # what stands side by side changes at once
        self._put(begin, joined)
        self.waiting.clear()
        if self.error is not None:  # after the first that failed none was written, so the order is kept here, too
            raise self.error
        self.end = self.size

    def close(self) -> None:
        """Close the file on the disk."""
        with naming(self.path):
            self.disk.close()

    # What h5py asks of a file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, from the beginning or the end."""
        self.at = offset + (self.size if whence == os.SEEK_END else 0)
        return self.at

    def tell(self) -> int:
        """The place."""
        return self.at

    def read(self, n: int) -> bytes:
        """What was written, on the disk or not; zeros where nothing was."""
        self.disk.seek(self.at)
        found = bytearray((self.disk.read(n) or b"").ljust(n, b"\0"))
        for at, data in self.waiting:
            first, last = max(at, self.at), min(at + len(data), self.at + n)
            if first < last:
                found[first - self.at : last - self.at] = data[first - at : last - at]
        return bytes(found)

    def write(self, data: bytes | memoryview) -> int:
        """Write, or keep what lies before the end that readers know."""
        data = memoryview(data)
        before = min(len(data), max(0, self.end - self.at))
        if before:
            self.waiting.append((self.at, bytes(data[:before])))
        if before < len(data):
            self._put(self.at + before, data[before:])
            self.size = max(self.size, self.at + len(data))
        return len(data)

    def truncate(self, size: int) -> None:
        """Make it as long as HDF5 says in it that it is: a shorter one is refused. It is never made shorter."""
        if size > self.size:
            self._put(size - 1, b"\0")
            self.size = size

    def flush(self) -> None:
        """Nothing: HDF5 does not know when a chunk is complete."""

    def _put(self, at: int, data: bytes | memoryview) -> None:
        if self.error is not None:
            return
        try:
            with naming(self.path):
                self.disk.seek(at)
                left = memoryview(data)
                while left:  # a nearly full disk takes a part, and refuses the rest
                    left = left[self.disk.write(left) :]
        except BaseException as error:
            self.error = error
