"""Writing the time loop of a driver around the step of one partition.

Partitions need to know of one another's spikes only after the shortest delay. So a partition takes that many steps, a
stride, at once, while its state stays in the cache, and only then are the others waited for.
"""

from __future__ import annotations

from dataclasses import dataclass

from biosnn.parts.text import indented


@dataclass(frozen=True)
class Around:
    """What stands around the step of one partition."""

    before: list[str]  # once a step, before the partitions
    waits: bool  # partitions must see in this step what is done before it
    after: list[str]  # of a partition, once a stride
    full: str  # some buffer has no room for what may come before the next look; `step` is the last that was taken


def steps_apart(around: Around, step: list[str], strides: bool, parallel: bool) -> list[str]:
    """Partitions one after the other, or side by side in a parallel region of each stride."""
    turn, turned = (["turn = 0"], ["turn = 1 - turn"]) if around.after else ([], [])
    partitions = f"for p in {'prange' if parallel else 'range'}(drive_at.size - 1):"
    if not strides:
        return [
            *turn,
            "for step in range(first_step, last_step):",
            *indented(around.before),
            f"    {partitions}",
            *indented([*step, *around.after], 8),
            "    clock[0] = step + 1",
            f"    if {around.full}:",
            "        break",
            *indented(turned),
        ]
    return [
        *turn,
        "for begin in range(first_step, last_step, stride[0]):",
        "    end = min(begin + stride[0], last_step)",
        *indented(_each_step(around.before)),
        f"    {partitions}",
        "        for step in range(begin, end):",
        *indented(step, 12),
        *indented(around.after, 8),
        "    step = end - 1",
        "    clock[0] = end",
        f"    if {around.full}:",
        "        break",
        *indented(turned),
    ]


def steps_together(around: Around, step: list[str], strides: bool) -> list[str]:
    """One parallel region for all steps: each thread takes those of its partitions, and meets the others."""
    meet = "meet(meetings, n)"
    before = ["if worker == 0:", *indented(around.before)] if around.before else []
    waiting = [meet] if around.waits else []
    turn, turned = (["turn = 0"], ["turn = 1 - turn"]) if around.after else ([], [])
    head = [
        "n = workers[0]",
        "meetings[0] = 0",
        "for worker in prange(n):",
        *indented(turn),
    ]
    if not strides:
        return [
            *head,
            "    for step in range(first_step, last_step):",
            *indented([*before, *waiting], 8),
            "        for p in range(worker, drive_at.size - 1, n):",
            *indented([*step, *around.after], 12),
            f"        {meet}",
            "        if worker == 0:",
            "            clock[0] = step + 1",
            f"        if {around.full}:",
            "            break",
            *indented(turned, 8),
        ]
    return [
        *head,
        "    for begin in range(first_step, last_step, stride[0]):",
        "        end = min(begin + stride[0], last_step)",
        *indented(["if worker == 0:", *indented(_each_step(around.before))] if around.before else [], 8),
        "        for p in range(worker, drive_at.size - 1, n):",
        "            for step in range(begin, end):",
        *indented(step, 16),
        *indented(around.after, 12),
        f"        {meet}",
        "        step = end - 1",
        "        if worker == 0:",
        "            clock[0] = end",
        f"        if {around.full}:",
        "            break",
        *indented(turned, 8),
    ]


def _each_step(lines: list[str]) -> list[str]:
    return ["for step in range(begin, end):", *indented(lines)] if lines else []
