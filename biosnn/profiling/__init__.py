"""What the time goes to: clocks in a driver, what Python does meanwhile, the limits of the machine, and advice."""

from biosnn.profiling.python import watching

__all__ = ["watching"]
