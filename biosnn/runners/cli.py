"""The command line: `biosnn`, or `python -m biosnn.runners.cli`."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from biosnn import _cache, _validate, backends
from biosnn.address.layout import Layout
from biosnn.demos import DEMOS
from biosnn.engine.planning.choice import Asked
from biosnn.engine.planning.plan import Plan
from biosnn.errors import BioSNNError, DescriptionError
from biosnn.runners.files import finishing
from biosnn.runners.parser import build_parser
from biosnn.runners.run_directory import RunDirectory
from biosnn.runners.sinks import Ids, MetricsCsv, RasterPng, Sink, SpikesCsv, SpikesNpz, Steps
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
    backends.check(args.device)
    asked = demo_arguments(args)
    net = DEMOS[args.demo](**asked)
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
    directory.write_json(
        "run_config.json",
        {
            "demo": args.demo, **asked, "steps": steps, "duration_ms": steps * args.dt, "warmup_ms": args.warmup,
            "device": args.device, "threads": plan.threads, "mode": args.mode, "spikes": args.spikes,
            "out": str(directory.path), "receptor_state_dtype": plan.receptor_dtype, **chosen_ways(plan),
            "ring_capacity_max": _capacity_max(args, plan),
            "max_ring_mib": args.max_ring_mib, "asked": asked_ways(args),
        },
    )  # fmt: skip
    with ended_at_once() if alone else contextlib.nullcontext():
        sim = net.build(device=args.device, threads=plan.threads, **asked_ways(args))
    _run(sim, args, warmup, steps, directory)


def demo_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the demo, defaults filled in. Raises DescriptionError for a flag that it does not take."""
    parameters = inspect.signature(DEMOS[args.demo]).parameters
    found = {name: p.default for name, p in parameters.items()} | {"dt": args.dt, "seed": args.seed}
    for flag in ("n", "p", "scale", "receptor_mode"):
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
    """How spikes shall travel."""
    return Asked(
        synapse_backend=args.synapse_backend, fused_layout=args.fused_layout, ring_strategy=args.ring_strategy,
        ring_dtype=args.ring_dtype, ring_capacity_max=args.ring_capacity_max, max_ring_mib=args.max_ring_mib,
        receptor_state_dtype=args.receptor_state_dtype,
    )  # fmt: skip


def _capacity_max(args: argparse.Namespace, plan: Plan) -> int | None:
    """Events that the ring may hold, rounded to blocks in each partition; None: no ring of events, or no limit."""
    limited = args.ring_capacity_max is not None or args.max_ring_mib > 0
    return plan.ways.capacity_max * plan.layout.n_parts if plan.ways.capacity_max and limited else None


def _run(sim: Simulation, args: argparse.Namespace, warmup: int, steps: int, directory: RunDirectory) -> None:
    if warmup:
        say(f"warming up, {args.warmup:g} ms")
        sim.run(warmup * args.dt)
    say(f"simulating, {steps * args.dt:g} ms")
    sinks: list[Sink] = []
    at_end: list[Callable[[], object]] = []

    def hand_out(steps: Steps, ids: Ids) -> None:
        for sink in sinks:
            sink.add(steps, ids)

    def close(sink: Sink) -> None:
        sink.close(sim.step)

    with finishing(at_end):
        for sink in _sinks(args, sim.plan.layout, args.dt, warmup, directory):
            sinks.append(sink)
            at_end.append(partial(close, sink))
        try:
            result = sim.run(steps * args.dt, sink=hand_out)
        except (KeyboardInterrupt, BioSNNError, OSError, MemoryError) as error:
            kept = "what happened until then" if not isinstance(error, OSError) else "what could be written"
            say(f"stopped at {sim.time - warmup * args.dt:g} ms; {directory} holds {kept}")
            raise
        at_end.append(partial(_conclude, args, sim, result, directory))


def _conclude(args: argparse.Namespace, sim: Simulation, result: Result, directory: RunDirectory) -> None:
    found = summary(args.demo, args.seed, args.device, sim, result)
    with finishing([partial(show, f"{report(found, result)}\nresults: {directory}")]):  # even if it cannot be kept
        directory.write_json("summary.json", found)


def _sinks(args: argparse.Namespace, layout: Layout, dt: float, first: int, directory: RunDirectory) -> Iterator[Sink]:
    """Open the files that are written during the run; one by one, for those before one that fails are to be closed."""
    yield MetricsCsv(directory.file("metrics.csv"), layout, dt, first)
    if args.mode == "dashboard":
        spikes = SpikesCsv if args.spikes == "csv" else SpikesNpz
        yield spikes(directory.file(f"spikes.{args.spikes}"), layout, dt)
        if importlib.util.find_spec("matplotlib"):
            yield RasterPng(directory.file("raster.png"), layout, dt)
        else:
            say("no raster.png: it needs Matplotlib; pip install 'biosnn[plot]'")


if __name__ == "__main__":
    sys.exit(main())
