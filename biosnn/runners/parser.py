"""The flags of the command line.

argparse-manpage loads this file by its path to write the manual page, in a build environment that holds
neither NumPy nor Numba nor BioSNN itself. So this file imports the standard library only, and only reads
values: whether they make sense is checked by those who use them.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EPILOG = """\
Examples:

  biosnn --demo microcircuit --scale 0.1 --duration 2000
  biosnn --demo brunel --seed 7 --mode fast --out runs/seven
  biosnn --demo million --ring-strategy event_bucketed --plan
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `biosnn` and of `python -m biosnn.runners.cli`.

    --n, --p, --scale, --steps, --threads, --ring-capacity-max, --spikes, --monitors, both --monitor-...-sample and
    --out are None unless they were given. --duration always holds a value; --steps, where given, goes before it.
    """
    parser = _Parser(
        prog="biosnn",
        description="Simulate a network of spiking neurons, and write what it did into a run directory.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,  # keeps the lines of the examples apart
        allow_abbrev=False,  # so that a flag added later never changes what an old script means
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {_version()}", help="show the version and exit"
    )
    parser.add_argument(
        "--clear-cache",
        action="store_true",
        help="remove the compiled code that is kept in ~/.cache/biosnn, or in the folder that BIOSNN_CACHE_DIR names, "
        "say how much that was, and exit; what is needed again is compiled again",
    )

    _add_network(parser.add_argument_group("Network"))
    _add_time(parser.add_argument_group("Time"))
    _add_machine(parser.add_argument_group("Machine"))
    _add_options(parser.add_argument_group("How spikes travel, and how states are kept"))
    _add_monitors(parser.add_argument_group("Monitors: what is looked at during a run"))
    _add_output(parser.add_argument_group("Output"))
    _add_profile(parser.add_argument_group("Profile"))
    return parser


def _add_network(network: argparse._ArgumentGroup) -> None:
    """What is simulated."""
    network.add_argument(
        "--demo",
        choices=["network", "vogels_abbott", "coba", "brunel", "microcircuit", "million", "vision"],
        default="network",
        help="what to simulate: a balanced random network (network), Vogels & Abbott 2005 with current-based "
        "synapses (vogels_abbott) or conductances (coba), Brunel 2000, the cortical microcircuit of Potjans & Diesmann "
        "2014, 1,000,000 neurons with "
        "100 synapses each and delays of 1 to 20 ms (million), or a retina and the orientation-selective cells of a "
        "visual cortex, before which gratings drift (vision) (default: %(default)s)",
    )
    network.add_argument(
        "--n",
        type=int,
        metavar="NEURONS",
        help="number of neurons, excitatory and inhibitory together, of vision those of the cortex; not for "
        "microcircuit, which has --scale (default: network 4000, vogels_abbott 4000, coba 4000, brunel 12500, million "
        "1000000, vision 2000)",
    )
    network.add_argument(
        "--p",
        type=float,
        metavar="PROBABILITY",
        help="probability, 0 to 1, of a synapse from one neuron to another; for network only (default: 0.02)",
    )
    network.add_argument(
        "--scale",
        type=float,
        metavar="FRACTION",
        help="fraction, up to 1, of the neurons and of the in-degrees; a direct current stands in for the "
        "input that is left out; for microcircuit only (default: 1.0, full scale)",
    )
    network.add_argument(
        "--receptor-mode",
        choices=["none", "exc_only", "ei_ampa_nmda_gabaa", "ei_ampa_nmda_gabaa_gabab"],
        help="receptors of the neurons: those of the model (none), or a usual set: AMPA alone, with NMDA and GABA_A, "
        "or with GABA_B, too; for coba only (default: none)",
    )
    network.add_argument(
        "--frames",
        metavar="FILE.npy",
        help="what is shown, over and over: an array (frames, height, width) of numbers from 0, dark, to 1, each frame "
        "for 20 ms, or one image (height, width); 24 to 64 pixels high and wide; for vision only (default: gratings of "
        "eight orientations, 40 x 40 pixels)",
    )
    network.add_argument(
        "--seed",
        type=int,
        default=1,
        help="whole number that fixes everything random: connections, initial values and input; the same "
        "seed gives the same spikes for any number of threads (default: %(default)s)",
    )


def _add_time(time: argparse._ArgumentGroup) -> None:
    """For how long."""
    span = time.add_mutually_exclusive_group()
    span.add_argument("--steps", type=int, help="number of steps to measure, instead of --duration")
    span.add_argument(
        "--duration",
        type=float,
        default=1000.0,
        metavar="MS",
        help="biological time to measure, in ms (default: %(default)g)",
    )
    time.add_argument(
        "--warmup",
        type=float,
        default=200.0,
        metavar="MS",
        help="biological time, in ms, that is simulated before measuring begins and is not recorded "
        "(default: %(default)g)",
    )
    time.add_argument(
        "--dt", type=float, default=0.1, metavar="MS", help="length of one step, in ms (default: %(default)g)"
    )


def _add_machine(machine: argparse._ArgumentGroup) -> None:
    """Where."""
    machine.add_argument(
        "--device", choices=["cpu", "cuda"], default="cpu", help="where to simulate (default: %(default)s)"
    )
    machine.add_argument("--threads", type=int, help="number of CPU threads (default: chosen from the planned work)")


def _add_output(output: argparse._ArgumentGroup) -> None:
    """What is written and said."""
    output.add_argument(
        "--plan",
        action="store_true",
        help="print the memory that the network would take, array by array, and stop: nothing is built or written",
    )
    output.add_argument(
        "--driver",
        action="store_true",
        help="with --plan, print instead the Python module that would run the network",
    )
    output.add_argument(
        "--mode",
        choices=["dashboard", "fast"],
        default="dashboard",
        help="what to keep: everything (dashboard), or only metrics.csv and summary.json (fast) (default: %(default)s)",
    )
    output.add_argument(
        "--out",
        type=_directory,
        metavar="DIRECTORY",
        help="run directory, made if it is not there (default: runs/DEMO-TIMESTAMP)",
    )
    output.add_argument(
        "--spikes",
        choices=["csv", "jsonl", "h5", "npz"],
        help="format of the spike file: text (spikes.csv), JSON lines (spikes.jsonl), HDF5 in the layout of SONATA "
        "(spikes.h5; the hdf5 extra) or NumPy's arrays, at the end of the run (spikes.npz); not with --mode fast, "
        "which writes none (default: csv)",
    )
    output.add_argument(
        "--quiet",
        action="store_true",
        help="say nothing but what went wrong: no progress, no figures at the end (they are in summary.json)",
    )


def _add_profile(profile: argparse._ArgumentGroup) -> None:
    """Where the time goes."""
    profile.add_argument(
        "--profile",
        action="store_true",
        help="after the measured time, simulate some steps more with clocks in the driver; print what their time went "
        "to, and write it to profile.json, which Perfetto (ui.perfetto.dev) opens",
    )
    profile.add_argument(
        "--profile-steps", type=int, metavar="STEPS", help="number of those steps; with --profile alone (default: 20)"
    )


def _add_monitors(group: argparse._ArgumentGroup) -> None:
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--monitors",
        type=lambda text: text.split(","),
        metavar="NAME,...",
        help="spikes (a file, and a picture of them), populations (rate, active part, events and potential of each, "
        "every 10 ms), traces (potentials of some neurons, every ms), topology (populations, projections, some "
        "synapses); not with --mode fast (default: all of them)",
    )
    which.add_argument("--no-monitors", action="store_true", help="none of them, in any mode")
    group.add_argument(
        "--large-network-safety",
        action="store_true",
        help="whatever else is asked for, keep what is looked at within bounds: sets --monitor-safe-defaults; what "
        "that changes is said, and stands in run_config.json",
    )
    group.add_argument(
        "--monitor-safe-defaults",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="sample no more neurons and synapses than the next two options say, however large the network; "
        "--no-monitor-safe-defaults: all of them",
    )
    group.add_argument(
        "--monitor-neuron-sample",
        type=int,
        metavar="NEURONS",
        help="most neurons, of all populations together, whose state a monitor looks at (default: 512)",
    )
    group.add_argument(
        "--monitor-edge-sample",
        type=int,
        metavar="SYNAPSES",
        help="most synapses that topology.json lists (default: 20000)",
    )


def _add_options(ways: argparse._ArgumentGroup) -> None:
    """A flag for each option of `Network.plan`."""
    for option in _beside("engine/planning/options.py")["OPTIONS"]:
        ways.add_argument(
            option.flag,
            choices=option.choices or None,
            type=option.kind,
            default=option.default,
            metavar=option.unit.upper() or None,
            help=f"{option.help} (default: {option.default_text})",
        )


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage, ten lines for this many flags, would bury it."""

    def error(self, message: str) -> NoReturn:
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)  # arguments may hold line breaks
        self.exit(2, f"{self.prog}: error: {shown}; see {self.prog} --help\n")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if arg_strings == ["--"]:  # --n=-- would be an empty list to Python before 3.13
            raise argparse.ArgumentError(action, "expected one argument, got '--'")
        return super()._get_values(action, arg_strings)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        if file is not None and file is sys.stdout:
            file.write(message)  # argparse itself passes over what cannot be written
        else:
            super()._print_message(message, file)


def _directory(text: str) -> Path:
    if not text or "\0" in text:  # an empty path would be the current directory: of a variable that is not set, perhaps
        raise argparse.ArgumentTypeError(f"must name a directory, got {text!r}")
    return Path(text)


def _version() -> str:
    return str(_beside("_version.py")["__version__"])


def _beside(path: str) -> dict[str, Any]:
    # By path: importing biosnn would import NumPy, which the environment that builds the manual page lacks.
    return runpy.run_path(str(Path(__file__).parents[1] / path))
