"""Brunel's sparse random network of excitatory and inhibitory neurons (2000, J. Comput. Neurosci. 8:183).

80 % excitatory and 20 % inhibitory iaf_psc_delta neurons, each with one in ten of both as its sources, all delays
1.5 ms, Poisson input at eta times the rate that would just keep a neuron at threshold. V_m in mV above rest.
"""

from __future__ import annotations

from typing import Any

from biosnn import _validate, models
from biosnn.description.rules.uniform import fixed_indegree
from biosnn.engine.network import Network
from biosnn.errors import DescriptionError

NEURON: dict[str, Any] = {"C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 20.0}
DELAY = 1.5  # ms
CONNECTED = 10  # one in ten


def brunel(n: int = 12500, J: float = 0.1, g: float = 5.0, eta: float = 2.0, dt: float = 0.1, seed: int = 1) -> Network:
    """`n` neurons (a multiple of 50), excitatory weight `J` (mV), inhibition `g` times as strong, background `eta`.

    Raises DescriptionError for n that cannot be divided, and for J, g or eta that is not positive.
    """
    n = _validate.count("brunel", "n", n, at_least=50)
    if n % 50:
        raise DescriptionError(
            f"brunel: n must be a multiple of 50, so that one in ten of either kind is a whole number, got {n}; "
            f"{n - n % 50} and {n - n % 50 + 50} are the nearest"
        )
    J = _validate.number("brunel", "J", J, "mV", above=0)
    g, eta = _validate.number("brunel", "g", g, above=0), _validate.number("brunel", "eta", eta, at_least=0)
    net = Network(dt=dt, seed=seed)
    neuron = models.iaf_psc_delta(**NEURON)
    exc = net.population("exc", n // 5 * 4, neuron)
    inh = net.population("inh", n // 5, neuron)
    for source, weight in ((exc, J), (inh, -g * J)):
        net.connect(source, [exc, inh], fixed_indegree(len(source) // CONNECTED), weight=weight, delay=DELAY)
    net.poisson([exc, inh], rate=1000.0 * eta * NEURON["V_th"] / (J * NEURON["tau_m"]), weight=J)  # Hz
    return net
