"""One odd description: a call with one or two odd values among its arguments; what is accepted is built and run."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from unittest import mock

import numpy as np
from fuzz import FindingError
from fuzz_calls import CALLS, World
from fuzz_odd import odd

import biosnn as bs
from biosnn.backends import cpu
from biosnn.errors import BioSNNError, RunEndedError

STEPS = 20
SMALL = 200_000  # synapses that are drawn
NEW_DRIVERS = 0.01  # of the descriptions whose driver was not compiled before: the others are built without
_PYTHONS = ("argument", "positional", "keyword", "unsupported operand")


def case(seed: int) -> str:
    """Make an odd call; plan, build and run what is accepted. Raises what is a finding."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(CALLS)))
    call, arguments = CALLS[name]
    w = World(rng)
    given = {key: make(w) for key, make in arguments.items() if rng.random() < 0.7}
    some = rng.permutation(list(arguments))[: 1 + (rng.random() < 0.3)].tolist()
    try:
        given |= {key: odd(rng, w) for key in some}
        call(w, **given)
        _check(w.net, rng)
    except BioSNNError as error:
        text = str(error)
        if not text or "\n" in text or len(text) > 1000:
            raise FindingError(f"{name}({', '.join(some)}): not a message of one line: {text!r}") from error
        return "refused"
    except TypeError as error:  # Python's own, about a call or two things that cannot be added
        if "biosnn" not in str(error) and any(word in str(error) for word in _PYTHONS):
            return "refused"
        raise
    for key in some:
        if _is_nonsense(arguments[key](w), given[key]) and key != "progress":
            raise FindingError(f"{name}({key}={given[key]!r}) was accepted")
    return "done"


def _is_nonsense(right: object, value: object) -> bool:
    """Whether a value cannot stand where `right` can: no flag for a flag, nothing that counts for a number."""
    if isinstance(right, bool):
        return not isinstance(value, bool | np.bool_)
    if not isinstance(right, int | float):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "USMmcV" or bool(np.ma.is_masked(value))
    return isinstance(value, str | bytes | bytearray | memoryview | complex | bool)


def _check(net: bs.Network, rng: np.random.Generator) -> None:
    """Plan, build and run a network that was described: what is refused now, is refused by the plan."""
    plan = net.plan(threads=1)
    if not str(plan) or plan.bytes < 0:
        raise FindingError("the plan says nothing")
    if plan.n_synapses > SMALL or plan.bytes > 2**29:
        return
    compiled = rng.random() < NEW_DRIVERS
    load = cpu.load_driver

    def load_if_compiled(text):
        nonlocal compiled
        compiled |= not cpu.is_new(text)
        return load(text) if compiled else SimpleNamespace(ARGUMENTS=(), advance=lambda *_: None)

    try:
        with mock.patch.object(cpu, "load_driver", load_if_compiled):
            sim = net.build(threads=1)
    except BioSNNError as error:
        raise FindingError(f"planned, but not built: {error}") from error
    if not np.isfinite(sim.synapses().weights).all():
        raise FindingError("weights are not finite")
    if not compiled:
        return
    with contextlib.suppress(RunEndedError):
        result = sim.run(STEPS * net.dt)
        for samples in (s for of in result.samples.values() for s in of.values()):
            if not np.isfinite(samples.values).all():
                raise FindingError("what was recorded is not finite")
