"""The verbs by which a network is driven from outside: Poisson trains, currents, spike sources, frames."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn import _validate
from biosnn.description import frames as encoding
from biosnn.description import stimuli
from biosnn.description.items import Connection, CurrentInput, PoissonInput, SpikeTrains, VaryingCurrent
from biosnn.description.population import Group, Population, as_group
from biosnn.description.positions import Place
from biosnn.description.rules import uniform as rules
from biosnn.description.trains import given_trains
from biosnn.description.weights import signed, weight_unit
from biosnn.distributions import as_values
from biosnn.errors import DescriptionError

MOST_ARRIVALS = 1e5  # of a Poisson input per step: its table of thresholds is as long
MOST_VARYING = 500.0  # the same, of a rate that varies: exp(-500) is still far from the smallest float64


class Inputs:
    """What a Description can be driven by; a part of it, in a file of its own."""

    dt: float
    poisson_inputs: list[PoissonInput]
    currents: list[CurrentInput | VaryingCurrent]
    spike_trains: list[SpikeTrains]

    if TYPE_CHECKING:  # what else of a Description the verbs use
        connect: Callable[..., Connection]
        _new_owner: Callable[[str, Any], str]
        _add: Callable[[str, Population], Population]
        _mine: Callable[..., None]
        _accepting: Callable[[str, Group, str], Group]
        _place: Callable[[str, Any, int], Place | None]

    def poisson(
        self,
        target: Group | list[Group],
        *,
        rate: Any,
        weight: float,
        receptor: str | None = None,
        name: str | None = None,
    ) -> PoissonInput:
        """Give each neuron of the target a Poisson train of its own: rate in Hz per neuron, weight in its unit.

        `rate` is a number, an array of one number per neuron of the target, or changes: `stepped`, `playback` or
        `sinusoidal`. What arrives at time t is of rate(t). `receptor` as in `connect`.
        """
        index = len(self.poisson_inputs)
        target = as_group("poisson", target)
        owner = f"poisson {_validate.optional_name('poisson', name) or names_of(target)!r}"
        self._mine(owner, target)
        self._accepting(owner, target, "spikes")
        unit = weight_unit(owner, target, receptor)
        weight = _validate.number(owner, "weight", weight, unit)
        _validate.check_unit(owner, "weight", weight, unit)
        found = PoissonInput(
            name or f"poisson->{names_of(target)}#{index}", index, target,
            self._rate(owner, rate, len(target)),
            float(np.asarray(signed(owner, target, receptor, weight))), receptor,
        )  # fmt: skip
        self.poisson_inputs.append(found)
        return found

    def current(
        self,
        target: Group | list[Group],
        amplitude: Any,
        *,
        start: float = 0.0,
        stop: float | None = None,
        name: str | None = None,
    ) -> CurrentInput | VaryingCurrent:
        """Inject a current (pA) from `start` to `stop` (ms); currents add up.

        `amplitude` is a number, an array of one number per neuron of the target, or changes: `stepped`, `playback`,
        `sinusoidal`, `noise` or `ornstein_uhlenbeck`. In the step from t to t + dt the current is that of time t.
        """
        group = as_group("current", target)
        if isinstance(amplitude, stimuli.KINDS):
            return self._changing_current(group, amplitude, start, stop, name)
        owner = f"current {names_of(group)!r}"
        amplitude = as_values(owner, "amplitude", amplitude, len(group), "pA")
        if not isinstance(amplitude, (float, np.ndarray)):
            raise DescriptionError(f"{owner}: amplitude must be a number or an array, got {_validate.shown(amplitude)}")
        steps, levels = [_validate.whole_steps(owner, "start", start, self.dt)], np.atleast_2d(np.asarray(amplitude))
        if stop is not None:
            steps.append(_validate.whole_steps(owner, "stop", stop, self.dt))
            levels = np.concatenate([levels, 0 * levels])
        return self.step_current(group, np.array(steps) * self.dt, levels, name=name)

    def step_current(
        self, target: Group | list[Group], times: Any, amplitudes: Any, *, name: str | None = None
    ) -> CurrentInput:
        """Inject a stepped current, as NEST's step_current_generator: amplitudes[k] (pA) from times[k] (ms) on.

        `amplitudes` is of shape (n_times,), or (n_times, n_neurons) for a value per neuron. Currents add up.
        """
        target = as_group("step_current", target)
        owner = f"current {_validate.optional_name('step_current', name) or names_of(target)!r}"
        self._mine(owner, target)
        at = np.atleast_1d(_validate.times(owner, "times", times))
        levels = _validate.array(owner, "amplitudes", amplitudes, "pA")
        if at.ndim != 1 or levels.ndim not in (1, 2):
            raise DescriptionError(
                f"{owner}: amplitudes must be of shape (n_times,) or (n_times, n_neurons), got {levels.shape} for "
                f"times of shape {at.shape}"
            )
        steps = _validate.steps(owner, "times", at, self.dt)
        _validate.check_unit(owner, "amplitudes", levels, "pA")
        checked = stimuli.checked_levels(owner, "amplitudes", steps, levels, len(target), self.dt)
        found = CurrentInput(
            name or f"current->{names_of(target)}#{len(self.currents)}",
            self._accepting(owner, target, "currents"), checked.steps, checked.values,
        )  # fmt: skip
        self.currents.append(found)
        return found

    def spike_source(
        self,
        name: str,
        times: Any,
        senders: Any = None,
        n: int | None = None,
        *,
        shape: tuple[int, ...] | None = None,
        positions: Any = None,
    ) -> Population:
        """Add `n` sources that fire at given times (ms): to be connected like a population, and placed like one.

        `times` is one list, with `senders` (0..n-1) beside it or for a single source; or a list of lists, one per
        source. Times are multiples of dt, dt at the earliest; a time listed k times is k spikes. A spike at t with
        delay d arrives at t + d.
        """
        owner = self._new_owner("spike_source", name)
        steps, senders, n = given_trains(owner, times, senders, n, self.dt)
        source = self._add(
            owner, Population(name, n, None, {}, sides_of(owner, shape, n), self._place(owner, positions, n))
        )
        self.spike_trains.append(SpikeTrains(source, steps - 1, senders))
        return source

    def frames(
        self,
        target: Group | list[Group],
        frames: Any,
        *,
        weight: float,
        every: float | None = None,
        coding: str = "rate",
        max_rate: float = 100.0,
        window: float | None = None,
        threshold: float = 0.1,
        start: float = 0.0,
        repeat: bool = False,
        receptor: str | None = None,
        name: str | None = None,
    ) -> PoissonInput | Population:
        """Show an image [H, W] or frames [T, H, W] of values from 0 to 1 to a target that has a neuron for each pixel.

        Frame k is shown from `start` + k `every` (ms) on; after the last one nothing is.
        - `coding` "rate": Poisson input of a rate of value * `max_rate` (Hz). One image without `every` stays. With
          `repeat` the first frame follows the last one, again and again.
        - "latency", "delta": the spikes of `frame_source`, each to its own neuron one step later; for "delta" the
          target has 2 H W neurons, those of ON first.
        Returns the Poisson input or the source, which `name` names.
        """
        group = as_group("frames", target)
        owner = f"frames {_validate.optional_name('frames', name) or names_of(group)!r}"
        _validate.known(owner, "coding", coding, encoding.CODINGS)
        images = encoding.checked_frames(owner, frames)
        highest = _validate.number(owner, "max_rate", max_rate, "Hz", at_least=0)
        encoding.checked_coding(owner, window, threshold, self.dt)
        if _validate.flag(owner, "repeat", repeat) and coding != "rate":
            raise DescriptionError(
                f"{owner}: repeat is for coding 'rate', got {coding!r}, whose spikes are listed; repeat the frames "
                f"themselves, as np.tile does"
            )
        sides = (2, *images.shape[1:]) if coding == "delta" else images.shape[1:]
        shape = group.shape if isinstance(group, Population) else None
        if len(group) != math.prod(sides) or shape not in (None, sides):
            raise DescriptionError(
                f"{owner}: coding {coding!r} needs a target of shape {sides}, got {len(group)} neurons"
                + (f" of shape {shape}" if shape else "")
            )
        if coding != "rate":
            source = self.frame_source(
                name or f"frames->{names_of(group)}", images, every=every, coding=coding, window=window,
                threshold=threshold, start=start,
            )  # fmt: skip
            self.connect(source, group, rules.one_to_one(), weight=weight, delay=self.dt, receptor=receptor)
            return source
        if every is None and len(images) > 1:
            raise DescriptionError(f"{owner}: every (ms) must be given for {len(images)} frames")
        steps = None if every is None else _validate.whole_steps(owner, "every", every, self.dt, at_least=1)
        begin = _validate.whole_steps(owner, "start", start, self.dt, at_least=0)
        levels = encoding.rates(images, highest, begin, steps, repeat)
        return self.poisson(group, rate=levels, weight=weight, receptor=receptor, name=name)

    def frame_source(
        self,
        name: str,
        frames: Any,
        *,
        every: float | None = None,
        coding: str = "latency",
        window: float | None = None,
        threshold: float = 0.1,
        start: float = 0.0,
    ) -> Population:
        """Add sources that fire for the pixels of an image [H, W] or frames [T, H, W], of values from 0 to 1.

        Frame k is shown from `start` + k `every` (ms) on.
        - `coding` "latency": a pixel x > 0 fires once a frame, (1 - x) * `window` (ms, default: `every`) after its
          start, and at least one step after it. The sources have the shape (H, W).
        - "delta": a pixel fires where it differs by more than `threshold` from what it was at its last spike, or in
          the first frame. The sources have the shape (2, H, W): ON for brighter, OFF for darker.
        """
        owner = self._new_owner("frame_source", name)
        _validate.known(owner, "coding", coding, encoding.CODINGS[1:])
        images = encoding.checked_frames(owner, frames)
        begin = _validate.whole_steps(owner, "start", start, self.dt, at_least=0)
        if every is None:
            raise DescriptionError(f"{owner}: every (ms) must be given for coding {coding!r}")
        steps = _validate.whole_steps(owner, "every", every, self.dt, at_least=1)
        within, least = encoding.checked_coding(owner, window, threshold, self.dt)
        if coding == "delta":
            at, senders = encoding.changes(images, least, begin, steps)
            shape = (2, *images.shape[1:])
        else:
            within = steps if within is None else within
            if within > steps:
                raise DescriptionError(
                    f"{owner}: window must be at most every = {steps * self.dt:g} ms, got {within * self.dt:g} ms"
                )
            at, senders = encoding.latencies(images, begin, steps, within)
            shape = images.shape[1:]
        return self.spike_source(name, at * self.dt, senders, math.prod(shape), shape=shape)

    def _rate(self, owner: str, rate: Any, n: int) -> float | stimuli.Levels | stimuli.Sinusoidal:
        """A rate (Hz) as it is kept; in step s there arrives what is due at (s + 1) dt."""
        if not isinstance(rate, (stimuli.Levels, *stimuli.KINDS)) and not _validate.is_array(rate):
            return _validate.number(owner, "rate", rate, "Hz", at_least=0, at_most=MOST_ARRIVALS * 1e3 / self.dt)
        if isinstance(rate, (stimuli.Noise, stimuli.OrnsteinUhlenbeck)):
            raise DescriptionError(
                f"{owner}: rate must be a number, an array, stepped, playback or sinusoidal, "
                f"got {_validate.shown(rate)}"
            )
        most = MOST_VARYING * 1e3 / self.dt
        if isinstance(rate, stimuli.Sinusoidal):
            stimuli.check_per_neuron(owner, rate, n)
            _validate.check_range(
                owner, "largest rate", np.asarray(rate.offset + np.abs(rate.amplitude)), "Hz", at_most=most
            )
            return rate
        if isinstance(rate, stimuli.LEVELS):
            rate = stimuli.levels_of(owner, "rates", rate, n, self.dt)
        elif not isinstance(rate, stimuli.Levels):
            rate = stimuli.Levels(
                np.zeros(1, np.int64), np.atleast_2d(np.asarray(as_values(owner, "rate", rate, n, "Hz")))
            )
        _validate.check_range(owner, "rate", rate.values, "Hz", at_least=0, at_most=most)
        found: stimuli.Levels = dataclasses.replace(rate, steps=rate.steps - 1)
        return found

    def _changing_current(
        self, target: Group, source: stimuli.Stimulus, start: float, stop: float | None, name: str | None
    ) -> CurrentInput | VaryingCurrent:
        owner = f"current {_validate.optional_name('current', name) or names_of(target)!r}"
        self._mine(owner, target)
        self._accepting(owner, target, "currents")
        index = len(self.currents)
        name = name or f"current->{names_of(target)}#{index}"
        begin = _validate.whole_steps(owner, "start", start, self.dt)
        end = None if stop is None else _validate.whole_steps(owner, "stop", stop, self.dt)
        if end is not None and end <= begin:
            raise DescriptionError(
                f"{owner}: stop must be after start = {begin * self.dt:g} ms, got {end * self.dt:g} ms"
            )
        found: CurrentInput | VaryingCurrent
        if isinstance(source, stimuli.LEVELS):
            _validate.check_unit(owner, "amplitudes", source.values, "pA")
            levels = stimuli.levels_of(owner, "amplitudes", source, len(target), self.dt, begin, end)
            found = CurrentInput(name, target, levels.steps, levels.values)
        else:
            assert isinstance(source, (stimuli.Sinusoidal, stimuli.Noise, stimuli.OrnsteinUhlenbeck))
            stimuli.check_per_neuron(owner, source, len(target))
            stimuli.check_current(owner, source, self.dt)
            found = VaryingCurrent(name, index, target, source, begin, end)
        self.currents.append(found)
        return found


def sides_of(owner: str, shape: Any, n: int) -> tuple[int, ...] | None:
    """The shape of n neurons as a tuple, if n is its product."""
    if shape is None:
        return None
    sides = tuple(_validate.count(owner, "shape", x) for x in (shape if _validate.is_array(shape) else [shape]))
    if math.prod(sides) != n:
        raise DescriptionError(f"{owner}: shape must have a product of n = {n}, got {sides}")
    return sides


def names_of(group: Group) -> str:
    """The names of its populations, as messages show them."""
    return "+".join(p.name for p in group.populations)
