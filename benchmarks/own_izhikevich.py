"""Izhikevich's neuron as a user would write it: what benchmarks/neurons.py compares with ours."""

import biosnn as bs


@bs.neuron(state={"v": -65.0, "u": -13.0}, params={"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0})
def izhikevich(v, u, I, p, dt):  # noqa: E741
    """Izhikevich 2003, by Euler's method."""
    v_new = v + dt * (0.04 * v**2 + 5 * v + 140 - u + I)
    u_new = u + dt * p.a * (p.b * v - u)
    spiked = v_new >= 30
    return (p.c if spiked else v_new), (u_new + p.d if spiked else u_new), spiked
