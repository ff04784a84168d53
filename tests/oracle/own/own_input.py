"""An input of one's own, in one file: all neurons get the same weight, every so many steps."""

import numpy as np

from biosnn._numba import kernel
from biosnn.address.precision import node_of
from biosnn.address.stores import PACKED
from biosnn.parts.array import Array, Keep, small
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call


class Pulses(Part):
    """A weight onto the neurons of the first population, in the steps that are multiples of `every`."""

    kernels = {"pulse": __name__}

    def __init__(self, address, every, weight):
        self.every = every
        self.count = address.precision.counted(weight, node_of(address.layout, 0, negative=False), PACKED)

    def rows(self):
        numbers = Array("pulses", (2,), "int64", Keep.FIXED, fill=lambda: np.array([self.every, self.count]))
        yield small("inputs", "pulses", numbers)

    def statements(self, phase):
        names = ["step", "pulses", "drive_at[p]", "drive_at[p + 1]", "drive"]
        return call("pulse", names) if phase is Phase.ARRIVE else []


@kernel
def pulse(step, pulses, first, last, drive):
    if step % pulses[0] == 0:
        for j in range(first, last):
            drive[j] += drive.dtype.type(pulses[1])
