"""Networks that several test files run. Those of one function share one driver, whatever the numbers in them."""

from types import SimpleNamespace

import numpy as np
import pytest

import biosnn as bs
from biosnn.backends import cpu
from biosnn.engine.building.build import build
from biosnn.engine.running.simulation import Simulation
from biosnn.propagation.history import History


def mixed(draw=1, seed=1, n=40, longest=3.0):
    """Everything at once, by `draw`: three kinds of neurons, all rules, both signs, sources, Poisson, currents."""
    rng = np.random.default_rng(draw)
    net = bs.Network(dt=0.1, seed=seed)
    a, b, c = rng.integers(1, n + 1, 3).tolist()

    def population(name, size, model, **values):
        values |= {"t_ref": rng.integers(0, 30) * 0.1, "V_reset": rng.uniform(-75.0, -60.0)}
        return net.population(name, size, model(**values), V_m=rng.uniform(-72.0, -54.0, size))

    exp, jump = bs.models.iaf_psc_exp, bs.models.iaf_psc_delta
    two = population("two", a, exp, tau_syn_ex=rng.uniform(0.3, 3.0), tau_syn_in=rng.uniform(4.0, 9.0))
    one = population("one", b, exp, tau_m=rng.uniform(5.0, 20.0))
    delta = population("delta", c, jump, I_e=100.0)
    sources = net.spike_source("sources", [np.unique(rng.integers(1, 400, 12)) * 0.1 for _ in range(7)])

    delays = bs.uniform(0.05, longest + 0.1)
    net.connect([two, one], [two, one], bs.fixed_indegree(7), weight=bs.normal(40.0, 120.0), delay=delays)
    net.connect(two, one + two, bs.fixed_total_number(5 * (a + b)), weight=bs.normal(60.0, 20.0), delay=delays)
    net.connect(one[::2], two, bs.pairwise_bernoulli(0.3), weight=-150.0, delay=delays)
    net.connect(delta, delta, bs.fixed_outdegree(6), weight=bs.uniform(-2.0, 3.0), delay=delays)
    net.connect(delta, one, bs.fixed_outdegree(min(3, b), allow_multapses=False), weight=200.0, delay=longest)
    net.connect(two, two, bs.one_to_one(), weight=bs.uniform(-300.0, 300.0), delay=0.1)
    net.connect([two, one], delta, bs.pairwise_bernoulli(0.4), weight=bs.normal(0.5, 1.0), delay=delays)
    pairs = rng.integers(0, 7, 30), rng.integers(0, a + b, 30)
    net.connect(sources, [two, one], pairs, weight=rng.uniform(-400, 600, 30), delay=rng.integers(1, 20, 30) * 0.1)
    net.connect(sources, delta, bs.all_to_all(), weight=1.5, delay=bs.uniform(0.1, 1.0))

    net.poisson([two, one], rate=9000.0, weight=30.0)
    net.poisson(delta[: c // 2 + 1], rate=60000.0, weight=0.1)  # beyond the table's window of ten now and then
    net.poisson(one, rate=3000.0, weight=-25.0)
    net.current([two, one], 150.0, start=2.0, stop=25.0)
    net.current(two[a // 2 :], rng.uniform(-100, 300, a - a // 2), start=10.0)
    net.step_current(delta, [0.0, 5.0, 30.0], rng.uniform(0, 300, (3, c)))
    return net


def history(plan):
    """The part of a plan that keeps the spikes in flight."""
    (found,) = (part for part in plan.parts if isinstance(part, History))
    return found


def spikes(sim, duration):
    """Spikes of neurons (of sources none) in `duration` ms as an array (n, 2) of step and id, sorted."""
    return spikes_and_events(sim, duration)[0]


def spikes_and_events(sim, duration):
    """The same, and the number of synaptic events."""
    pairs = []
    result = sim.run(duration, sink=lambda steps, ids: pairs.append(np.column_stack([steps, ids])))
    pairs = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    layout = sim.plan.layout
    neuron = np.repeat(np.array(layout.group_of) >= 0, np.diff(layout.first_id))
    return pairs[neuron[pairs[:, 1].astype(int)]], result.synaptic_events


def recurrent(seed=1, n=200):
    """A balanced recurrent network of one kind of neuron under Poisson input."""
    net = bs.Network(dt=0.1, seed=seed)
    neurons = net.population("neurons", n, bs.models.iaf_psc_exp(t_ref=1.0), V_m=bs.uniform(-70.0, -55.0))
    exc, inh = neurons[: 4 * n // 5], neurons[4 * n // 5 :]
    net.connect(exc, neurons, bs.pairwise_bernoulli(0.1), weight=bs.normal(60.0, 6.0), delay=bs.uniform(0.1, 2.0))
    net.connect(inh, neurons, bs.fixed_indegree(5), weight=-300.0, delay=0.8)
    net.poisson(neurons, rate=8000.0, weight=35.0)
    return net


def cells(net, name, n, **values):
    """A population of the cheapest neurons: they add up their input (mV) and, by default, never forget or fire."""
    values = {"tau_m": 1e12, "V_th": 1e12, "t_ref": 0.0, "E_L": 0.0, "V_reset": 0.0} | values
    initial = {k: values.pop(k) for k in ("V_m",) if k in values}
    return net.population(name, n, bs.models.iaf_psc_delta(**values), **initial)


def drawn(net, threads=1, **ways):
    """The network with its synapses and all other arrays; its driver is written, but not compiled: it cannot run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "load_driver", lambda _text: SimpleNamespace(ARGUMENTS=(), advance=lambda *_: 0))
        return net.build(threads=threads, **ways)


def serial(net, parts, **ways):
    """A simulation by the serial driver, of a network that is divided as for several threads nonetheless."""
    plan = net.plan(threads=parts, **ways)
    plan.parallel = False
    return Simulation(build(net, plan))


def connected(rule, n_source=30, n_target=20, **how):
    """Synapses from `n_source` neurons to `n_target` others."""
    net = bs.Network(seed=how.pop("seed", 1))
    a, b = cells(net, "a", n_source), cells(net, "b", n_target)
    net.connect(a, b, rule, **{"weight": 1.0} | how)
    return drawn(net).synapses("a", "b")


def connected_to_itself(rule, n=25, source=slice(None), target=slice(None), **how):
    """Synapses within one population, between parts of it."""
    net = bs.Network(seed=1)
    a = cells(net, "a", n)
    net.connect(a[source], a[target], rule, **{"weight": 1.0} | how)
    return drawn(net).synapses("a", "a")
