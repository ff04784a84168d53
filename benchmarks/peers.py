"""Other simulators beside ours: their options, their scripts, and one line of JSON with all results and ratios."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import common

PRECISION = {
    "nest": "float64",
    "brian2": "float64",
    "limit": "float32 state, integer sums of 16-bit fixed-point weights",
}
COMPARED = ("rtf", "build_s", "peak_rss_gb", "events_per_s")


def add_options(cli: argparse.ArgumentParser, *names: str) -> None:
    """--nest, --brian2 and --peers, as far as a benchmark knows them."""
    for name in names:
        cli.add_argument(
            f"--{name}", metavar="PYTHON", help=f"an interpreter that has {name}; without it, it is left out"
        )
    cli.add_argument("--peers", type=Path, metavar="DIRECTORY", help="where the peers' scripts are")
    cli.add_argument(
        "--peer-threads",
        type=int,
        nargs="+",
        default=[1, 2],
        help="numbers of threads that peers may use; the best counts",
    )


class Peers:
    """The peers of one benchmark: every setting that is to be tried, and the reason of those that are absent."""

    def __init__(self, options: argparse.Namespace, *names: str) -> None:
        self.options = options
        self.names = names
        self.absent: dict[str, str] = {}
        self._settings: dict[tuple[str, str], Callable[[], dict]] = {}
        self._results = tempfile.TemporaryDirectory()  # the scripts also write files

    def offer(self, name: str, run: Callable[[], dict], setting: str = "") -> None:
        """Add one setting of a peer: a function that runs it and returns its row."""
        self._settings[name, setting] = run

    def script(self, name: str, setting: str, script: str, *arguments: object) -> None:
        """Add one setting of a peer: a script of the peers' folder, run by the peer's interpreter."""
        python, folder = getattr(self.options, name), self.options.peers
        if python is None or folder is None:
            self.absent[name] = f"no --{name if python is None else 'peers'} given"
        elif not (folder / script).is_file():
            self.absent[name] = f"no {script} among the peers' scripts"
        else:
            command = [python, folder / script, *arguments]
            self.offer(name, lambda: _row(common.run(command, PEER_RESULTS=self._results.name)), setting)

    def report(self, benchmark: str, network: dict, ours: Callable[[], dict], rounds: int) -> None:
        """Run everything in turn, and print the line: each peer with the setting that had the smallest RTF."""
        load = common.machine()["load"]
        runs = {("ours", ""): ours} | {key: self._guarded(*key, run) for key, run in self._settings.items()}
        rows = common.in_turn(runs, rounds)
        mine = rows.pop(("ours", ""))
        line: dict = {"benchmark": benchmark, "network": network, "runs_each": rounds, "ours": common.median_row(mine)}
        for name in self.names:
            tried = {s: r for (n, s), r in rows.items() if n == name and all(r)}
            line[name], line[f"ours_over_{name}"] = None, None
            if tried:
                self.absent.pop(name, None)  # some other setting failed
                medians = {setting: common.median_row(r) for setting, r in tried.items()}
                best = min(medians, key=lambda s: medians[s]["rtf"])
                line[name] = medians[best] | {"precision": PRECISION[name]} | ({"setting": best} if best else {})
                line[f"ours_over_{name}"] = {key: common.median_ratio(mine, tried[best], key) for key in COMPARED}
        line["absent"] = self.absent
        line["machine"] = common.machine() | {"load": load}
        line["versions"] = common.versions() | {
            name: common.peer_versions(getattr(self.options, name))
            for name in self.names
            if name in ("nest", "brian2") and line[name]
        }
        common.print_json(line)

    def _guarded(self, name: str, setting: str, run: Callable[[], dict]) -> Callable[[], dict]:
        """The run, or an empty row and a reason where it fails."""

        def guarded() -> dict:
            try:
                return run()
            except common.RunError as error:
                self.absent[name] = f"{setting}: {error}" if setting else str(error)
                return {}

        return guarded


def _row(said: dict) -> dict:
    """What a peer's script printed, in our words."""
    return {
        "neurons": said["N"],
        "synapses": said["synapses"],
        "threads": said["threads"],
        "build_s": round(said["build_s"], 3),
        "compile_s": round(said.get("codegen_s", 0.0) + said.get("compile_s", 0.0), 3),
        "rtf": round(said["rtf"], 4),
        "events_per_s": float(f"{said['syn_events_per_s']:.4g}"),
        "rate_hz": round(said["rate_hz"], 4),
        "peak_rss_gb": round(said["peak_rss_mb"] / 1024, 3),
    }
