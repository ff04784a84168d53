"""Frames: the time loop of a driver around the step of one partition. They alone know of threads.

Partitions need to know of one another's spikes only after the shortest delay. So a partition takes that many steps, a
stride, at once, while its state stays in the cache, and only then are the others waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from biosnn.parts.text import indented


@dataclass(frozen=True)
class Frame:
    """Who takes which partitions, and who waits for whom."""

    parallel: bool  # it needs threads
    head: tuple[str, ...]  # before the loop
    partitions: str  # the loop over those of one thread
    first: str = ""  # is this the thread that does what is done once? "": there is one
    meet: tuple[str, ...] = ()  # waits for all threads
    row: str = "0"  # of an array in which each thread counts for itself, or each partition if threads are not known
    enter: tuple[str, ...] = ()  # before each partition of the loop

    def told(self, waited: str) -> Frame:
        """With a line wherever somebody has waited, for a turn or for others; `{}` in it is a row."""
        if self.head:
            line = waited.format(self.row)
            return replace(self, head=(*self.head, f"    {line}"), meet=(*self.meet, line))
        own, first = waited.format(self.row), waited.format("0")  # the thread that goes on after a parallel region
        return replace(self, enter=(own,), meet=(first,)) if self.parallel else self


# Partitions one after the other; side by side, in a parallel region for each stride; or by threads that stay together
# for all steps of a chunk, and meet after each stride.
SERIAL = Frame(False, (), "for p in range(drive_at.size - 1):")
APART = Frame(True, (), "for p in prange(drive_at.size - 1):", row="p")
TOGETHER = Frame(
    True,
    ("n = workers[0]", "meetings[0] = 0", "for worker in prange(n):"),
    "for p in range(worker, drive_at.size - 1, n):",
    first="worker == 0",
    meet=("meet(meetings, n)",),
    row="worker",
)


@dataclass(frozen=True)
class Around:
    """What stands around the step of one partition."""

    before: Sequence[str]  # once a step, before the partitions
    waits: bool  # partitions must see in this step what is done before it
    after: Sequence[str]  # of a partition, once a stride
    full: str  # some buffer has no room for what may come before the next look; `step` is the last that was taken


def time_loop(frame: Frame, around: Around, step: Sequence[str], strides: bool) -> list[str]:
    """The lines of `advance`. `strides`: partitions take more than one step at once."""
    turn, turned = (["turn = 0"], ["turn = 1 - turn"]) if around.after else ([], [])
    write = _by_strides if strides else _by_steps
    loop = [*turn, *write(frame, around, step)]
    loop += indented([f"if {around.full}:", "    break", *turned])
    return [*frame.head, *(indented(loop) if frame.head else loop)]


def _by_steps(frame: Frame, around: Around, step: Sequence[str]) -> list[str]:
    return [
        "for step in range(first_step, last_step):",
        *indented(_once(frame, around.before)),
        *indented(frame.meet if around.waits else ()),
        f"    {frame.partitions}",
        *indented([*frame.enter, *step, *around.after], 8),
        *indented(frame.meet),
        *indented(_once(frame, ["clock[0] = step + 1"])),
    ]


def _by_strides(frame: Frame, around: Around, step: Sequence[str]) -> list[str]:
    each = ["for step in range(begin, end):", *indented(around.before)] if around.before else []
    return [
        "for begin in range(first_step, last_step, stride[0]):",
        "    end = min(begin + stride[0], last_step)",
        *indented(_once(frame, each)),
        f"    {frame.partitions}",
        *indented(frame.enter, 8),
        "        for step in range(begin, end):",
        *indented(step, 12),
        *indented(around.after, 8),
        *indented(frame.meet),
        "    step = end - 1",
        *indented(_once(frame, ["clock[0] = end"])),
    ]


def _once(frame: Frame, lines: Sequence[str]) -> list[str]:
    """Lines that one thread takes for all."""
    return [f"if {frame.first}:", *indented(lines)] if frame.first and lines else list(lines)
