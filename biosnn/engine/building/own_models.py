"""Compiling a user's model by itself, before its driver: what does not compile is reported in the user's own lines."""

from __future__ import annotations

import re
from collections import namedtuple

import numpy as np

from biosnn import fastmath
from biosnn._numba import scalar
from biosnn.errors import DescriptionError
from biosnn.models.own.neuron import OwnModel
from biosnn.models.own.source import FUNCTIONS
from biosnn.random import uniform


def check_own_model(model: OwnModel) -> None:
    """Raise DescriptionError, with the line, if Numba cannot compile the model's function for numbers in float32."""
    import numba  # here: where nothing is compiled, this module is imported all the same
    from numba.core.errors import NumbaError

    source, owner = model.source, f"model {model.name!r}"
    names = {name: scalar(getattr(fastmath, name)) for name in FUNCTIONS}
    names |= {"f32": np.float32, "uniform": uniform}
    exec(compile(source.tree, source.file, "exec"), names)
    for definition in source.tree.body:
        names[definition.name] = scalar(names[definition.name])  # type: ignore[attr-defined]
    constants = namedtuple("constants", model.constants)  # type: ignore[misc]
    number = numba.float32
    signature = [number] * (len(model.states) + 1)
    signature += [numba.types.NamedUniTuple(number, len(constants._fields), constants), number]
    signature += [numba.uint32] * model.draws
    try:
        result = names[source.name].compile(tuple(signature)) and names[source.name].overloads
        returned = next(iter(result.values())).signature.return_type
    except NumbaError as error:
        raise DescriptionError(f"{owner}: {_reason(str(error))} ({_place(str(error), model)})") from None
    kinds = list(returned)
    for state, kind in zip([s.name for s in model.states], kinds, strict=False):
        if kind != number:
            raise DescriptionError(
                f"{owner}: {state} is returned as {kind}, not as a number ({source.place(source.first)})"
            )


def _place(message: str, model: OwnModel) -> str:
    """The first line of the user's file that a message of Numba names."""
    found = re.search(re.escape(f'File "{model.source.file}", line ') + r"(\d+)", message)
    short = re.search(r'File "[^"]*' + re.escape(model.source.file.rsplit("/", 1)[-1]) + r'", line (\d+)', message)
    match = found or short
    return model.source.place(int(match[1]) if match else model.source.first)


def _reason(message: str) -> str:
    """The line of a message of Numba that says most, without its own stages."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Failed in", "During", "File", "<source", "^", "There are"))]
    return told[0].rstrip(".:") if told else "it cannot be compiled"
