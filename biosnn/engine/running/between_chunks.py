"""Between two chunks of a run: parts make room for the next one, and states that are no numbers any more are found.

What Python does here is put in place at once, when all of it is made: an exception in between changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from biosnn.engine.building.build import Built
from biosnn.engine.running.other_ring import change_ring
from biosnn.errors import RingFullError
from biosnn.half import decode, is_finite
from biosnn.neurons.group import Group


def finish(built: Built) -> None:
    """End the last chunk, however it ended. Raises RingFullError where what happened in it has no room."""
    for part in built.plan.parts:
        part.finish(built.arrays)


def make_ready(built: Built) -> None:
    """Begin the next chunk. Raises RingFullError where a ring that was asked for has no room for its first stride."""
    try:
        _between(built)
    except RingFullError as full:
        if not built.plan.ways.replaceable:
            raise
        change_ring(built, full)
        _between(built)


def _between(built: Built) -> None:
    for part in built.plan.parts:
        part.between(built.arrays, built.draws)


@dataclass(frozen=True)
class State:
    """A state variable of a group of neurons, by the name that the driver has for it."""

    array: str
    variable: str
    group: int
    halved: bool  # kept in 16 bits


def states_of(built: Built) -> Iterator[State]:
    """The state variables of all neurons, those of their membranes and of their receptors."""
    for part in built.plan.parts:
        if isinstance(part, Group):
            group, g = part.group, part.number
            for s in group.model.states:
                yield State(part.prefix + group.model.array(s.name), s.name, g, False)
            for receptor in group.bank.states:
                yield State(part.prefix + receptor.name, receptor.name, g, group.halved)


def bad_state(built: Built) -> State | None:
    """A state that is NaN or infinite in some neuron, and remains so; None if all are numbers."""
    for state in states_of(built):
        values = built.arrays[state.array]
        if (values.dtype.kind == "f" or state.halved) and not is_finite(values):
            return state
    return None


def said_of(built: Built, state: State, first: int) -> str:
    """Whose bad state it is, what it is, and when it became that: not yet at step `first`."""
    layout, dt = built.plan.layout, built.net.dt
    values = decode(built.arrays[state.array])
    i = int(np.flatnonzero(~np.isfinite(values))[0])
    group = layout.groups[state.group]
    first_index = np.cumsum([0, *np.diff(layout.first_id)[group.populations]])
    k = int(np.searchsorted(first_index, i, side="right")) - 1
    who = f"{group.model.name} neuron {i - first_index[k]} of population {layout.names[group.populations[k]]!r}"
    when = f"between {first * dt:g} and {int(built.arrays['clock'][0]) * dt:g} ms"
    what = "NaN" if np.isnan(values[i]) else "infinite"
    text = f"run: {state.variable} of {who} became {what} {when}"
    if state.halved and what == "infinite":
        return (
            f"{text}: it has left the range of {built.plan.receptor_dtype}; take receptor_state_dtype 'bfloat16', "
            f"which has that of float32, or 'none' (--receptor-state-dtype)"
        )
    return f"{text}; look at its input and its parameters, or take a smaller dt"
