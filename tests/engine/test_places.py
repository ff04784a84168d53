"""Where arrays begin in memory: what threads write stands in cache lines of its own."""

import networks
import numpy as np

from biosnn.engine.building.memory import PAGE
from biosnn.parts.array import LINE


def test_small_arrays_share_no_cache_line_also_after_a_run():
    sim = networks.serial(networks.recurrent(), 2)
    for _ in range(2):
        small = {name: a for name, a in sim.arrays.items() if 0 < a.nbytes < PAGE and name != "probe_table"}
        assert {"clock", "seed", "drive_at", "most_spikes"} <= set(small)
        lines = [{(a.ctypes.data + byte) // LINE for byte in range(a.nbytes)} for a in small.values()]
        assert sum(map(len, lines)) == len(set().union(*lines))
        sim.run(1.0)


def test_what_is_gone_through_side_by_side_begins_at_different_places_of_its_pages():
    net = networks.recurrent(n=2000)
    sim = net.build(threads=1)
    swept = [sim.arrays[name] for name in ("drive", "V_m", "I_syn", "refractory")]
    places = np.array([a.ctypes.data % PAGE for a in swept if a.nbytes >= PAGE])
    assert places.size == 4
    assert np.all(places % LINE == 0)
    assert np.unique(places).size == places.size
