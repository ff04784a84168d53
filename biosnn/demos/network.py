"""A balanced random network: strong excitation and inhibition that cancel on average, and fire irregularly.

80 % excitatory and 20 % inhibitory iaf_psc_exp neurons, connected at random with probability p, under a Poisson
background. Weights are inversely proportional to the mean in-degree p n, so the mean input from within, and with it the
rate, hardly depends on the size.
"""

from __future__ import annotations

from biosnn import _validate, models
from biosnn.description.rules.uniform import pairwise_bernoulli
from biosnn.distributions import normal
from biosnn.engine.network import Network

IN_DEGREE = 80.0  # at which the excitatory weight is WEIGHT
WEIGHT, G = 45.0, -10.0  # pA; inhibitory relative to it
BACKGROUND_HZ, BACKGROUND_WEIGHT = 1250.0, 100.0  # Hz per neuron, pA
DELAY_EXC, DELAY_INH = 1.5, 0.8  # ms
WEIGHT_SD, DELAY_SD = 0.1, 0.5  # relative standard deviations


def network(n: int = 4000, p: float = 0.02, dt: float = 0.1, seed: int = 1) -> Network:
    """`n` neurons, each pair of which is connected with probability `p` (0 to 1) in either direction."""
    n = _validate.count("network", "n", n, at_least=1)
    p = _validate.number("network", "p", p, at_least=0, at_most=1)
    weight = WEIGHT * IN_DEGREE / max(p * n, 1.0)
    net = Network(dt=dt, seed=seed)
    neuron = models.iaf_psc_exp(tau_m=20.0)
    exc = net.population("exc", n - n // 5, neuron, V_m=normal(-65.0, 5.0))
    inh = net.population("inh", n // 5, neuron, V_m=normal(-65.0, 5.0))
    for source, mean, delay in ((exc, weight, DELAY_EXC), (inh, G * weight, DELAY_INH)):
        net.connect(
            source, [exc, inh], pairwise_bernoulli(p),
            weight=normal(mean, WEIGHT_SD * abs(mean)), delay=normal(delay, DELAY_SD * delay).redrawn(min=dt / 2),
        )  # fmt: skip
    net.poisson([exc, inh], rate=BACKGROUND_HZ, weight=BACKGROUND_WEIGHT)
    return net
