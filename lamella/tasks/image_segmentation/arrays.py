"""Pictures and masks to arrays of one size, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.depths import White
from lamella.data.media.images import open_picture

MULTIPLE = 16  # sides that the net takes
Array = NDArray[Any]
Bytes = NDArray[np.uint8]


def read_points(value: Any, channels: int, longest: int, white: White) -> tuple[Bytes, tuple[int, int]]:
    """A picture -> (C, h, w) of 0 to 255, its longer side at most `longest`, and its own height and width.

    >>> points, size = read_points(np.zeros((30, 60), np.uint8), 3, 40, 65535)
    >>> points.shape, size
    ((3, 20, 40), (30, 60))
    """
    picture = open_picture(value, white)
    width, height = picture.size
    picture = picture.convert("L" if channels == 1 else "RGB")
    high, wide = inside(height, width, longest)
    if (high, wide) != (height, width):
        from PIL.Image import Resampling

        picture = picture.resize((wide, high), Resampling.BILINEAR)  # averages where it makes smaller
    points = np.asarray(picture, np.uint8)
    return np.ascontiguousarray(points[None] if points.ndim == 2 else points.transpose(2, 0, 1)), (height, width)


def inside(height: int, width: int, longest: int) -> tuple[int, int]:
    """Height and width of a picture whose longer side is at most `longest`.

    >>> inside(3000, 4000, 1024), inside(10, 20, 1024)
    ((768, 1024), (10, 20))
    """
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def nearest(points: Array, height: int, width: int) -> Array:
    """An array (H, W) at another size; each point takes the nearest value."""
    if points.shape == (height, width):
        return points
    rows = ((np.arange(height) + 0.5) * points.shape[0] / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * points.shape[1] / width).astype(np.int64)
    return np.asarray(points[rows[:, None], columns])


def standardised(points: Bytes, mean: Sequence[float], deviation: Sequence[float], own: bool) -> NDArray[np.float32]:
    """A picture (C, h, w) of mean 0 and deviation 1: its own, all channels together, or the training pictures'.

    A picture that is nearly of one colour is not blown up: its deviation counts as 8 at least.
    """
    if own:
        values = points.astype(np.float32)
        return np.asarray((values - values.mean()) / max(float(values.std()), 8.0), np.float32)
    middle, spread = (np.array(v, np.float32)[:, None, None] for v in (mean, deviation))
    return np.asarray((points.astype(np.float32) - middle) / spread, np.float32)


def stacked(pictures: Sequence[Array], fill: Any) -> Array:
    """Arrays (C, h, w) -> (B, C, H, W), in the upper left corner; H and W are multiples of 16, the rest is `fill`."""
    sides = (max(p.shape[axis] for p in pictures) for axis in (1, 2))
    height, width = (-(-side // MULTIPLE) * MULTIPLE for side in sides)
    out = np.full((len(pictures), len(pictures[0]), height, width), fill)
    for place, picture in zip(out, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    return out
