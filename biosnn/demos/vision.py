"""From retina to visual cortex: how cells come to prefer an orientation (Hubel & Wiesel 1962, J. Physiol. 160:106).

A movie drives the pixels of a retina. ON and OFF cells sum them by a difference of Gaussians (Rodieck 1965, Vision Res.
5:583). Each cell of a cortical sheet sums a patch of ON and OFF cells by a Gabor function (Jones & Palmer 1987,
J. Neurophysiol. 58:1233), whose orientation varies over the sheet, a map with pinwheels. Inhibitory cells have such
input as well, and take away what images of all orientations have in common (Troyer et al. 1998, J. Neurosci. 18:5908).

Places in the eye are in um on the retina, 220 to a degree of a cat's field of view, those of the sheet in um of cortex;
x points to the right and y upwards. Row 0 of an image, and of each population's `shape`, is on top.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from biosnn import _validate, models
from biosnn._arrays import F64, I64
from biosnn.demos.movies import given, gratings
from biosnn.description.population import Group
from biosnn.description.rules.uniform import fixed_indegree, pairwise_bernoulli
from biosnn.description.space import conduction, gaussian, within
from biosnn.distributions import uniform
from biosnn.engine.network import Network
from biosnn.errors import DescriptionError

PIXEL, SIDES = 55.0, (24, 64)  # um, a quarter of a degree; pixels that images have, at least and at most
MAX_RATE = 100.0  # Hz, of a pixel of 1
SHAPE, PERIOD, N_FRAMES = (40, 40), 8.0, 20  # of the gratings: pixels, pixels, frames in which one drifts by a period
ORIENTATIONS = 22.5 * np.arange(8)  # degrees

NEURON: dict[str, Any] = {
    "C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
    "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0,
}  # fmt: skip
START = uniform(-65.0, -50.0)  # mV
CENTRE, SURROUND, REACH = 55.0, 165.0, 2.5  # um; beyond so many of its standard deviations a Gaussian is left out
WEIGHT_CENTRE = 500.0  # pA, at the peak
I_RELAY = 300.0  # pA, into ON and OFF cells
DELAY_CENTRE, DELAY_SURROUND = 1.0, 3.0  # ms

SHEET, COLUMN = 3000.0, 1000.0  # um: its side, and how far it is to the next column that prefers the same
MARGIN = 8  # pixels at each edge of an image, which no receptive field has its middle in
ACROSS, ALONG = 0.35 * PERIOD * PIXEL, 0.5 * PERIOD * PIXEL  # um: standard deviations of a Gabor function
FAINT = 0.1  # of its peak: where it is smaller, there is no synapse
WEIGHT_EXC, WEIGHT_INH = 6000.0, 6500.0  # pA: of all synapses of a cell from ON and OFF cells together
DELAY_RELAY = 2.0  # ms
LOCAL_EXC, LOCAL_INH = (40, 100.0, 20.0), (40, 150.0, -150.0)  # in-degree, standard deviation (um), weight (pA)
VELOCITY, SYNAPTIC_DELAY = 0.3, 0.5  # m/s, of axons without myelin; ms


def vision(
    n: int = 2000,
    frames: ArrayLike | str | Path | None = None,
    every: float = 20.0,
    inhibition: float = 1.0,
    dt: float = 0.1,
    seed: int = 1,
) -> Network:
    """`n` neurons in the cortex (5 k^2, at least 500), four in five of them excitatory, and three for each pixel.

    `frames`: values from 0 to 1 as an array [T, H, W], an image [H, W], or the path of a .npy file of either; each is
    shown for `every` ms, and after the last one the first again. Without it, gratings of eight orientations drift one
    after the other. `inhibition` scales the weights of inhibitory cells; 0 is what bicuculline does (Sillito 1975,
    J. Physiol. 250:305). Populations: retina, on, off, exc, inh. Raises DescriptionError.
    """
    side = _side(n)
    images = gratings(ORIENTATIONS, SHAPE, PERIOD, N_FRAMES) if frames is None else given("vision", frames, SIDES)
    net = Network(dt=dt, seed=seed)
    _add_eye(net, images, every)
    _add_cortex(net, side, images.shape[1:], _validate.number("vision", "inhibition", inhibition, at_least=0))
    return net


def preferred(places: F64, seed: int) -> F64:
    """Orientations (degrees, 0 to 180) that cells at these places (n, 2) of the sheet are made to prefer.

        z(r) = sum of exp(i (s_j k_j r + phi_j)), j = 0..7      theta = arg(z) / 2

    with wave vectors k_j of one length, pi/8 apart, and signs s_j and phases phi_j drawn from the seed: an essentially
    complex planform. Source: Wolf 2005, Phys. Rev. Lett. 95:208701.
    """
    rng = np.random.default_rng(seed)
    sign, phi, angle = rng.choice([-1, 1], 8), rng.uniform(0, 2 * np.pi, 8), np.pi / 8 * np.arange(8)
    waves = 2 * np.pi / COLUMN * sign * np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray(np.degrees(np.angle(np.exp(1j * (places @ waves + phi)).sum(1))) / 2 % 180)


def _side(n: Any) -> int:
    """Of the inhibitory cells' square; that of the excitatory ones is twice as long."""
    n = _validate.count("vision", "n", n, at_least=500)
    side = math.isqrt(n // 5)
    if n != 5 * side**2:
        raise DescriptionError(
            f"vision: n must be 5 k^2, so that both sheets are squares, got {n}; {5 * side**2} and "
            f"{5 * (side + 1) ** 2} are the nearest"
        )
    return side


def _add_eye(net: Network, images: F64, every: float) -> None:
    """The retina, which follows the movie, and the ON and OFF cells behind it."""
    height, width = images.shape[1:]
    eye: dict[str, Any] = {"shape": (height, width), "positions": _grid(height, width, PIXEL)}
    retina = net.population("retina", height * width, models.parrot_neuron(), **eye)
    net.frames(retina, images, every=every, repeat=True, max_rate=MAX_RATE, weight=1.0, name="frames")
    relay = models.iaf_psc_exp(**NEURON, I_e=I_RELAY)
    for name, sign in (("on", 1), ("off", -1)):
        cells = net.population(name, height * width, relay, **eye, V_m=START)
        for part, std, peak, delay in (
            ("centre", CENTRE, sign * WEIGHT_CENTRE, DELAY_CENTRE),
            ("surround", SURROUND, -sign * WEIGHT_CENTRE * (CENTRE / SURROUND) ** 2, DELAY_SURROUND),  # as much in all
        ):
            near = pairwise_bernoulli(within(REACH * std))  # all of them
            net.connect(retina, cells, near, weight=peak * gaussian(std), delay=delay, name=f"{part} of {name}")


def _add_cortex(net: Network, side: int, shape: tuple[int, ...], inhibition: float) -> None:
    """The excitatory and inhibitory cells of the sheet, the ON and OFF cells that each sees, and those around it."""
    neuron, relays = models.iaf_psc_exp(**NEURON), net.populations["on"] + net.populations["off"]
    seen = PIXEL * (np.array(shape[::-1]) - 2 * MARGIN)  # um on the retina, which the sheet stands for
    sheets: list[Group] = []
    for name, k, weight in (("exc", 2 * side, WEIGHT_EXC), ("inh", side, WEIGHT_INH)):
        places = _grid(k, k, SHEET / k)
        cells = net.population(name, k * k, neuron, shape=(k, k), positions=places, V_m=START)
        phase = np.random.default_rng([net.seed, k]).uniform(0, 360, k * k)
        pairs, share = _receptive_fields(places * seen / SHEET, preferred(places, net.seed), phase, shape)
        net.connect(relays, cells, pairs, weight=weight * share, delay=DELAY_RELAY)
        sheets.append(cells)
    for source, factor, (indegree, std, weight) in zip(sheets, (1.0, inhibition), (LOCAL_EXC, LOCAL_INH), strict=True):
        near = fixed_indegree(indegree, p=gaussian(std), allow_autapses=False)
        net.connect(source, sheets, near, weight=factor * weight, delay=conduction(VELOCITY, offset=SYNAPTIC_DELAY))


def _receptive_fields(middles: F64, theta: F64, phase: F64, shape: tuple[int, ...]) -> tuple[tuple[I64, I64], F64]:
    """Synapses from ON cells, where a Gabor function is positive, and from OFF cells, where it is negative.

        g = exp(-u^2 / (2 ACROSS^2) - v^2 / (2 ALONG^2)) cos(2 pi u / PERIOD + phase)

    u and v: across and along bars of the orientation theta (degrees, as the phase), from the middle (um on the retina).
    Returns sources, which count the ON cells and then the OFF cells, targets, and the shares |g| / sum of |g| that they
    have in the input of each target.
    """
    (height, width), reach = shape, int(REACH * ALONG / PIXEL)
    span = np.arange(-reach, reach + 1)
    row, column = (height - 1) / 2 - middles[:, 1] / PIXEL, (width - 1) / 2 + middles[:, 0] / PIXEL
    rows = np.rint(row).astype(np.int64)[:, None, None] + span[:, None]
    columns = np.rint(column).astype(np.int64)[:, None, None] + span
    x, y = PIXEL * (columns - column[:, None, None]), PIXEL * (row[:, None, None] - rows)
    c, s = np.cos(np.radians(theta))[:, None, None], np.sin(np.radians(theta))[:, None, None]
    u, v = y * c - x * s, x * c + y * s
    g = np.exp(-(u**2) / (2 * ACROSS**2) - v**2 / (2 * ALONG**2))
    g *= np.cos(2 * np.pi * u / (PERIOD * PIXEL) + np.radians(phase)[:, None, None])
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    kept = inside & (np.abs(g) > FAINT)
    sources = (rows * width + columns + height * width * (g < 0))[kept]
    targets, size = np.nonzero(kept)[0], np.abs(g[kept])
    return (sources, targets), size / np.bincount(targets, size)[targets]


def _grid(height: int, width: int, spacing: float) -> F64:
    """Places (um) of the cells of an image, row by row, (height * width, 2), around its middle."""
    row, column = np.divmod(np.arange(height * width), width)
    return spacing * np.stack([column - (width - 1) / 2, (height - 1) / 2 - row], axis=1)
