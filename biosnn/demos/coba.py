"""The network of Vogels & Abbott (2005, J. Neurosci. 25:10786) with conductance-based synapses, and a constant drive.

The benchmark COBA of Brette et al. (2007, J. Comput. Neurosci. 23:349) with a fixed in-degree of 80 and 110 pA into
every neuron: without a drive its activity is bistable, and now and then dies. A receptor mode puts one of the usual
sets of receptors in place of the two exponential conductances.
"""

from __future__ import annotations

from typing import Any

from biosnn import _validate, models
from biosnn.demos.vogels_abbott import IN_DEGREE_EXC, IN_DEGREE_INH
from biosnn.description.rules.uniform import fixed_indegree
from biosnn.distributions import normal, uniform
from biosnn.engine.network import Network
from biosnn.models.receptors import MODES

NEURON: dict[str, Any] = {
    "C_m": 200.0, "g_L": 10.0, "E_L": -60.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "I_e": 110.0,
}  # fmt: skip
RECEPTORS: dict[str, Any] = {"E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
WEIGHT_EXC, WEIGHT_INH = 6.0, -67.0  # nS
START_EXC, START_INH = normal(40.0, 15.0).clipped(min=0.0), normal(200.0, 120.0).clipped(min=0.0)  # nS


def coba(n: int = 4000, receptor_mode: str = "none", dt: float = 0.1, seed: int = 1) -> Network:
    """`n` neurons (at least 5), 80 synapses each, which act one step after the spike.

    receptor_mode: "none" (the two conductances of the original) or one of `biosnn.receptors.MODES`; without an
    inhibitory receptor (exc_only) inhibitory neurons are connected to nobody.
    """
    n = _validate.count("coba", "n", n, at_least=5)
    _validate.known("coba", "receptor mode", receptor_mode, ["none", *MODES])
    net = Network(dt=dt, seed=seed)
    start: dict[str, Any] = {}
    if receptor_mode == "none":
        neuron = models.iaf_cond_exp(**NEURON, **RECEPTORS)
        start |= {"g_ex": START_EXC, "g_in": START_INH}
    else:
        neuron = models.iaf_cond_exp(receptors=MODES[receptor_mode](), **NEURON)
    exc = net.population("exc", n - n // 5, neuron, V_m=uniform(-60.0, -50.0), **start)
    inh = net.population("inh", n // 5, neuron, V_m=uniform(-60.0, -50.0), **start)
    net.connect(exc, [exc, inh], fixed_indegree(IN_DEGREE_EXC), weight=WEIGHT_EXC, delay=dt)
    if receptor_mode != "exc_only":
        net.connect(inh, [exc, inh], fixed_indegree(IN_DEGREE_INH), weight=WEIGHT_INH, delay=dt)
    return net
