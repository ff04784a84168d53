"""Published networks do what they do in NEST: the same parameters, and spike statistics within the spread over seeds.

tests/data/nest_networks.json holds NEST's values, one per seed. benchmarks/nest_statistics.py has the criterion, and
runs the same comparison at full scale and over more seeds.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import truncnorm

from biosnn.demos.brunel import brunel
from biosnn.demos.microcircuit import microcircuit
from biosnn.demos.vogels_abbott import vogels_abbott

ROOT = Path(__file__).parents[2]
NEST = json.loads((ROOT / "tests" / "data" / "nest_networks.json").read_text())["networks"]
SEEDS = 3


@pytest.fixture(scope="module")
def benchmark():
    """The module benchmarks/nest_statistics.py."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("nest_statistics")
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("name", ["brunel_n2500_J0.2", "brunel_n2500_J0.5_g6", "cuba_4000", "coba_4000", "pd14_0.1"])
def test_statistics_are_within_the_spread_over_seeds_of_nest(benchmark, name):
    runs = [benchmark.simulate(name, NEST[name], seed, threads=1) for seed in range(1, SEEDS + 1)]
    compared = benchmark.compare_network(runs, NEST[name])
    assert [(p, s, row) for p, rows in compared.items() for s, row in rows.items() if row["outside"]] == []


def test_criterion_rejects_a_network_that_is_slightly_off(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "network", lambda _name, seed: brunel(n=2500, J=0.2, g=5.05, seed=seed))
    name = "brunel_n2500_J0.2"
    runs = [benchmark.simulate(name, NEST[name], seed, threads=1) for seed in range(1, SEEDS + 1)]
    compared = benchmark.compare_network(runs, NEST[name])
    assert compared["E"]["rate_hz"]["outside"]
    assert compared["I"]["rate_hz"]["outside"]


def test_statistics_agree_with_those_of_the_run(benchmark):
    net = vogels_abbott(n=1000)
    for population in net.populations.values():
        net.record(population, "spikes")
    result = net.build().run(500.0)
    for name, own in result.populations.items():
        found = benchmark.spike_statistics(result, name)
        assert found["rate_hz"] == pytest.approx(own.rate)
        assert found["cv_isi_mean"] == pytest.approx(own.cv_isi)


def test_correlation_of_independent_and_of_equal_trains(benchmark):
    counts = np.random.default_rng(1).poisson(2.0, (300, 1000))
    independent = benchmark.correlation_of_pairs(counts)
    assert independent.size == 200 * 199 // 2
    assert abs(independent.mean()) < 4e-4  # four standard errors
    assert benchmark.correlation_of_pairs(np.repeat(counts[:1], 5, 0)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["pd14_0.1", "pd14_0.2", "pd14_1.0"])
def test_microcircuit_has_nest_s_parameters(name):
    nest = NEST[name]["parameters"]
    net = microcircuit(nest["N_scaling"])
    populations = list(net.populations.values())
    assert [p.name for p in populations] == list(NEST[name]["populations"])
    assert [p.n for p in populations] == nest["sizes"]
    current = [p.model.values["I_e"] for p in populations]
    np.testing.assert_allclose(current, nest["dc_pA"], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose([p.rate for p in net.poisson_inputs], np.multiply(nest["k_ext"], 8.0))
    np.testing.assert_allclose([p.weight for p in net.poisson_inputs], nest["w_ext_pA"], rtol=1e-5)

    names = [p.name for p in populations]
    synapses, weights = np.zeros((2, 8, 8))
    for connection in net.connections:
        t, s = names.index(connection.target.pieces[0][0].name), names.index(connection.source.pieces[0][0].name)
        synapses[t, s] = connection.n_expected
        weights[t, s] = connection.weight.table().mean()
        mean = 0.75 if s % 2 else 1.5
        sd = mean / 2
        expected = truncnorm((0.05 - mean) / sd, np.inf, mean, sd)
        delays = connection.delay.table()
        assert (delays.mean(), delays.std()) == pytest.approx((expected.mean(), expected.std()), rel=1e-4)
    # NEST's numbers are products of rounded logarithms: one synapse in 1e8 more or less
    np.testing.assert_allclose(synapses, nest["synapses_target_source"], rtol=1e-7, atol=1)
    there = synapses > 0
    np.testing.assert_allclose(weights[there], np.array(nest["weights_pA_target_source"])[there], rtol=1e-4)


@pytest.mark.parametrize("name", ["brunel_12500", "brunel_n2500_J0.2", "brunel_n2500_J0.5_g6"])
def test_brunel_has_nest_s_parameters(name):
    nest = NEST[name]["parameters"]
    net = brunel(n=nest["N"], J=nest["J_mV"], g=nest["g"], eta=nest["eta"])
    assert [p.n for p in net.populations.values()] == [r["neurons"] for r in NEST[name]["populations"].values()]
    assert sum(c.n_expected for c in net.connections) == nest["synapses"]
    _check_connections(net, nest["J_mV"], -nest["g"] * nest["J_mV"], nest["delay_ms"])
    assert [p.rate for p in net.poisson_inputs] == pytest.approx([nest["ext_rate_hz"]] * len(net.poisson_inputs))
    assert sum(len(p.target) for p in net.poisson_inputs) == nest["N"]
    assert {p.weight for p in net.poisson_inputs} == {nest["J_mV"]}
    _check_neurons(net, nest["neuron"])


def test_vogels_abbott_has_nest_s_parameters():
    nest = NEST["cuba_4000"]["parameters"]
    net = vogels_abbott()
    assert [p.n for p in net.populations.values()] == [3200, 800]
    assert sum(c.n_expected for c in net.connections) == nest["synapses"]
    _check_connections(net, nest["w_exc"], nest["w_inh"], nest["delay_ms"])
    _check_neurons(net, nest["neuron"])


def _check_connections(net, excitatory, inhibitory, delay):
    weight = dict(zip(net.populations, (excitatory, inhibitory), strict=True))
    for connection in net.connections:
        assert connection.weight == pytest.approx(weight[connection.source.pieces[0][0].name])
        assert connection.delay == delay


def _check_neurons(net, parameters):
    for population in net.populations.values():
        values = {name: population.model.values[name] for name in parameters if name != "V_m"}
        assert values == {name: value for name, value in parameters.items() if name != "V_m"}
