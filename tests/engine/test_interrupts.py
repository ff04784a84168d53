"""Ctrl-C during a run: it ends between two chunks, and the simulation goes on as if nothing had happened."""

import signal
import threading
from types import SimpleNamespace

import networks
import numpy as np
import pytest

from biosnn.backends import cpu


@pytest.fixture(autouse=True)
def ctrl_c():
    """What Python starts with, unless it was told to ignore Ctrl-C, as jobs in the background are."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(_done, _total):
    signal.raise_signal(signal.SIGINT)


def test_an_interrupted_simulation_runs_on_as_if_nothing_had_happened():
    whole = networks.spikes(networks.recurrent().build(threads=1), 200.0)
    sim = networks.recurrent().build(threads=1)
    pairs = []

    def sink(steps, ids):
        pairs.append(np.column_stack([steps, ids]))

    with pytest.raises(KeyboardInterrupt):
        sim.run(200.0, progress=press, sink=sink)
    assert 0 < sim.time < 200.0
    sim.run(round(200.0 - sim.time, 6), sink=sink)
    np.testing.assert_array_equal(np.concatenate(pairs), whole)


def test_the_handler_is_as_before_the_run():
    sim = networks.recurrent().build(threads=1)
    sim.run(1.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_s_own_is_called_at_once():
    called = []
    before = signal.signal(signal.SIGINT, lambda *_: called.append(True))
    try:
        networks.recurrent().build(threads=1).run(1.0, progress=press)
    finally:
        signal.signal(signal.SIGINT, before)
    assert called


def test_runs_in_another_thread_leave_signals_alone():
    done = []
    sim = networks.recurrent().build(threads=1)
    thread = threading.Thread(target=lambda: done.append(sim.run(1.0)))
    thread.start()
    thread.join()
    assert done


def test_ctrl_c_waits_until_what_is_being_compiled_is_compiled(monkeypatch):
    done = []

    def advance(*_):
        signal.raise_signal(signal.SIGINT)
        done.append(True)

    monkeypatch.setattr(cpu, "load_driver", lambda _text: SimpleNamespace(ARGUMENTS=(), advance=advance))
    with pytest.raises(KeyboardInterrupt):
        networks.recurrent().build(threads=1)
    assert done
