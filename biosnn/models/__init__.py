"""Neuron models, by NEST's names. A new one is a file beside these and a line in MODELS."""

from biosnn.models.base import NeuronModel
from biosnn.models.iaf_cond import iaf_cond_alpha, iaf_cond_exp
from biosnn.models.iaf_psc_alpha import iaf_psc_alpha
from biosnn.models.iaf_psc_delta import iaf_psc_delta
from biosnn.models.iaf_psc_exp import iaf_psc_exp
from biosnn.models.izhikevich import izhikevich

MODELS: dict[str, type[NeuronModel]] = {
    m.name: m for m in (iaf_cond_alpha, iaf_cond_exp, iaf_psc_alpha, iaf_psc_delta, iaf_psc_exp, izhikevich)
}

__all__ = [
    "MODELS",
    "NeuronModel",
    "iaf_cond_alpha",
    "iaf_cond_exp",
    "iaf_psc_alpha",
    "iaf_psc_delta",
    "iaf_psc_exp",
    "izhikevich",
]
