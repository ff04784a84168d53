"""HDF5 files whose process is killed, or whose disk refuses what it is given: what can be read of them."""

import errno
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.recording import About, Sampled, SamplesH5, SamplesNpy, SpikesH5, hdf5, steady

h5py = pytest.importorskip("h5py", reason="HDF5 needs the hdf5 extra")

# Chunk k is the same in each process.
NAMES = ("a/b", "c", "é", "none", "e")
LINKS = ("a%2fb", "c", "é", "none", "e")  # as groups of a file
SIZES = np.array([300, 200, 500, 0, 100])
SAMPLED = Sampled("r", "V_m", 2, np.array([0, 0, 2, 2, 2]), np.array([3, 1, 0, 7, 8]), "mV")
ABOUT = About(0.1, 0, NAMES, np.cumsum([0, *SIZES]), (SAMPLED,))


def chunk(k):
    """Steps and ids of 2,000 spikes, steps and values of 50 samples."""
    steps = 100 * k + np.arange(2000) // 20
    ids = ((np.arange(2000) + k) * 7919 % SIZES.sum()).astype(np.int32)
    return steps, ids, 100 * k + np.arange(1, 100, 2), (k + np.arange(250.0).reshape(50, 5) / 256).astype(np.float32)


def opened(folder):
    sinks = SpikesH5(folder / "spikes.h5"), SamplesH5(folder / "samples"), SamplesNpy(folder / "arrays")
    for sink in sinks:
        sink.open(ABOUT)
    return sinks


def add(sinks, k):
    steps, ids, sampled, values = chunk(k)
    sinks[0].add_spikes(steps, ids)
    for sink in sinks[1:]:
        sink.add_samples(SAMPLED, sampled, values)


def write_for_ever(folder):
    sinks, k = opened(folder), 0
    print("ready", flush=True)
    while True:
        add(sinks, k)
        k += 1
        print(k, flush=True)


def expected_spikes(n):
    """Times and ids in each population over n chunks."""
    parts = [chunk(k)[:2] for k in range(n)]
    steps, ids = (np.concatenate([p[j] for p in parts] or [[]]).astype(np.int64) for j in (0, 1))
    populations, neurons = ABOUT.members(ids)
    return {name: (ABOUT.times(steps[populations == a]), neurons[populations == a]) for a, name in enumerate(LINKS)}


def assert_prefix(spikes, samples, n):
    """The files hold n whole chunks, and of the next one each population has all or nothing; where a file is given."""
    if spikes is not None:
        whole, more = expected_spikes(n), expected_spikes(n + 1)
        with h5py.File(spikes) as file:
            for name in LINKS:
                times, ids = file[f"spikes/{name}/timestamps"][:], file[f"spikes/{name}/node_ids"][:]
                assert times.size == ids.size
                expected = whole[name] if times.size == whole[name][0].size else more[name]
                np.testing.assert_array_equal(times, expected[0])
                np.testing.assert_array_equal(ids, expected[1])
    if samples is not None:
        with h5py.File(samples) as file:
            for name, columns in (("a%2fb", [0, 1]), ("é", [2, 3, 4])):
                values, (_, stop, _) = file[f"report/{name}/data"][:], file[f"report/{name}/mapping/time"][:]
                assert len(values) in (50 * n, 50 * n + 50)
                assert round((stop - 0.2) / 0.2) in {50 * n, len(values)}
                rows = [chunk(k)[3][:, columns] for k in range(len(values) // 50)]
                np.testing.assert_array_equal(values, np.concatenate([*rows, np.empty((0, len(columns)))]))


@pytest.mark.parametrize("seed", range(6))
def test_after_kill_9_the_files_hold_all_complete_chunks(seed, tmp_path):
    script = "import test_hdf5_crashes, pathlib, sys; test_hdf5_crashes.write_for_ever(pathlib.Path(sys.argv[1]))"
    here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", script, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | here) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(random.Random(seed).uniform(0.0, 0.3))
        process.kill()
        said = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    complete = [int(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]
    n = complete[-1] if complete else 0
    assert_prefix(tmp_path / "spikes.h5", tmp_path / "samples" / "r.V_m.h5", n)
    array = np.load(tmp_path / "arrays" / "r.V_m.npy")
    assert len(array) in (50 * n, 50 * n + 50)
    for k in range(len(array) // 50):
        np.testing.assert_array_equal(array["values"][50 * k : 50 * k + 50], chunk(k)[3])


def test_a_process_that_closes_nothing_ends_in_peace(tmp_path):
    script = "from test_hdf5_crashes import *; s = opened(Path(sys.argv[1])); add(s, 0)"
    here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=os.environ | here, check=True)
    assert_prefix(tmp_path / "spikes.h5", tmp_path / "samples" / "r.V_m.h5", 1)


def test_files_can_be_read_whatever_write_was_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "PIECE", 2048)  # so that its index grows as that of a long run
    sinks = opened(tmp_path)
    places = tmp_path / "spikes.h5", tmp_path / "samples" / "r.V_m.h5"
    images = {path: path.read_bytes() for path in places}
    writes, put = [], steady.Steady._put

    def noted(self, at, data):
        writes.append((self.path, at, bytes(data)))
        put(self, at, data)

    monkeypatch.setattr(steady.Steady, "_put", noted)
    complete = []  # how many writes there were when chunk k was
    for k in range(8):
        add(sinks, k)
        complete.append(len(writes))
    for sink in sinks:
        sink.close(800)
    assert len(writes) > 200
    for i, (path, at, data) in enumerate(writes, 1):
        image = images[path].ljust(at, b"\0")
        images[path] = image[:at] + data + image[at + len(data) :]
        n = int(np.searchsorted(complete, i, side="right"))
        file = io.BytesIO(images[path])
        if path == places[0]:  # which a chunk is written to first
            assert_prefix(file, None, n)
        else:
            assert_prefix(None, file, n)
    for path in places:
        assert images[path] == path.read_bytes()


def test_a_disk_that_refuses_to_change_what_is_there_leaves_what_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "PIECE", 4096)
    for taken in range(100):
        sink = SpikesH5(tmp_path / f"{taken}.h5")
        sink.open(ABOUT)
        for k in range(3):
            sink.add_spikes(*chunk(k)[:2])
        disk = sink.file.disk.disk
        sink.file.disk.disk = Refusing(disk, sink.file.disk.end, taken)
        try:
            sink.add_spikes(*chunk(3)[:2])
        except bs.OutputError as error:
            assert str(error).startswith(f"cannot write {sink.path} (over quota)")  # noqa: PT017
            complete = 3
        else:
            complete, sink.file.disk.disk = 4, disk
        sink.close(400)
        assert_prefix(sink.path, None, complete)
        if complete == 4:
            break
    assert taken > 8


class Refusing:
    """A file that takes so many writes before the end that was committed, and then none: where a write takes room."""

    def __init__(self, disk, end, taken):
        self.disk, self.end, self.left = disk, end, taken

    def __getattr__(self, name):
        return getattr(self.disk, name)

    def write(self, data):
        if self.disk.tell() < self.end:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.EDQUOT, "over quota")
        return self.disk.write(data)


def test_memory_does_not_grow_with_the_run(tmp_path):
    script = """if True:
        import json, pathlib, resource, sys
        import test_hdf5_crashes
        sinks, found = test_hdf5_crashes.opened(pathlib.Path(sys.argv[1])), []
        for k in range(600):
            test_hdf5_crashes.add(sinks, k)
            if k in (59, 599):
                found.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        for sink in sinks:
            sink.close(60_000)
        print(json.dumps(found))
    """
    here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], env=os.environ | here, capture_output=True, text=True, check=True
    )
    early, late = json.loads(done.stdout)  # KiB; of spikes alone there are 19 MB
    assert (tmp_path / "spikes.h5").stat().st_size > 18e6
    assert late - early < 4_000
