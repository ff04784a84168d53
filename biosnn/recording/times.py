"""Steps as times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def in_ms(steps: NDArray[np.int64], dt: float) -> NDArray[np.float64]:
    """Steps as ms, divided where the steps per ms are whole: step 3 is at 0.3, not 0.30000000000000004."""
    whole = steps_per_ms(dt)
    return np.asarray(steps / whole if whole else steps * dt, np.float64)


def steps_per_ms(dt: float) -> int:
    """How many steps a ms has, if they are whole; else 0."""
    per_ms = round(1 / dt)
    return per_ms if abs(per_ms * dt - 1) < 1e-12 else 0
