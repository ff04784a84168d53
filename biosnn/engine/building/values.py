"""From what users gave to one value per population or per neuron: distributions are drawn, numbers stay numbers."""

from __future__ import annotations

import copy

import numpy as np

from biosnn import _validate, random
from biosnn._arrays import F64
from biosnn.description.description import Description
from biosnn.description.items import Values
from biosnn.distributions import Distribution
from biosnn.errors import DescriptionError
from biosnn.models.base import Resolved

# Items of the random streams: the variables of each population, numbered in the order of their declaration.
_MOST_VARIABLES = 256
CUT = "cut it off with .redrawn(min, max)"


def parameters(net: Description, a: int) -> Resolved:
    """The parameters of population number a. Raises DescriptionError for one that was drawn beyond its bounds.

    The quantiles that are looked at when a model is made leave out the outermost 1/131,072 of each tail.
    """
    population = net.population_at(a)
    model = population.model
    assert model is not None
    found = {}
    for k, (name, value) in enumerate(model.values.items()):
        found[name] = _draw(value, net.seed, random.PARAMETER, a * _MOST_VARIABLES + k, population.n)
        if isinstance(value, Distribution):
            p, where = model.parameters[name], f" from {value}; {CUT}"
            owner = f"population {population.name!r}"
            _validate.check_range(
                owner, name, np.asarray(found[name]), p.unit, where, above=p.above, at_least=p.at_least
            )
    if any(isinstance(value, Distribution) for value in model.values.values()):
        drawn = copy.copy(model)
        drawn.values = dict(found)
        try:
            drawn.check_order()
        except DescriptionError as error:
            raise DescriptionError(f"population {population.name!r}, as drawn: {error}; {CUT}") from None
    return found


def initial(net: Description, a: int, variable: str) -> float | F64 | None:
    """Initial value(s) that the user set for a variable of population number a; None if none."""
    population = net.population_at(a)
    if variable not in population.initial:
        return None
    k = list(population.initial).index(variable)
    return _draw(population.initial[variable], net.seed, random.INITIAL, a * _MOST_VARIABLES + k, population.n)


def _draw(value: Values, seed: int, stream: int, item: int, n: int) -> float | F64:
    if not isinstance(value, Distribution):
        return value
    return np.asarray(value.quantile(random.uniforms(seed, stream, item, n)), np.float64)
