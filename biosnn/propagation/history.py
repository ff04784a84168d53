"""The spikes in flight: per step the ids of the neurons that fired, kept for as long as they are needed.

A list for each partition, and one for the spike sources. It is at once what delivery reads and what spike recording
costs: 4 bytes a spike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from biosnn._arrays import I64
from biosnn._machine import free_memory
from biosnn.address.address import Address
from biosnn.address.repeats import FEW, most_active, most_given
from biosnn.errors import RingFullError
from biosnn.parts.array import Array, Arrays, Axis, Keep, Row, apart, longer, row, small
from biosnn.parts.part import Done, Draws, Part, Phase, Work

# Spikes that a list of the history holds beyond one step in which all neurons fire; it grows when it must.
HISTORY_ROOM = 65536
RECORDING_BYTES = 40  # of one spike, while the recorders take it in


class Fired(NamedTuple):
    """Where the spikes of a group of neurons are found in each step."""

    prefix: str  # of its arrays `spiked` and `sections`
    repeats: bool  # a neuron may fire several times in a step


class History(Part):
    """What happened in the last `kept` steps, and in the chunk that is running."""

    kernels = dict.fromkeys(
        ("collect", "collect_each", "collect_rest", "is_crowded"), "biosnn.propagation.spike_history_cpu"
    )

    def __init__(self, address: Address, groups: Sequence[Fired], stride: int, kept: int, chunk_steps: int) -> None:
        self.address, self.kept, self.chunk_steps = address, kept, chunk_steps
        # those that repeat come last: they take what room there is
        self.groups = sorted(groups, key=lambda g: g.repeats)
        self.most_spikes = _most_spikes(address, stride)

    def rows(self) -> Iterator[Row]:
        lists, capacity = self.address.n_lists, int(self.most_spikes.max(initial=0)) + HISTORY_ROOM
        steps = self.chunk_steps + self.kept + 1
        ids = Array("spike_ids", (lists, capacity), "int32", Keep.STATE)
        first = Array("spike_first", (lists, steps), "int64", Keep.STATE)
        yield row("rings", "spike history (grows if it must)", [(lists, "lists"), (capacity, "spikes")], ids)
        yield row("rings", "spike history, steps", [(lists, "lists"), (steps, "steps")], first)
        yield small(
            "rings", "spike history: most spikes of a list and of a neuron",
            Array("most_spikes", (lists,), "int64", Keep.FIXED, Axis.PARTITION, self.most_spikes),
            Array("most_repeated", (1,), "int64", Keep.FIXED, fill=self.address.repeats.limit),
        )  # fmt: skip

    def statements(self, phase: Phase) -> list[str]:
        return self._collect() if phase is Phase.COLLECT else []

    def work(self, phase: Phase, done: Done) -> Work:
        if phase is not Phase.COLLECT:
            return super().work(phase, done)
        return Work(float(done.spikes), done.steps * self.address.layout.n_neurons + 4.0 * done.spikes)

    def full(self) -> list[str]:
        return ["is_crowded(step - origin, spike_first, most_spikes, spike_ids.shape[1])"]

    def finish(self, arrays: Arrays) -> None:
        """Append what is left of the last step that was taken. Raises RingFullError where there is no room.

        How often parrots fire in a step is known when they have. A list takes what fits; the rest waits in `spiked`.
        """
        repeating = [(f"{g.prefix}spiked", f"{g.prefix}sections") for g in self.groups if g.repeats]
        left = sum(int(arrays[spiked].sum(dtype=np.int64)) for spiked, _ in repeating)
        if not left:
            return
        t = int(arrays["clock"][0] - arrays["clock"][1])
        self._check_each(arrays, max(int(arrays[spiked].max(initial=0)) for spiked, _ in repeating))
        arrays["spike_ids"] = self._grown(arrays, int(arrays["spike_first"][:, t].max()) + left)
        for spiked, sections in repeating:
            history = arrays["spike_first"], arrays["spike_ids"]
            self.kernel("collect_rest")(arrays[spiked], arrays[sections], t, self.address.repeats.limit, *history)

    def between(self, arrays: Arrays, draws: Draws) -> None:
        """Forget the spikes that no delay needs any more, however the last chunk ended; grow what is too small."""
        if arrays["clock"][0] - arrays["clock"][1] > self.kept:
            arrays.update(self._latest(arrays))
        # Room for as many spikes as are kept: what is kept is moved after each chunk. 20,000 neurons, 20 steps kept,
        # 6,000 spikes a step: chunks of two steps took 640 us a step, those of 27 540.
        needed = int((arrays["most_spikes"] + 2 * arrays["spike_first"][:, self.kept]).max(initial=0))
        while needed >= arrays["spike_ids"].shape[1]:
            arrays["spike_ids"] = longer(arrays["spike_ids"], 2 * arrays["spike_ids"].shape[1])

    def _latest(self, arrays: Arrays) -> Arrays:
        """The lists without all but their last `kept` steps, and the clock that says so.

        In NumPy: that is 0.15 s less to compile in a first run.
        """
        clock, begun, ids = apart(arrays["clock"]), arrays["spike_first"], arrays["spike_ids"]
        done = int(clock[0] - clock[1])
        first, latest = np.zeros_like(begun), np.zeros_like(ids)
        first[:, : self.kept + 1] = begun[:, done - self.kept : done + 1] - begun[:, done - self.kept, None]
        for q in range(len(ids)):
            latest[q, : first[q, self.kept]] = ids[q, begun[q, done - self.kept] : begun[q, done]]
        clock[1] = clock[0] - self.kept
        return {"clock": clock, "spike_first": first, "spike_ids": latest}

    def _collect(self) -> list[str]:
        lines = ["n = spike_first[p, step - origin]"]
        for prefix, repeats in self.groups:
            found = f"{prefix}spiked, {prefix}sections[p, q], p, n"
            lines.append(f"for q in range({prefix}sections.shape[1]):")
            if repeats:
                lines.append(f"    n = collect_each({found}, most_repeated[0], spike_ids)")
            else:
                lines.append(f"    n = collect({found}, spike_ids)")
        return [*lines, "spike_first[p, step - origin + 1] = n"]

    def _check_each(self, arrays: Arrays, largest: int) -> None:
        """Raise RingFullError if a neuron fired more often than the sums of its targets have room for."""
        if largest > (most := self.address.repeats.limit):
            raise RingFullError(
                f"run: a neuron fired {largest:,} times in the step to {self._ms(arrays)} ms, over the {most:,} that "
                f"sums have room for; parrot neurons send on all spikes that reach them: break their loop, or connect "
                f"fewer"
            )

    def _grown(self, arrays: Arrays, needed: int) -> I64:
        """The lists of spikes, with room for twice as many as are needed."""
        old = arrays["spike_ids"]
        size = max(2 * needed + int(self.most_spikes.max(initial=0)) + 1, old.shape[1])
        free, more = free_memory(), size * old.shape[0] * old.itemsize + needed * RECORDING_BYTES
        if free is not None and more > free:
            raise RingFullError(
                f"run: {needed:,} spikes until {self._ms(arrays)} ms need {more / 2**20:,.0f} MiB, and "
                f"{free / 2**20:,.0f} are free; parrot neurons send on all spikes that reach them: break their loop, "
                f"or connect fewer"
            )
        return longer(old, size)

    def _ms(self, arrays: Arrays) -> str:
        return f"{int(arrays['clock'][0]) * self.address.net.dt:g}"


def _most_spikes(address: Address, stride: int) -> I64:
    """For each partition, and for the spike sources: the most spikes of a stride, as refractoriness allows.

    Of what a neuron repeats, FEW a step; more than that find room after the step, which is the stride then.
    """
    net, layout = address.net, address.layout
    most = np.zeros(address.n_lists, np.int64)
    for cell in layout.cells:
        each = np.ceil(stride * most_active(net.population_at(cell.population), net.dt, np.max))
        n = min(address.repeats.most[layout.names[cell.population]], FEW)
        most[cell.part] += (cell.last - cell.first) * int(each) * n
    if address.sources:
        most[-1] = most_given(net, stride)
    return most
