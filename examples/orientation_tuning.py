"""The orientation tuning of the demo `vision`: what its cells are made to prefer, and what they fire for.

python examples/orientation_tuning.py [figure.png]          needs the `plot` extra
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from biosnn.demos.movies import gratings
from biosnn.demos.vision import N_FRAMES, ORIENTATIONS, PERIOD, SHAPE, SHEET, preferred, vision

EVERY, ROUNDS = 20.0, 5  # ms
SHOWN = EVERY * N_FRAMES  # ms, of each grating: it drifts by one period


def run(inhibition):
    """A simulation, and the rates (Hz) of its ON and excitatory cells while each of the gratings is shown."""
    net = vision(every=EVERY, inhibition=inhibition)
    net.record(net.populations["on"])
    net.record(net.populations["exc"])
    sim = net.build()
    result = sim.run(ROUNDS * len(ORIENTATIONS) * SHOWN)
    print(f"inhibition {inhibition:g}: Hz", {name: round(rate, 1) for name, rate in result.rates.items()})
    counts = {name: result.spike_counts(name, bin_ms=SHOWN) for name in ("on", "exc")}
    return (
        net,
        sim,
        {k: x.reshape(len(x), ROUNDS, len(ORIENTATIONS)).mean(1) / (1e-3 * SHOWN) for k, x in counts.items()},
    )


def by_receptive_fields(sim):
    """How far the input of each excitatory cell swings while each grating drifts, if all cells before it are linear."""
    frames = gratings(ORIENTATIONS, SHAPE, PERIOD, N_FRAMES).reshape(-1, SHAPE[0] * SHAPE[1])
    drive = sum(sim.weights(x, "exc").T @ (sim.weights("retina", x).T @ frames.T) for x in ("on", "off"))
    return np.abs(np.fft.rfft(drive.reshape(len(drive), len(ORIENTATIONS), N_FRAMES), axis=2)[:, :, 1])


def mean_vector(responses):
    """Circular variance, 1 - |sum of r exp(2 i theta)| / sum of r, and the preferred orientation (degrees)."""
    z = responses @ np.exp(2j * np.radians(ORIENTATIONS)) / responses.sum(1)
    return 1 - np.abs(z), np.degrees(np.angle(z)) / 2 % 180


net, sim, rates = run(inhibition=1.0)
_, _, without = run(inhibition=0.0)
exc = net.populations["exc"]
made = preferred(exc.positions, net.seed)
fires = rates["exc"].mean(1) > 0.5  # Hz
responses = {
    "spikes": (rates["exc"][fires], "C0", "-"),
    "spikes, without inhibition": (without["exc"], "C3", "--"),
    "receptive fields, linear": (by_receptive_fields(sim), "C1", ":"),
    "spikes of ON cells": (rates["on"], "C2", "-."),
}
found = mean_vector(rates["exc"][fires])[1]
off_by = (found - made[fires] + 90) % 180 - 90  # degrees

figure, axes = plt.subplots(2, 3, figsize=(12, 7.5), layout="constrained")
(field, given_map, found_map), (curves, scatter, variances) = axes

cell = 20 * exc.shape[1] + 20
weights = [np.asarray(sim.weights(x, "exc")[:, [cell]].todense()).reshape(SHAPE) for x in ("on", "off")]
shown = field.imshow(weights[0] - weights[1], cmap="RdBu_r", vmin=-np.max(weights), vmax=np.max(weights))
figure.colorbar(shown, ax=field, label="pA, of ON (red) and OFF cells (blue)")
field.set(title="receptive field of one cell", xlabel="pixel", ylabel="pixel")

image = np.full(len(exc), np.nan)
image[fires] = found
for ax, orientation, title in ((given_map, made, "preferred orientation: as built"), (found_map, image, "from spikes")):
    extent = SHEET / 2 * 1e-3 * np.array([-1, 1, -1, 1])
    shown = ax.imshow(orientation.reshape(exc.shape), cmap="hsv", vmin=0, vmax=180, extent=extent)
    ax.set(title=title, xlabel="mm of cortex")
figure.colorbar(shown, ax=found_map, label="degrees", ticks=[0, 45, 90, 135, 180])

around = np.arange(-4, 5)  # from the grating that is nearest to what a cell is made to prefer
nearest = np.rint(made / 22.5).astype(int)
for name, its in (("with inhibition", rates["exc"]), ("without", without["exc"])):
    aligned = np.take_along_axis(its, (nearest[:, None] + around) % 8, axis=1)
    (line,) = curves.plot(22.5 * around, aligned.mean(0), "o-", color="C0" if its is rates["exc"] else "C3", label=name)
    curves.fill_between(22.5 * around, *np.percentile(aligned, [25, 75], axis=0), color=line.get_color(), alpha=0.2)
curves.set(title="tuning: mean, quartiles", xlabel="grating - preferred, as built (degrees)", ylabel="Hz", ylim=(0, 45))
curves.set_xticks([-90, -45, 0, 45, 90])
curves.legend()

scatter.plot(made[fires], made[fires] + off_by, ".", markersize=3)
scatter.plot([0, 180], [0, 180], "k", linewidth=0.8)
scatter.set(title="preferred orientation", xlabel="as built (degrees)", ylabel="from spikes (degrees)")

for name, (values, color, style) in responses.items():
    variance = np.sort(mean_vector(values)[0])
    variances.plot(variance, np.arange(variance.size) / variance.size, style, color=color, label=name)
    print(f"median circular variance of {name}: {np.median(variance):.2f}")
variances.set(
    title="circular variance", xlabel="0: one orientation alone, 1: all alike", ylabel="share of cells", ylim=(0, 1.6)
)
variances.set_yticks([0, 0.5, 1])
variances.legend(loc="upper left")

name = sys.argv[1] if len(sys.argv) > 1 else "orientation_tuning.png"
figure.savefig(name, dpi=80)
print(f"{fires.sum()} of {len(exc)} excitatory cells fire; {name} shows what for")
print(f"what they fire for is, on average, {np.abs(off_by).mean():.1f} degrees from what they are made to prefer")
print(f"mean cosine of twice that: {np.cos(2 * np.radians(off_by)).mean():.3f}")
