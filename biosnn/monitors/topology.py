"""What a network is made of, for whoever draws it: populations, projections, some of the synapses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from biosnn.description.description import Description
from biosnn.description.items import Connection
from biosnn.description.population import Population
from biosnn.description.space import OfDistance, TravelTime
from biosnn.distributions import Distribution
from biosnn.monitors.base import EDGES, NEURONS, OfDirectory, as_bound, sampled
from biosnn.recording.file_sink import AnyPath, FileSink
from biosnn.recording.files import whole
from biosnn.recording.sinks import About


class Topology(FileSink, OfDirectory):
    """A file of strict JSON, written as a run begins: populations, projections, and at most `edges` synapses.

    populations  name, n, model (null: spike sources), shape, and of at most `neurons` neurons their positions (um)
    projections  name, sources, targets, rule, receptor, synapses (expected), and the means of weight and delay (ms)
    edges        columns source, target (each population and neuron), weight (in the unit of the target), delay_ms:
                 evenly spaced among all synapses as they are stored (None: all)
    """

    name, written_as = "topology", "topology.json"

    def __init__(
        self, path: AnyPath | None = None, *, neurons: int | None = NEURONS, edges: int | None = EDGES
    ) -> None:
        self.most_neurons = as_bound("Topology", "neurons", neurons)
        self.most_edges = as_bound("Topology", "edges", edges)
        if path is not None:
            super().__init__(path)

    @classmethod
    def bounded(cls, neurons: int | None, edges: int | None) -> Topology:
        return cls(neurons=neurons, edges=edges)

    def watch(self, net: Description) -> None:
        self.net = net

    def begin(self, about: About) -> None:
        populations = list(self.net.populations.values())
        placed = dict(sampled([p for p in populations if p.place is not None], self.most_neurons))
        content = {
            "populations": [_population(p, placed.get(p)) for p in populations],
            "projections": [_projection(c) for c in self.net.connections],
            "edges": _edges(about, self.most_edges),
        }
        with whole(self.path) as file:
            file.write((json.dumps(content, allow_nan=False) + "\n").encode())


def _population(population: Population, some: Any) -> dict[str, Any]:
    found = {
        "name": population.name,
        "n": population.n,
        "model": population.model.name if population.model is not None else None,
        "shape": list(population.shape) if population.shape is not None else None,
    }
    if population.place is not None and some is not None:
        neurons = some.flat()[1]
        found["positions"] = {"neuron": neurons.tolist(), "um": population.place.xyz[neurons].round(3).tolist()}
    return found


def _projection(c: Connection) -> dict[str, Any]:
    return {
        "name": c.name,
        "sources": [p.name for p in c.source.populations],
        "targets": [p.name for p in c.target.populations],
        "rule": c.rule.name,
        "receptor": c.receptor,
        "synapses": c.n_expected,
        "mean_weight": _mean(c.weight),
        "mean_delay_ms": _mean(c.delay),
    }


def _mean(value: Any) -> float | None:
    """The mean of what was given; None where it follows from distances."""
    if isinstance(value, (OfDistance, TravelTime)):
        return None
    if isinstance(value, Distribution):
        return float(value.table().mean())
    return float(np.mean(value)) if isinstance(value, (float, np.ndarray)) and np.size(value) else None


def _edges(about: About, most: int | None) -> dict[str, Any]:
    found = about.synapses(most)
    (source_of, source), (target_of, target) = about.members(found.sources), about.members(found.targets)
    return {
        "source": {"population": source_of.tolist(), "neuron": source.tolist()},
        "target": {"population": target_of.tolist(), "neuron": target.tolist()},
        "weight": found.weights.tolist(),
        "delay_ms": found.delays.round(9).tolist(),
    }
