"""A balanced random network: describe it, look at its plan, run it, and print what it did.

python examples/balanced_network.py [duration in ms]
"""

import sys

import biosnn as bs

duration = float(sys.argv[1]) if len(sys.argv) > 1 else 1000.0

net = bs.Network(dt=0.1, seed=1)
neuron = bs.models.iaf_psc_exp(tau_m=20.0)
exc = net.population("exc", 3200, neuron, V_m=bs.normal(-65.0, 5.0))
inh = net.population("inh", 800, neuron, V_m=bs.normal(-65.0, 5.0))
everyone = exc + inh
net.connect(exc, everyone, bs.pairwise_bernoulli(0.02), weight=bs.normal(45.0, 4.5), delay=bs.normal(1.5, 0.75))
net.connect(inh, everyone, bs.pairwise_bernoulli(0.02), weight=-450.0, delay=0.8)
net.poisson(everyone, rate=1250.0, weight=100.0)
net.record(everyone, "spikes")
print(net.plan())

sim = net.build()
sim.run(min(200.0, duration))  # settle
result = sim.run(duration)
for name, statistics in result.populations.items():
    print(f"{name}: {statistics.rate:.2f} Hz, CV of interspike intervals {statistics.cv_isi:.2f}")
print(
    f"{len(result.spikes['exc+inh'])} spikes, real-time factor {result.rtf:.3g}, fingerprint {result.fingerprint[:16]}"
)
