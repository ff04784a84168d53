"""Networks over all that a driver is made of, and what is fixed of each: its driver's text, its plan, its arrays.

    python tests/oracle/golden.py        writes tests/data/drivers.json and the texts beside it anew

Whoever changes one of them on purpose writes them anew, in a commit of its own that says why.
"""

import functools
import hashlib
import itertools
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import networks
import numpy as np
import travel
from scipy import stats

import biosnn as bs
from biosnn.backends import cpu, meeting

HERE = Path(__file__).parents[1] / "data"
KINDS = ("plain", "wide", "inputs", "everything")
IN_FULL = 12  # of the texts: those that are read in a review


def of_ways(kind):
    """Neurons in a ring of synapses; with heavy-tailed weights, inputs of each kind and recorders, or both."""
    net = bs.Network()
    a = net.population("a", 30, bs.models.iaf_psc_exp(tau_syn_in=5.0))
    net.connect(a, a, bs.fixed_outdegree(20), weight=bs.normal(1.0, 0.1), delay=bs.uniform(0.3, 2.0))
    if kind in ("wide", "everything"):
        net.connect(a, a, bs.fixed_outdegree(20), weight=stats.t(1.2), delay=bs.uniform(0.3, 2.0))
    if kind in ("inputs", "everything"):
        c = net.population("c", 30, bs.models.aeif_cond_exp())
        net.spike_source("s", [[0.1]])
        net.poisson(a, rate=100.0, weight=1.0)
        net.poisson(c, rate=bs.sinusoidal(100.0, 50.0, 10.0), weight=1.0)
        net.current(a, 10.0, start=1.0)
        net.current(c, bs.noise(1.0, 1.0, 1.0))
        net.current(c, bs.sinusoidal(1.0, 1.0, 10.0))
        net.record(a, "V_m", every=1.0)
        net.record(a + c, "V_m")
    return net


def of_model(name, receptors=False, two=False):
    """Neurons of one model, some with parameters of their own; with its own receptors, in a ring of synapses."""
    model, net = bs.models.MODELS[name], bs.Network()
    taken = {"receptors": [bs.receptors.AMPA(), bs.receptors.NMDA(), bs.receptors.GABA_A()]} if receptors else {}
    p = net.population("p", 8, model(**taken))
    if two:
        some = next(iter(model.membrane), None)
        given = {} if some is None else {some: np.linspace(1.0, 1.1, 5) * model.membrane[some].default}
        net.population("q", 5, model(**given, **taken))
    if "spikes" in model.accepts and not receptors:
        net.connect(p, p, bs.one_to_one(), weight=1.0, delay=1.0)
    return net


def strong_poisson():
    """An input whose weight takes 64 bits, and one of a varying rate."""
    net = bs.Network()
    p = net.population("p", 8, bs.models.iaf_psc_delta())
    net.poisson(p, rate=1000.0, weight=1e-3)
    net.poisson(p, rate=5e8, weight=1e3)
    net.poisson(p, rate=bs.stepped([0.0, 5.0], [10.0, 20.0]), weight=30.0)
    return net


def _own():
    @bs.neuron(state={"v": 0.0}, params={"tau": 10.0})
    def plain(v, I, p, dt):  # noqa: E741
        """A leaky neuron."""
        v = v + dt * (I - v) / p.tau
        return v, v >= 1.0

    net = bs.Network()
    p = net.population("p", 8, plain())
    net.connect(p, p, bs.one_to_one(), weight=1.0, delay=1.0)
    return net


def _cases():
    for kind, (backend, layout), ring, threads in itertools.product(KINDS, travel.BACKENDS, travel.RINGS, (1, 2)):
        how = travel.ways(backend, layout, ring) | {"threads": threads}
        yield f"{kind} {backend} {layout} {ring} {threads}", of_ways, (kind,), how
    for ring, dtype in itertools.product(("dense", "event_bucketed"), ("float16", "bfloat16", "float32")):
        how = travel.ways("event_driven", "auto", ring) | {"threads": 1, "ring_dtype": dtype}
        yield f"everything {ring} {dtype}", of_ways, ("everything",), how
    for name in bs.models.MODELS:
        yield name, of_model, (name,), {"threads": 1}
        yield f"{name}, two populations", of_model, (name, False, True), {"threads": 1}
        if "spikes" in bs.models.MODELS[name].accepts and bs.models.MODELS[name].jump_unit != "1":
            for kept in ("none", "float16", "bfloat16"):
                how = {"threads": 2, "receptor_state_dtype": kept}
                yield f"{name}, receptors, {kept}", of_model, (name, True), how
    yield "mixed", networks.mixed, (), {"threads": 3}
    yield "strong Poisson", strong_poisson, (), {"threads": 2}
    yield "own model", _own, (), {"threads": 1}
    yield "nothing", bs.Network, (), {"threads": 1}


def cases():
    """name: (a function that describes the network, how it is planned)."""
    found = {}
    for name, describe, given, how in _cases():
        try:
            describe(*given).plan(**how)
        except bs.BioSNNError:
            continue  # there is no such way, or the model takes no receptors
        found[name] = functools.partial(describe, *given), how
    return found


def built(net, how):
    """A simulation whose driver is written and loaded, but not compiled."""

    def load(text):
        names = re.findall(r"'(\w+)'", text.split("ARGUMENTS = (")[1].split(")")[0])
        return SimpleNamespace(ARGUMENTS=tuple(names), advance=lambda *_: None)

    with (
        mock.patch.object(cpu, "load_driver", load),
        mock.patch.object(cpu, "is_new", return_value=False),
        mock.patch.object(meeting, "can_meet", return_value=True),  # as on any machine of two cores
    ):
        return net.build(**how)


def inventory(sim):
    """Name, dtype and shape of each array."""
    return "\n".join(f"{name} {x.dtype} {x.shape}" for name, x in sorted(sim.arrays.items()))


def file_name(name):
    """What the file of a text in full is called."""
    return name.replace(" ", "_").replace(",", "")


def fixed(describe, how):
    """What is fixed of a network: hashes of its driver, of what its plan prints and of its arrays; and the driver."""
    net = describe()
    sim, plan = built(net, how), net.plan(**how)
    texts = {"driver": plan.driver_source, "plan": str(plan), "arrays": inventory(sim)}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}, texts["driver"]


def _write():
    shutil.rmtree(HERE / "drivers", ignore_errors=True)
    (HERE / "drivers").mkdir()
    found, all_cases = {}, cases()
    for k, (name, (describe, how)) in enumerate(all_cases.items()):
        found[name], text = fixed(describe, how)
        if k % (len(all_cases) // IN_FULL) == 0:
            (HERE / "drivers" / f"{file_name(name)}.txt").write_text(text, encoding="utf-8")
    (HERE / "drivers.json").write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
