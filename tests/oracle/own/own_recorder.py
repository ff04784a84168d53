"""A recorder of one's own, in one file: how many neurons of each partition fired in the busiest step."""

from biosnn._numba import kernel
from biosnn.parts.array import Array, Axis, Keep, small
from biosnn.parts.part import Part, Phase
from biosnn.parts.text import call


class Busiest(Part):
    """The most spikes of a step, so far."""

    kernels = {"keep_busiest": __name__}

    def __init__(self, address):
        self.n_parts = address.layout.n_parts

    def rows(self):
        most = Array("busiest", (self.n_parts,), "int64", Keep.STATE, Axis.PARTITION)
        yield small("recorders", "spikes of the busiest step", most)

    def statements(self, phase):
        names = ["p", "step - origin", "spike_first", "busiest"]
        return call("keep_busiest", names) if phase is Phase.SAMPLE else []


@kernel
def keep_busiest(p, t, spike_first, busiest):
    busiest[p] = max(busiest[p], spike_first[p, t + 1] - spike_first[p, t])
