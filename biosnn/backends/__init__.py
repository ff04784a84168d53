"""Where arrays live and how a driver is launched. A new device is a file here and a line in `check`."""

from __future__ import annotations

from biosnn import _validate
from biosnn.errors import DeviceError

DEVICES = ("cpu", "cuda")


def check(device: str) -> str:
    """`device`, if this version can run on it; DeviceError otherwise."""
    _validate.known("build", "device", device, DEVICES)
    if device != "cpu":
        raise DeviceError(f"device {device!r} is not part of this version of BioSNN; use device='cpu' (--device cpu)")
    return device
