"""What was added to a description after a simulation of it had been built: it would be expected to be there."""

from __future__ import annotations

import copy

from biosnn.description.description import Description
from biosnn.description.items import Recorder

KINDS = {
    "connections": "connection",
    "poisson_inputs": "Poisson input",
    "currents": "current",
    "recorders": "recorder",
    "attached": "part",
    "monitors": "monitor",
}


def as_it_is(net: Description) -> Description:
    """The same description, without what is added to `net` from here on."""
    found = copy.copy(net)
    items = {name: value for name, value in vars(net).items() if isinstance(value, (list, dict))}
    vars(found).update({name: copy.copy(value) for name, value in items.items()})
    return found


def names_of_late(now: Description, built: Description) -> list[str]:
    """Kind and name of everything that stands in one and not in the other."""
    found = [f"population {name!r}" for name in list(now.populations)[len(built.populations) :]]
    for items, kind in KINDS.items():
        for item in getattr(now, items)[len(getattr(built, items)) :]:
            if isinstance(item, Recorder) and item.owner is not None:
                continue  # its monitor is named
            of = f" of {item.variable}" if isinstance(item, Recorder) else ""
            found.append(f"{kind} {item.name!r}{of}")
    return found
