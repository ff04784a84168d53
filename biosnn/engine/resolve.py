"""From what users gave to one value per population or per neuron: distributions are drawn, numbers stay numbers."""

from __future__ import annotations

import numpy as np

from biosnn import random
from biosnn.distributions import F64, Distribution
from biosnn.engine.layout import ModelGroup
from biosnn.engine.update_loop import constant_names
from biosnn.models.base import Resolved
from biosnn.network.description import Description
from biosnn.network.items import Values

# Items of the random streams: the variables of each population, numbered in the order of their declaration.
_MOST_VARIABLES = 256


def parameters(net: Description, a: int) -> Resolved:
    """The parameters of population number a."""
    population = list(net.populations.values())[a]
    assert population.model is not None
    values = population.model.values
    return {
        name: _draw(value, net.seed, random.PARAMETER, a * _MOST_VARIABLES + k, population.n)
        for k, (name, value) in enumerate(values.items())
    }


def initial(net: Description, a: int, variable: str) -> float | F64 | None:
    """Initial value(s) that the user set for a variable of population number a; None if none."""
    population = list(net.populations.values())[a]
    if variable not in population.initial:
        return None
    k = list(population.initial).index(variable)
    return _draw(population.initial[variable], net.seed, random.INITIAL, a * _MOST_VARIABLES + k, population.n)


def varied(net: Description, group: ModelGroup) -> frozenset[str]:
    """Constants of a group that differ between the neurons of a population: found with two neurons for all."""
    found: set[str] = set()
    for a in group.populations:
        model = list(net.populations.values())[a].model
        assert model is not None
        constants = model.discretise({name: _two_of(value) for name, value in model.values.items()}, net.dt)
        found |= {name for name, value in constants.items() if np.ndim(value)}
    return frozenset(found.intersection(constant_names(group)))


def _two_of(value: Values) -> float | F64:
    if isinstance(value, Distribution):
        return np.asarray(value.quantile(np.array([0.25, 0.75])), np.float64)
    return value if isinstance(value, float) else np.resize(value, 2)


def _draw(value: Values, seed: int, stream: int, item: int, n: int) -> float | F64:
    if not isinstance(value, Distribution):
        return value
    return np.asarray(value.quantile(random.uniforms(seed, stream, item, n)), np.float64)
