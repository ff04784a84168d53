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
