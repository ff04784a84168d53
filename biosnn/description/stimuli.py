"""Rates and currents that change: what `net.poisson` and `net.current` take in place of a number.

Each is a small frozen description, checked when it is made; what depends on the network (dt, the number of neurons) is
checked when it is given to a target. Times are in ms, frequencies in Hz, phases in degrees; values are in Hz for a rate
and in pA for a current.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.errors import DescriptionError


@dataclass(frozen=True, eq=False)
class Stepped:
    """`values[k]` from `times[k]` on, 0 before; the last one holds. See `stepped`."""

    times: NDArray[Any]  # (n_times,), float64, or float32 as they were given
    values: F64  # (n_times,), or (n_times, n_neurons)


@dataclass(frozen=True, eq=False)
class Playback:
    """`values[k]` from k `every` on, after the start; the last one holds. See `playback`."""

    values: F64  # (n_samples,), or (n_samples, n_neurons)
    every: np.floating[Any]


@dataclass(frozen=True, eq=False)
class Sinusoidal:
    """offset + amplitude sin(2 pi frequency t + phase). See `sinusoidal`."""

    offset: float | F64
    amplitude: float | F64
    frequency: float
    phase: float | F64


@dataclass(frozen=True, eq=False)
class Noise:
    """mean + std N, a new Gaussian number every `dt`. See `noise`."""

    mean: float | F64
    std: float | F64
    dt: np.floating[Any]


@dataclass(frozen=True, eq=False)
class OrnsteinUhlenbeck:
    """A Gaussian process that forgets with time constant `tau`. See `ornstein_uhlenbeck`."""

    mean: float | F64
    std: float | F64
    tau: float


Stimulus = Stepped | Playback | Sinusoidal | Noise | OrnsteinUhlenbeck
LEVELS = (Stepped, Playback)  # constant between steps at known times
KINDS = (*LEVELS, Sinusoidal, Noise, OrnsteinUhlenbeck)


@dataclass(frozen=True, eq=False)
class Levels:
    """`values[k]`, one or one per neuron, from step `steps[k]` on; nothing before.

    With a `period` (in steps) they begin again whenever it has passed since `steps[0]`; 0: they do not.
    """

    steps: NDArray[np.int64]
    values: F64  # (n_steps, 1), or (n_steps, n_neurons)
    period: int = 0


def stepped(times: Any, values: Any) -> Stepped:
    """A rate or a current that is `values[k]` from `times[k]` (ms) on, and 0 before times[0].

    `values` is of shape (n_times,), or (n_times, n_neurons) for a value per neuron of the target. Times increase, and
    are multiples of dt. NEST's inhomogeneous_poisson_generator and step_current_generator.
    """
    at, levels = _validate.times("stepped", "times", times), _validate.array("stepped", "values", values)
    if at.ndim != 1 or levels.ndim not in (1, 2) or len(levels) != at.size:
        raise DescriptionError(
            f"stepped: values must be of shape (n_times,) or (n_times, n_neurons), got {levels.shape} for times of "
            f"shape {at.shape}"
        )
    return Stepped(at, levels)


def playback(values: Any, every: float) -> Playback:
    """An array played back: `values[k]` from k * `every` (ms) after the start on. The last value holds.

    `values` is of shape (n_samples,), or (n_samples, n_neurons). As Brian2's TimedArray, whose dt is `every`.
    """
    levels = _validate.array("playback", "values", values)
    if levels.ndim not in (1, 2) or not len(levels):
        raise DescriptionError(
            f"playback: values must be of shape (n_samples,) or (n_samples, n_neurons), got {levels.shape}"
        )
    return Playback(levels, _validate.time("playback", "every", every, above=0))


def sinusoidal(offset: Any, amplitude: Any, frequency: float, phase: Any = 0.0) -> Sinusoidal:
    """A rate or a current of offset + amplitude sin(2 pi frequency t + phase); a rate is 0 where that is negative.

    `offset` and `amplitude` in Hz or pA and `phase` in degrees are numbers, or arrays of one per neuron of the target;
    `frequency` is in Hz, t the time since the network began. NEST's sinusoidal_poisson_generator (where `rate` is our
    offset) and ac_generator.
    """
    owner = "sinusoidal"
    return Sinusoidal(
        _each(owner, "offset", offset), _each(owner, "amplitude", amplitude),
        _validate.number(owner, "frequency", frequency, "Hz", at_least=0), _each(owner, "phase", phase, "degrees"),
    )  # fmt: skip


def noise(mean: Any, std: Any, dt: float = 1.0) -> Noise:
    """A current of mean + std N (pA), with a new standard normal number N for each neuron every `dt` (ms).

    `mean` and `std` are numbers, or arrays of one per neuron of the target; `dt` is a multiple of the network's. What
    the noise does to a membrane depends on `dt`: the power of the noise is std^2 dt. NEST's noise_generator.
    """
    return Noise(
        _each("noise", "mean", mean, "pA"), _each("noise", "std", std, "pA", at_least=0),
        _validate.time("noise", "dt", dt, above=0),
    )  # fmt: skip


def ornstein_uhlenbeck(mean: Any, std: Any, tau: float) -> OrnsteinUhlenbeck:
    """A current that is an Ornstein-Uhlenbeck process of its own in each neuron, of given mean and std (pA).

        I(t + dt) = mean + (I(t) - mean) exp(-dt/tau) + std sqrt(1 - exp(-2 dt/tau)) N

    which is exact for any dt; it starts in its stationary state. `mean` and `std` are numbers, or arrays of one per
    neuron of the target; `tau` (ms) is the time constant of its autocorrelation. Source: Gillespie 1996, Phys. Rev. E
    54:2084.
    """
    owner = "ornstein_uhlenbeck"
    return OrnsteinUhlenbeck(
        _each(owner, "mean", mean, "pA"), _each(owner, "std", std, "pA", at_least=0),
        _validate.number(owner, "tau", tau, "ms", above=0),
    )  # fmt: skip


def levels_of(
    owner: str, what: str, stimulus: Stepped | Playback, n: int, dt: float, start: int = 0, stop: int | None = None
) -> Levels:
    """A stepped or played stimulus for n neurons, from step `start` to `stop`; `what` it gives, for messages."""
    if isinstance(stimulus, Stepped):
        steps = _validate.steps(owner, "times", stimulus.times, dt)
    else:
        every = _validate.whole_steps(owner, "every", stimulus.every, dt, at_least=1)
        steps = start + every * np.arange(len(stimulus.values))
    return _between(checked_levels(owner, what, steps, stimulus.values, n, dt), start, stop)


def checked_levels(owner: str, what: str, steps: NDArray[np.int64], values: F64, n: int, dt: float) -> Levels:
    """Levels for n neurons, if their shape fits and their steps increase; `what` they are, for messages."""
    levels = values[:, None] if values.ndim == 1 else values
    if levels.shape not in ((steps.size, 1), (steps.size, n)):
        raise DescriptionError(
            f"{owner}: {what} must be of shape ({steps.size},) or ({steps.size}, {n}), got {levels.shape}"
        )
    back = np.flatnonzero(np.diff(steps) <= 0)
    if back.size:
        before, after = steps[back[0] : back[0] + 2] * dt
        raise DescriptionError(f"{owner}: times must increase, got {after:g} ms after {before:g} ms")
    return Levels(steps, levels)


def check_per_neuron(owner: str, stimulus: Sinusoidal | Noise | OrnsteinUhlenbeck, n: int) -> None:
    """Raise DescriptionError where an array of a stimulus has not one value for each of n neurons."""
    for name, value in vars(stimulus).items():
        if isinstance(value, np.ndarray) and value.shape != (n,):
            raise DescriptionError(f"{owner}: an array for {name} must be of shape ({n},), got {value.shape}")


def check_current(owner: str, stimulus: Sinusoidal | Noise | OrnsteinUhlenbeck, dt: float) -> None:
    """Raise DescriptionError for amplitudes that cannot be in pA, or noise that changes between steps of dt."""
    sizes = (stimulus.offset, stimulus.amplitude) if isinstance(stimulus, Sinusoidal) else (stimulus.mean, stimulus.std)
    for size in sizes:
        _validate.check_unit(owner, "amplitude", np.asarray(size), "pA")
    if isinstance(stimulus, Noise):
        _validate.whole_steps(owner, "dt of the noise", stimulus.dt, dt, at_least=1)


def waves(stimulus: Sinusoidal) -> tuple[F64, F64, F64]:
    """Offset, and the factors of sin and cos(2 pi frequency t): numbers, or one per neuron."""
    phase = np.asarray(stimulus.phase) * (math.pi / 180)
    return np.asarray(stimulus.offset), stimulus.amplitude * np.cos(phase), stimulus.amplitude * np.sin(phase)


def broadcast(values: tuple[Any, ...], n: int) -> list[F64]:
    """Values as rows of one length: one number each, or one per neuron where any of them differs."""
    width = n if any(np.ndim(x) for x in values) else 1
    return [np.broadcast_to(np.asarray(x, np.float64), width) for x in values]


def _between(levels: Levels, start: int, stop: int | None) -> Levels:
    """The same levels, and nothing before step `start` and from step `stop` on."""
    steps, values = levels.steps, levels.values
    begun = int(np.searchsorted(steps, start, side="right")) - 1
    if begun > 0 or (begun == 0 and steps[0] < start):
        steps, values = np.concatenate([[start], steps[begun + 1 :]]), values[begun:]
    if stop is not None:
        kept = steps < stop
        steps, values = np.append(steps[kept], stop), np.concatenate([values[kept], 0 * values[:1]])
    return Levels(steps, values)


def _each(owner: str, name: str, value: Any, unit: str = "", at_least: float | None = None) -> float | F64:
    if not _validate.is_array(value):
        return _validate.number(owner, name, value, unit, at_least=at_least)
    found = _validate.array(owner, name, value, unit)
    if found.ndim != 1:
        raise DescriptionError(f"{owner}: an array for {name} must be one-dimensional, got shape {found.shape}")
    _validate.check_range(owner, name, found, unit, at_least=at_least)
    return found
