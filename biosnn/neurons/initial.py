"""What the neurons of a group begin with: their constants, and their states at time 0."""

from __future__ import annotations

import numpy as np

from biosnn.address.address import Address
from biosnn.address.layout import ModelGroup
from biosnn.models.bank import SUMMED
from biosnn.models.base import HOLD
from biosnn.neurons.body import constant_names
from biosnn.parts.array import Arrays
from biosnn.parts.part import Draws


def constants(address: Address, group: ModelGroup, varied: frozenset[str], draws: Draws) -> Arrays:
    """A row of constants and a HOLD per population, and an array for each of the `varied`, one value per neuron."""
    names = [*constant_names(group), *([HOLD] if HOLD in group.model.constants else [])]
    found = []
    for a in group.populations:
        model = address.net.model_at(a)
        values = model.all_constants(draws.parameters(a), address.net.dt)
        for k, slot in enumerate(group.bank.slots):
            values[f"unit_{slot}"] = group.bank.signs[k] * address.precision.units[(a, group.bank.scale[k])]
        found.append([np.asarray(values[name], np.float64) for name in names])
    shared = np.array([[0.0 if x.ndim else float(x) for x in row] for row in found])
    arrays = {
        name: np.concatenate([
            np.broadcast_to(row[k], address.net.population_at(a).n)
            for a, row in zip(group.populations, found, strict=True)
        ]) for k, name in enumerate(names) if name in varied
    }  # fmt: skip
    n = len(constant_names(group))
    return {"constants": shared[:, :n], "holds": shared[:, n:].ravel(), **arrays}


def initial(address: Address, group: ModelGroup, draws: Draws) -> Arrays:
    """State variables at time 0."""
    found: Arrays = {group.model.array(s.name): np.zeros(group.n, s.dtype) for s in group.model.states}
    found |= {s.name: np.zeros(group.n, np.float32) for s in group.bank.states}
    at = 0
    for a in group.populations:
        here = slice(at, at + address.net.population_at(a).n)
        at = here.stop
        p = draws.parameters(a)
        for state in group.model.states:
            value = draws.initial(a, state.name)
            if value is None:
                value = p[state.initial] if isinstance(state.initial, str) else state.initial
            origin = p[state.origin] if state.origin is not None else 0.0
            found[group.model.array(state.name)][here] = np.asarray(value) - origin
        given = {r.variable: draws.initial(a, r.variable) for r in address.net.model_at(a).receptors}
        for s in group.bank.states:
            # a sum over receptors starts as the sum of what was given for its parts
            parts = list(given.values()) if s.name == SUMMED else [given.get(s.name)]
            found[s.name][here] = sum(np.asarray(v) for v in parts if v is not None)
    return found | {s.name: draws.encoded(found[s.name], address.receptor_dtype) for s in group.bank.states}
