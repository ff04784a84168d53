"""The two ways in which weights are kept and summed: 16-bit packed words, and wide ones of float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn._arrays import F64


@dataclass(frozen=True)
class Store:
    """What a driver calls the input that weights of a kind are summed in, and the formats of both."""

    label: str
    suffix: str  # of the names of all arrays of the kind
    drive: str  # the input of all slots, in integers
    scale: str  # an expression: how many counts of the input one unit of a word's weight is
    exact: str  # dtype of a sum
    word: str  # dtype of a synapse: slot and weight
    weight: str  # dtype of a weight alone
    in_units: bool  # a weight counts units of its receptor; else it is itself

    @property
    def bits(self) -> np.dtype[Any]:
        """That weights are handed to kernels in."""
        return np.dtype(f"uint{8 * np.dtype(self.weight).itemsize}")

    def encoded(self, weights: F64, units: F64) -> NDArray[np.unsignedinteger]:
        """Weights as they stand in a word, as bits."""
        kept = np.rint(weights / units) if self.in_units else weights
        return kept.astype(self.weight).view(self.bits)

    def decoded(self, kept: F64, units: F64) -> F64:
        """Weights that were read back from words, as numbers."""
        return kept * units if self.in_units else kept


PACKED = Store("packed", "", "drive", "1.0", "int32", "uint32", "int16", True)
WIDE = Store("wide", "_wide", "wide_drive", "wide_scale[0]", "int64", "uint64", "float32", False)
STORES = (PACKED, WIDE)
