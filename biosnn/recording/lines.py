"""Forms of text in which spikes and samples are written, a line each: CSV and JSON lines.

A line is `begin`, a time, `between`, a number, `end`. All but time and number is known before the run.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.recording.files import field


class Csv:
    """Fields with commas between them, under a line of their names."""

    begin: ClassVar[str] = ""
    end: ClassVar[str] = "\n"

    @staticmethod
    def header(*names: str) -> str:
        """What the file begins with."""
        return ",".join(names) + "\n"

    @staticmethod
    def between(known: dict[str, str], _then: str) -> str:
        """These fields, which follow another, up to the next."""
        return "".join([f",{field(value)}" for value in known.values()]) + ","

    @staticmethod
    def numbers(values: NDArray[np.float32]) -> NDArray[Any]:
        """As many digits of each as float32 needs, str."""
        return values.astype(str)


class Jsonl:
    """A JSON object in each line. JSON has no NaN and nothing infinite: such a value is null."""

    begin: ClassVar[str] = '{"time_ms": '
    end: ClassVar[str] = "}\n"

    @staticmethod
    def header(*_names: str) -> str:
        """What the file begins with: nothing."""
        return ""

    @staticmethod
    def between(known: dict[str, str], then: str) -> str:
        """These members, which follow another, up to the value of the member `then`."""
        return "".join([f', "{name}": {json.dumps(value)}' for name, value in known.items()]) + f', "{then}": '

    @staticmethod
    def numbers(values: NDArray[np.float32]) -> NDArray[Any]:
        """As many digits of each as float32 needs, str."""
        return np.where(np.isfinite(values), values.astype(str), "null")
