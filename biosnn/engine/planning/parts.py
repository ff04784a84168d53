"""All parts of a network, from its description: the one list of what makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from biosnn.address.address import Address
from biosnn.engine.planning.choice import Asked, Ways, choose
from biosnn.engine.planning.tables import tables_of, traffic_of
from biosnn.inputs.currents import Currents
from biosnn.inputs.poisson import Poisson
from biosnn.inputs.spike_trains import SpikeTrains
from biosnn.inputs.varying_poisson import VaryingPoisson
from biosnn.neurons.group import Group
from biosnn.parts.part import Part
from biosnn.propagation.clock import Clock
from biosnn.propagation.history import Fired, History
from biosnn.propagation.slots import Slots
from biosnn.recording.probe import Probes

# What makes parts of an address alone, in the order of their statements. Groups of neurons, how spikes travel and what
# is recorded depend on each other, and follow below.
KINDS: list[Callable[[Address], Iterable[Part]]] = [SpikeTrains.make, Slots.make, Poisson.make, VaryingPoisson.make]


def make_parts(address: Address, asked: Asked, parallel: bool, chunk_steps: int) -> tuple[list[Part], Ways]:
    """The parts in the order of their statements in a step, and how spikes travel."""
    driven = [part for make in KINDS for part in make(address)]
    driven += [part for attached in address.net.attached for part in attached.make(address)]
    neurons, groups = list[Part](), list(Group.make(address))
    currents = [Currents(address, part.group, part.prefix) for part in groups]
    for current, group in zip(currents, groups, strict=True):
        neurons += [current, group] if current.reaching else [group]
    tables = tables_of(address)
    synchronous = any(part.synchronous for part in driven + neurons)
    ways = choose(asked, traffic_of(address, tables), tables, synchronous)
    backends = [ways.ways.make(address, ways.trip)] if tables else []
    kept = max((backend.kept for backend in backends), default=ways.stride)
    kept = max(kept, ways.ring_len if ways.replaceable else 0)
    clock = Clock(address, ways.stride, kept, parallel)
    fired = [Fired(group.prefix, group.group.model.repeats) for group in groups]
    history = History(address, fired, ways.stride, kept, chunk_steps)
    probes = Probes(address, [group.prefix for group in groups], chunk_steps)
    return [clock, history, *driven, *backends, *neurons, probes], ways
