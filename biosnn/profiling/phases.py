"""What time is charged to: the phases of a step by the names that a profile has for them, and their numbers."""

from __future__ import annotations

from biosnn.parts.part import Phase

# In the order of a step, as far as they have one. Kernels and drivers know them by these numbers.
DELIVER, RINGS, ARRIVE, UPDATE, COLLECT, RECORD, WAIT, LOOP = range(8)
NAMES = ("deliver", "rings", "arrive", "update", "collect", "record", "wait", "loop")
ABOUT = {
    "deliver": "synapses of the spikes that are due",
    "rings": "from rings to the input",
    "arrive": "input from outside",
    "update": "neurons and their receptors, in one loop",
    "collect": "listing the spikes",
    "record": "sampling states",
    "wait": "for the other threads",
    "loop": "the time loop around all that",
}
# The name, in a driver, of what each phase of a part is charged to.
CHARGED = {
    Phase.BEFORE: "ARRIVE",
    Phase.DELIVER: "DELIVER",
    Phase.TAKE: "RINGS",
    Phase.ARRIVE: "ARRIVE",
    Phase.UPDATE: "UPDATE",
    Phase.COLLECT: "COLLECT",
    Phase.MARK: "COLLECT",
    Phase.SAMPLE: "RECORD",
    Phase.AFTER: "RINGS",
}
# Of a row of laps: when the last one ended (ns), and how many are logged; then, phase by phase, ns and laps.
ENDED, LOGGED, FIRST = range(3)
LAP_NS = 25  # what a lap takes itself, on Linux
MOST_LOGGED = 10_000  # laps of a row, for a time line
