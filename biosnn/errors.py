"""The errors a user can meet: each message names the thing, the rule it breaks, the value and the way out."""

from __future__ import annotations

from typing import Any


class BioSNNError(Exception):
    """Root of every error that BioSNN raises on purpose; the CLI turns it into one line and exit code 2."""


class DescriptionError(BioSNNError, ValueError):
    """A network was described in a way that cannot be simulated (units, signs, shapes, ranges)."""


class UnknownNameError(DescriptionError):
    """A parameter, variable, population or demo that does not exist; the message gives the nearest that does."""


class SelectionError(DescriptionError, IndexError):
    """Neurons were selected that a group does not have, or in a way that it does not know."""


class MemoryPlanError(BioSNNError, MemoryError):
    """The planned arrays do not fit: known before any is allocated, unless memory was taken by others meanwhile."""


class RunEndedError(BioSNNError):
    """A run could not go on. `result` is what it recorded until then."""

    result: Any  # a `Result`


class RingFullError(RunEndedError, MemoryError):
    """A ring of events, or the spike history of parrots that multiply spikes, is full and may not grow."""


class StateRangeError(RunEndedError, OverflowError):
    """A state of a neuron has become NaN or infinite, or larger than the 16 bits that it is kept in can hold.

    That is found between two chunks of steps: in the last chunk of `result`, what that neuron did cannot be trusted.
    """


class RecordingFullError(RunEndedError, MemoryError):
    """What a run has recorded takes all the memory that it may keep (`max_record_mib`)."""


class BusyError(BioSNNError, RuntimeError):
    """A simulation was told to run while it does: by a sink or progress function of that run, or by another thread."""


class LateChangeWarning(UserWarning):
    """Something was added to a network after a simulation of it had been built, and is no part of that."""


class DeviceError(BioSNNError, RuntimeError):
    """The device that was asked for is not there, or not supported by this installation."""


class OutputError(BioSNNError, OSError):
    """Results cannot be written where they were asked to go. Of one that ends a run, `result` is what it recorded."""

    result: Any  # a `Result`
