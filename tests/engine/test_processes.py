"""Python threads, forked children and spawned ones: each simulates, with the same spikes as by itself."""

import os
import signal
import subprocess
import sys

import pytest

NETWORKS = """
import multiprocessing, os, sys, threading
import biosnn as bs

def build(threads, seed=1, **ways):
    net = bs.Network(seed=seed)
    n = net.population("n", 40, bs.models.iaf_psc_exp(), V_m=bs.uniform(-70.0, -60.0))
    net.connect(n, n, bs.fixed_indegree(5), weight=bs.uniform(0.0, 3.0), delay=bs.uniform(0.5, 3.0))
    net.current(n, 500.0)
    return net.build(threads=threads, **ways)
"""


def output_of(script, tmp_path, **environment):
    """What a script, run by itself, says on stdout and stderr. It has the time to compile, but not to hang."""
    path = tmp_path / "script.py"
    path.write_text(NETWORKS + script)
    # From 3.12 on, Python warns of any fork of a process that has threads.
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", path], env=os.environ | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        said = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # it and its children
        raise
    assert process.returncode == 0, said[1]
    return said


THREADS = """
cases = [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2)]  # numbers of threads, seeds
start = threading.Barrier(len(cases))
found = [None] * len(cases)

def simulate(k):
    start.wait()
    sim = build(*cases[k])
    found[k] = [sim.run(40.0).fingerprint for _ in range(5)]

running = [threading.Thread(target=simulate, args=(k,)) for k in range(len(cases))]
for thread in running:
    thread.start()
for thread in running:
    thread.join()
for case, fingerprints in zip(cases, found):
    sim = build(*case)
    assert fingerprints == [sim.run(40.0).fingerprint for _ in range(5)], case
assert found[0] == found[1] != found[2]
"""


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_python_threads_build_and_run_networks_at_once_from_an_empty_cache(layer, tmp_path):
    cache = {"BIOSNN_CACHE_DIR": str(tmp_path / "cache")} if layer == "default" else {}
    output_of(THREADS, tmp_path, NUMBA_THREADING_LAYER=layer, **cache)


FORKED = """
def build_and_run(sim=None):
    sim = sim or build(2, synapse_backend="spmm_fused")
    return sim, sim.run(50.0).fingerprint

sim, first = build_and_run()
child = os.fork()
_, second = build_and_run(sim)
fresh, again = build_and_run()
assert again == first
print(second, fresh.plan.parallel, flush=True)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_simulates_on_one_thread_says_so_once_and_has_the_same_spikes(tmp_path):
    out, said = output_of(FORKED, tmp_path)
    (one, alone), (other, parallel) = sorted(line.split() for line in out.splitlines())
    assert one == other
    assert (alone, parallel) == ("False", "True")
    assert said.count("on one thread") == said.count("\n") == 1


POOL = """
def simulate(seed):
    return build(2, seed).run(50.0).fingerprint

if __name__ == "__main__":
    expected = [simulate(seed) for seed in (1, 2, 3)]
    with multiprocessing.get_context(START).Pool(2) as pool:
        assert pool.map(simulate, (1, 2, 3)) == expected
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_pool_of_processes_simulates(start, tmp_path):
    _, said = output_of(POOL.replace("START", repr(start)), tmp_path)
    assert ("on one thread" in said) == (start == "fork")


SERIAL = """
build(1).run(50.0)
child = os.fork()
expected = build(1).run(50.0).fingerprint
if child == 0:
    assert expected == build(2).run(50.0).fingerprint
elif os.waitpid(child, 0)[1] != 0:
    sys.exit("the child failed")
"""


def test_a_child_forked_after_runs_on_one_thread_has_all_its_threads(tmp_path):
    assert output_of(SERIAL, tmp_path)[1] == ""


COMPILING = """
import time
from numba.core.compiler_lock import global_compiler_lock
from biosnn._numba import kernel

@kernel
def half(x):
    return x / 2

begun = threading.Event()

def compile():
    with global_compiler_lock:
        begun.set()
        time.sleep(1.0)

threading.Thread(target=compile).start()
begun.wait()
child = os.fork()
assert half(3) == 1.5
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_child_forked_while_another_thread_compiles_can_compile(tmp_path):
    output_of(COMPILING, tmp_path)
