"""What a neuron model declares: parameters with units and rules, state, receptors, and one scalar function.

A model is a membrane (a scalar function: state and input in, state out, did it spike) and a bank of receptors that
turns arriving synaptic input into the membrane's input. The engine writes the loop around both; neither knows of
arrays, indices or devices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.distributions import Distribution, as_values, extremes
from biosnn.errors import DescriptionError
from biosnn.fastmath import exp
from biosnn.models.bank import Bank, lay_bank
from biosnn.models.kinetics import MG_SLOPE, Parameter, Receptor, Resolved, Value, gains, kinetics
from biosnn.models.receptors import GivenReceptor, as_receptors

__all__ = [
    "F64",
    "HOLD",
    "REFRACTORY",
    "Input",
    "NeuronModel",
    "Parameter",
    "Receptor",
    "Resolved",
    "State",
    "Sum",
    "Value",
]

# What reaches a compartment within a step. At its start, middle and end: I, the current that does not depend on V (pA;
# injected, of current-based receptors, and sum of g E_rev), and G, the conductance (nS); the total current into V, a
# potential in the membrane's own coordinate, is I - G V. jump: what arrived at receptors without kinetics, in the unit
# of their weights.
Input = namedtuple("Input", "jump I_start I_mid I_end G_start G_mid G_end")


_ONE, _MINUS_SLOPE = np.float32(1), np.float32(-MG_SLOPE)


def unblocked(V: Any, Mg: Any) -> Any:
    """The fraction of NMDA receptors that magnesium does not block.

        1 / (1 + Mg exp(-0.062 V)),       Mg = [Mg] / 3.57 mM exp(-0.062 origin), V in mV above the origin

    Source: Jahr & Stevens 1990, J. Neurosci. 10:3178.
    """
    return _ONE / (_ONE + Mg * exp(_MINUS_SLOPE * V))


@dataclass(frozen=True)
class State:
    """A state variable of the membrane, one number of its dtype per neuron.

    `initial` is its start value, or names the parameter that gives it. The stored value is relative to the parameter
    `origin`, where there is one: membranes are computed in mV above rest, which keeps float32 sharp.
    `public` variables can be set and recorded by name.
    """

    name: str
    unit: str = ""
    initial: str | float = 0.0
    origin: str | None = None
    public: bool = True
    dtype: type[np.float32 | np.int32] = np.float32


@dataclass(frozen=True)
class Sum:
    """What can be recorded, but not set: the sum of the state variables `terms`, and of the parameter `origin`."""

    unit: str
    terms: tuple[str, ...]
    origin: str | None = None


# Steps for which a neuron is still held, or silent. An int32: a float32 cannot be counted down from above 2^24.
REFRACTORY = State("refractory", "steps", public=False, dtype=np.int32)
FINEST = 2.0**-22  # of the larger of two potentials: if they are so far apart, they differ in float32, above any rest
HOLD = "hold"  # the constant that it begins with, an int32 as well: `refractory_time` in steps


class NeuronModel(ABC):
    """A neuron model with its parameter values: numbers, arrays of one value per neuron, or distributions.

    `receptors` replaces the model's own by any others: see `biosnn.receptors`. Their parameters then replace those of
    its own, too.
    """

    name: ClassVar[str]
    membrane: ClassVar[Mapping[str, Parameter]]  # parameters, those of receptors left out
    choices: ClassVar[Mapping[str, bool]] = {}  # parameters that are true or false, for a whole population
    states: ClassVar[tuple[State, ...]]
    sums: ClassVar[Mapping[str, Sum]] = {}
    own_receptors: ClassVar[tuple[Receptor, ...]] = ()
    own_values: ClassVar[Mapping[str, Value]] = {}  # of their parameters, where they differ from the defaults
    accepts: ClassVar[tuple[str, ...]] = ("spikes", "currents")
    jump_unit: ClassVar[str] = "mV"  # of weights, where there are no receptors
    draws: ClassVar[int] = 0  # random words (uint32) that the scalar function takes, after its other arguments
    potentials: ClassVar[tuple[str, ...]] = ("V_m",)  # of each compartment: its potential
    # The parameter (ms) that says for how long a neuron sends no other spike after one, whatever its state, its input
    # and its other parameters: the history of spikes is as large as that allows. None: it may spike in every step.
    refractory_time: ClassVar[str | None] = None
    # The scalar functions. `exact`, of linear membranes: (state..., arriving, constants) -> (state..., spiked), where
    # `arriving` is what the input adds to V within the step; `step`: (state..., Input of each compartment, constants).
    exact: ClassVar[Callable[..., Any] | None] = None
    step: ClassVar[Callable[..., Any] | None] = None
    # Of models that go on within the step after a spike: (the same arguments) -> (state...), for neurons that spiked,
    # whose state the function above leaves as it was. Few do in a step; so it costs nothing where most do not.
    at_spike: ClassVar[Callable[..., Any] | None] = None
    # It may spike several times in a step: its function returns how often, or `at_spike` does, after the states. Such a
    # model counts the spikes that reach it: all arrive with a weight of 1.
    repeats: ClassVar[bool] = False
    # What else they take, before the constants: "injected", the current (pA).
    asks: ClassVar[tuple[str, ...]] = ()
    exact_constants: ClassVar[tuple[str, ...]] = ()
    step_constants: ClassVar[tuple[str, ...]] = ()

    def __init__(self, /, *, receptors: Sequence[GivenReceptor] | None = None, **values: Any) -> None:
        given = None if receptors is None else as_receptors(self.name, receptors, len(self.potentials))
        self.receptors = self.own_receptors if given is None else tuple(g.receptor for g in given)
        self.parameters = dict(self.membrane)
        for receptor in self.receptors:
            self._check_receptor(receptor)
            self.parameters |= receptor.parameters
        self.values: dict[str, Value] = {name: p.default for name, p in self.parameters.items()}
        self.values |= self.own_values if given is None else {k: v for g in given for k, v in g.values.items()}
        self.chosen = dict(self.choices)
        for name, value in values.items():
            _validate.known(self.name, "parameter", name, [*self.parameters, *self.choices])
            if name in self.choices:
                self.chosen[name] = _validate.flag(self.name, name, value)
                continue
            p = self.parameters[name]
            self.values[name] = as_values(
                self.name, name, value, None, p.unit, above=p.above, at_least=p.at_least, endless=p.endless
            )  # fmt: skip
            if abs(p.default) <= _validate.FARTHEST:  # else it may be as good as infinite
                _validate.check_size(self.name, name, extremes(self.values[name]), p.unit)
        self.size()
        self.check()

    def check(self) -> None:
        """Raise DescriptionError where parameters contradict each other."""

    def check_order(self) -> None:
        """Raise DescriptionError where potentials are not in order, as given or as drawn from what was given."""

    def check_initial(self, owner: str, initial: Mapping[str, Value]) -> None:
        """Raise DescriptionError where initial values contradict the parameters."""

    @abstractmethod
    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """The constants of the membrane's scalar functions for a step of dt ms, and what its input is made with.

        That is I_e (pA); of linear membranes also `rest` and `p20`, what I_e and 1 pA add to V within dt (mV).
        """

    def linear(self, p: Resolved) -> tuple[Any, Any]:
        """C_m (pF) and tau_m (ms) of a membrane that has an `exact` function."""
        raise NotImplementedError

    @property
    def is_exact(self) -> bool:
        """Whether the pair of membrane and receptors is linear, and so integrated exactly."""
        return self.exact is not None and (self.step is None or all(r.reversal is None for r in self.receptors))

    def function(self) -> Callable[..., Any]:
        """The scalar function that fits the receptors and the choices."""
        found = type(self).exact if self.is_exact else type(self).step
        assert found is not None
        return found

    @property
    def refractoriness(self) -> Value:
        """The `refractory_time` (ms), in which a neuron sends no other spike; none, if the model declares none."""
        return 0.0 if self.refractory_time is None else self.values[self.refractory_time]

    @property
    def label(self) -> str:
        """What its populations are called in a driver."""
        return self.name

    @property
    def function_name(self) -> str:
        """Name of `function` in a driver."""
        return str(self.function().__name__)

    @property
    def constants_name(self) -> str:
        """What the named tuple of the function's constants is called in a driver."""
        return f"{self.function_name}_constants"

    def array(self, variable: str) -> str:
        """What the array of a variable is called in a driver."""
        return variable

    def arguments(self, states: Sequence[str], inputs: Sequence[str]) -> list[str]:
        """The arguments of the scalar function, given how the driver writes states and inputs; c are its constants."""
        return [*states, *inputs, "c"]

    @property
    def counts(self) -> bool:
        """Whether it counts the spikes that reach it, whatever their weights."""
        return self.repeats and "spikes" in self.accepts

    def most_spikes(self, dt: float) -> int:
        """The most spikes of a neuron in a step of dt ms, if it does not depend on the spikes that reach it."""
        return 1

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the constants that `function` takes."""
        return self.exact_constants if self.is_exact else self.step_constants

    def bank(self, observed: Collection[str]) -> Bank:
        """The receptors, laid out so that the `observed` variables exist as arrays."""
        return lay_bank(self.receptors, self.values, observed, self.is_exact)

    def all_constants(self, p: Resolved, dt: float) -> dict[str, float | F64]:
        """The constants of the membrane and of its receptors."""
        found = self.discretise(p, dt)
        if self.refractory_time is not None:
            found[HOLD] = np.rint(np.asarray(p[self.refractory_time]) / dt)
        for receptor in self.receptors:
            origin = self._origin(receptor.compartment)
            of_receptor = kinetics(receptor, p, dt, 0.0 if origin is None else p[origin])
            if self.is_exact:
                of_receptor |= gains(receptor, p, dt, *self.linear(p))
            self._check_names(receptor, "constant", of_receptor, found)
            found |= of_receptor
        return found

    def settable(self) -> dict[str, str]:
        """Names and units of the variables that can be given an initial value."""
        public = {s.name: s.unit for s in self.states if s.public}
        return {**public, **{r.variable: r.unit for r in self.receptors}}

    def recordable(self) -> dict[str, str]:
        """Names and units of what can be recorded: the same, and sums of them."""
        return {**self.settable(), **{name: s.unit for name, s in self.sums.items()}}

    def terms(self, variable: str) -> Sum:
        """The state variables that one that is recorded is the sum of; most are one themselves."""
        origin = next((s.origin for s in self.states if s.name == variable), None)
        return self.sums.get(variable, Sum("", (variable,), origin))

    def size(self) -> int | None:
        """The number of neurons that per-neuron parameter arrays ask for; None without any."""
        sizes = {v.size for v in self.values.values() if isinstance(v, np.ndarray)}
        if len(sizes) > 1:
            raise DescriptionError(f"{self.name}: parameter arrays have different lengths: {sorted(sizes)}")
        return sizes.pop() if sizes else None

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.values.items() if v is not self.parameters[n].default}
        changed |= {n: v for n, v in self.chosen.items() if v is not self.choices[n]}
        return f"{self.name}({', '.join(f'{n}={_validate.shown(v)}' for n, v in changed.items())})"

    def endless(self, name: str) -> NDArray[np.bool_]:
        """Whether a parameter is infinite: for all neurons, or for each (n,)."""
        value = self.values[name]
        return np.isinf([0.0] if isinstance(value, Distribution) else np.atleast_1d(value))

    def check_ordered(self, low: str, high: str) -> None:
        """Raise DescriptionError unless parameter `low` stays below `high` for every neuron, where it is not infinite.

        By more than what rounding to float32, relative to rest, can take away: neurons that are held at V_reset would
        spike in each step if that were V_th.
        """
        a, b = self.values[low], self.values[high]
        origin = self._origin(0)
        sizes = np.abs([*extremes(a), *extremes(b), *extremes(0.0 if origin is None else self.values[origin])])
        apart = FINEST * float(sizes[np.isfinite(sizes)].max(initial=0.0))
        highest = extremes(a)[1] if isinstance(a, Distribution) else np.where(self.endless(low), -np.inf, a)
        between = np.atleast_1d((extremes(b)[0] if isinstance(b, Distribution) else b) - highest)
        bad = np.flatnonzero(between <= apart)
        if bad.size:
            k = bad[0]
            how = f"at least {apart:.1g} {self.parameters[low].unit}" if between[k] > 0 else self.parameters[low].unit
            got = " and ".join(f"{x[k]:g}" if isinstance(x, np.ndarray) else _validate.shown(x) for x in (a, b))
            where = f" (at index {k})" if between.size > 1 else ""
            raise DescriptionError(f"{self.name}: {low} must be below {high} ({how}), got {got}{where}")

    def _check_receptor(self, receptor: Receptor) -> None:
        """Raise DescriptionError if a variable or parameter of a receptor is called like one of the membrane's."""
        self._check_names(receptor, "parameter", receptor.parameters, self.membrane)
        variables = [receptor.variable, *([receptor.rising] if receptor.rising else [])]
        self._check_names(receptor, "variable", variables, [s.name for s in self.states])

    def _check_names(self, receptor: Receptor, kind: str, its: Collection[str], others: Collection[str]) -> None:
        twice = sorted(set(its) & set(others))
        if twice:
            raise DescriptionError(
                f"{self.name}: receptor {receptor.name!r} has a {kind} {twice[0]!r}, as the membrane has; give the "
                f"receptor another name"
            )

    def _origin(self, compartment: int) -> str | None:
        """The parameter that the potential of a compartment is relative to."""
        return next(s.origin for s in self.states if s.name == self.potentials[compartment])
