"""Between pictures, points, cells of the grid of codes, and regions of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png

Array = NDArray[Any]
REGIONS = 4  # along a side, at most: of an explanation


def cells_of(hidden: Array, grid: int) -> Array:
    """Points that are hidden (B, S, S) -> the cells of the grid that hold one of them (B, G * G).

    >>> cells_of(np.array([[[0, 0, 0, 0]] * 3 + [[0, 0, 0, 1]]]), 2).tolist()
    [[False, False, False, True]]
    """
    count, side = hidden.shape[0], hidden.shape[1] // grid
    blocks = hidden.reshape(count, grid, side, grid, side) != 0
    return np.asarray(blocks.any(axis=(2, 4)).reshape(count, -1))


def painted(pictures: Array, hidden: Array) -> Array:
    """Pictures (B, C, S, S) whose hidden points (B, S, S) have the mean of the others, so that nothing of them is seen."""
    seen = (hidden == 0)[:, None]
    mean = (pictures * seen).sum(axis=(2, 3), keepdims=True) / np.maximum(1, seen.sum(axis=(2, 3), keepdims=True))
    return np.asarray(np.where(seen, pictures, mean), np.float32)


def as_pngs(values: Array) -> list[str]:
    """Points from 0 to 1 (N, C, S, S) -> a picture each, as a `data:` URI."""
    return [encode_png(np.rint(255 * one.clip(0, 1)).astype(np.uint8)) for one in values]


def regions(grid: int) -> tuple[list[str], Array]:
    """The regions of an explanation, by name, and the region of each cell (G * G,).

    >>> names, region = regions(2)
    >>> names[1], region.tolist()
    ('row 1, column 2', [0, 1, 2, 3])
    """
    count = min(REGIONS, grid)
    along = np.arange(grid) * count // grid  # (G,)
    names = [f"row {r + 1}, column {c + 1}" for r in range(count) for c in range(count)]
    return names, (along[:, None] * count + along).reshape(-1)


def by_region(cells: Array, region: Array, names: Sequence[str]) -> Array:
    """Numbers of cells (B, T) -> their sums over regions (B, R)."""
    return np.asarray(cells @ (region[:, None] == np.arange(len(names))).astype(np.float64))


def by_cell(points: Array, grid: int) -> Array:
    """Numbers of points (B, C, S, S) -> their sums over the cells of the grid (B, T)."""
    count, channels, side = points.shape[:3]
    size = side // grid
    blocks = points.reshape(count, channels, grid, size, grid, size)
    return np.asarray(blocks.sum(axis=(1, 3, 5)).reshape(count, -1))
