"""Neuron models, by NEST's names. A new one is a file beside these and a line in MODELS."""

from biosnn.models.aeif import aeif_cond_exp, aeif_psc_exp
from biosnn.models.base import NeuronModel
from biosnn.models.compartments import adex_2c, adex_3c, lif_3c
from biosnn.models.glif_psc import glif_psc
from biosnn.models.hh import hh_psc_alpha
from biosnn.models.iaf_cond import iaf_cond_alpha, iaf_cond_exp
from biosnn.models.iaf_psc_alpha import iaf_psc_alpha
from biosnn.models.iaf_psc_delta import iaf_psc_delta
from biosnn.models.iaf_psc_exp import iaf_psc_exp
from biosnn.models.izhikevich import izhikevich
from biosnn.models.mat2_psc_exp import mat2_psc_exp
from biosnn.models.relays import parrot_neuron, poisson

MODELS: dict[str, type[NeuronModel]] = {
    m.name: m
    for m in (
        adex_2c,
        adex_3c,
        aeif_cond_exp,
        aeif_psc_exp,
        glif_psc,
        hh_psc_alpha,
        iaf_cond_alpha,
        iaf_cond_exp,
        iaf_psc_alpha,
        iaf_psc_delta,
        iaf_psc_exp,
        izhikevich,
        lif_3c,
        mat2_psc_exp,
        parrot_neuron,
        poisson,
    )
}

__all__ = [
    "MODELS",
    "NeuronModel",
    "adex_2c",
    "adex_3c",
    "aeif_cond_exp",
    "aeif_psc_exp",
    "glif_psc",
    "hh_psc_alpha",
    "iaf_cond_alpha",
    "iaf_cond_exp",
    "iaf_psc_alpha",
    "iaf_psc_delta",
    "iaf_psc_exp",
    "izhikevich",
    "lif_3c",
    "mat2_psc_exp",
    "parrot_neuron",
    "poisson",
]
