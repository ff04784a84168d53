"""A million neurons with a hundred synapses each: a large, sparse network whose spikes travel for 1 to 20 ms.

80 % excitatory and 20 % inhibitory iaf_psc_exp neurons, each with 100 targets drawn from all neurons, delays uniform
between 1 and 20 ms. As in the CUBA benchmark (Brette et al. 2007, J. Comput. Neurosci. 23:349) neurons rest above their
threshold, so the network keeps itself active without input from outside.
"""

from __future__ import annotations

from biosnn import _validate, models
from biosnn.demos.vogels_abbott import NEURON, WEIGHT_EXC, WEIGHT_INH
from biosnn.description.rules.uniform import fixed_outdegree
from biosnn.distributions import uniform
from biosnn.engine.network import Network

OUT_DEGREE = 100
SCALE = 80 / OUT_DEGREE  # of the weights: those of CUBA are for 80 synapses
DELAY = 1.0, 20.0  # ms


def million(n: int = 1_000_000, dt: float = 0.1, seed: int = 1) -> Network:
    """`n` neurons (at least 5)."""
    n = _validate.count("million", "n", n, at_least=5)
    net = Network(dt=dt, seed=seed)
    neuron = models.iaf_psc_exp(**NEURON)
    exc = net.population("exc", n - n // 5, neuron, V_m=uniform(-60.0, -50.0))
    inh = net.population("inh", n // 5, neuron, V_m=uniform(-60.0, -50.0))
    for source, weight in ((exc, WEIGHT_EXC), (inh, WEIGHT_INH)):
        net.connect(source, [exc, inh], fixed_outdegree(OUT_DEGREE), weight=SCALE * weight, delay=uniform(*DELAY))
    return net
