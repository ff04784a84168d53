"""`Network`: a description that can be planned and built."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Unpack

from biosnn import _forks, _validate, backends
from biosnn.description.description import Description
from biosnn.engine.planning.options import Asked
from biosnn.engine.planning.plan import Plan, make_plan

if TYPE_CHECKING:
    from biosnn.engine.running.simulation import Simulation

MOST_THREADS = 1024  # each has its partition of the network: more would take long to plan, and run no faster
# Of modules that import one another, as Numba's do, two threads that import them at once may see some half made.
_importing = _forks.let_go(threading.RLock())


class Network(Description):
    """A spiking network: describe it (population, connect, poisson, current, spike_source, record), plan it, build it.

    dt is the step in ms; `seed` decides everything that is random, alike for any number of threads.
    Every verb raises DescriptionError where it cannot be simulated, naming the rule and the way out.
    """

    def plan(self, threads: int | None = None, **ways: Unpack[Asked]) -> Plan:
        """What building would allocate and choose; print it. Nothing is drawn or allocated.

        `ways` are the options of help(biosnn.engine.planning.options.Asked), such as ring_strategy="dense". Raises
        DescriptionError for ways that cannot be combined, MemoryPlanError for too large a ring.
        """
        if threads is not None:
            threads = _validate.count("plan", "threads", threads, at_least=1, at_most=MOST_THREADS)
        return make_plan(self, threads, ways)

    def build(self, device: str = "cpu", threads: int | None = None, **ways: Unpack[Asked]) -> Simulation:
        """Draw and allocate the network, write and compile its driver.

        threads=None divides the work among the cores where a step is long enough for it to pay; `ways` as in `plan`.
        Raises MemoryPlanError where the plan exceeds the free memory, DeviceError for a device that is not there.
        """
        backends.check(device)
        plan = self.plan(threads, **ways)
        plan.check_memory()
        with _importing:  # Numba is loaded here, not before
            from biosnn.engine.building.build import build
            from biosnn.engine.running.simulation import Simulation

        return Simulation(build(self, plan))
