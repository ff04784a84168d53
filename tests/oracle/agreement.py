"""Whether the engine does, to the bit, what the oracle says of a network."""

import naive
import networks
import numpy as np


def assert_equals_oracle(net, n_steps, threads=1):
    """Spikes, membranes and the number of synaptic events; returns the oracle's trace."""
    sim = net.build(threads=threads)
    expected = naive.run(net, sim, n_steps)
    spikes, events = networks.spikes_and_events(sim, n_steps * net.dt)
    np.testing.assert_array_equal(spikes, expected.pairs)
    for name, population in net.populations.items():
        if population.model is not None:
            ids = slice(sim.plan.layout.first_of()[name], sim.plan.layout.first_of()[name] + population.n)
            np.testing.assert_array_equal(membranes(net, sim, name), expected.V_m[-1, ids], err_msg=name)
    assert events == expected.events
    return expected


def membranes(net, sim, name):
    """V_m above E_L of one population, as the driver holds it."""
    layout = sim.plan.layout
    a = layout.names.index(name)
    group = layout.groups[layout.group_of[a]]
    prefix = f"{group.name}_" if len(layout.groups) > 1 else ""
    before = sum(net.populations[layout.names[b]].n for b in group.populations if b < a)
    return sim.arrays[f"{prefix}V_m"][before : before + net.populations[name].n]
