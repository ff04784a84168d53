"""What is compiled is kept for as long as the modules that it uses stay as they are, and no longer."""

import ast
import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import golden
import pytest
from numba import typeof
from numba.core.typing.templates import builtin_registry

import biosnn
from biosnn import _sources
from biosnn.backends import cpu
from biosnn.propagation.dense_cpu import Dense
from biosnn.propagation.event_bucketed_cpu import Buckets
from biosnn.propagation.spike_history_cpu import Now

PACKAGE = Path(biosnn.__file__).parent
SCRIPT = """
import json
from numba.core import event
import biosnn as bs

class Listener(event.Listener):
    def on_start(self, event):
        compiled.append(event.data["dispatcher"].py_func.__module__)
    def on_end(self, event):
        pass

compiled = []
event.register("numba:compile", Listener())
for model, ring, receptors in (("iaf_psc_delta", "dense", False), ("izhikevich", "spike_history", True)):
    compiled.clear()
    net = bs.Network()
    n = net.population("n", 20, bs.models.MODELS[model]())
    net.connect(n, n, bs.fixed_indegree(5), weight=1.0, delay=bs.uniform(1.0, 3.0))
    net.build(threads=1, ring_strategy=ring, synapse_backend="event_driven")
    print(json.dumps(sorted({"driver" if "driver" in name else name for name in compiled if "numba" not in name})))
"""


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the package, whose texts count."""
    ignored = shutil.ignore_patterns("__pycache__")
    package = Path(shutil.copytree(PACKAGE, tmp_path / "biosnn", ignore=ignored))
    monkeypatch.setattr(_sources, "_ROOT", package)
    forget()
    yield package
    forget()


def forget():
    _sources._source.cache_clear()
    _sources._is_module.cache_clear()


@contextlib.contextmanager
def changed(path):
    """A module that has a constant more."""
    text = path.read_text()
    path.write_text(text + "\nANOTHER = 1\n")
    forget()
    yield
    path.write_text(text)
    forget()


def compiled_in(package):
    """Modules of what is compiled for each of the script's two networks, in a process that finds what was kept."""
    environment = os.environ | {"BIOSNN_CACHE_DIR": str(package.parent / "cache"), "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=package.parent, capture_output=True, text=True, check=True
    )
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


def test_a_change_in_one_module_compiles_anew_what_uses_it_and_nothing_else(copied):
    delta, izhikevich = compiled_in(copied)
    assert {"driver", "biosnn.propagation.dense_cpu", "biosnn.connectivity.rows"} <= delta
    assert {"driver", "biosnn.models.izhikevich"} <= izhikevich

    with changed(copied / "models" / "izhikevich.py"):
        delta, izhikevich = compiled_in(copied)
        assert delta == set()
        assert "driver" in izhikevich
        assert "biosnn.propagation.event_driven_cpu" not in izhikevich

    with changed(copied / "propagation" / "dense_cpu.py"):  # of which delivery knows by the type of its ring alone
        delta, izhikevich = compiled_in(copied)
        assert {"driver", "biosnn.propagation.event_driven_cpu"} <= delta
        assert "biosnn.connectivity.rows" not in delta
        assert izhikevich == set()


def used_by(function, seen):
    """The modules, of ours, of all functions that a function refers to by name, and these in turn."""
    function = getattr(function, "py_func", function)
    if isinstance(function, FunctionType) and function not in seen:
        seen.add(function)
        for name in function.__code__.co_names:
            used_by(function.__globals__.get(name), seen)
    return {f.__module__ for f in seen if f.__module__.startswith("biosnn.")}


@pytest.mark.parametrize("path", sorted((golden.HERE / "drivers").glob("*.txt")), ids=lambda path: path.stem)
def test_a_driver_has_another_name_if_a_constant_changes_in_any_module_that_it_uses(path, copied):
    text = path.read_text(encoding="utf-8")
    modules = used_by(cpu.load_driver(text).advance, set())
    assert len(modules) >= 2
    before = _sources.digest(text)
    for module in sorted(modules):
        with changed(copied / f"{module.removeprefix('biosnn.').replace('.', '/')}.py"):
            assert _sources.digest(text) != before, module
    assert _sources.digest(text) == before


def imported(text):
    """Modules named by the import statements of a text, those for type checkers left out."""
    tree = ast.parse(text)
    typing_only = {
        node for block in ast.walk(tree) if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }  # fmt: skip
    for node in set(ast.walk(tree)) - typing_only:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}/{name.name}" for name in node.names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_import_is_overlooked(path):
    text = path.read_text(encoding="utf-8")
    found = set(_sources._imports(text))
    for name in imported(text):
        assert not name.startswith("."), "of ours, none is relative"
        module, _, inner = name.partition("/")
        assert found & {module, f"{module}.{inner}"}, name


def test_imports_are_found_wherever_they_stand_and_those_for_type_checkers_are_not():
    text = """
if TYPE_CHECKING:
    from biosnn import half
    from biosnn.random import (
        word32,
    )

import biosnn.errors as e, numpy
from biosnn import (
    fastmath as f,  # import this
    Network,
)
def f():
    if True: from biosnn.models import leaky; import \\
        biosnn._units
"""
    ours = {name for name in _sources._imports(text) if name.startswith("biosnn")}
    assert ours == {"biosnn.errors", "biosnn.fastmath", "biosnn", "biosnn.models.leaky", "biosnn._units"}
    assert list(_sources._imports("from ..a import b\nfrom . import c", "x.y")) == ["x.a", "x.y"]


def test_a_module_of_the_users_own_counts_and_an_installed_compiler_does_not(tmp_path, monkeypatch):
    (tmp_path / "users_own.py").write_text("import numpy\nfrom users_other import X\n")
    (tmp_path / "users_other.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import users_own  # noqa: F401

    text = "import numba, numpy, users_own\n"
    before = _sources.digest(text)
    with changed(tmp_path / "users_other.py"):
        assert _sources.digest(text) != before
    assert _sources._source("numba") is None
    assert _sources._source("nowhere.to.be.found") is None


def test_overloads_stand_where_the_arguments_or_the_function_lead():
    """Else a change in one would not be seen: Numba finds them in a registry, and nothing names them."""
    rings = {ring.__module__ for ring in (Now, Dense, Buckets)}
    overloads = [t for t in builtin_registry.functions if getattr(t, "_overload_func", None) is not None]
    ours = [t for t in overloads if (getattr(t.key, "__module__", None) or "").startswith("biosnn.")]
    assert len(ours) >= 10
    for template in ours:
        assert template._overload_func.__module__ in rings | {template.key.__module__}
    assert set(_sources.homes(typeof((1, Now(2.0, 3))))) == {Now.__module__}
