"""The command line: `biosnn`, or `python -m biosnn.runners.cli`."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from biosnn import _cache, _validate, backends
from biosnn.backends.interrupts import finishing
from biosnn.demos import DEMOS
from biosnn.engine.planning.options import OPTIONS, Asked
from biosnn.engine.planning.plan import Plan
from biosnn.errors import BioSNNError, DescriptionError, OutputError
from biosnn.monitors import Monitor, Traces
from biosnn.profiling import watching
from biosnn.recording import (
    MetricsCsv,
    RasterPng,
    RatesPng,
    Sink,
    SpikesCsv,
    SpikesH5,
    SpikesJsonl,
    SpikesNpz,
    TracesPng,
)
from biosnn.recording.pictures import Picture
from biosnn.runners.features import features
from biosnn.runners.monitoring import SPIKES, chosen_monitors, made_safe, monitors_of
from biosnn.runners.parser import build_parser
from biosnn.runners.run_directory import RunDirectory
from biosnn.runners.run_status import RunStatus
from biosnn.runners.summary import chosen_ways, report, summary
from biosnn.runners.terminal import (
    INTERRUPTED,
    UNREAD,
    NobodyReadsError,
    ended_at_once,
    ended_by_signals,
    say,
    say_error,
    show,
    standard_output,
)

if TYPE_CHECKING:
    from biosnn.engine.running.simulation import Simulation
    from biosnn.recording.results import Result

# By the name that --spikes knows, which is how the file ends.
FORMATS: dict[str, Callable[[Path], Sink]] = {
    "csv": SpikesCsv, "jsonl": SpikesJsonl, "h5": SpikesH5, "npz": SpikesNpz,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0, 2 after one line that names what is wrong, 130 after Ctrl-C.

    SIGTERM and SIGHUP end it as Ctrl-C does. 141: nobody read what was printed; the files are complete.
    """
    messages = logging.StreamHandler()
    logging.getLogger("biosnn").addHandler(messages)
    logging.getLogger("biosnn").setLevel(logging.INFO)
    try:
        with ended_by_signals():
            with standard_output():
                args = build_parser().parse_args(argv)
            if args.quiet:
                logging.getLogger("biosnn").setLevel(logging.WARNING)
            if args.clear_cache:
                clear_cache()
            else:
                simulate(args, alone=argv is None)
    except NobodyReadsError:
        return UNREAD
    except (BioSNNError, OSError, MemoryError) as error:
        say_error(error)
        return 2
    except KeyboardInterrupt as stop:
        say_error(stop)
        return INTERRUPTED
    finally:
        logging.getLogger("biosnn").removeHandler(messages)
    return 0


def clear_cache() -> None:
    """Remove compiled code, of this version and of others, and say what that freed."""
    folders, size, root = _cache.clear()
    show(f"freed {size / 2**20:.1f} MiB: {folders} folder(s) of compiled code in {root or 'no home folder'}")


def simulate(args: argparse.Namespace, alone: bool) -> None:
    """Check everything, build, run, and write the run directory; with --plan, print the plan or its driver instead.

    `alone`: the process is the command line's own, and may be ended while the network is built.
    """
    if args.driver and not args.plan:
        raise DescriptionError("--driver prints what --plan plans: give --plan, too")
    profiled, changed = _profile_steps(args), made_safe(args)
    for change in changed:
        say(change)
    backends.check(args.device)
    _spikes(args)
    asked = demo_arguments(args)
    net = DEMOS[args.demo](**asked)
    monitors = monitors_of(net, args)
    warmup = _validate.whole_steps("--warmup", "time", args.warmup, args.dt)
    steps = (
        _validate.count("--steps", "number", args.steps, at_least=1)
        if args.steps is not None
        else _validate.whole_steps("--duration", "time", args.duration, args.dt, at_least=1)
    )
    plan = net.plan(args.threads, **asked_ways(args))
    if args.plan:
        show(plan.driver_source if args.driver else str(plan))
    plan.check_memory()
    if args.plan:
        return
    directory = RunDirectory(args.out, args.demo)
    status = RunStatus(directory, steps)
    with status.told():
        for monitor in monitors:
            monitor.place(directory.file(monitor.written_as))
        _write_settings(args, asked, steps, plan, directory, changed)
        watched = watching() if profiled else contextlib.nullcontext()
        with ended_at_once() if alone else contextlib.nullcontext(), watched:
            sim = net.build(device=args.device, threads=plan.threads, **asked_ways(args))
        _run(sim, args, warmup, steps, directory, status, monitors)
        if profiled:
            status.enter("profiling")
            _profile(sim, profiled, directory, args.quiet)


def _write_settings(
    args: argparse.Namespace, asked: dict[str, Any], steps: int, plan: Plan, directory: RunDirectory,
    changed: Sequence[str],
) -> None:  # fmt: skip
    """The files that say what will be run."""
    directory.write_json(
        "run_config.json",
        {
            "demo": args.demo, **asked, "steps": steps, "duration_ms": steps * args.dt, "warmup_ms": args.warmup,
            "device": args.device, "threads": plan.threads, "mode": args.mode, "monitors": chosen_monitors(args),
            "monitor_safe_defaults": args.monitor_safe_defaults, "large_network_safety": args.large_network_safety,
            "changed_for_safety": changed, "spikes": _spikes(args),
            "out": str(directory.path), "receptor_state_dtype": plan.receptor_dtype, **chosen_ways(plan),
            "ring_capacity_max": _capacity_max(args, plan),
            "max_ring_mib": args.max_ring_mib, "max_record_mib": args.max_record_mib, "asked": asked_ways(args),
            "profile_steps": _profile_steps(args),
        },
    )  # fmt: skip
    directory.write_json("run_features.json", features(plan))


def _spikes(args: argparse.Namespace) -> str | None:
    """Format of the spike file; None: there is none. Raises DescriptionError where one is asked for in vain."""
    if SPIKES in chosen_monitors(args):
        return args.spikes or "csv"
    if args.spikes is not None:
        why = "--mode fast" if args.mode == "fast" else "--no-monitors" if args.no_monitors else "--monitors without it"
        raise DescriptionError(f"--spikes {args.spikes}: {why} writes no spikes; leave one of them out")
    return None


def demo_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the demo, defaults filled in. Raises DescriptionError for a flag that it does not take."""
    parameters = inspect.signature(DEMOS[args.demo]).parameters
    found = {name: p.default for name, p in parameters.items()} | {"dt": args.dt, "seed": args.seed}
    for flag in ("n", "p", "scale", "receptor_mode", "frames"):
        value = getattr(args, flag)
        if value is None:
            continue
        if flag not in parameters:
            spelled = flag.replace("_", "-")
            others = [name for name, make in DEMOS.items() if flag in inspect.signature(make).parameters]
            raise DescriptionError(
                f"--{spelled}: not for --demo {args.demo}; it belongs to {', '.join(others)}; leave it out"
            )
        found[flag] = value
    return found


def asked_ways(args: argparse.Namespace) -> Asked:
    """How spikes shall travel, and how states are kept."""
    return cast(Asked, {option.name: getattr(args, option.name) for option in OPTIONS})


def _capacity_max(args: argparse.Namespace, plan: Plan) -> int | None:
    """Events that the ring may hold, rounded to blocks in each partition; None: no ring of events, or no limit."""
    limited = args.ring_capacity_max is not None or args.max_ring_mib > 0
    return plan.ways.capacity_max * plan.layout.n_parts if plan.ways.capacity_max and limited else None


def _run(
    sim: Simulation, args: argparse.Namespace, warmup: int, steps: int, directory: RunDirectory, status: RunStatus,
    monitors: Sequence[Monitor],
) -> None:  # fmt: skip
    progress = not args.quiet
    if warmup:
        say(f"warming up, {args.warmup:g} ms")
        status.enter("warming up")
        sim.run(warmup * args.dt, progress=progress, monitored=False)
    say(f"simulating, {steps * args.dt:g} ms")
    end, sinks = sim.step + steps, [*_sinks(args, directory, monitors), status]
    at_end: list[Callable[[], object]] = []
    with finishing(at_end):
        try:
            result = sim.run(steps * args.dt, sink=sinks, progress=progress)
        except (KeyboardInterrupt, BioSNNError, OSError, MemoryError) as error:
            if isinstance(error, OutputError) and sim.step == end:  # the run is whole, and only a file is not
                at_end.append(partial(_conclude, args, sim, error.result, directory))
            else:
                kept = "what happened until then" if not isinstance(error, OSError) else "what could be written"
                say(f"stopped at {sim.time - warmup * args.dt:g} ms; {directory} holds {kept}")
            raise
        at_end.append(partial(_conclude, args, sim, result, directory))


def _profile_steps(args: argparse.Namespace) -> int | None:
    """Steps that are profiled; None: nothing is. Raises DescriptionError for a number of none."""
    if args.profile_steps is None:
        return 20 if args.profile else None
    if not args.profile:
        raise DescriptionError("--profile-steps says how many steps --profile takes: give --profile, too")
    return _validate.count("--profile-steps", "number", args.profile_steps, at_least=1)


def _profile(sim: Simulation, steps: int, directory: RunDirectory, quiet: bool) -> None:
    """Simulate some steps more, which are no part of what was measured, and tell what they took."""
    say(f"profiling, {steps} steps")
    found = sim.profile(steps)
    with finishing([] if quiet else [partial(show, str(found))]):
        found.write(directory.file("profile.json"))


def _conclude(args: argparse.Namespace, sim: Simulation, result: Result, directory: RunDirectory) -> None:
    found = summary(args.demo, args.seed, args.device, sim, result)
    said = [] if args.quiet else [partial(show, f"{report(found, result)}\nresults: {directory}")]
    with finishing(said):  # even if it cannot be kept
        directory.write_json("summary.json", found)


def _sinks(args: argparse.Namespace, directory: RunDirectory, monitors: Sequence[Monitor]) -> list[Sink]:
    """What writes files during the run."""
    sinks: list[Sink] = [MetricsCsv(directory.file("metrics.csv"))]
    if spikes := _spikes(args):
        sinks.append(FORMATS[spikes](directory.file(f"spikes.{spikes}")))
    return sinks + _pictures(bool(spikes), directory, monitors)


def _pictures(of_spikes: bool, directory: RunDirectory, monitors: Sequence[Monitor]) -> list[Sink]:
    """What draws pictures as the run ends, of what is looked at; none without Matplotlib."""
    traces = [monitor for monitor in monitors if isinstance(monitor, Traces)]
    wanted: list[tuple[type[Picture], str, Monitor | None]] = [(TracesPng, "traces.png", traced) for traced in traces]
    if of_spikes:
        wanted += [(RasterPng, "raster.png", None), (RatesPng, "rates.png", None)]
    if wanted and not importlib.util.find_spec("matplotlib"):
        say(f"no {', '.join(name for _, name, _ in wanted)}: pictures need Matplotlib; pip install 'biosnn[plot]'")
        return []
    sinks: list[Sink] = []
    for kind, name, shared in wanted:
        sinks.append(kind(directory.file(name)))
        sinks[-1].shares = shared
    return sinks


if __name__ == "__main__":
    sys.exit(main())
