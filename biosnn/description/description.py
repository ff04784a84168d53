"""The description of a network: the verbs a user calls, and their checks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.description.delays import check_refractory, delays_in_range
from biosnn.description.drives import Inputs, names_of, sides_of
from biosnn.description.geometry import geometry
from biosnn.description.items import (
    Attached,
    Connection,
    CurrentInput,
    PoissonInput,
    Recorder,
    SpikeTrains,
    VaryingCurrent,
)
from biosnn.description.population import MOST_IDS, Group, Population, as_group
from biosnn.description.positions import Place, as_place
from biosnn.description.rules import listed as explicit
from biosnn.description.rules.base import Sides
from biosnn.description.weights import signed, weight_unit
from biosnn.distributions import as_values, extremes
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel
from biosnn.parts.part import Part


class Watches(Protocol):
    """A monitor, as a description sees it."""

    def watch(self, net: Description) -> None:
        """Ask for what it has to see."""


Watching = TypeVar("Watching", bound=Watches)
SHORTEST_DT = 1e-3  # ms, NEST's finest as well; a shorter one was given in s


class Description(Inputs):
    """Populations, connections, stimuli and recorders of a network, in the order of the calls.

    dt is the step in ms; `seed` decides everything that is random.
    Raises DescriptionError where a call cannot be simulated, naming the rule and the way out.
    """

    def __init__(self, dt: float = 0.1, seed: int = 1) -> None:
        # as it is written: 0.1 of 32 bits is 0.1, not 0.10000000149
        written = float(str(_validate.time("Network", "dt", dt, above=0)))
        self.dt = _validate.number("Network", "dt", written, "ms", at_least=SHORTEST_DT)
        self.seed = _validate.count("Network", "seed", seed)
        self.populations: dict[str, Population] = {}
        self.connections: list[Connection] = []
        self.poisson_inputs: list[PoissonInput] = []
        self.currents: list[CurrentInput | VaryingCurrent] = []
        self.spike_trains: list[SpikeTrains] = []
        self.recorders: list[Recorder] = []
        self.attached: list[Attached] = []
        self.monitors: list[Any] = []
        # what is looked up at each call, so that describing thousands of them does not take thousands of looks at each
        self._numbered: list[Population] = []
        self._n_ids = 0
        self._connected: set[str] = set()
        self._recorded: set[tuple[str, str]] = set()

    def population(
        self,
        name: str,
        n: int,
        model: NeuronModel,
        /,
        *,
        shape: tuple[int, ...] | None = None,
        positions: Any = None,
        initial: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Population:
        """Add `n` neurons of a model; other keywords set initial values of state variables (V_m in mV, ...).

        A value is a number, an array of n numbers or a distribution; `initial` maps variables to values as well, also
        those that are called like an argument. `shape` says how the neurons are arranged, (H, W) where they stand for
        the pixels of an image; n is its product. `positions` says where they stand (um): grid(...),
        random_positions(...), or an array (n, 1 | 2 | 3); only what depends on distances needs them.
        """
        owner = self._new_owner("population", name)
        if isinstance(model, type) or not (hasattr(model, "discretise") and hasattr(model, "bank")):
            raise DescriptionError(
                f"{owner}: expected a neuron model such as models.iaf_psc_exp(), got {_validate.shown(model)}"
            )
        n = _validate.count(owner, "n", n)
        shape = sides_of(owner, shape, n)
        if model.size() not in (None, n):
            raise DescriptionError(
                f"{owner}: parameter arrays of {model.name} must be of shape ({n},), got ({model.size()},)"
            )
        check_refractory(owner, model, self.dt)
        units = model.settable()
        given = _merged(owner, initial, values)
        for variable in given:
            _validate.known(owner, "state variable", variable, units)
        start = {v: as_values(owner, v, x, n, units[v]) for v, x in given.items()}
        for variable, value in start.items():
            _validate.check_size(owner, variable, extremes(value), units[variable])
        model.check_initial(owner, start)
        return self._add(owner, Population(name, n, model, start, shape, self._place(owner, positions, n)))

    def connect(
        self,
        source: Group | list[Group],
        target: Group | list[Group],
        rule: Any,
        *,
        weight: Any = None,
        delay: Any = 1.0,
        receptor: str | None = None,
        name: str | None = None,
    ) -> Connection:
        """Connect two groups by a rule, a scipy.sparse matrix, or index arrays (sources, targets).

        `weight` is in the target model's unit (pA, mV, nS), positive or negative, `delay` in ms: numbers, distributions
        or arrays beside listed synapses (n_synapses,), one_to_one (n,) and all_to_all (n_source, n_target). A matrix
        has the shape (n_source, n_target) and holds the weights; delays beside it are a matrix of the same entries, or
        an array in the order of its `tocoo().data`. Entries of one pair are added up, unless each has its own delay:
        then each is a synapse. Delays are rounded to whole steps; of a distribution, what falls below one step becomes
        one step. Of neurons that have positions, a weight may be a profile, as in 87.8 * space.gaussian(std=200), and a
        delay space.conduction(velocity).

        `receptor` names one of the target's receptors; without it, positive and negative weights go to the first
        excitatory and inhibitory one. Weights onto conductances are of one sign, and count by size; those onto
        inhibitory ones are kept, and read back, as negative. Raises UnknownNameError for a receptor that is not there.
        """
        index = len(self.connections)
        source, target = as_group("connect", source), as_group("connect", target)
        name = _validate.optional_name("connect", name) or f"{names_of(source)}->{names_of(target)}" + (
            f"#{index}" if self._taken(names_of(source), names_of(target)) else ""
        )
        owner = f"connect {name!r}"
        if name in self._connected:
            raise DescriptionError(f"{owner}: there is a connection of that name already; give another")
        self._mine(owner, source, target)
        self._accepting(owner, target, "spikes")
        sides = Sides(
            len(source), len(target), functools.partial(_own, source, target),
            functools.partial(geometry, owner, source, target),
        )  # fmt: skip
        unit = weight_unit(owner, target, receptor)
        rule, pairs, weight, delay = explicit.resolve(owner, rule, sides, weight, delay, unit)
        rule.check(owner, sides)
        n_pairs = None if pairs is None else pairs.sources.size
        weight = as_values(owner, "weight", weight, n_pairs, unit)
        _validate.check_unit(owner, "weight", extremes(weight), unit)
        weight = signed(owner, target, receptor, weight)
        delay = delays_in_range(owner, as_values(owner, "delay", delay, n_pairs, "ms"), self.dt)
        for what, values in (("weight", weight), ("delay", delay)):
            if isinstance(values, np.ndarray) and pairs is None:
                raise DescriptionError(
                    f"{owner}: {what}s as an array need listed synapses (matrix, indices, one_to_one, all_to_all), "
                    f"not {rule.name}; give a distribution"
                )
        found = Connection(name, index, source, target, rule, pairs, weight, delay, sides, receptor)
        self.connections.append(found)
        self._connected.add(name)
        return found

    def record(
        self,
        target: Group | list[Group],
        variable: str = "spikes",
        *,
        every: float | None = None,
        name: str | None = None,
    ) -> Recorder:
        """Record "spikes", or a state variable (V_m, ...) every `every` ms (default: each step).

        A variable is in the unit of its model, `every` a multiple of dt. The results appear under the populations'
        names, or under `name`. Raises UnknownNameError for a variable that the model does not have.
        """
        target, owner = self._recordable("record", target, variable, ["spikes"])
        if variable == "spikes" and every is not None:
            raise DescriptionError(f"{owner}: spikes are recorded whenever they happen; `every` is for state variables")
        steps = 1 if every is None else _validate.whole_steps(owner, "every", every, self.dt, at_least=1)
        found = Recorder(_validate.optional_name("record", name) or names_of(target), target, variable, steps)
        if (found.name, variable) in self._recorded:
            raise DescriptionError(f"{owner}: {variable!r} is recorded under {found.name!r} already; give another name")
        self.recorders.append(found)
        self._recorded.add((found.name, variable))
        return found

    def monitor(self, monitor: Watching) -> Watching:
        """Let a monitor, of biosnn.monitors or your own, watch every run of this network; returns it."""
        if isinstance(monitor, type) or not hasattr(monitor, "watch"):
            raise DescriptionError(
                f"monitor: expected a monitor such as biosnn.monitors.Traces('traces'), got {_validate.shown(monitor)}"
            )
        if monitor in self.monitors:
            raise DescriptionError(f"monitor: {type(monitor).__name__} watches this network already")
        monitor.watch(self)
        self.monitors.append(monitor)
        return monitor

    def sample(self, owner: Any, target: Group, variable: str, every: int) -> None:
        """Sample a state variable every `every` steps for a monitor: nobody else is handed it."""
        target, asked_by = self._recordable("sample", target, variable, [])
        every = _validate.count(asked_by, "every", every, at_least=1)
        self.recorders.append(Recorder(names_of(target), target, variable, every, owner))

    def attach(self, make: Callable[[Any], Iterable[Part]], name: str = "") -> None:
        """Add an input or a recorder of your own: parts of the driver, as docs/architecture.md describes them.

        `make` is called with the `Address` of the network when it is planned, and gives instances of `Part`.
        """
        if not callable(make):
            raise DescriptionError(f"attach: make must be a function of an address, got {_validate.shown(make)}")
        self.attached.append(Attached(name or getattr(make, "__name__", "part"), make))

    def population_at(self, a: int) -> Population:
        """Population number a, in the order of the calls."""
        return self._numbered[a]

    def model_at(self, a: int) -> NeuronModel:
        """The model of population number a, which is one of neurons."""
        model = self._numbered[a].model
        assert model is not None
        return model

    def _recordable(
        self, verb: str, target: Group | list[Group], variable: str, besides: list[str]
    ) -> tuple[Group, str]:
        """The group of which a variable is recorded, or one of `besides`, and how messages name the call."""
        group = as_group(verb, target)
        owner = f"{verb} {names_of(group)!r}"
        self._mine(owner, group)
        for population in group.populations:
            names = {} if population.model is None else population.model.recordable()
            _validate.known(f"{verb} {population.name!r}", "variable", variable, [*besides, *names])
        return group, owner

    def _new_owner(self, kind: str, name: Any) -> str:
        """How messages name a new population, if its name will do."""
        owner = f"{kind} {_validate.shown(name)}"
        if not isinstance(name, str) or not name:
            raise DescriptionError(f"{owner}: the name must be a non-empty string")
        if name in self.populations:
            raise DescriptionError(f"{owner}: there is a population of that name already; give another")
        return owner

    def _place(self, owner: str, positions: Any, n: int) -> Place | None:
        return as_place(owner, positions, n, self.seed, len(self.populations))

    def _add(self, owner: str, population: Population) -> Population:
        total = self._n_ids + population.n
        if total > MOST_IDS:
            raise DescriptionError(f"{owner}: a network has at most {MOST_IDS:,} neurons and sources, got {total:,}")
        self.populations[population.name] = population
        self._numbered.append(population)
        self._n_ids = total
        return population

    def _mine(self, owner: str, *groups: Group) -> None:
        for group in groups:
            for population in group.populations:
                if self.populations.get(population.name) is not population:
                    raise DescriptionError(f"{owner}: population {population.name!r} belongs to another network")

    def _accepting(self, owner: str, group: Group, what: str) -> Group:
        for population in group.populations:
            if population.model is None:
                raise DescriptionError(f"{owner}: {population.name!r} is a spike source and takes no input")
            if what not in population.model.accepts:
                raise DescriptionError(
                    f"{owner}: {population.name!r} are {population.model.name}, which take no {what}"
                )
        return group

    def _taken(self, source: str, target: str) -> bool:
        return f"{source}->{target}" in self._connected


def _merged(owner: str, initial: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Initial values, as a mapping and as keywords; each is given once."""
    if initial is None:
        return values
    if not isinstance(initial, Mapping):
        raise DescriptionError(
            f"{owner}: initial must map names of state variables to values, got {_validate.shown(initial)}"
        )
    twice = sorted(set(initial) & set(values))
    if twice:
        raise DescriptionError(f"{owner}: {twice[0]} is given twice, as a keyword and in initial; leave one out")
    return {**initial, **values}


def _own(source: Group, target: Group) -> NDArray[np.int64]:
    """For each source, its position among the targets; -1 if it is none."""
    first, total = {}, 0
    for population in dict.fromkeys([*target.populations, *source.populations]):
        first[population.name] = total
        total += population.n
    position = np.full(total, -1, np.int64)
    position[target.ids(first)] = np.arange(len(target))
    return position[source.ids(first)]
