"""Nothing heavy is imported before it is needed: a network is described, planned and printed without a compiler."""

import ast
import graphlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import biosnn

PLANNED = """
import biosnn as bs
net = bs.Network()
a = net.population("a", 100, bs.models.iaf_psc_exp(tau_m=bs.normal(20.0, 1.0)), V_m=bs.uniform(-70.0, -60.0))
net.connect(a, a, bs.fixed_indegree(10), weight=bs.lognormal(3.0, 0.5), delay=bs.normal(1.5, 0.5).redrawn(min=0.05))
net.poisson(a, rate=8000.0, weight=87.8)
net.current(a[:10], 100.0, start=10.0)
net.record(a, "V_m", every=1.0)
print(net.plan())
print(net.plan(threads=2).driver_source)
"""
COMMAND_LINE = "from biosnn.runners import cli"


@pytest.mark.parametrize("script", ["import biosnn", PLANNED, COMMAND_LINE], ids=["import", "plan", "command line"])
def test_neither_compiler_nor_other_heavy_packages_are_imported(script):
    heavy = ("numba", "llvmlite", "cupy", "scipy.sparse", "scipy.stats", "matplotlib", "tqdm", "h5py")
    check = f"{script}\nimport sys\nassert not (found := set({heavy}) & set(sys.modules)), found"
    subprocess.run([sys.executable, "-c", check], check=True, stdout=subprocess.DEVNULL)


def test_only_kernels_and_what_builds_and_runs_need_the_compiler():
    compiled = ("biosnn.connectivity", "biosnn.backends.", "biosnn.engine.building", "biosnn.engine.running")
    others = ("biosnn._numba", "biosnn._jit", "biosnn._lowering", "biosnn._lazy", "biosnn._compiled", "biosnn._regions")
    others += ("biosnn.half", "biosnn.random")
    names = [m.name for m in pkgutil.walk_packages(biosnn.__path__, "biosnn.")]
    uses = ("_cpu", "recording.statistics")
    free = [name for name in names if not name.startswith((*compiled, *others)) and not name.endswith(uses)]
    assert {"biosnn.propagation.dense", "biosnn.inputs.poisson", "biosnn.recording.probe"} <= set(free)
    script = f"import importlib, sys\nfor name in {free}: importlib.import_module(name)\n"
    subprocess.run([sys.executable, "-c", f"{script}assert 'numba' not in sys.modules"], check=True)


def test_modules_import_each_other_in_no_circle_wherever_the_imports_stand():
    root = Path(biosnn.__file__).parent
    files = {".".join(("biosnn", *p.relative_to(root).with_suffix("").parts)): p for p in root.rglob("*.py")}
    needs = {}
    for name, path in files.items():
        froms = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        asked = {full for node in froms for full in (node.module, *(f"{node.module}.{a.name}" for a in node.names))}
        needs[name] = {each for each in asked if each in files} - {name}
    assert len(tuple(graphlib.TopologicalSorter(needs).static_order())) == len(files)
