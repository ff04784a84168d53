"""Every verb and constructor of BioSNN's with arguments that are right, for benchmarks/fuzz.py to replace some of them.

CALLS[name] = (call, {argument: what makes it of a `World`}); a call ends in something that a network is planned with.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import own_izhikevich
from scipy import sparse

import biosnn as bs

N, M = 6, 5  # neurons of a, and of b


class World:
    """A network of each kind of population, and another one, for calls to use."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.net, self.other = bs.Network(), bs.Network()
        places = bs.random_positions([100.0, 100.0])
        self.a = self.net.population("a", N, bs.models.iaf_psc_exp(tau_syn_in=5.0), positions=places)
        self.b = self.net.population("b", M, bs.models.iaf_psc_exp(tau_syn_in=5.0), positions=places)
        self.g = self.net.population("g", 4, bs.models.iaf_cond_exp())
        self.s = self.net.spike_source("s", [[1.0, 1.5], [0.5]])
        self.foreign = self.other.population("a", N, bs.models.iaf_psc_exp())
        self.pair = ([0, 1, 2], [1, 1, 0])
        self.matrix = sparse.csr_matrix(np.arange(float(N * M)).reshape(N, M))


def _connect(w, **k):
    w.net.connect(**({"source": w.a, "target": w.b, "rule": bs.fixed_indegree(3), "weight": 5.0} | k))


def _population(w, model=None, **k):
    return w.net.population(
        **({"name": "new", "n": N, "model": bs.models.iaf_psc_exp() if model is None else model} | k)
    )


def _model(name):
    make = getattr(bs.models, name)

    def call(w, **k):
        p = _population(w, make(**k))
        for variable in list(p.model.recordable())[:1]:
            w.net.record(p, variable, name="first")

    values = {p: (lambda w, d=rule.default: d) for p, rule in make().parameters.items()}
    return call, values | {c: (lambda w, d=d: d) for c, d in make.choices.items()}


def _own(w, state=None, params=None, receptors=()):
    model = bs.neuron(state=state, params=params, receptors=receptors)(own_izhikevich.izhikevich.step)
    _population(w, model())


def _simulated(w):
    """A simulation: of one driver, whatever the seed."""
    w.net.record(w.a)
    w.net.record(w.a, "V_m")
    return w.net.build(threads=1)


def plain(x):
    """What is the same in every world."""
    return lambda _w: x


def _synapses(**k):
    """Arguments of connect, with more of them or others."""
    return {"source": lambda w: w.a, "target": lambda w: w.b, "weight": plain(5.0), "delay": plain(1.0), **k}


TIME, CURRENT = plain(1.0), {"target": lambda w: w.a, "name": plain("c")}
_IMAGE = plain(np.full((2, 3), 0.5))
CALLS = {
    "Network": (
        lambda w, **k: _population(SimpleNamespace(net=bs.Network(**k))), {"dt": plain(0.1), "seed": plain(1)},
    ),
    "population": (_population, {
        "name": plain("new"), "n": plain(N), "model": lambda w: bs.models.iaf_psc_exp(), "shape": plain((2, 3)),
        "positions": lambda w: bs.grid((2, 3), 10.0), "V_m": plain(-60.0), "I_syn_ex": plain(1.0),
    }),
    "connect": (_connect, _synapses(
        rule=lambda w: bs.fixed_outdegree(2), receptor=plain("ex"), name=plain("c"),
    )),
    "connect pairs": (
        lambda w, sources, targets, **k: _connect(w, rule=(sources, targets), **k),
        _synapses(sources=lambda w: w.pair[0], targets=lambda w: w.pair[1], weight=plain([1.0, 2.0, 3.0])),
    ),
    "connect matrix": (
        lambda w, **k: _connect(w, **k),
        {"rule": lambda w: w.matrix, "delay": lambda w: w.matrix, "weight": plain(None)},
    ),
    "connect dense": (
        lambda w, **k: _connect(w, rule=bs.all_to_all(), **k),
        {"weight": plain(np.ones((N, M))), "delay": plain(np.ones((N, M)))},
    ),
    "connect one_to_one": (
        lambda w, **k: _connect(w, target=w.a, rule=bs.one_to_one(), **k),
        {"weight": plain(np.ones(N)), "delay": plain(np.ones(N))},
    ),
    "connect conductances": (
        lambda w, **k: _connect(w, target=w.g, **k), {"weight": plain(1.0), "receptor": plain("ex")},
    ),
    "connect space": (
        lambda w, p, velocity, myelination, offset, scale, **k: _connect(
            w, rule=bs.pairwise_bernoulli(p * bs.space.gaussian(scale)), weight=p * bs.space.exponential(scale),
            delay=bs.space.conduction(velocity, myelination=myelination, offset=offset), **k,
        ),
        {"p": plain(0.5), "velocity": plain(0.1), "myelination": plain(1.0), "offset": plain(0.5),
         "scale": plain(50.0)},
    ),
    "space": (
        lambda w, std, beta, within, cut: [
            _connect(w, rule=bs.fixed_indegree(2, p=p), name=f"{k}") for k, p in enumerate((
                bs.space.gaussian(std, max_distance=cut), bs.space.exponential(beta, max_distance=cut),
                bs.space.within(within),
            ))
        ],
        {"std": plain(50.0), "beta": plain(50.0), "within": plain(500.0), "cut": plain(500.0)},
    ),
    "pairwise_bernoulli": (
        lambda w, **k: _connect(w, rule=bs.pairwise_bernoulli(**k)),
        {"p": plain(0.5), "allow_autapses": plain(True)},
    ),
    **{
        name: (
            lambda w, make=getattr(bs, name), **k: _connect(w, rule=make(**k)),
            {first: plain(2), "allow_autapses": plain(False), "allow_multapses": plain(False)},
        )
        for name, first in zip(
            ("fixed_indegree", "fixed_outdegree", "fixed_total_number"), ("indegree", "outdegree", "N"), strict=True,
        )
    },
    "all_to_all": (lambda w, **k: _connect(w, rule=bs.all_to_all(**k)), {"allow_autapses": plain(True)}),
    "poisson": (lambda w, **k: w.net.poisson(**k), {
        "target": lambda w: w.a, "rate": plain(1000.0), "weight": plain(3.0), "receptor": plain("ex"),
        "name": plain("p"),
    }),
    "current": (lambda w, **k: w.net.current(**k), CURRENT | {
        "amplitude": plain(100.0), "start": TIME, "stop": plain(2.0),
    }),
    "step_current": (lambda w, **k: w.net.step_current(**k), CURRENT | {
        "times": plain([0.5, 1.0]), "amplitudes": plain([1.0, 2.0]),
    }),
    "spike_source": (
        lambda w, **k: w.net.connect(w.net.spike_source(**k), w.a, bs.fixed_outdegree(2), weight=5.0),
        {"name": plain("new"), "times": plain([0.1, 0.5, 0.7]), "senders": plain([0, 1, 0]), "n": plain(2),
         "shape": plain((1, 2)), "positions": lambda w: bs.grid((1, 2), 5.0)},
    ),
    "frames": (lambda w, **k: w.net.frames(**k), {
        "target": lambda w: w.a, "frames": _IMAGE, "weight": plain(5.0), "every": TIME, "coding": plain("rate"),
        "max_rate": plain(100.0), "window": TIME, "threshold": plain(0.1), "start": TIME, "receptor": plain("ex"),
        "name": plain("f"),
    }),
    "frame_source": (lambda w, **k: w.net.frame_source(**k), {
        "name": plain("f"), "frames": _IMAGE, "every": TIME, "coding": plain("latency"), "window": TIME,
        "threshold": plain(0.1), "start": TIME,
    }),
    "record": (lambda w, **k: w.net.record(**k), {
        "target": lambda w: w.a, "variable": plain("V_m"), "every": plain(0.2), "name": plain("r"),
    }),
    "stepped": (
        lambda w, **k: w.net.current(w.a, bs.stepped(**k)), {"times": plain([0.5, 1.0]), "values": plain([1.0, 2.0])},
    ),
    "stepped rate": (
        lambda w, **k: w.net.poisson(w.a, rate=bs.stepped(**k), weight=1.0),
        {"times": plain([0.5, 1.0]), "values": plain([100.0, 200.0])},
    ),
    "playback": (
        lambda w, **k: w.net.current(w.a, bs.playback(**k)), {"values": plain([1.0, 2.0]), "every": plain(0.5)},
    ),
    "sinusoidal": (lambda w, **k: w.net.current(w.a, bs.sinusoidal(**k)), {
        "offset": plain(1.0), "amplitude": plain(2.0), "frequency": plain(10.0), "phase": plain(0.0),
    }),
    "sinusoidal rate": (lambda w, **k: w.net.poisson(w.a, rate=bs.sinusoidal(**k), weight=1.0), {
        "offset": plain(1000.0), "amplitude": plain(200.0), "frequency": plain(10.0), "phase": plain(0.0),
    }),
    "noise": (lambda w, **k: w.net.current(w.a, bs.noise(**k)), {
        "mean": plain(1.0), "std": plain(2.0), "dt": plain(0.1),
    }),
    "ornstein_uhlenbeck": (lambda w, **k: w.net.current(w.a, bs.ornstein_uhlenbeck(**k)), {
        "mean": plain(1.0), "std": plain(2.0), "tau": plain(5.0),
    }),
    **{
        name: (lambda w, make=getattr(bs, name), **k: _connect(w, weight=make(**k)), values)
        for name, values in {
            "normal": {"mean": plain(5.0), "std": plain(2.0)}, "uniform": {"min": plain(1.0), "max": plain(5.0)},
            "lognormal": {"mu": plain(1.0), "sigma": plain(0.5)}, "exponential": {"beta": plain(2.0)},
        }.items()
    },
    **{
        how: (lambda w, how=how, **k: _connect(w, weight=getattr(bs.normal(1.0, 2.0), how)(**k)),
              {"min": plain(-1.0), "max": plain(2.0)})
        for how in ("clipped", "redrawn")
    },
    "grid": (lambda w, **k: _population(w, positions=bs.grid(**k)), {
        "shape": plain((2, 3)), "spacing": plain(10.0), "center": plain(0.0), "edge_wrap": plain(True),
    }),
    "random_positions": (lambda w, **k: _population(w, positions=bs.random_positions(**k)), {
        "extent": plain([10.0, 20.0]), "center": plain(0.0), "edge_wrap": plain(True),
    }),
    "given_positions": (lambda w, **k: _population(w, positions=bs.given_positions(**k)), {
        "xyz": plain(np.ones((N, 2))), "extent": plain(10.0), "edge_wrap": plain(True),
    }),
    **{name: _model(name) for name in bs.models.MODELS},
    **{
        f"receptors.{name}": (
            lambda w, make=getattr(bs.receptors, name), **k: _population(
                w, bs.models.iaf_cond_exp(receptors=[make(**k)])
            ),
            values,
        )
        for name, values in {
            "exp": {"name": plain("x"), "tau": plain(2.0), "E_rev": plain(0.0), "Mg": plain(1.0),
                    "compartment": plain(0)},
            "alpha": {"name": plain("x"), "tau": plain(2.0), "E_rev": plain(0.0)},
            "dual_exp": {"name": plain("x"), "tau_rise": plain(1.0), "tau_decay": plain(5.0), "E_rev": plain(0.0)},
            "AMPA": {"tau": plain(2.0), "E_rev": plain(0.0), "compartment": plain(0)},
            "NMDA": {"tau_rise": plain(2.0), "tau_decay": plain(9.0), "E_rev": plain(0.0), "Mg": plain(1.0)},
        }.items()
    },
    "receptors": (
        lambda w, receptors: _population(w, bs.models.iaf_psc_exp(receptors=receptors)),
        {"receptors": lambda w: [bs.receptors.exp("x"), bs.receptors.exp("y")]},
    ),
    "neuron": (_own, {
        "state": plain({"v": -65.0, "u": -13.0}), "params": plain({"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}),
        "receptors": lambda w: [bs.receptors.exp("x")],
    }),
    "group[...]": (lambda w, key: w.net.record(w.a[key]), {"key": plain(slice(1, 3))}),
    "group + ...": (lambda w, more: w.net.record(w.a + more), {"more": lambda w: w.b}),
    "plan": (lambda w, **k: str(w.net.plan(**k)), {
        "threads": plain(1), "synapse_backend": plain("auto"), "fused_layout": plain("csr"),
        "ring_strategy": plain("dense"), "ring_dtype": plain("float32"), "max_ring_mib": plain(10.0),
        "receptor_state_dtype": plain("float16"),
    }),
    "plan events": (lambda w, **k: str(w.net.plan(ring_strategy="event_bucketed", **k)), {
        "ring_capacity_max": plain(10**6), "max_ring_mib": plain(10.0),
    }),
    "build": (lambda w, **k: w.net.build(**k), {"device": plain("cpu"), "threads": plain(1)}),
    "run": (lambda w, **k: _simulated(w).run(**k), {
        "duration": plain(1.0), "progress": plain(False), "sink": plain(None), "keep": plain(True),
    }),
    "spike_counts": (
        lambda w, **k: _simulated(w).run(1.0).spike_counts(**k), {"name": plain("a"), "bin_ms": plain(0.2)},
    ),
    "synapses": (lambda w, **k: _simulated(w).synapses(**k), {"source": plain("a"), "target": plain("b")}),
    "weights": (lambda w, **k: _simulated(w).weights(**k), {"source": plain("a"), "target": plain("b")}),
    "fused_matrix": (lambda w, **k: _simulated(w).fused_matrix(**k), {
        "source": plain("a"), "target": plain("b"), "receptor": plain("ex"),
    }),
}  # fmt: skip
