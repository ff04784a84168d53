"""Functions of the distance between two neurons: for probabilities, weights and delays.

A profile is a peak times a shape that does not rise with distance; it is a probability or a weight, by where it is
given. The shapes are those of NEST's spatial_distributions, with its parameters. A new one is a constructor here, a
line in `Profile.shape` and `Profile.fades_at`, and one in the kernel of connectivity/near.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.distributions import N_QUANTILES, Distribution, as_values
from biosnn.errors import DescriptionError

__all__ = ["conduction", "exponential", "gaussian", "within"]

ROUNDING = 1e-9  # of a distance: 100 um may be off by 0.1 pm, for places up to a metre away
FADED = 2.0**-32  # a shape below this counts as nothing
UM_PER_MS = 1000.0  # in 1 m/s
EXPONENTIAL, GAUSSIAN, CONSTANT = range(3)


@dataclass(frozen=True)
class Profile:
    """peak * shape(d / scale) up to a distance of `max_distance` (um), and 0 beyond; multiply it to set the peak."""

    __array_ufunc__: ClassVar[None] = None  # a NumPy number, or one with a unit, times a profile comes to `__rmul__`

    kind: int
    scale: float
    max_distance: float
    peak: float = 1.0

    def __mul__(self, factor: float) -> Profile:
        return replace(self, peak=self.peak * _validate.number(str(self), "its factor", factor))

    __rmul__ = __mul__

    def __call__(self, d: F64) -> F64:
        """Its value at distances d (um)."""
        return np.where(d <= self.reach, self.peak * self.shape(d), 0.0)

    def shape(self, d: F64) -> F64:
        """From 1 at d = 0 downwards; not cut off."""
        x = np.asarray(d) / self.scale
        return np.ones_like(x) if self.kind == CONSTANT else np.exp(-x if self.kind == EXPONENTIAL else -0.5 * x * x)

    @property
    def reach(self) -> float:
        """The distance (um) up to which a neuron is inside.

        Those at `max_distance` are, whatever rounding their places did: neighbours on a grid of 33.3 um are up to
        33.300000000000011 um apart.
        """
        return self.max_distance * (1 + ROUNDING)

    @property
    def fades_at(self) -> float:
        """The distance (um) beyond which the shape counts as nothing, or is cut off."""
        return min(self.reach, self.falls_to(FADED))

    def falls_to(self, level: float) -> float:
        """The distance (um) at which the shape is `level`, if it is not cut off before."""
        x = -math.log(level)
        return {EXPONENTIAL: x * self.scale, GAUSSIAN: math.sqrt(2 * x) * self.scale, CONSTANT: math.inf}[self.kind]

    def __str__(self) -> str:
        cut = "" if math.isinf(self.max_distance) else f"max_distance={self.max_distance:g}"
        text = {
            EXPONENTIAL: f"exponential(beta={self.scale:g}, {cut}",
            GAUSSIAN: f"gaussian(std={self.scale:g}, {cut}",
            CONSTANT: f"within({self.max_distance:g}",
        }[self.kind]
        return (f"{self.peak:g} * " if self.peak != 1 else "") + f"space.{text.rstrip(', ')})"


def exponential(beta: float, *, max_distance: float | None = None) -> Profile:
    """exp(-d / beta): beta in um (NEST's spatial_distributions.exponential); 0 beyond `max_distance`."""
    return _profile("space.exponential", EXPONENTIAL, "beta", beta, max_distance)


def gaussian(std: float, *, max_distance: float | None = None) -> Profile:
    """exp(-d^2 / (2 std^2)): std in um (NEST's spatial_distributions.gaussian); 0 beyond `max_distance`."""
    return _profile("space.gaussian", GAUSSIAN, "std", std, max_distance)


def within(max_distance: float) -> Profile:
    """1 up to `max_distance` (um), that included, and 0 beyond: NEST's circular or spherical mask."""
    return _profile("space.within", CONSTANT, "max_distance", max_distance, max_distance)


def _profile(owner: str, kind: int, name: str, scale: Any, cut: Any) -> Profile:
    scale = _validate.number(owner, name, scale, "um", above=0)
    cut = math.inf if cut is None else _validate.number(owner, "max_distance", cut, "um", above=0)
    return Profile(kind, scale, cut)


@dataclass(frozen=True)
class Conduction:
    """A delay that grows with distance; see `conduction`."""

    velocity: float
    myelination: Any
    offset: float

    def __call__(self, d: F64, myelination: F64 | float) -> F64:
        """Delays (ms) at distances d (um)."""
        return self.offset + np.asarray(d) / (UM_PER_MS * self.velocity * np.asarray(myelination))


def conduction(velocity: float, *, myelination: Any = 1.0, offset: float = 0.0) -> Conduction:
    """The time that a spike takes to its target, as the delay of a connection.

        delay = offset + d / (velocity * myelination)         delay, offset in ms, d in um, velocity in m/s

    `myelination` is the factor by which the fibre of a synapse is faster: a number, a distribution from which each
    synapse draws its own, or an array wherever a delay may be one (a matrix, index arrays, one_to_one, all_to_all).
    Axons without myelin conduct at 0.1 to 2 m/s; 1 m/s is 1 mm in 1 ms.
    """
    if hasattr(myelination, "tocoo"):
        myelination = myelination.copy()
    elif _validate.is_array(myelination):
        myelination = _validate.array("space.conduction", "myelination", myelination)
    return Conduction(
        _validate.number("space.conduction", "velocity", velocity, "m/s", above=0),
        myelination,
        _validate.number("space.conduction", "offset", offset, "ms", at_least=0),
    )


class OfDistance(Distribution):
    """A weight that is looked up by distance: table()[k] at (k + 1/2) / per_um, and the last one, 0, beyond `fades_at`.

    It stands where a distribution could, whose table is looked up by random bits.
    """

    def __init__(self, profile: Profile, longest: float) -> None:
        self.profile, self.fades_at = profile, profile.fades_at
        self.reach = max(min(longest, self.fades_at), 1e-9)
        self.per_um = (N_QUANTILES - 2) / self.reach

    def quantile(self, u: F64) -> F64:
        """The weight in entry floor(65,536 u) of the table."""
        k = np.floor(np.asarray(u) * N_QUANTILES)
        return np.where(k < N_QUANTILES - 1, self.profile(np.minimum((k + 0.5) / self.per_um, self.reach)), 0.0)

    def cdf(self, x: float) -> float:
        """The share of the table that is at most x."""
        return float((self.table() <= x).mean())

    def __str__(self) -> str:
        return str(self.profile)


class TravelTime(Distribution):
    """A delay (ms) computed from the distance, which is at most `longest` um, and from a factor of each synapse.

    As a distribution it is that of equally likely distances along the fastest fibre: what the checks of delays look at.
    """

    def __init__(self, owner: str, conduction: Conduction, factor: Any, n_pairs: int | None, longest: float) -> None:
        self.factor = as_values(owner, "myelination", factor, n_pairs, above=0)
        if isinstance(self.factor, np.ndarray) and n_pairs is None:
            raise DescriptionError(
                f"{owner}: myelination as an array needs listed synapses (matrix, indices, one_to_one, all_to_all); "
                f"give a distribution"
            )
        self.conduction, self.longest = conduction, longest
        values = self.factors()
        self.slowest, self.fastest = float(values.min(initial=np.inf)), float(values.max(initial=0.0))

    def quantile(self, u: F64) -> F64:
        """Delay at a share u of the longest distance."""
        return self.conduction(np.asarray(u) * self.longest, self.fastest)

    def cdf(self, x: float) -> float:
        """The share of distances at which it is at most x."""
        return float((self.table() <= x).mean())

    def factors(self) -> F64:
        """The factors that a synapse looks its own up in: by random bits, or by its number."""
        return self.factor.table() if isinstance(self.factor, Distribution) else np.atleast_1d(self.factor)

    @property
    def last(self) -> float:
        """The longest delay (ms)."""
        return float(self.conduction(np.array(self.longest), self.slowest))

    def first_step(self, dt: float) -> int:
        """The shortest delay that there can be, in steps."""
        return max(round(self.conduction.offset / dt), 1)

    def steps(self, dt: float) -> NDArray[np.int64]:
        """Every delay that there can be, in steps, ascending."""
        first = self.first_step(dt)
        return np.arange(first, max(int(np.rint(self.last / dt)), first) + 1)

    def __str__(self) -> str:
        return "space.conduction"


def check_probability(owner: str, profile: Profile) -> None:
    """Raise DescriptionError if the peak of a profile is no probability."""
    if not 0 < profile.peak <= 1:
        raise DescriptionError(f"{owner}: the peak of {profile} must be above 0 and at most 1, to be a probability")
