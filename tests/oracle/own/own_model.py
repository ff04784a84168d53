"""A neuron model of one's own, in one file: it counts what arrives, and fires when that reaches a threshold."""

from biosnn.models.base import NeuronModel, Parameter, State


def count_up(V_m, x, p):
    """V + what arrives; back to 0 at V_th."""
    v = V_m + x.jump
    spiked = v >= p.V_th
    return (p.reset if spiked else v), spiked


class counter(NeuronModel):  # noqa: N801 - as NEST's models are
    """A perfect integrator of jumps."""

    name = "counter"
    membrane = {"V_th": Parameter(3.0, "mV", "threshold"), "I_e": Parameter(0.0, "pA", "is not used")}
    states = (State("V_m", "mV", initial=0.0),)
    step = staticmethod(count_up)
    step_constants = ("V_th", "reset")

    def discretise(self, p, dt):
        return {"V_th": p["V_th"], "reset": 0.0, "I_e": p["I_e"]}
