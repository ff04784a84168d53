"""What a neuron model declares: parameters with units and rules, state, receptors, and one scalar function.

A model is a membrane (a scalar function: state and input in, state out, did it spike) and a bank of receptors that
turns arriving synaptic input into the membrane's input. The engine writes the loop around both; neither knows of
arrays, indices or devices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn.distributions import Distribution, as_values, extremes
from biosnn.errors import DescriptionError

F64 = NDArray[np.float64]
Value = float | F64 | Distribution
Resolved = Mapping[str, "float | F64"]  # parameter values of one population, distributions drawn


@dataclass(frozen=True)
class Parameter:
    """A parameter in user units: default, unit and the bounds it must keep."""

    default: float
    unit: str
    meaning: str
    above: float | None = None
    at_least: float | None = None


@dataclass(frozen=True)
class State:
    """A state variable of the membrane, one float32 per neuron.

    `initial` names the parameter that gives its start value (None: zero). The stored value is relative to the parameter
    `origin`, where there is one: membranes are computed in mV above rest, which keeps float32 sharp.
    `public` variables can be set and recorded by name.
    """

    name: str
    unit: str = ""
    initial: str | None = None
    origin: str | None = None
    public: bool = True


@dataclass(frozen=True)
class SynapticState:
    """One variable of a receptor bank: x' = decay * x + arriving, read by the membrane as gain * x.

    `slots` are the receptors whose input it takes. `gain` None: only observed, not read by the membrane.
    """

    name: str
    unit: str
    slots: tuple[int, ...]
    decay: str
    gain: str | None


@dataclass(frozen=True)
class Bank:
    """The receptors of a model: names of the slots that synapses address, and the variables behind them.

    `exc` and `inh` are the slots that positive and negative weights go to. Slots of one `scale` share a weight unit.
    Without states the input reaches the membrane in the step in which it arrives (delta pulses).
    """

    slots: tuple[str, ...]
    exc: int
    inh: int
    scale: tuple[int, ...]
    states: tuple[SynapticState, ...] = ()


class NeuronModel(ABC):
    """A neuron model with its parameter values: numbers, arrays of one value per neuron, or distributions."""

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]]
    states: ClassVar[tuple[State, ...]]
    weight_unit: ClassVar[str]
    # The scalar function: (state..., input, constants) -> (state..., spiked), and the constants it is given.
    step: ClassVar[Callable[..., Any]]
    constants: ClassVar[tuple[str, ...]]

    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Value] = {name: p.default for name, p in self.parameters.items()}
        for name, value in values.items():
            _validate.known(self.name, "parameter", name, self.parameters)
            p = self.parameters[name]
            self.values[name] = as_values(self.name, name, value, None, p.unit, above=p.above, at_least=p.at_least)
        self.check()

    def check(self) -> None:
        """Raise DescriptionError where parameters contradict each other."""

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """Raise DescriptionError where initial values contradict the parameters."""

    @abstractmethod
    def bank(self, observed: Collection[str]) -> Bank:
        """The receptors, laid out so that the `observed` variables exist as arrays."""

    @abstractmethod
    def discretise(self, p: Resolved, dt: float) -> dict[str, float | F64]:
        """The constants of the scalar functions (names of `constants` and of the bank) for a step of dt ms."""

    def recordable(self) -> dict[str, str]:
        """Names and units of what can be recorded."""
        banks = {s.name: s.unit for s in self.bank(()).states}
        return {**{s.name: s.unit for s in self.states if s.public}, **banks}

    def size(self) -> int | None:
        """The number of neurons that per-neuron parameter arrays ask for; None without any."""
        sizes = {v.size for v in self.values.values() if isinstance(v, np.ndarray)}
        if len(sizes) > 1:
            raise DescriptionError(f"{self.name}: parameter arrays have different lengths: {sorted(sizes)}")
        return sizes.pop() if sizes else None

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.values.items() if v is not self.parameters[n].default}
        return f"{self.name}({', '.join(f'{n}={v}' for n, v in changed.items())})"

    def check_ordered(self, low: str, high: str) -> None:
        """Raise DescriptionError unless parameter `low` stays below `high` for every neuron."""
        a, b = self.values[low], self.values[high]
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.size == b.size:
            fine = bool((a < b).all())
        else:
            fine = extremes(a)[1] < extremes(b)[0]
        if not fine:
            raise DescriptionError(
                f"{self.name}: {low} must be below {high} ({self.parameters[low].unit}), "
                f"got {_validate.shown(a)} and {_validate.shown(b)}"
            )
