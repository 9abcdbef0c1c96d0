"""Heat maps of centres -> boxes: the local maxima, each with the box around it; non-maximum suppression."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FARTHEST = 7.0  # logarithm of the largest distance, as in training
Floats = NDArray[np.floating[Any]]


def mean_maps(
    detect: Callable[..., Mapping[str, Floats]], pictures: Floats, across: bool, down: bool
) -> tuple[Floats, Floats]:
    """The maps of pictures (B, C, H, W), as `peaks` takes them: the mean over the pictures and their mirror images.

    detect(pictures=...) gives "centers" (B, L, h, w) and "sides" (B, 4, h, w). across, down: which mirror images there are.
    """
    centers, sides = [], []
    for rows in (1, -1) if down else (1,):
        for columns in (1, -1) if across else (1,):
            maps = detect(pictures=np.ascontiguousarray(pictures[:, :, ::rows, ::columns]))
            centers.append(maps["centers"][:, :, ::rows, ::columns])
            # In the mirror left is right, and top is bottom.
            left, right, top, bottom = *((0, 2) if columns > 0 else (2, 0)), *((1, 3) if rows > 0 else (3, 1))
            sides.append(maps["sides"][:, [left, top, right, bottom], ::rows, ::columns])
    return np.mean(centers, axis=0), np.mean(sides, axis=0)


def peaks(
    centers: Floats, sides: Floats, most: int = 100, least: float = 0.0
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """The boxes of one picture, highest score first: boxes (N, 4), scores (N,) from 0 to 1, labels (N,).

    centers (L, H, W): log-odds of a centre; sides (4, H, W): logarithms of the distances to left, top, right and bottom.
    Boxes are left, top, right, bottom in points of the map. At most `most` of them, with a score of at least `least`.

    >>> centers, sides = np.full((1, 4, 4), -9.0), np.zeros((4, 4, 4))
    >>> centers[0, 1, 2] = 2.0
    >>> boxes, scores, labels = peaks(centers, sides, least=0.1)
    >>> boxes.tolist(), scores.round(2).tolist(), labels.tolist()
    ([[1.5, 0.5, 3.5, 2.5]], [0.88], [0])
    """
    _, height, across = centers.shape
    padded = np.pad(centers, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    # The largest of three rows, then of three columns: a 3 x 3 maximum filter in four passes.
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])
    floor = np.log(least / (1 - least)) if 0 < least < 1 else -np.inf
    flat = np.where((centers >= highest) & (centers >= floor), centers, -np.inf).reshape(-1)
    places = np.flatnonzero(flat > -np.inf)
    places = places[np.argsort(-flat[places], kind="stable")[:most]]
    labels, at = np.divmod(places, height * across)
    y, x = np.divmod(at, across)
    far = np.exp(np.minimum(sides.reshape(4, -1)[:, at], FARTHEST))  # (4, N)
    boxes = np.stack([x + 0.5 - far[0], y + 0.5 - far[1], x + 0.5 + far[2], y + 0.5 + far[3]], axis=1)
    return boxes, 1 / (1 + np.exp(-flat[places])), labels


def suppress(boxes: Floats, labels: Sequence[int] | NDArray[np.int64], overlap: float) -> list[int]:
    """Non-maximum suppression: the indices of the boxes to keep.

    boxes (N, 4), highest score first. Of two boxes with one label whose intersection over union exceeds `overlap`, the one
    with the lower score is dropped.

    >>> suppress(np.array([[0, 0, 4, 4], [0, 0, 4, 3], [9, 9, 10, 10]]), [0, 0, 0], 0.6)
    [0, 2]
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    labels = np.asarray(labels)
    gone = np.zeros(len(boxes), bool)
    kept = []
    for i in range(len(boxes)):
        if gone[i]:
            continue
        kept.append(i)
        low = np.maximum(boxes[i, :2], boxes[i + 1 :, :2])
        high = np.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
        both = np.clip(high - low, 0, None).prod(axis=1)
        union = np.maximum(area[i] + area[i + 1 :] - both, 1e-9)
        gone[i + 1 :] |= (both > overlap * union) & (labels[i + 1 :] == labels[i])
    return kept
