"""A model's scalar functions, called as the plain Python that they are: one neuron, step by step."""

from collections import namedtuple

import numpy as np

from biosnn.models.base import HOLD, Input

F = np.float32


def constants(model, dt):
    """What the functions take as p."""
    found = model.all_constants(model.values, dt)
    kind = namedtuple("kind", model.constants)
    return kind(*((np.int32 if name == HOLD else F)(found[name]) for name in model.constants))


def walk(model, dt, inputs, start):
    """States after each step, (n_steps, n_states), and whether there was a spike.

    `inputs`: a row of six numbers for each step, I at its start, middle and end, and G; `start`: one per state.
    """
    p, function = constants(model, dt), model.function()
    states = [s.dtype(x) for s, x in zip(model.states, start, strict=True)]
    trace, spikes = [], []
    with np.errstate(all="ignore"):
        for row in inputs.astype(F):
            x = Input(F(0), *row)
            given = [F(row[0] * 1e-3)] if model.is_exact else [x] * len(model.potentials)
            given += [F(0)] * len(model.asks)
            *after, spiked = function(*states, *given, p)
            if spiked and model.at_spike is not None:
                after = model.at_spike(*states, *given, p)
            states = list(after)
            trace.append(states)
            spikes.append(bool(spiked))
    return np.array(trace, float), np.array(spikes)
