"""Neurons of one kind under spike trains and currents that a test chooses: all that is not given stays the same."""

import biosnn as bs

MODELS = [bs.models.iaf_psc_exp, bs.models.iaf_psc_delta]
C_M, TAU, E_L = 200.0, 8.0, -65.0


def laboratory(model, dt=0.1, n=1, trains=(), currents=(), weight=1.0, delay=1.0, every=None, **values):
    """n neurons, the k-th of which receives the k-th of some spike trains; currents into parts of them; V_m."""
    net = bs.Network(dt=dt)
    values = {"C_m": C_M, "tau_m": TAU, "E_L": E_L, "V_reset": E_L, "V_th": 0.0} | values
    cells = net.population("cells", n, model(**values))
    sources = net.spike_source("sources", [*trains, *[[]] * (n - len(trains))])
    net.connect(sources, cells, bs.one_to_one(), weight=weight, delay=delay)
    for target, *steps in [(slice(None), [0.0], [0.0]), *currents]:
        net.step_current(cells[target], *steps)
    net.record([cells, sources], name="spikes")
    net.record(cells, "V_m", every=every)
    return net.build(threads=1)
