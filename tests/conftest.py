"""At the end, how many drivers were compiled, which is what tests wait for. (In processes that they start, more.)"""

import gc

import pytest
from numba.core import event

# What Numba makes is a lot, and stays: to look through it for garbage again and again took a twentieth of the time.
gc.set_threshold(100_000, 50, 100)

compiled = {"serial": 0, "parallel": 0}  # drivers, by this process or, where it hands out the tests, by its workers


class Compiled(event.Listener):
    """Hears of every function that Numba has compiled; a driver's last is the one that it is called by."""

    def on_start(self, event):
        pass

    def on_end(self, event):
        dispatcher = event.data["dispatcher"]
        function = dispatcher.py_func
        if str(function.__module__).startswith("biosnn_driver_") and function.__name__ == "advance":
            compiled["parallel" if dispatcher.targetoptions.get("parallel") else "serial"] += 1


event.register("numba:compile", Compiled())


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # of pytest-xdist: what a worker tells whoever started it
        session.config.workeroutput["compiled"] = compiled


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for kind, n in getattr(node, "workeroutput", {}).get("compiled", {}).items():
        compiled[kind] += n


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line("drivers compiled: {serial} serial, {parallel} parallel".format(**compiled))
