"""`neuron`: a model of the user's own, written as one function of numbers, like those of BioSNN."""

from __future__ import annotations

import inspect
import keyword
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from biosnn import _validate
from biosnn.errors import DescriptionError
from biosnn.models.base import NeuronModel, Parameter, Resolved, State
from biosnn.models.own.source import PARAMETER, Source, translate
from biosnn.models.receptors import GivenReceptor, as_receptors

# What names of states and parameters mean something else already: arguments of the function, what is recorded, and what
# a model is made with.
RESERVED = ("I", "p", "dt", "spikes", "receptors")


class OwnModel(NeuronModel):
    """What models made by `neuron` share."""

    source: ClassVar[Source]

    @property
    def label(self) -> str:
        """Its name in a driver, where one of ours may have the same."""
        return self.source.name

    @property
    def function_name(self) -> str:
        """Name of its function in the driver."""
        return self.source.name

    @property
    def constants_name(self) -> str:
        """What its constants are called there: not "own_m_constants", which could be the function of another model."""
        return f"constants_of_{self.function_name}"

    def array(self, variable: str) -> str:
        """Arrays of states that the user named are called so that they meet none of a receptor or of the engine."""
        return f"state_{variable}" if any(s.name == variable for s in self.states) else variable

    def arguments(self, states: Sequence[str], inputs: Sequence[str]) -> list[str]:
        """The states, I as one number, the constants and dt."""
        x = inputs[0]
        return [*states, f"{x}.I_start - {x}.G_start * {states[0]} + {x}.jump", "c", f"c.{PARAMETER}dt"]

    def discretise(self, p: Resolved, dt: float) -> dict[str, Any]:
        """The parameters as they are."""
        given = {PARAMETER + name: np.asarray(p[name]) for name in self.membrane}
        return {**given, f"{PARAMETER}dt": np.asarray(dt), "I_e": np.asarray(0.0)}


def neuron(
    state: Mapping[str, float],
    params: Mapping[str, float] | None = None,
    *,
    receptors: Sequence[GivenReceptor] = (),
) -> Callable[[Callable[..., Any]], type[NeuronModel]]:
    """Make a neuron model of a function that takes one neuron over one step:

        @bs.neuron(state=dict(v=-65.0, u=-13.0), params=dict(a=0.02, b=0.2, c=-65.0, d=8.0))
        def izhikevich(v, u, I, p, dt):
            v = v + dt * (0.04 * v**2 + 5.0 * v + 140.0 - u + I)
            u = u + dt * p.a * (p.b * v - u)
            spiked = v >= 30.0
            return (p.c if spiked else v), (u + p.d if spiked else u), spiked

    `state` and `params` name the variables and parameters, with their start and default values. The function is given
    the states in that order, the input I, the parameters (p.a, ...) and dt (ms), all float32, and returns the new
    states and whether the neuron spiked. I is the injected current, plus what `receptors` let through: currents, and
    g (E_rev - first state) of conductances, as they are at the start of the step. A model without receptors gets the
    weights of the spikes that arrive in the step as part of I.

    It may use + - * / **, comparisons, `if`, loops over range(n), numbers and functions defined outside of it, exp,
    log, sqrt, sin, cos, tanh, abs, min, max (also by way of math and NumPy), and random(): uniform in [0, 1), another
    number for every call, neuron and step, the same for any number of threads.

    The result is used like the models of BioSNN: net.population("p", 100, izhikevich(d=bs.normal(8.0, 1.0)), v=-70.0).
    Raises DescriptionError, with the line, for what a function of numbers cannot contain.
    """

    def make(function: Callable[..., Any]) -> type[NeuronModel]:
        if not inspect.isfunction(function):
            raise DescriptionError(f"neuron: a model is made of a function, got {_validate.shown(function)}")
        name = function.__name__
        owner = f"model {name!r}"
        for what, given in (("state", state), ("params", {} if params is None else params)):
            if not isinstance(given, Mapping) or not all(isinstance(v, str) for v in given):
                raise DescriptionError(
                    f"{owner}: {what} must be a dict of names and numbers, got {_validate.shown(given)}"
                )
        # Python reads an identifier in its normal form: the micro sign is the Greek letter
        start = {_normal(v): _validate.number(owner, v, x) for v, x in state.items()}
        defaults = {_normal(v): _validate.number(owner, v, x) for v, x in ({} if params is None else params).items()}
        if not start:
            raise DescriptionError(f"{owner}: a neuron has at least one state variable; give state=dict(v=...)")
        for variable in (*start, *defaults):
            plain = variable.isidentifier() and not keyword.iskeyword(variable)
            if not plain or variable in RESERVED or (variable in start and variable in defaults):
                raise DescriptionError(f"{owner}: {variable!r} cannot name a variable; choose another name")
        bank = as_receptors(name, receptors, 1)
        rules = {v: Parameter(x, "", v) for v, x in defaults.items()}
        source = translate(function, start, defaults)
        members = {
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "name": name,
            "membrane": rules,
            "states": tuple(State(v, initial=x) for v, x in start.items()),
            "potentials": (next(iter(start)),),
            "jump_unit": "",
            "step": staticmethod(function),
            "step_constants": tuple(PARAMETER + v for v in (*rules, "dt")),
            "own_receptors": tuple(g.receptor for g in bank),
            "own_values": {k: v for g in bank for k, v in g.values.items()},
            "source": source,
            "draws": source.draws,
        }
        return type(name, (OwnModel,), members)

    return make


def _normal(name: str) -> str:
    return unicodedata.normalize("NFKC", name)
