"""Images and sequences of frames as rates or spikes: rate, latency and delta coding of pixels from 0 (dark) to 1.

Frames are arrays [T, H, W]. Sources and neurons stand row by row: pixel (y, x) is number y * W + x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn import _validate
from biosnn._arrays import F64, I64
from biosnn.description.stimuli import Levels
from biosnn.errors import DescriptionError

CODINGS = ("rate", "latency", "delta")


def checked_frames(owner: str, frames: Any) -> F64:
    """Frames as an array [T, H, W] of values from 0 to 1; of one image [H, W], T is 1."""
    found = _validate.array(owner, "frames", frames, bools=True)
    if found.ndim not in (2, 3) or not found.size:
        raise DescriptionError(f"{owner}: frames must be an array [T, H, W], or an image [H, W], got {found.shape}")
    if found.max() > 1:
        raise DescriptionError(
            f"{owner}: frames must hold values from 0 to 1, got {found.max():g}; divide those of 8 bits by 255"
        )
    _validate.check_range(owner, "frames", found, at_least=0)
    return found if found.ndim == 3 else found[None]


def checked_coding(owner: str, window: Any, threshold: Any, dt: float) -> tuple[int | None, float]:
    """The window in steps, and the threshold: checked for every coding, also by those that take no heed of them."""
    within = None if window is None else _validate.whole_steps(owner, "window", window, dt, at_least=1)
    return within, _validate.number(owner, "threshold", threshold, at_least=0)


def rates(frames: F64, max_rate: float, start: int, every: int | None, repeat: bool) -> Levels:
    """Rate coding (Hz): frame k holds from step `start` + k `every` on; after the last one nothing, or the first."""
    values = max_rate * frames.reshape(len(frames), -1)
    if every is None:
        return Levels(np.array([start]), values)
    if repeat:
        return Levels(start + every * np.arange(len(frames)), values, every * len(frames))
    steps = start + every * np.arange(len(frames) + 1)
    return Levels(steps, np.concatenate([values, np.zeros((1, values.shape[1]))]))


def latencies(frames: F64, start: int, every: int, window: int) -> tuple[I64, I64]:
    """Latency coding: steps and senders. A pixel of x > 0 fires once a frame, (1 - x) `window` steps after its start.

    The earliest is one step after the start of the frame.
    """
    k, sender = np.nonzero(frames.reshape(len(frames), -1))
    x = frames.reshape(len(frames), -1)[k, sender]
    return start + k * every + np.maximum(np.rint((1 - x) * window).astype(np.int64), 1), sender


def changes(frames: F64, threshold: float, start: int, every: int) -> tuple[I64, I64]:
    """Delta coding: steps and senders. A pixel p fires where it is more than `threshold` from its last spike.

    A pixel that has become brighter fires as sender p (ON), a darker one as H * W + p (OFF), at the start of the frame;
    the first frame is what changes are counted from.
    """
    pixels = frames.reshape(len(frames), -1)
    last = pixels[0].copy()
    steps, senders = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for k, now in enumerate(pixels[1:], 1):
        fired = np.flatnonzero(np.abs(now - last) > threshold)
        senders.append(fired + pixels.shape[1] * (now[fired] < last[fired]))
        steps.append(np.full(fired.size, start + k * every))
        last[fired] = now[fired]
    return np.concatenate(steps), np.concatenate(senders)
