"""The fused matrix as scipy.sparse: its product with the spikes that are due is the input."""

import networks
import numpy as np
import pytest

import biosnn as bs

N = 60


def network():
    """A source of random spikes, and neurons that add up what arrives (mV), without decay or threshold."""
    rng = np.random.default_rng(2)
    net = bs.Network(dt=0.1)
    given = rng.random((200, N)) < 0.05  # [step, source]
    steps, senders = np.nonzero(given)
    source = net.spike_source("source", (steps + 1) * 0.1, senders, n=N)
    target = networks.cells(net, "target", 25)
    net.connect(source, target, bs.fixed_outdegree(9), weight=bs.uniform(-3.0, 3.0), delay=bs.uniform(0.1, 1.2))
    net.connect(source, target, bs.fixed_outdegree(4), weight=2.0, delay=0.5)
    return net, given


@pytest.mark.parametrize("backend", ["event_driven", "spmm_fused"])
def test_product_with_the_spikes_of_the_steps_that_are_due_is_the_input(backend):
    net, given = network()
    sim = net.build(threads=1, synapse_backend=backend)
    matrix = sim.fused_matrix("source", "target")
    lags = np.rint(sim.delays / 0.1).astype(int)
    assert matrix.shape == (25, lags.size * N)
    before = np.zeros(25)
    for step in range(200):
        sim.run(0.1)
        due = np.concatenate([given[step - d] if step >= d else np.zeros(N) for d in lags])
        np.testing.assert_allclose(sim.arrays["V_m"], before + matrix @ due, rtol=1e-5, atol=1e-4)
        before = sim.arrays["V_m"].astype(float)
    assert np.abs(before).max() > 20


def test_receptors_share_out_the_synapses_and_repeated_pairs_are_summed():
    net = bs.Network()
    a = net.population("a", 30, bs.models.iaf_psc_exp(tau_syn_ex=1.0, tau_syn_in=5.0))
    net.connect(a, a, bs.fixed_indegree(20), weight=bs.uniform(-50.0, 80.0), delay=bs.uniform(0.1, 0.4))
    sim = net.build(threads=1)
    every, excitatory, inhibitory = (sim.fused_matrix("a", "a", receptor) for receptor in (None, "ex", "in"))
    assert excitatory.min() >= 0
    assert inhibitory.max() <= 0
    assert abs(every - excitatory - inhibitory).max() < 1e-9
    summed = sum(every[:, k * 30 : (k + 1) * 30] for k in range(sim.delays.size))
    assert abs(summed.T - sim.weights("a", "a")).max() < 1e-9


def test_unknown_names_are_refused():
    net, _ = network()
    sim = net.build(threads=1)
    for arguments in (("source", "targets"), ("source", "target", "ex"), ("target", "source")):
        with pytest.raises(bs.UnknownNameError, match="fused_matrix"):
            sim.fused_matrix(*arguments)
