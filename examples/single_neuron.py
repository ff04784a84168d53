"""One neuron under a current step and a few given spikes: the trace of its potential, on the terminal.

python examples/single_neuron.py
"""

import biosnn as bs

net = bs.Network(dt=0.1)
cell = net.population("cell", 1, bs.models.iaf_psc_exp(tau_syn_ex=2.0, tau_syn_in=5.0))
net.current(cell, 450.0, start=20.0, stop=60.0)  # pA
source = net.spike_source("source", times=[70.0, 72.0, 74.0])
net.connect(source, cell, bs.one_to_one(), weight=1500.0, delay=1.0)  # pA, ms
net.record(cell, "V_m", every=1.0)
net.record(cell, "spikes")

result = net.build().run(90.0)
trace = result.samples["cell"]["V_m"]
for t, (v,) in zip(trace.times, trace.values, strict=True):
    print(f"{t:5.1f} ms {v:8.3f} mV  " + " " * round(3 * (v + 72)) + "*")
print("spikes at", result.spikes["cell"].times, "ms")
