"""How many spikes a second each sink writes to the disk, and samples; beside numpy.save of the same arrays.

    python benchmarks/sinks.py
    python benchmarks/sinks.py --spikes 20000000 --chunk 1000000 --folder /scratch

Prints one JSON line: millions of spikes, or of samples, per second of wall time, from opening the sink until it is
closed, the best of some rounds, each in a new file. Spikes are of eight populations of the size of the microcircuit's;
samples of a tenth of its neurons. The system may keep what it was given in memory for a while, as it does in a run.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import common
import numpy as np

from biosnn import recording

SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SPIKES, SAMPLES = (
    ("SpikesCsv", "SpikesJsonl", "SpikesNpz", "SpikesH5"),
    ("SamplesCsv", "SamplesJsonl", "SamplesNpy", "SamplesH5"),
)
STEPS = 1000  # of a chunk
TEXT = 20  # of samples as text, one chunk in so many: it takes that much longer


def about() -> recording.About:
    first_id = np.cumsum([0, *SIZES])
    ids = np.arange(0, first_id[-1], 10)
    populations = np.searchsorted(first_id, ids, side="right") - 1
    sampled = recording.Sampled("all", "V_m", 10, populations, ids - first_id[populations], "mV")
    return recording.About(0.1, 0, NAMES, first_id, (sampled,))


def chunks_of_spikes(n: int, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Chunks (steps, ids) of `size` spikes at any times, n in all, sorted as a run hands them out."""
    rng, found = np.random.default_rng(1), []
    for k in range(max(1, n // size)):
        steps = np.sort(rng.integers(k * STEPS, (k + 1) * STEPS, size))
        ids = rng.integers(0, sum(SIZES), size).astype(np.int32)
        order = np.lexsort((ids, steps))
        found.append((steps, ids[order]))
    return found


def written(sink, chunks, add) -> float:
    """Seconds."""
    begun = time.perf_counter()
    sink.open(about())
    for chunk in chunks:
        add(sink, *chunk)
    sink.close(len(chunks) * STEPS)
    return time.perf_counter() - begun


def saved(folder: Path, arrays: list[np.ndarray]) -> float:
    """Seconds that numpy.save takes for all of these."""
    folder.mkdir()
    begun = time.perf_counter()
    for k, array in enumerate(arrays):
        np.save(folder / f"{k}.npy", array)
    return time.perf_counter() - begun


def best(rounds: int, folder: Path, once) -> float:
    """The shortest of the times that `once` takes, each with a new place, which is removed then."""
    found = []
    for _ in range(rounds):
        place = Path(tempfile.mkdtemp(dir=folder))
        found.append(once(place / "x"))
        shutil.rmtree(place)
    return min(found)


def of_spikes(n: int, size: int, rounds: int, folder: Path) -> dict[str, float]:
    """Millions a second."""
    chunks, found = chunks_of_spikes(n, size), {}
    times, ids = about().times(np.concatenate([s for s, _ in chunks])), np.concatenate([i for _, i in chunks])
    found["numpy.save"] = ids.size / best(rounds, folder, lambda place: saved(place, [times, ids])) / 1e6
    for name in SPIKES:
        kind = getattr(recording, name)
        took = best(rounds, folder, lambda place, kind=kind: written(kind(place), chunks, kind.add_spikes))
        found[name] = ids.size / took / 1e6
    return {name: float(f"{x:.3g}") for name, x in found.items()}


def of_samples(n: int, rounds: int, folder: Path) -> dict[str, float]:
    """Millions a second."""
    what, found = about().sampled[0], {}
    values = np.random.default_rng(1).normal(-65.0, 5.0, (STEPS // what.every, what.neurons.size)).astype(np.float32)
    steps = np.arange(what.every - 1, STEPS, what.every)
    chunks = [(what, k * STEPS + steps, values) for k in range(max(1, n // values.size))]
    arrays = [values] * len(chunks)
    found["numpy.save"] = values.size * len(chunks) / best(rounds, folder, lambda place: saved(place, arrays)) / 1e6
    for name in SAMPLES:
        kind = getattr(recording, name)
        some = chunks if name in ("SamplesNpy", "SamplesH5") else chunks[: max(1, len(chunks) // TEXT)]
        took = best(rounds, folder, lambda place, kind=kind, some=some: written(kind(place), some, kind.add_samples))
        found[name] = values.size * len(some) / took / 1e6
    return {name: float(f"{x:.3g}") for name, x in found.items()}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--spikes", type=int, default=10_000_000)
    cli.add_argument("--chunk", type=int, default=500_000, help="spikes of a chunk")
    cli.add_argument("--samples", type=int, default=50_000_000)
    cli.add_argument("--rounds", type=int, default=3)
    cli.add_argument("--folder", type=Path, default=None, help="where to write; the system's for temporary files")
    a = cli.parse_args()
    with tempfile.TemporaryDirectory(dir=a.folder) as folder:
        common.print_json(
            {
                "benchmark": "sinks",
                "chunk": a.chunk,
                "million_spikes_per_s": of_spikes(a.spikes, a.chunk, a.rounds, Path(folder)),
                "million_samples_per_s": of_samples(a.samples, a.rounds, Path(folder)),
                "machine": common.machine(),
                "versions": common.versions((*common.LIBRARIES, "h5py")),
            }
        )


if __name__ == "__main__":
    main()
