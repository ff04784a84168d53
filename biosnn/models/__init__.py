"""Neuron models, by NEST's names. A new one is a file beside these and a line in MODELS."""

from biosnn.models.base import NeuronModel
from biosnn.models.iaf_psc_delta import iaf_psc_delta
from biosnn.models.iaf_psc_exp import iaf_psc_exp

MODELS: dict[str, type[NeuronModel]] = {m.name: m for m in (iaf_psc_delta, iaf_psc_exp)}

__all__ = ["MODELS", "NeuronModel", "iaf_psc_delta", "iaf_psc_exp"]
