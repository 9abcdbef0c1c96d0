"""From a net's scores of points to how likely labels are, and to the label of each point."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.decode.tiles import in_tiles

Array = NDArray[Any]
MULTIPLE = 16  # sides that the net takes
SURE = 1e-6  # nearer to 0 or 1 no likelihood is told from it


def likelihoods(segment: Callable[..., dict[str, Array]], picture: Array, tile: int, across: bool, down: bool) -> Array:
    """How likely each label is at each point (L, h, w) of a picture (C, h, w).

    segment(blocks=...) gives "scores" (B, L, h, w) of pictures cut into blocks of 16 points, as `UNet.segment` does. across,
    down: the mean over the picture and its mirror images, turned back.
    """

    def run(x: Array) -> Array:
        b, c, h, w = x.shape
        blocks = np.ascontiguousarray(x).reshape(b, c, h // MULTIPLE, MULTIPLE, w // MULTIPLE, MULTIPLE)
        scores = segment(blocks=blocks)["scores"]
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)

    ways = [
        (1, 1),
        *([(1, -1)] if across else []),
        *([(-1, 1)] if down else []),
        *([(-1, -1)] if across and down else []),
    ]
    total = None
    for rows, columns in ways:
        likely = in_tiles(run, picture[:, ::rows, ::columns], tile, MULTIPLE)[:, ::rows, ::columns]
        total = likely if total is None else total + likely
    return np.asarray(total) / len(ways)


def resized_argmax(
    likely: Array, size: tuple[int, int], count: int, border: float = 0.0
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The most likely of the first `count` labels at each point of a picture of this height and width, and where the label
    after those, the border, is more likely than `border`; 0: more likely than all.

    A label at a time is enlarged, so that a large picture with many labels needs no more memory than three of its size.

    >>> resized_argmax(np.array([[[0.2, 0.6]], [[0.3, 0.3]], [[0.5, 0.1]]]), (1, 2), 2)[0].tolist()
    [[1, 0]]
    """
    best: Array = np.full(size, -1, np.float32)
    points = np.zeros(size, np.uint8)
    for i in range(count):
        one = _enlarged(likely[i], size)
        better = one > best
        points[better], best[better] = i, one[better]
    between = _enlarged(likely[count], size) > (border or best) if len(likely) > count else np.zeros(size, bool)
    return points, between


def _enlarged(values: Array, size: tuple[int, int]) -> Array:
    """(h, w) -> (H, W), by interpolation between the four nearest."""
    if values.shape == size:
        return np.asarray(values, np.float32)

    def places(few: int, many: int) -> tuple[Array, Array, Array]:
        at = ((np.arange(many) + 0.5) * few / many - 0.5).clip(0, few - 1)
        low = np.floor(at).astype(np.int64)
        return low, np.minimum(low + 1, few - 1), (at - low).astype(np.float32)

    left, right, x = places(values.shape[1], size[1])
    wide = values[:, left] * (1 - x) + values[:, right] * x
    up, under, y = places(values.shape[0], size[0])
    return np.asarray(wide[up] * (1 - y)[:, None] + wide[under] * y[:, None], np.float32)


def near_odds(likely: Array, place: int, where: NDArray[np.bool_]) -> float:
    """The mean log-odds of a label over some points, from how likely labels are (L, h, w); `where` may have another size.

    >>> near_odds(np.array([[[0.5, 0.9]], [[0.5, 0.1]]]), 1, np.array([[True, False]]))
    0.0
    """
    _, height, width = likely.shape
    rows = (np.arange(height) * where.shape[0] // height)[:, None]
    chosen = where[rows, np.arange(width) * where.shape[1] // width]
    values = likely[place][chosen if chosen.any() else ...].clip(SURE, 1 - SURE).astype(np.float64)
    return float(np.mean(np.log(values) - np.log1p(-values)))
