"""Models of a user's own, as a file of theirs would hold them: what tests/models/test_own_models.py simulates."""

import math

import numpy as np

import biosnn as bs

PEAK = 30.0


def parabola(v):
    """The right-hand side without its inputs."""
    return 0.04 * v**2 + 5 * v + 140


@bs.neuron(state=dict(v=-65.0, u=-13.0), params=dict(a=0.02, b=0.2, c=-65.0, d=8.0))
def izhikevich(v, u, I, p, dt):
    """Izhikevich 2003, by Euler's method."""
    v_new = v + dt * (parabola(v) - u + I)
    u = u + dt * p.a * (p.b * v - u)
    spiked = v_new >= PEAK
    if spiked:
        v_new = p.c
        u += p.d
    return v_new, u, spiked


@bs.neuron(state=dict(v=0.0, last=0.0), params=dict(rate=50.0))
def noisy(v, last, I, p, dt):
    """Spikes at random; v is the mean of two random numbers, last their difference."""
    first = random()  # noqa: F821 - what a model may call without importing it
    second = random()  # noqa: F821
    return 0.5 * (first + second), first - second, first < p.rate * dt * 1e-3


@bs.neuron(
    state=dict(V=-70.0),
    params=dict(g_L=10.0, E_L=-70.0, C=200.0, th=-50.0),
    receptors=[bs.receptors.exp("e", 5.0, 0.0)],
)
def leaky(V, I, p, dt):
    """A leaky membrane with a conductance, by Euler's method."""
    decay = math.exp(-dt * p.g_L / p.C)
    V = p.E_L + (V - p.E_L) * decay + I * dt / p.C
    spiked = V > p.th
    return (p.E_L if spiked else V), spiked


@bs.neuron(
    state=dict(V=-60.0, w=0.0),
    params=dict(C=20.0, g_Ca=4.4, g_K=8.0, g_L=2.0, V_1=-1.2, V_2=18.0, V_3=2.0, V_4=30.0, phi=0.04),
)
def morris_lecar(V, w, I, p, dt):
    """Morris & Lecar 1981, by Euler's method: a model of hyperbolic functions."""
    m = 0.5 * (1 + math.tanh((V - p.V_1) / p.V_2))
    half = np.tanh((V - p.V_3) / p.V_4)
    rate = p.phi / np.sqrt(1 - np.tanh((V - p.V_3) / (2 * p.V_4)) ** 2)  # cosh x = (1 - tanh^2 x)^(-1/2)
    V_new = V + dt / p.C * (I - p.g_L * (V + 60) - p.g_Ca * m * (V - 120) - p.g_K * w * (V + 84))
    return V_new, w + dt * rate * (0.5 * (1 + half) - w), V_new > 0 and V <= 0


@bs.neuron(state=dict(v=0.0), params=dict(I_e=1.0))
def collect(v, I, p, dt):
    """Named like a function of the driver, with a parameter named like a constant of it."""
    return v + p.I_e, v > 1e9


def make_another():
    """A second model of that name."""

    @bs.neuron(state=dict(v=0.0))
    def collect(v, I, p, dt):
        return v + 2, v > 1e9

    return collect


another_collect = make_another()


def sample(v):
    """Named like a kernel."""
    return 2 * v


@bs.neuron(state=dict(step=1.0, n=0.0), params=dict(load=3.0, dt_=0.1), receptors=[bs.receptors.exp("id", 5.0)])
def named_alike(step, n, I, p, dt):
    """States, parameters and a receptor named like variables of the driver."""
    mark: float = sample(step) * p.load
    return mark, n + random(), n > 1e9  # noqa: F821


@bs.neuron(state=dict(g_e=0.0))
def named_like_a_conductance(g_e, I, p, dt):
    """Its state is called like the conductance of a receptor e."""
    return g_e, g_e > 1e9
