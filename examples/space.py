"""A sheet of neurons that excite their neighbours: who is connected to whom, when spikes arrive, the wave they make.

python examples/space.py [figure.png]          needs the `plot` extra
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import biosnn as bs

net = bs.Network(dt=0.1, seed=1)
neuron = bs.models.iaf_psc_exp(t_ref=50.0)
sheet = net.population("sheet", 6400, neuron, positions=bs.grid((80, 80), spacing=25.0))  # um: 2 mm x 2 mm
profile = 0.8 * bs.space.gaussian(75.0, max_distance=250.0)  # um
net.connect(
    sheet, sheet, bs.pairwise_bernoulli(profile, allow_autapses=False),
    weight=800.0 * bs.space.exponential(200.0),  # pA
    delay=bs.space.conduction(0.2, myelination=bs.uniform(0.9, 1.1), offset=0.5),  # m/s, ms
)  # fmt: skip
middle = np.hypot(*sheet.positions.T) < 100.0
touch = net.spike_source("touch", [[1.0]] * middle.sum())
net.connect(touch, sheet[middle], bs.one_to_one(), weight=10_000.0, delay=0.1)
net.record(sheet, "spikes")

sim = net.build()
spikes = sim.run(60.0).spikes["sheet"]
synapses = sim.synapses("sheet", "sheet")
x, y = sheet.positions.T
d = np.hypot(x[synapses.targets] - x[synapses.sources], y[synapses.targets] - y[synapses.sources])

figure, axes = plt.subplots(2, 2, figsize=(9, 8), layout="constrained")
(near, chance), (delay, wave) = axes

mine = synapses.sources == 40 * 80 + 40
shown = near.scatter(x[synapses.targets[mine]], y[synapses.targets[mine]], c=synapses.delays[mine], s=12)
near.plot(x[40 * 80 + 40], y[40 * 80 + 40], "r+", markersize=12)
near.set(title="targets of one neuron", xlabel="x (um)", ylabel="y (um)", aspect="equal")
figure.colorbar(shown, ax=near, label="delay (ms)")

inside = np.abs(sheet.positions).max(1) < 700.0  # away from the edges, each neuron has the same neighbours
pairs = np.hypot(*(sheet.positions[None] - sheet.positions[inside][::7, None]).T).ravel()
edges = np.arange(12.5, 300.0, 12.5)
of_those = np.isin(synapses.sources, np.flatnonzero(inside)[::7])
made, there = np.histogram(d[of_those], edges)[0], np.histogram(pairs, edges)[0]
some = there > 0  # on a grid, not at all distances
chance.plot((edges[1:] + edges[:-1])[some] / 2, made[some] / there[some], "o", markersize=4, label="drawn")
chance.plot(edges, profile(edges), label="given")
chance.set(title="probability of a connection", xlabel="distance (um)")
chance.legend()

some = np.random.default_rng(1).choice(d.size, 3000, replace=False)
delay.plot(d[some], synapses.delays[some], ".", markersize=2)
for m in (0.9, 1.1):
    delay.plot(edges, 0.5 + edges / (1000 * 0.2 * m), "k", linewidth=0.8)
delay.set(title="0.5 ms + d / (0.2 m/s x myelination)", xlabel="distance (um)", ylabel="delay (ms)")

first = np.full(len(sheet), np.nan)
first[spikes.senders[::-1]] = spikes.times[::-1]
shown = wave.imshow(first.reshape(80, 80).T, origin="lower", extent=(-1000, 1000, -1000, 1000))
wave.set(title="first spike after a touch", xlabel="x (um)", ylabel="y (um)")
figure.colorbar(shown, ax=wave, label="ms")

name = sys.argv[1] if len(sys.argv) > 1 else "space.png"
figure.savefig(name, dpi=80)
out = np.abs(np.hypot(x, y) - 900.0) < 25.0
print(f"{len(d)} synapses, {net.connections[0].n_expected:.0f} expected; {name} shows them")
print(f"the wave takes {np.nanmean(first[out]):.1f} ms to reach 900 um: {0.9 / np.nanmean(first[out]):.3f} m/s")
