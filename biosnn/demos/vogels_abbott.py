"""The network of Vogels & Abbott (2005, J. Neurosci. 25:10786) with current-based synapses.

The benchmark CUBA of Brette et al. (2007, J. Comput. Neurosci. 23:349): it keeps itself active, without input from
outside, because neurons rest above their threshold. In-degrees are fixed at 2 % of 4,000. The conductances of the
original, 1.62 mV and -9 mV of synaptic drive, are currents through 100 MOhm here.
"""

from __future__ import annotations

from typing import Any

from biosnn import _validate, models
from biosnn.description.rules.uniform import fixed_indegree
from biosnn.distributions import uniform
from biosnn.engine.network import Network

NEURON: dict[str, Any] = {
    "C_m": 200.0, "tau_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0,
    "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0,
}  # fmt: skip
IN_DEGREE_EXC, IN_DEGREE_INH = 64, 16
WEIGHT_EXC, WEIGHT_INH = 16.2, -90.0  # pA


def vogels_abbott(n: int = 4000, dt: float = 0.1, seed: int = 1) -> Network:
    """`n` neurons (at least 5), 80 synapses each, which act one step after the spike."""
    n = _validate.count("vogels_abbott", "n", n, at_least=5)
    net = Network(dt=dt, seed=seed)
    neuron = models.iaf_psc_exp(**NEURON)
    exc = net.population("exc", n - n // 5, neuron, V_m=uniform(-60.0, -50.0))
    inh = net.population("inh", n // 5, neuron, V_m=uniform(-60.0, -50.0))
    net.connect(exc, [exc, inh], fixed_indegree(IN_DEGREE_EXC), weight=WEIGHT_EXC, delay=dt)
    net.connect(inh, [exc, inh], fixed_indegree(IN_DEGREE_INH), weight=WEIGHT_INH, delay=dt)
    return net
