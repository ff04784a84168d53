"""Distributions by their quantile function: for weights, delays, initial values and parameters.

A synapse is drawn from one 64-bit random word: 16 bits of it look up the weight and 16 the delay, each in a table
of 65,536 quantiles. So anything with a quantile function can be drawn, at the same speed; the price is that the
outermost 1/131,072 of each tail is represented by its quantile.
"""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosnn import _units, _validate
from biosnn._arrays import F64
from biosnn.errors import DescriptionError

N_QUANTILES = 65536


class Distribution(ABC):
    """A distribution of real values, drawn by `quantile(u)` of uniform u."""

    @abstractmethod
    def quantile(self, u: F64) -> F64:
        """Inverse cumulative distribution; u in (0, 1), any shape."""

    @abstractmethod
    def cdf(self, x: float) -> float:
        """Probability of a value of at most x."""

    def table(self) -> F64:
        """The 65,536 equally likely values that stand for the distribution, ascending; not to be written to."""
        return _table(self)

    def clipped(self, min: float = -np.inf, max: float = np.inf) -> Distribution:
        """Values beyond the bounds moved onto them."""
        return _Clipped(self, *_bounds("clipped", min, max))

    def redrawn(self, min: float = -np.inf, max: float = np.inf) -> Distribution:
        """Values beyond the bounds drawn again until they fall inside (NEST's `redraw`): truncated."""
        lo, hi = _bounds("redrawn", min, max)
        below = self.cdf(lo) if np.isfinite(lo) else 0.0
        inside = (self.cdf(hi) if np.isfinite(hi) else 1.0) - below
        if not inside > 0.0:
            raise DescriptionError(f"redrawn: no value of {self} lies between {lo:g} and {hi:g}; widen the bounds")
        return _Redrawn(self, lo, hi, below, inside)


@dataclass(frozen=True)
class Normal(Distribution):
    """Gaussian with mean and standard deviation."""

    mean: float
    std: float

    def quantile(self, u: F64) -> F64:
        """Inverse cumulative distribution."""
        from scipy.special import ndtri

        scores = _scores() if u is _steps() else ndtri(u)
        return np.asarray(self.mean + self.std * scores)

    def cdf(self, x: float) -> float:
        """Probability of a value of at most x."""
        from scipy.special import ndtr

        return float(ndtr((x - self.mean) / self.std)) if self.std else float(x >= self.mean)


@dataclass(frozen=True)
class Lognormal(Distribution):
    """exp of a Gaussian with mean `mu` and standard deviation `sigma` (NEST's mean and std)."""

    mu: float
    sigma: float

    def quantile(self, u: F64) -> F64:
        """Inverse cumulative distribution."""
        return np.exp(Normal(self.mu, self.sigma).quantile(u))

    def cdf(self, x: float) -> float:
        """Probability of a value of at most x."""
        return Normal(self.mu, self.sigma).cdf(float(np.log(x))) if x > 0 else 0.0


@dataclass(frozen=True)
class Uniform(Distribution):
    """Equally likely between `min` and `max`."""

    min: float
    max: float

    def quantile(self, u: F64) -> F64:
        """Inverse cumulative distribution."""
        return self.min + (self.max - self.min) * np.asarray(u)

    def cdf(self, x: float) -> float:
        """Probability of a value of at most x."""
        return float(np.clip((x - self.min) / (self.max - self.min), 0.0, 1.0))


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential with mean `beta` (NEST's and NumPy's parameter)."""

    beta: float

    def quantile(self, u: F64) -> F64:
        """Inverse cumulative distribution."""
        return -self.beta * np.log1p(-np.asarray(u))

    def cdf(self, x: float) -> float:
        """Probability of a value of at most x."""
        return float(-np.expm1(-x / self.beta)) if x > 0 else 0.0


@dataclass(frozen=True)
class _Clipped(Distribution):
    base: Distribution
    min: float
    max: float

    def quantile(self, u: F64) -> F64:
        return np.clip(self.base.quantile(u), self.min, self.max)

    def cdf(self, x: float) -> float:
        return 0.0 if x < self.min else 1.0 if x >= self.max else self.base.cdf(x)


@dataclass(frozen=True)
class _Redrawn(Distribution):
    base: Distribution
    min: float
    max: float
    below: float  # probability of the base under `min`
    inside: float  # and between the bounds

    def quantile(self, u: F64) -> F64:
        # clipped once more: at the bounds the quantile of the base may be off by a rounding error
        return np.clip(self.base.quantile(self.below + self.inside * np.asarray(u)), self.min, self.max)

    def cdf(self, x: float) -> float:
        return float(np.clip((self.base.cdf(x) - self.below) / self.inside, 0.0, 1.0))


class _Frozen(Distribution):
    """Any frozen scipy.stats distribution, continuous or discrete."""

    def __init__(self, frozen: Any) -> None:
        self.frozen = frozen

    def quantile(self, u: F64) -> F64:
        return np.asarray(self.frozen.ppf(u), np.float64)

    def cdf(self, x: float) -> float:
        return float(self.frozen.cdf(x))

    def __repr__(self) -> str:
        args = ", ".join([*map(str, self.frozen.args), *(f"{k}={v}" for k, v in self.frozen.kwds.items())])
        return f"scipy.stats.{self.frozen.dist.name}({args})"


@functools.lru_cache(maxsize=64)  # a microcircuit asks 340 times for 8 of them, 1 ms each
def _table(distribution: Distribution) -> F64:
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        values = distribution.quantile(_steps())
    values.flags.writeable = False
    return values


@functools.cache
def _steps() -> F64:
    """The probabilities whose quantiles a table holds."""
    found = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    found.flags.writeable = False
    return found


@functools.cache
def _scores() -> F64:
    """The table of the standard normal distribution, of which all others are made: 0.1 ms each instead of 2."""
    from scipy.special import ndtri

    return np.asarray(ndtri(_steps()))


def normal(mean: float, std: float) -> Distribution:
    """Gaussian; the unit is that of what it is given for.

    Raises DescriptionError if a parameter is not finite or std is negative.
    """
    return Normal(_validate.number("normal", "mean", mean), _validate.number("normal", "std", std, at_least=0))


def lognormal(mu: float, sigma: float) -> Distribution:
    """exp of a Gaussian with mean mu and standard deviation sigma: its own mean is exp(mu + sigma^2 / 2).

    NEST's nest.random.lognormal(mean, std). Raises DescriptionError if sigma is negative.
    """
    return Lognormal(_validate.number("lognormal", "mu", mu), _validate.number("lognormal", "sigma", sigma, at_least=0))


def uniform(min: float, max: float) -> Distribution:
    """Equally likely between min and max, in the unit of what it is given for.

    Raises DescriptionError unless min is below max.
    """
    lo, hi = _validate.number("uniform", "min", min), _validate.number("uniform", "max", max)
    if not lo < hi:
        raise DescriptionError(f"uniform: min must be below max, got {lo:g} and {hi:g}")
    return Uniform(lo, hi)


def exponential(beta: float) -> Distribution:
    """Exponential with mean beta (NEST's parameter), in the unit of what it is given for.

    Raises DescriptionError unless beta is above 0.
    """
    return Exponential(_validate.number("exponential", "beta", beta, above=0))


def as_values(
    owner: str,
    name: str,
    value: Any,
    n: int | None = None,
    unit: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    endless: bool = False,
) -> float | F64 | Distribution:
    """What users may give for a quantity: a number, an array of n numbers, or a distribution; within bounds.

    Raises DescriptionError for anything else, for values that are not finite (numbers may be inf if `endless`), and for
    a wrong shape (n given).
    """
    if isinstance(value, Distribution) or (hasattr(value, "ppf") and hasattr(value, "cdf")):
        found = value if isinstance(value, Distribution) else _frozen(owner, name, value)
        where = f" from {found}; check its parameters, or cut it off with .redrawn(min, max)"
        _validate.check_range(owner, name, found.table(), unit, where, above=above, at_least=at_least)
        return found
    if not _validate.is_array(value):
        return _validate.number(owner, name, value, unit, above=above, at_least=at_least, endless=endless)
    want = "one-dimensional" if n is None else f"of shape ({n},)"
    if isinstance(value, np.ndarray) and value.ndim > 1:  # not to be copied: by broadcasting, it may exceed the memory
        raise DescriptionError(f"{owner}: an array for {name} must be {want}, got shape {value.shape}")
    x = _validate.array(owner, name, value, unit, endless=endless)
    if x.ndim != 1 or (n is not None and x.size != n):
        raise DescriptionError(f"{owner}: an array for {name} must be {want}, got shape {x.shape}")
    _validate.check_range(owner, name, x, unit, above=above, at_least=at_least, endless=endless)
    return x


def extremes(value: float | F64 | Distribution) -> F64:
    """The smallest and the largest value that can be drawn."""
    x = value.table() if isinstance(value, Distribution) else np.atleast_1d(value)
    return np.array([x.min(), x.max()]) if x.size else np.zeros(2)


def _frozen(owner: str, name: str, value: Any) -> Distribution:
    try:
        found = _Frozen(copy.deepcopy(value))  # its parameters may be arrays of the user's
        fine = hasattr(value, "dist") and found.table().shape == (N_QUANTILES,)
        fine = fine and not any(map(_units.has_unit, (*value.args, *value.kwds.values())))
    except (TypeError, ValueError):  # parameters are arrays that do not fit
        fine = False
    if not fine:
        raise DescriptionError(
            f"{owner}: {name} must be one frozen distribution of plain numbers, as in scipy.stats.norm(0.0, 1.0), "
            f"got {_validate.shown(value)}"
        )
    return found


def _bounds(owner: str, low: float, high: float) -> tuple[float, float]:
    lo, hi = _validate.real(owner, "min", low), _validate.real(owner, "max", high)
    if not lo <= hi:
        raise DescriptionError(f"{owner}: min must be a number that does not exceed max, got {lo:g} and {hi:g}")
    return lo, hi
