"""What the demo `vision` shows: drifting gratings, or frames that are given. Frames are [T, H, W], row 0 on top."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from biosnn import _validate
from biosnn._arrays import F64
from biosnn.description.frames import checked_frames
from biosnn.errors import DescriptionError

MOST_VALUES = 2**24  # of all frames of a file: 128 MiB while they are checked, 64 MiB in the plan


def gratings(orientations: Any, shape: tuple[int, int], period: float, n_frames: int) -> F64:
    """Sine gratings of full contrast, one after the other; each drifts by one period, in `n_frames` frames.

        L = (1 + cos(2 pi (u / period - k / n_frames))) / 2,      u = y cos(theta) - x sin(theta)

    in frame k, with x to the right and y upwards from the middle of an image of `shape` (H, W). An orientation theta
    (degrees) is that of the bars, counted from the horizontal against the clock; `period` is in pixels.
    Returns float64 [T, H, W], T = len(orientations) * n_frames.
    """
    theta = np.radians(np.asarray(orientations, np.float64))[:, None, None, None]
    k = np.arange(n_frames)[:, None, None]
    y, x = (shape[0] - 1) / 2 - np.arange(shape[0])[:, None], np.arange(shape[1]) - (shape[1] - 1) / 2
    u = y * np.cos(theta) - x * np.sin(theta)
    shown = (1 + np.cos(2 * np.pi * (u / period - k / n_frames))) / 2
    return np.asarray(shown.reshape(-1, *shape))


def given(owner: str, frames: Any, sides: tuple[int, int]) -> F64:
    """Frames [T, H, W] of values from 0 to 1 from an array, or from the path of a .npy file; T is 1 for one image.

    H and W lie within `sides`. Raises DescriptionError for anything else.
    """
    images = checked_frames(owner, _read(owner, frames) if isinstance(frames, (str, Path)) else frames)
    if not all(sides[0] <= side <= sides[1] for side in images.shape[1:]):
        raise DescriptionError(
            f"{owner}: frames must be {sides[0]} to {sides[1]} pixels high and wide, got "
            f"{' x '.join(map(str, images.shape[1:]))}; crop them, or average them over areas"
        )
    return images


def _read(owner: str, path: str | Path) -> Any:
    """The array in a .npy file, of which nothing but the header is read before it is known to be of a bearable size."""
    name = _validate.shown(str(path))
    try:
        with warnings.catch_warnings(action="ignore"):  # of NumPy's, about a header; what is wrong is said below
            found = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise DescriptionError(
            f"{owner}: cannot read frames from {name} ({error.strerror}); give a .npy file, as np.save writes it"
        ) from None
    except Exception:  # what Python's parser, or its mmap, raises for a header that is none
        raise DescriptionError(
            f"{owner}: {name} is no .npy file of numbers; np.save({name}, frames) writes one"
        ) from None
    if found.size > MOST_VALUES:
        raise DescriptionError(
            f"{owner}: frames in a file must be at most {MOST_VALUES:,} values, got {found.size:,}; show fewer"
        )
    return found
