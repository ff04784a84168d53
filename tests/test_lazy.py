"""Each line is compiled once: what a function calls is made with it, and by itself only when Python calls it."""

import contextlib
import gc

import numba
import numpy as np
import pytest
from numba import types
from numba.core.registry import cpu_target

import biosnn as bs
from biosnn import _cache
from biosnn._compiled import Kept
from biosnn._lazy import Library, collecting
from biosnn._numba import kernel, parallel_kernel, prange, scalar


@pytest.fixture
def made(monkeypatch):
    """The names of the libraries of which machine code is made."""
    names, make = [], Library._make

    def noted(self):
        names.append(self.name)
        make(self)

    monkeypatch.setattr(Library, "_make", noted)
    return names


@pytest.fixture
def nothing_kept(monkeypatch):
    monkeypatch.setattr(_cache, "load", lambda _name: None)
    monkeypatch.setattr(_cache, "save", lambda _name, _data: None)


@scalar
def squared(x):
    return x * x


@kernel
def add_squares(x, total):
    for i in range(x.size):
        total[0] += squared(x[i])


@kernel
def sum_of_squares(x, total):
    total[0] = 0
    add_squares(x, total)


@parallel_kernel
def sums_of_squares(x, totals):
    for k in prange(totals.size):
        add_squares(x, totals[k : k + 1])


X, TOTAL = np.arange(4.0), np.zeros(1)


@pytest.mark.usefixtures("nothing_kept")
def test_what_only_compiled_code_calls_is_never_made_by_itself(made):
    outer = kernel(sum_of_squares.py_func)
    outer(X, TOTAL)
    assert TOTAL[0] == 14
    assert made == ["sum_of_squares"]


@pytest.mark.usefixtures("nothing_kept")
def test_python_may_call_what_compiled_code_has_called_before(made):
    kernel(sum_of_squares.py_func)(X, TOTAL)
    inner = kernel(add_squares.py_func)
    inner(X, TOTAL)
    assert TOTAL[0] == 28
    assert squared(3.0) == 9
    assert made[:2] == ["sum_of_squares", "add_squares"]


@pytest.mark.usefixtures("nothing_kept")
def test_a_function_compiled_by_numba_alone_may_call_ours():
    @numba.njit
    def theirs(x, total):
        add_squares(x, total)
        return np.sqrt(total[0])

    total = np.zeros(1)
    assert theirs(X, total) == np.sqrt(14)
    totals = np.zeros(3)
    sums_of_squares(X, totals)
    assert totals.tolist() == [14, 14, 14]


@pytest.mark.usefixtures("nothing_kept")
def test_of_a_network_only_what_python_calls_is_made(made):
    net = bs.Network()
    n = net.population("n", 10, bs.models.iaf_psc_exp())
    net.poisson(n, rate=1000.0, weight=10.0)
    net.connect(n, n, bs.fixed_indegree(3), weight=20.0, delay=2.5)
    net.build(threads=1, ring_strategy="dense").run(10.0)
    assert "one_partition" not in made
    assert not [name for name in made if name.startswith(("update", "deliver", "_send", "arrive", "put"))]


def test_the_garbage_collector_waits_and_is_left_as_it_was():
    codegen = cpu_target.target_context.codegen()
    before = codegen._library_class
    assert gc.isenabled()
    with contextlib.suppress(ZeroDivisionError), collecting(codegen):
        assert not gc.isenabled()
        with collecting(codegen):
            pass
        assert not gc.isenabled()
        assert codegen._library_class is Library
        raise ZeroDivisionError
    assert gc.isenabled()
    assert codegen._library_class is before
    gc.disable()
    try:
        with collecting(codegen):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_kept_of_an_inner_function_is_what_it_is_made_of(tmp_path, monkeypatch, made):
    monkeypatch.setattr(_cache, "folder", lambda: tmp_path)
    inner = kernel(add_squares.py_func)
    assert isinstance(inner._inner._cache, Kept)
    signature = types.void(types.float64[::1], types.float64[::1])
    inner._inner.compile(signature)
    assert made == []
    again = kernel(add_squares.py_func)
    again._inner.compile(signature)
    assert sum(again._inner.stats.cache_hits.values()) == 1
    (library,) = (compiled.library for compiled in again._inner.overloads.values())
    assert not library._is_made
