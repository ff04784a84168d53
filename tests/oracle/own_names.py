"""Models whose module calls functions by other names than ours, and what else Python lets stand."""

from math import log10 as log
from random import random as drawn

import numpy as np
from numpy import expm1 as exp

import biosnn as bs

FACTOR = 3.0


def scaled(x, k=FACTOR):
    return k * x


def wrong_log():
    @bs.neuron(state={"v": 100.0})
    def m(v, I, p, dt):
        return log(v), False

    return m


def wrong_exp():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        return exp(v), False

    return m


def default():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        return scaled(v), False

    return m


def without_value():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        if v > 5:
            x = 1.0
        return v + x, False

    return m


def without_value_to_add_to():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        if v > 5:
            x = 1.0
        elif v > 3:
            return v, False
        x += 1
        return x, False

    return m


def without_turns():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        for _ in range(0):
            x = v
        return x, False

    return m


@bs.neuron(state={"v": 1.0, "u": 0.0, "r": 0.0})
def fine(v, u, r, I, p, dt):
    for i in range(1, 4):
        v = v + i * u**2 + i
        last = i / 2
    if v > 0:
        side = np.abs(-last)
    elif v < -1:
        side = -1.0
    else:
        return v, u, r, False
    return v, np.maximum(side, 0), drawn(), False


def recursive(x):
    return recursive(x) if x > 1 else x


def calls_itself():
    @bs.neuron(state={"v": 1.0})
    def m(v, I, p, dt):
        return recursive(v), False

    return m


def constants(x):
    return x + 1


def c(x):
    return x + 2


def b_c(x):
    return x + 3


# Names of the driver's own arrays, arguments and functions, and some that only Python has
@bs.neuron(
    state={"held": 1.0, "noise": 2.0, "wave": 3.0, "change_value": 4.0, "sections": 5.0, "_i": 6.0, "τ": 7.0, "µ": 8.0},
    params={"word_0": 1.0, "count": 2.0, "spiked": 3.0, "_drive": 4.0, "self": 5.0, "n_": 6.0},
)
def busy(held, noise, wave, change_value, sections, _i, τ, µ, I, p, dt):
    f32, uniform, exp, word_0 = p.word_0, p.count, p.spiked, random()
    word_0 = min(word_0, f32)
    exp = exp * np.exp(0)
    return (
        held + f32 + I, noise + uniform, wave + exp, change_value + p._drive, sections + p.self, _i + p.n_,
        τ + 1, µ + 2, word_0 > 1,
    )  # fmt: skip


@bs.neuron(state={"b_x": 1.0})
def a(b_x, I, p, dt):
    return b_c(b_x), False


@bs.neuron(state={"x": 10.0})
def a_b(x, I, p, dt):
    return c(x), False


@bs.neuron(state={"x": 100.0}, params={"constants": 0.5})
def own(x, I, p, dt):
    return constants(x) + p.constants, False


@bs.neuron(state={"x": 1000.0})
def own_constants(x, I, p, dt):
    return x + 7, False


@bs.neuron(state={"x": 1.0})
def a_2(x, I, p, dt):
    return x + 1, False
