"""A bank: the receptors of a model as the engine sees them: input slots, and states that advance by constants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosnn.distributions import extremes
from biosnn.models.kinetics import Receptor, Value

Term = tuple[str | None, str]  # constant (None: one) times state
SUMMED = "I_syn"  # name of the current that stands for those of all receptors


@dataclass(frozen=True)
class SynapticState:
    """One variable of a bank: its value after a step is the sum of `terms`, and of what arrived.

    `arrivals`: slots whose input it takes, with the constant it is multiplied by (None: one); slots of one constant
    follow each other. `gain`: constant of what it adds to V in a step, of banks that are integrated exactly.
    """

    name: str
    terms: tuple[Term, ...]
    arrivals: tuple[tuple[tuple[int, ...], str | None], ...] = ()
    gain: str | None = None


@dataclass(frozen=True)
class Course:
    """A receptor's conductance or current in the course of a step: terms at its start, middle and end."""

    receptor: Receptor
    start: tuple[Term, ...]
    middle: tuple[Term, ...]
    end: tuple[Term, ...]


@dataclass(frozen=True)
class Bank:
    """The receptors of a model: names of the slots that synapses address, and the variables behind them.

    `exc` and `inh` are the slots that positive and negative weights go to; `addresses` (name, slot) are what users may
    call them. Slots of one `scale` share a weight unit. `signs` -1: weights are negative, and open a conductance.
    Without states the input reaches the membrane in the step in which it arrives (delta pulses).
    """

    slots: tuple[str, ...]
    addresses: tuple[tuple[str, int], ...]
    exc: int
    inh: int
    scale: tuple[int, ...]
    signs: tuple[int, ...]
    exact: bool
    states: tuple[SynapticState, ...] = ()
    courses: tuple[Course, ...] = ()

    def slot(self, receptor: str) -> int:
        """The slot that synapses onto a receptor go to."""
        return dict(self.addresses)[receptor]


def lay_bank(
    receptors: Sequence[Receptor], values: Mapping[str, Value], observed: Collection[str], exact: bool
) -> Bank:
    """The bank of some receptors, whose parameters have these values.

    Where a linear membrane has receptors of one kinetics and one time constant, their sum is kept as one current; the
    parts are kept beside it where they are `observed`, and give the same spikes, to the bit.
    """
    if not receptors:
        return Bank(("delta",), (("delta", 0),), 0, 0, (0,), (1,), exact)
    slots = tuple(r.name for r in receptors)
    addresses = tuple((name, k) for k, name in enumerate(slots))
    # positive weights go to the first excitatory receptor, negative ones to the first inhibitory one; if all are of one
    # sort, to the first
    inh = next((k for k, r in enumerate(receptors) if is_inhibitory(r, values)), 0)
    exc = next((k for k, r in enumerate(receptors) if not is_inhibitory(r, values)), 0)
    signs = tuple(-1 if r.reversal is not None and is_inhibitory(r, values) else 1 for r in receptors)
    if exact and len(receptors) > 1 and _are_alike(receptors, values):
        first = receptors[0]
        if not {r.variable for r in receptors} & set(observed):
            states = _states(first, SUMMED, ((0,),), exact=True)
            return Bank(("syn",), tuple((name, 0) for name in slots), 0, 0, (0,), (1,), exact, states)
        # The integer sum of all receptors drives the membrane exactly as if they were one; the parts are only watched.
        states = _states(first, SUMMED, (tuple(range(len(slots))),), exact=True)
        for k, r in enumerate(receptors):
            states += _states(r, r.variable, ((k,),), exact=False)
        return Bank(slots, addresses, exc, inh, (0,) * len(slots), signs, exact, states)
    courses: tuple[Course, ...] = ()
    states = ()
    for k, r in enumerate(receptors):
        states += _states(r, r.variable, ((k,),), exact, _partner(r, slots))
        courses += (_course(r),) if not exact else ()
    return Bank(slots, addresses, exc, inh, tuple(range(len(slots))), signs, exact, states, courses)


def is_inhibitory(receptor: Receptor, values: Mapping[str, Value]) -> bool:
    """Whether negative weights go to a receptor, when synapses do not name one: so in the name, or by its reversal."""
    if receptor.name.split("_")[0] == "in":
        return True
    E_rev = values[receptor.reversal] if receptor.reversal is not None else 0.0
    return float(extremes(E_rev).mean()) < -40.0


def _are_alike(receptors: Sequence[Receptor], values: Mapping[str, Value]) -> bool:
    """Whether all have one kinetics, with the same time constants."""
    first = receptors[0]
    for r in receptors[1:]:
        if r.kind != first.kind or r.partner is not None:
            return False
        for a, b in zip((values[t] for t in first.tau), (values[t] for t in r.tau), strict=True):
            arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
            if not arrays and not (isinstance(a, float) and isinstance(b, float) and a == b):
                return False
    return True


def _partner(receptor: Receptor, slots: Sequence[str]) -> tuple[tuple[tuple[int, ...], str], ...]:
    if receptor.partner is None:
        return ()
    return (((slots.index(receptor.partner[0]),), f"share_{receptor.name}"),)


def _states(
    receptor: Receptor,
    name: str,
    slots: tuple[tuple[int, ...], ...],
    exact: bool,
    partner: tuple[tuple[tuple[int, ...], str], ...] = (),
) -> tuple[SynapticState, ...]:
    r = receptor.name
    gain = f"gain_{r}" if exact else None
    if receptor.rising is None:
        arrivals = tuple((s, None) for s in slots) + partner
        return (SynapticState(name, ((f"decay_{r}", name),), arrivals, gain),)
    arrivals = tuple((s, f"jump_{r}") for s in slots)
    arrivals += tuple((s, f"jump_{r} * {share}") for s, share in partner)
    x = f"d{name}"
    return (
        # after g, which is fed by x as it was before the step
        SynapticState(name, ((f"feed_{r}", x), (f"decay_{r}", name)), (), gain),
        SynapticState(x, ((f"rise_{r}", x),), arrivals, f"gain_rise_{r}" if exact else None),
    )


def _course(receptor: Receptor) -> Course:
    r, g = receptor.name, receptor.variable
    feeds = [] if receptor.rising is None else [(f"mid_feed_{r}", receptor.rising), (f"feed_{r}", receptor.rising)]
    middle, end = (tuple(feeds[k : k + 1]) for k in range(2))
    return Course(receptor, ((None, g),), (*middle, (f"mid_decay_{r}", g)), (*end, (f"decay_{r}", g)))
