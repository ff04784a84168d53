"""Where everything stands: ids, model groups, partitions, cells and input slots.

Every neuron and spike source has one network-wide id, in the order of their creation. Neurons of one model (and one
layout of receptors) form a model group, whose state arrays they share. A partition is what one thread updates and
delivers to: an equal share of the work of every model group, so any mixture of models is balanced. A cell is the part
of one population that lies in one partition: ids, state indices and input slots run on without a gap inside it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import I64
from biosnn.description.description import Description
from biosnn.description.population import Population
from biosnn.errors import DescriptionError
from biosnn.models.bank import Bank
from biosnn.models.base import NeuronModel

MOST_SLOTS = 65536  # of one partition: a packed synapse has 16 bits for its slot
# Cells start at multiples of 16 neurons where populations allow it, so vectors and cache lines are seldom shared.
ALIGN = 16
LINE_BITS = 512  # of a cache line
# Work of updating one neuron for one step, in synapses of in-degree (measured on the microcircuit, about 4 Hz).
UPDATE_WORK = 4000.0


class Cell(NamedTuple):
    """Neurons first..last-1 (ids) of one population in one partition; state index = id - to_state."""

    population: int
    part: int
    first: int
    last: int
    to_state: int


@dataclass
class ModelGroup:
    """Populations (by number) that share a model, a bank and one set of state arrays."""

    name: str
    model: NeuronModel  # of the first of them: they differ in the values of parameters only
    bank: Bank
    populations: list[int]
    n: int = 0
    injected: bool = False  # a current is injected into some of its neurons
    halved: bool = False  # the bank's states are kept in 16 bits
    dithered: frozenset[str] = frozenset()  # those that are rounded with a dither

    @property
    def function(self) -> str:
        """Name of the model's scalar function."""
        return self.model.function_name


@dataclass
class Layout:
    """The address space of one network."""

    names: list[str]
    first_id: I64  # of each population, and the total at the end
    groups: list[ModelGroup]
    group_of: list[int]  # model group of each population; -1 for spike sources
    n_parts: int
    cells: list[Cell]  # population by population, partition by partition; empty ones included
    # [2 + receptors, n_cells]: input slot - id, within the partition, for positive weights, for negative ones, and for
    # each receptor that some connection or input names
    slot_shift: I64
    receptors: list[str]
    slots_of: list[list[I64]]  # [group][slot] -> [n_cells of all] shift of each receptor of the group's cells
    n_slots: I64  # of each partition
    drive_at: I64  # where each partition's slots start in the input arrays; the total at the end

    @property
    def n_ids(self) -> int:
        """Neurons and spike sources."""
        return int(self.first_id[-1])

    @property
    def n_neurons(self) -> int:
        """Neurons, spike sources left out."""
        return sum(group.n for group in self.groups)

    def cell_table(self) -> NDArray[np.unsignedinteger]:
        """Number of the cell of each id (spike sources: 0, never used); a small type, for every synapse looks it up."""
        return self._cell_table

    @functools.cached_property
    def _cell_table(self) -> NDArray[np.unsignedinteger]:
        table = np.zeros(self.n_ids, np.min_scalar_type(len(self.cells)))
        for c, cell in enumerate(self.cells):
            table[cell.first : cell.last] = c
        return table

    def bit_words(self, sources: bool) -> I64:
        """Where the words of each list of spikes start, for a bit per neuron: no two lists share a cache line."""
        n = np.zeros(self.n_parts + sources, np.int64)
        for cell in self.cells:
            n[cell.part] += cell.last - cell.first
        if sources:
            n[-1] = self.n_ids - self.n_neurons
        return np.concatenate([[0], np.cumsum(-(-n // LINE_BITS) * (LINE_BITS // 32))])

    def bit_of(self, sources: bool) -> NDArray[np.uint32]:
        """The bit of each neuron and spike source: list by list, in the order of ids inside a list."""
        part = np.full(self.n_ids, self.n_parts, np.int64)
        for cell in self.cells:
            part[cell.first : cell.last] = cell.part
        order = np.argsort(part, kind="stable")
        first = np.searchsorted(part[order], np.arange(self.n_parts + 1))
        found = np.empty(self.n_ids, np.int64)
        found[order] = np.arange(self.n_ids) - first[part[order]] + 32 * self.bit_words(sources)[part[order]]
        return found.astype(np.uint32)

    def shift_row(self, receptor: str | None, negative: bool) -> int:
        """The row of `slot_shift` for weights of a sign onto a receptor (None: by the sign)."""
        return int(negative) if receptor is None else 2 + self.receptors.index(receptor)

    def first_of(self) -> dict[str, int]:
        """First id of each population, by name."""
        return self._first_of

    @functools.cached_property
    def _first_of(self) -> dict[str, int]:
        return {name: int(first) for name, first in zip(self.names, self.first_id[:-1], strict=True)}


def lay_out(net: Description, threads: int) -> Layout:
    """The layout of a network: a partition for each thread, or several where the slots would not fit 16 bits."""
    populations = list(net.populations.values())
    first_id = np.concatenate([[0], np.cumsum([p.n for p in populations])]).astype(np.int64)
    groups, group_of = _groups(net, populations)
    n_parts = threads
    while True:
        found = _partition(net, populations, first_id, groups, group_of, n_parts)
        if found.n_slots.max(initial=0) <= MOST_SLOTS:
            return found
        enough = n_parts * int(found.n_slots.max()) // MOST_SLOTS
        n_parts = max(n_parts + threads, enough // threads * threads)


def _groups(net: Description, populations: list[Population]) -> tuple[list[ModelGroup], list[int]]:
    observed: dict[str, set[str]] = {p.name: set() for p in populations}
    for recorder in net.recorders:
        for population in recorder.target.populations:
            observed[population.name].add(recorder.variable)
    injected = {p.name for c in net.currents for p in c.target.populations}
    groups: list[ModelGroup] = []
    group_of = []
    for number, population in enumerate(populations):
        if population.model is None:
            group_of.append(-1)
            continue
        model = population.model
        bank = model.bank(observed[population.name] | set(population.initial))
        alike = [g for g, group in enumerate(groups) if type(group.model) is type(model)]
        same = [g for g in alike if groups[g].bank == bank and groups[g].model.function() is model.function()]
        at = same[0] if same else len(groups)
        if at == len(groups):
            if any(group.model.label == model.label for group in groups if type(group.model) is not type(model)):
                raise DescriptionError(
                    f"population {population.name!r}: another model of this network is called {model.name!r}, too; "
                    f"rename one of the two functions"
                )
            name = model.label + (f"_{len(alike) + 1}" if alike else "")
            while name in (group.name for group in groups):  # own models may be called m and m_2
                name += "_"
            groups.append(ModelGroup(name, model, bank, []))
        groups[at].populations.append(number)
        groups[at].n += population.n
        groups[at].injected |= population.name in injected
        group_of.append(at)
    return groups, group_of


def _partition(
    net: Description,
    populations: list[Population],
    first_id: I64,
    groups: list[ModelGroup],
    group_of: list[int],
    n_parts: int,
) -> Layout:
    in_degree = _mean_in_degrees(net, populations)
    n_slots = np.zeros(n_parts, np.int64)
    cells: list[list[Cell]] = [[] for _ in populations]
    slots: list[list[I64]] = []
    for group in groups:
        sizes = np.array([populations[a].n for a in group.populations])
        start = np.concatenate([[0], np.cumsum(sizes)])
        work = np.concatenate([[0.0], np.cumsum((in_degree[group.populations] + UPDATE_WORK) * sizes)])
        cuts = np.interp(work[-1] * np.arange(1, n_parts) / n_parts, work, start)
        cuts = np.minimum((np.rint(cuts / ALIGN) * ALIGN).astype(np.int64), group.n)
        cuts = np.concatenate([[0], cuts, [group.n]])
        for k, a in enumerate(group.populations):
            edges = np.clip(cuts, start[k], start[k + 1]) - start[k] + first_id[a]
            to_state = int(first_id[a] - start[k])
            cells[a] = [Cell(a, p, int(edges[p]), int(edges[p + 1]), to_state) for p in range(n_parts)]
    flat = [cell for of_population in cells for cell in of_population]
    number = {id(cell): c for c, cell in enumerate(flat)}
    addressed = [*(c.receptor for c in net.connections), *(s.receptor for s in net.poisson_inputs)]
    named = sorted({receptor for receptor in addressed if receptor is not None})
    shift = np.zeros((2 + len(named), len(flat)), np.int64)
    for group in groups:
        of_group = [np.zeros(len(flat), np.int64) for _ in group.bank.slots]
        for p in range(n_parts):
            for of_slot in of_group:
                for a in group.populations:
                    cell = cells[a][p]
                    of_slot[number[id(cell)]] = n_slots[p] - cell.first
                    n_slots[p] += cell.last - cell.first
        mine = [number[id(cells[a][p])] for a in group.populations for p in range(n_parts)]
        shift[0, mine] = of_group[group.bank.exc][mine]
        shift[1, mine] = of_group[group.bank.inh][mine]
        for row, slot in ((2 + k, dict(group.bank.addresses).get(name)) for k, name in enumerate(named)):
            if slot is not None:
                shift[row, mine] = of_group[slot][mine]
        slots.append(of_group)
    drive_at = np.concatenate([[0], np.cumsum(-(-n_slots // ALIGN) * ALIGN)])
    names = [p.name for p in populations]
    return Layout(names, first_id, groups, group_of, n_parts, flat, shift, named, slots, n_slots, drive_at)


def _mean_in_degrees(net: Description, populations: list[Population]) -> NDArray[np.float64]:
    found = np.zeros(len(populations))
    number = {p.name: a for a, p in enumerate(populations)}
    for c in net.connections:
        for population, index, _ in c.target.by_population():
            found[number[population.name]] += c.n_expected / max(len(c.target), 1) * len(index) / max(population.n, 1)
    return found
