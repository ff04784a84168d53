"""Every plot of docs/plots.md, of one balanced network on a sheet.

python examples/plots.py [folder]          needs the `plot` extra; writes docs/pictures/plot_*.png, or into the folder
"""

import sys
from pathlib import Path

import biosnn as bs

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "pictures"

net = bs.Network(dt=0.1, seed=1)
neuron = bs.models.iaf_psc_exp(tau_m=20.0)
sheet = {"exc": bs.grid((64, 50), spacing=25.0), "inh": bs.random_positions((1600.0, 1250.0))}  # um
exc = net.population("exc", 3200, neuron, positions=sheet["exc"], V_m=bs.normal(-65.0, 5.0))
inh = net.population("inh", 800, neuron, positions=sheet["inh"], V_m=bs.normal(-65.0, 5.0))
net.connect(exc, [exc, inh], bs.pairwise_bernoulli(0.02), weight=bs.normal(45.0, 9.0), delay=bs.normal(1.5, 0.75))
net.connect(inh, [exc, inh], bs.fixed_indegree(16), weight=bs.normal(-450.0, 45.0), delay=0.8)  # pA, ms
net.poisson([exc, inh], rate=1250.0, weight=100.0)  # Hz per neuron, pA
for population in (exc, inh):
    net.record(population, "spikes")
    net.record(population[:100], "V_m")

plan = net.plan()
sim = net.build()
result = sim.run(2000.0)

drawn = {
    "raster": result.plot.raster(window=(1000.0, 1500.0), bin_ms=2.0)[0],
    "rates": result.plot.rates(window=(1000.0, 1500.0), bin_ms=2.0),
    "traces": result.plot.traces("V_m", window=(1000.0, 1200.0), most=3),
    "isi": result.plot.isi(),
    "cv": result.plot.cv(),
    "correlation": result.plot.correlation(),
    "weights": sim.plot.weights(),
    "degrees": sim.plot.degrees("in", source="exc"),
    "positions": sim.plot.positions(),
    "memory": plan.plot.memory(),
}
for name, axes in drawn.items():
    axes.figure.savefig(FOLDER / f"plot_{name}.png", dpi=100)
    print(FOLDER / f"plot_{name}.png")
