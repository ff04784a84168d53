"""The two ways in which weights are kept and summed: 16-bit packed words, and wide ones of float32."""

from __future__ import annotations

from dataclasses import dataclass


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


PACKED = Store("packed", "", "drive", "1.0", "int32", "uint32", "int16")
WIDE = Store("wide", "_wide", "wide_drive", "wide_scale[0]", "int64", "uint64", "float32")
STORES = (PACKED, WIDE)
