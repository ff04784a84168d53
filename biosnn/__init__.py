"""BioSNN: a simulator of spiking neural networks, described in Python and compiled for the network at hand."""

from biosnn import models, monitors, recording
from biosnn._version import __version__
from biosnn.description import space
from biosnn.description.positions import given_positions, grid, random_positions
from biosnn.description.rules.uniform import (
    all_to_all,
    fixed_indegree,
    fixed_outdegree,
    fixed_total_number,
    one_to_one,
    pairwise_bernoulli,
)
from biosnn.description.stimuli import noise, ornstein_uhlenbeck, playback, sinusoidal, stepped
from biosnn.distributions import exponential, lognormal, normal, uniform
from biosnn.engine.network import Network
from biosnn.errors import (
    BioSNNError,
    BusyError,
    DescriptionError,
    DeviceError,
    LateChangeWarning,
    MemoryPlanError,
    OutputError,
    RecordingFullError,
    RingFullError,
    RunEndedError,
    SelectionError,
    StateRangeError,
    UnknownNameError,
)
from biosnn.models import receptors
from biosnn.models.own.neuron import neuron

__all__ = [
    "BioSNNError",
    "BusyError",
    "DescriptionError",
    "DeviceError",
    "LateChangeWarning",
    "MemoryPlanError",
    "Network",
    "OutputError",
    "RecordingFullError",
    "RingFullError",
    "RunEndedError",
    "SelectionError",
    "StateRangeError",
    "UnknownNameError",
    "__version__",
    "all_to_all",
    "exponential",
    "fixed_indegree",
    "fixed_outdegree",
    "fixed_total_number",
    "given_positions",
    "grid",
    "lognormal",
    "models",
    "monitors",
    "neuron",
    "noise",
    "normal",
    "one_to_one",
    "ornstein_uhlenbeck",
    "pairwise_bernoulli",
    "playback",
    "random_positions",
    "receptors",
    "recording",
    "sinusoidal",
    "space",
    "stepped",
    "uniform",
]
