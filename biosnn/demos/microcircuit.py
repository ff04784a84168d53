"""The cortical microcircuit of Potjans & Diesmann 2014 (Cereb. Cortex 24:785): 77,169 neurons under 1 mm^2 of cortex.

Eight populations of iaf_psc_exp neurons in four layers, 298.9 million synapses at full scale, Poisson background.
Scaled down, numbers of neurons and in-degrees shrink alike, weights grow with 1/sqrt(scale), and a constant current
makes up for the lost mean input (van Albada, Helias & Diesmann 2015, PLoS Comput. Biol. 11:e1004490), computed from the
full-scale rates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from biosnn import _validate, models
from biosnn.description.rules.uniform import fixed_total_number
from biosnn.distributions import normal
from biosnn.engine.network import Network
from biosnn.errors import DescriptionError

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
PROBABILITIES = np.array([  # of at least one synapse; [target, source]
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
])  # fmt: skip
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # background synapses of each neuron
RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz, full scale
V_MEAN = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])  # mV
V_STD = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])
NEURON: dict[str, Any] = {
    "C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5,
    "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0,
}  # fmt: skip
BACKGROUND_HZ = 8.0  # of each background synapse
PSP, G = 0.15, -4.0  # excitatory postsynaptic potential (mV), inhibitory strength relative to it
WEIGHT_SD, DELAY_SD = 0.1, 0.5  # relative standard deviations
DELAY_EXC, DELAY_INH = 1.5, 0.75  # ms


def microcircuit(scale: float = 1.0, dt: float = 0.1, seed: int = 1) -> Network:
    """The network at a fraction `scale` (0 < scale <= 1) of its neurons and in-degrees."""
    scale = _validate.number("microcircuit", "scale", scale, above=0, at_most=1)
    sizes = np.rint(SIZES * scale).astype(int)
    if sizes.min() < 1:
        raise DescriptionError(
            f"microcircuit: scale {scale:g} leaves {POPULATIONS[int(sizes.argmin())]} without neurons; raise it"
        )
    pairs = np.outer(SIZES, SIZES).astype(float)
    full = np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs)  # synapses of each projection, multapses included
    synapses = np.rint(full * scale**2).astype(int)
    weight = np.full((8, 8), PSP * psc_over_psp())  # [target, source], pA
    weight[:, 1::2] *= G
    weight[0, 2] *= 2  # layer 4 to layer 2/3
    current = (
        (1 - math.sqrt(scale))
        * 1e-3
        * NEURON["tau_syn_ex"]
        * ((weight * full / SIZES[:, None] * RATES).sum(1) + PSP * psc_over_psp() * EXTERNAL * BACKGROUND_HZ)
    )
    weight /= math.sqrt(scale)

    net = Network(dt=dt, seed=seed)
    layers = [
        net.population(
            name, int(sizes[k]), models.iaf_psc_exp(**NEURON, I_e=float(current[k])), V_m=normal(V_MEAN[k], V_STD[k])
        )
        for k, name in enumerate(POPULATIONS)
    ]
    for t, target in enumerate(layers):
        for s, source in enumerate(layers):
            if synapses[t, s]:
                mean = weight[t, s]
                sign = {"min": 0.0} if mean > 0 else {"max": 0.0}
                delay = DELAY_INH if s % 2 else DELAY_EXC
                net.connect(
                    source, target, fixed_total_number(int(synapses[t, s])),
                    weight=normal(mean, WEIGHT_SD * abs(mean)).redrawn(**sign),
                    delay=normal(delay, DELAY_SD * delay).redrawn(min=dt / 2),
                )  # fmt: skip
        rate = BACKGROUND_HZ * round(EXTERNAL[t] * scale)
        net.poisson(target, rate=rate, weight=float(PSP * psc_over_psp() / math.sqrt(scale)))
    return net


def psc_over_psp() -> float:
    """Current (pA) whose exponential decay raises the membrane by 1 mV at its peak."""
    tau_m, tau_syn, C_m = NEURON["tau_m"], NEURON["tau_syn_ex"], NEURON["C_m"]
    ratio = tau_syn / tau_m
    peak = ratio ** (ratio / (1 - ratio)) - ratio ** (1 / (1 - ratio))  # of the difference of exponentials
    return float(C_m * (1 - ratio) / (tau_syn * peak))
