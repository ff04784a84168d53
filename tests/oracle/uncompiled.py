"""Networks over all that a driver is made of, small enough to be simulated by plain Python, and what is left of them.

    BIOSNN_COMPILE=0 python tests/oracle/uncompiled.py      prints a digest of each array of each network after its run

Drivers that other tests compile as well are taken where there are some: no network costs less than its driver.
"""

import functools
import hashlib
import json
import sys
from itertools import pairwise

import networks
import numpy as np
import own_models
import travel
from scipy import stats

import biosnn as bs

# What differs between two runs of the same: addresses, times that were measured, how many threads have met how often,
# and how the run was cut into chunks, thus where the lists of spikes begin.
OF_THE_RUN = {"way_costs", "probe_table", "workers", "meetings", "clock", "spike_first", "spike_ids"}
WIDE = stats.t(1.2, scale=30.0)  # weights that keep float32


def of_models():
    """Neurons of each model under Poisson input, with parameters of all and of each, connected to each other."""
    net = bs.Network(seed=7)
    for k, (name, model) in enumerate(bs.models.MODELS.items()):
        some = next(iter(model.membrane), None)
        for part, n in ("", 3), ("_varied", 2):
            values = {some: np.linspace(1.0, 1.1, n) * model.membrane[some].default} if part and some else {}
            p = net.population(f"{name}{part}", n, model(**values))
            if "spikes" in model.accepts:
                weight = 20.0 if model.jump_unit == "1" else 0.8 if model.jump_unit == "mV" else 4.0
                to = net.populations["iaf_psc_exp"] if model.repeats else p  # parrots that hear themselves never end
                net.connect(p, to, bs.fixed_indegree(2), weight=weight, delay=bs.uniform(0.1, 1.0 + 0.1 * k))
                net.poisson(p, rate=20_000.0, weight=weight)
    return net


def of_receptors():
    """Models with receptors of each kind; `receptor_state_dtype` keeps their states in 16 bits."""
    r, net = bs.receptors, bs.Network(seed=8)
    for model in (bs.models.iaf_psc_exp, bs.models.aeif_cond_exp, bs.models.hh_psc_alpha):
        p = net.population(model.name, 4, model(receptors=[r.AMPA(), r.NMDA(), r.GABA_A()]))
        net.connect(p, p, bs.fixed_indegree(2), weight=5.0, delay=bs.uniform(0.1, 1.0))
        net.poisson(p, rate=30_000.0, weight=3.0)
    return net


def of_inputs():
    """Every input and recorder, with packed weights and with wide ones."""
    net, rng = bs.Network(seed=3), np.random.default_rng(4)
    a, b = net.population("a", 30, bs.models.iaf_psc_exp()), net.population("b", 11, bs.models.iaf_psc_delta())
    sources = net.spike_source("s", [[0.3, 0.3, 4.0], [2.0], []])
    net.connect(sources, a, bs.all_to_all(), weight=200.0, delay=bs.uniform(0.1, 2.0))
    net.connect(a, b, bs.fixed_outdegree(5), weight=WIDE, delay=1.0)
    net.poisson(a, rate=rng.uniform(0.0, 90_000.0, 30), weight=30.0)
    net.poisson(a, rate=60_000.0, weight=-10.0)  # beyond the table's window now and then
    net.poisson(a, rate=500_000.0, weight=1e-5)
    net.poisson(b, rate=1000.0, weight=1e-3)
    net.poisson(b, rate=bs.stepped([0.0, 5.0], [8000.0, 1000.0]), weight=0.5)
    net.poisson(a, rate=bs.sinusoidal(8000.0, rng.uniform(0.0, 9000.0, 30), 20.0, 90.0), weight=8.0)
    net.poisson(b, rate=bs.sinusoidal(8000.0, 5000.0, 200.0), weight=0.1)
    net.poisson(b, rate=bs.stepped([1.0, 3.0], rng.uniform(0.0, 30_000.0, (2, 11))), weight=0.2)
    net.current([b[::-1], a], bs.noise(100.0, 30.0, 0.5))
    net.current(a[3:], bs.ornstein_uhlenbeck(rng.uniform(0.0, 300.0, 27), 30.0, 5.0), start=2.0)
    net.current(a, bs.sinusoidal(1.0, 200.0, 10.0), stop=8.0)
    net.step_current(b, [0.0, 5.0], rng.uniform(0.0, 300.0, (2, 11)))
    net.record(a, "V_m", every=0.3)
    net.record(a + b, "V_m")
    net.record(b)
    return net


def of_rules():
    """Every rule, also those of space; its neurons' driver is one of test_space.py."""
    net = bs.Network(seed=5)
    wrapped = bs.grid((6, 6), spacing=50.0, edge_wrap=True)
    a = net.population("a", 36, bs.models.iaf_psc_delta(I_e=700.0), positions=wrapped)
    b = net.population(
        "b", 20, bs.models.iaf_psc_delta(I_e=600.0), positions=bs.random_positions((300.0, 300.0), edge_wrap=True)
    )
    how = {"weight": bs.normal(0.3, 0.5), "delay": bs.uniform(0.1, 3.0)}
    rules = [
        bs.all_to_all(), bs.all_to_all(allow_autapses=False), bs.pairwise_bernoulli(0.2),
        *(
            rule(5, allow_autapses=once, allow_multapses=not once)
            for rule in (bs.fixed_indegree, bs.fixed_outdegree, bs.fixed_total_number) for once in (True, False)
        ),
        *(bs.fixed_outdegree(30, allow_multapses=False, allow_autapses=once) for once in (True, False)),
        bs.pairwise_bernoulli(0.5 * bs.space.gaussian(60.0)), bs.pairwise_bernoulli(0.4 * bs.space.within(70.0)),
        bs.pairwise_bernoulli(bs.space.exponential(50.0), allow_autapses=False),
        bs.fixed_indegree(4, p=bs.space.exponential(80.0)),
        bs.fixed_indegree(4, p=bs.space.gaussian(90.0), allow_multapses=False, allow_autapses=False),
    ]  # fmt: skip
    for rule in rules:
        net.connect(a, a, rule, **how)
    net.connect(a, a, bs.one_to_one(), weight=np.arange(36) * 0.01, delay=0.4)
    net.connect(a[::2] + b, [b, a], bs.fixed_indegree(3), **how)
    mixed = (a + b)[np.random.default_rng(1).permutation(56)]  # kept neuron by neuron
    net.connect(mixed, mixed, bs.fixed_outdegree(4, allow_multapses=False, allow_autapses=False), **how)
    net.connect(b, a, ([0, 1, 1, 19], [3, 4, 4, 35]), weight=[0.1, 0.2, 0.3, 0.4], delay=[0.1, 0.2, 0.3, 0.1])
    by_distance = bs.space.conduction(0.3, offset=0.5, myelination=bs.uniform(0.5, 1.5))
    net.connect(b, a, bs.fixed_indegree(6), weight=0.2 * bs.space.gaussian(100.0), delay=by_distance)
    return net


def of_own_models():
    """Models of a user's own."""
    net = bs.Network(seed=2)
    own = own_models
    for model in (own.izhikevich, own.noisy, own.leaky, own.morris_lecar):
        p = net.population(model().name, 3, model())
        net.connect(p, p, bs.fixed_indegree(2), weight=5.0, delay=1.0)
        net.poisson(p, rate=9000.0, weight=5.0)
    return net


def of_relays():
    """Parrots that repeat so much at once that the lists of spikes have to grow."""
    net = bs.Network(seed=6)
    source = net.spike_source("s", [[1.0] * 18] * 20)
    first, second = (net.population(name, 15, bs.models.parrot_neuron()) for name in ("first", "second"))
    cells = networks.cells(net, "cells", 5)
    for a, b in (source, first), (first, second), (second, cells):
        net.connect(a, b, bs.all_to_all(), weight=0.1, delay=1.0)
    return net


def silent():
    """A current that decays until it is a number below 1.2e-38, which counts as zero: in steps 180 to 215."""
    net = bs.Network(seed=1)
    p = net.population("p", 5, bs.models.iaf_psc_exp(tau_syn_ex=0.2))
    net.connect(net.spike_source("s", [[0.1]]), p, bs.all_to_all(), weight=100.0, delay=0.1)
    return net


def _networks():
    for way in travel.SOME:
        yield f"packed, wide {travel.named(way)}", functools.partial(travel.MIXED, 5), {"parts": 2} | way, 90
    for way in travel.OTHERS:
        yield f"packed {travel.named(way)}", functools.partial(travel.recurrent, 8), {"threads": 2} | way, 90
    for way in travel.FLOATS:
        yield f"floats {travel.named(way)}", travel.listening, {"threads": 1} | way, 50
    yield "models", of_models, {"threads": 1}, 120
    for dtype in ("float16", "bfloat16"):
        yield f"receptors, {dtype}", of_receptors, {"threads": 1, "receptor_state_dtype": dtype}, 100
    yield "inputs", of_inputs, {"threads": 1}, 100
    for name, threads in ("rules", 1), ("rules, in parallel", 2):
        yield name, of_rules, {"threads": threads, "synapse_backend": "event_driven", "ring_strategy": "dense"}, 60
    yield "relays", of_relays, {"threads": 1}, 50
    yield (
        "full ring",
        functools.partial(travel.flood, n_sources=30),
        {"parts": 2, "ring_strategy": "event_bucketed"},
        60,
    )
    yield "own models", of_own_models, {"threads": 1}, 100
    yield "silent", silent, {"threads": 1}, 195


NETWORKS = {name: (describe, how, steps) for name, describe, how, steps in _networks()}


def digests(name):
    """A digest of each array of a network after its run, of its spikes, and of what was recorded."""
    describe, how, steps = NETWORKS[name]
    net, how = describe(), dict(how)
    sim = networks.serial(net, how.pop("parts"), **how) if "parts" in how else net.build(**how)
    choices, found = travel.choices_of(sim), {}
    for k, (begin, end) in enumerate(pairwise([0, 1, 2, 40, steps])):
        if choices is not None:
            travel.want(sim, choices[k + 3])
        result = sim.run((end - begin) * net.dt)
        found[f"spikes, piece {k}"] = result.fingerprint
        for recorder, samples in result.samples.items():
            found |= {f"{recorder}.{variable}, piece {k}": _digest(x.values) for variable, x in samples.items()}
    for table in ("", "_wide"):  # behind the last row there is room that nobody has written to
        for array in {f"words{table}", f"waits{table}"} & set(sim.arrays):
            found[array] = _digest(sim.arrays[array][: sim.arrays[f"row_first{table}"][-1]])
    return {array: _digest(x) for array, x in sim.arrays.items() if array not in OF_THE_RUN} | found


def _digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    json.dump({name: digests(name) for name in NETWORKS}, sys.stdout)
