"""Inputs and filters of a net as pictures: numbers on any scale -> pixels of 0 to 255; sounds as lines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def picture(array: NDArray[Any]) -> Bytes:
    """An input (C, H, W) on any scale -> (3, H, W) or (1, H, W), stretched from its smallest to its largest value."""
    low, high = float(array.min()), float(array.max())
    return _channels((array - low) * (255 / max(high - low, 1e-9)))


def weights(array: NDArray[Any], times: int = 8) -> Bytes:
    """A filter (C, h, w) -> (3, H, W) or (1, H, W), 0 in the middle grey, each weight a square of `times` points."""
    scaled = 127.5 + array * (127.5 / max(float(np.abs(array).max()), 1e-9))
    return _channels(scaled).repeat(times, axis=1).repeat(times, axis=2)


def over_time(field: dict[str, Any]) -> dict[str, Any]:
    """A sound as a series of its loudness, whose slices begin and end at places of it.

    >>> over_time({"seconds": 2.0, "values": [0, 1, 1, 0], "units": [{"start": 0.5, "end": 1.0}]})["units"]
    [{'start': 1, 'end': 2}]
    """
    scale = len(field["values"]) / max(1e-9, field["seconds"])
    units = [{**u, "start": round(u["start"] * scale), "end": round(u["end"] * scale)} for u in field["units"]]
    return {**field, "units": units}


def _channels(array: NDArray[Any]) -> Bytes:
    """Three channels are colours; any other number of channels is averaged to grey."""
    shown = array if len(array) == 3 else array.mean(axis=0, keepdims=True)
    points: Bytes = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return points
