"""The options of `Network.plan`, `Network.build` and the command line: one table.

The parser of the command line, `asked` in choice.py, help(Asked) and the table in docs/performance.md are made from it.
The parser loads this file by its path, where not even NumPy is installed: it imports the standard library only.
"""

from __future__ import annotations

from typing import NamedTuple, TypedDict

FLOATS = ("none", "float32", "float16", "bfloat16")


class Option(NamedTuple):
    """One option: a name among `choices`, or a number in `unit`; `unset` says what the default None means."""

    name: str
    help: str
    default: str | float | None
    choices: tuple[str, ...] = ()
    kind: type = str
    unit: str = ""
    at_least: int = 0  # of a whole number
    unset: str = ""

    @property
    def flag(self) -> str:
        """As the command line spells it."""
        return "--" + self.name.replace("_", "-")

    @property
    def default_text(self) -> str:
        """The default, as help and pages show it."""
        return self.unset or (self.default if isinstance(self.default, str) else f"{self.default:g}")


OPTIONS = (
    Option(
        "synapse_backend",
        "what delivers spikes: the synapses of the neurons that fired (event_driven), or one sparse product over "
        "all synapses (spmm_fused); auto chooses for the network, or in each step",
        default="auto",
        choices=("auto", "event_driven", "spmm_fused"),
    ),
    Option(
        "fused_layout",
        "matrix of the sparse product: gathered target by target (csr), or swept synapse by synapse (coo); "
        "not for event_driven",
        default="auto",
        choices=("auto", "csr", "coo"),
    ),
    Option(
        "ring_strategy",
        "what waits until a delay is over: a sum for each neuron and step (dense), events in a bucket for each "
        "step (event_bucketed), or the spikes (spike_history)",
        default="auto",
        choices=("auto", "dense", "event_bucketed", "spike_history"),
    ),
    Option(
        "ring_dtype",
        "format of the values in a dense or event_bucketed ring: integers, which are exact (none), or floats, "
        "which are rounded",
        default="none",
        choices=FLOATS,
    ),
    Option(
        "ring_capacity_max",
        "most events that an event_bucketed ring may hold; a run that needs more ends there",
        default=None,
        kind=int,
        unit="events",
        at_least=1,
        unset="as many as --max-ring-mib allows",
    ),
    Option(
        "max_ring_mib",
        "most memory, in MiB, that a dense or event_bucketed ring may take; 0 or less: no limit",
        default=2048.0,
        kind=float,
        unit="MiB",
    ),
    Option(
        "receptor_state_dtype",
        "format in which conductances and currents of receptors are kept, as the weights are (none: float32) or "
        "in 16 bits; arithmetic is in float32",
        default="none",
        choices=FLOATS,
    ),
    Option(
        "max_record_mib",
        "most memory, in MiB, that a run may keep of what it records; one that needs more ends there, with what it "
        "has; 0 or less: no limit",
        default=2048.0,
        kind=float,
        unit="MiB",
    ),
)


class Asked(TypedDict, total=False):
    """What `Network.plan` and `Network.build` may be told; what is left out is left to BioSNN."""

    # The names and types of OPTIONS once more, for type checkers, which read no tables; a test holds them together.
    synapse_backend: str
    fused_layout: str
    ring_strategy: str
    ring_dtype: str
    ring_capacity_max: int | None
    max_ring_mib: float
    receptor_state_dtype: str
    max_record_mib: float


Asked.__doc__ = f"{Asked.__doc__}\n\n" + "\n".join(
    f"{o.name} ({', '.join(o.choices) or o.unit}; default: {o.default_text})\n    {o.help}" for o in OPTIONS
)
