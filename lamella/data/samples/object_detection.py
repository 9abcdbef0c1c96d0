"""Shapes on a restless ground: the offline sample of the task that finds objects.

Rings, squares and crosses of any colour, one to five in a picture and overlapping, on a ground of stripes and
blotches that is darker here and lighter there, with leaves strewn in that are none of the three. No brightness tells an
object from the ground, so that a threshold finds nothing; only its form does. A tenth of the pictures are empty.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png

SIDE = 96
COUNTS = {"train": 240, "test": 60}
LABELS = ("cross", "ring", "square")
LARGEST, SMALLEST = 17.0, 8.0  # half of an object's side
Floats = NDArray[np.float64]


@lru_cache(maxsize=2)
def scenes(split: str) -> tuple[tuple[str, tuple[dict[str, Any], ...]], ...]:
    """(picture as a PNG data URI, its boxes) of a split, "train" (240) or "test" (60), the same at every call.

    >>> pictures = scenes("test")
    >>> len(pictures), sum(not boxes for _, boxes in pictures), sorted(pictures[0][1][0])
    (60, 6, ['box', 'label'])
    """
    rng = np.random.default_rng(["train", "test"].index(split) + 41)
    made = []
    for i in range(COUNTS[split]):
        points, boxes = _draw(rng, 0 if i % 10 == 9 else int(rng.integers(1, 6)))
        made.append((encode_png(points), boxes))
    return tuple(made)


def _draw(rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], tuple[dict[str, Any], ...]]:
    """One picture (3, SIDE, SIDE) and its boxes; objects that come later lie above, and never hide one half."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    points = _ground(rng, x, y)
    for _ in range(4):
        _paint(points, _leaf(rng, x, y), _colour(rng, points))
    boxes: list[dict[str, Any]] = []
    for _ in range(count):
        half = rng.uniform(SMALLEST, LARGEST)
        for _ in range(30):  # places, until one is free
            middle = rng.uniform(half + 1, SIDE - half - 1, 2)
            box = [*(middle - half), *(middle + half)]
            if all(_overlap(box, other["box"]) < 0.25 for other in boxes):
                label = LABELS[int(rng.integers(len(LABELS)))]
                _paint(points, _shape(label, x - middle[0], y - middle[1], half), _colour(rng, points))
                boxes.append({"label": label, "box": [round(float(side), 1) for side in box]})
                break
    noisy = points + rng.normal(0, 0.03, (1, SIDE, SIDE))
    return (np.rint(16 * noisy.clip(0, 1)) * 15).astype(np.uint8), tuple(boxes)  # 17 steps: small as a PNG


def _ground(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """Stripes and slow waves of two colours."""
    angle = rng.uniform(0, np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    mix = 0.3 * np.sin(along * rng.uniform(0.3, 0.9)) + 0.5
    mix = mix + 0.3 * np.sin(x / rng.uniform(12, 25) + rng.uniform(0, 6)) * np.sin(y / rng.uniform(12, 25))
    one, other = rng.uniform(0.1, 0.9, (2, 3))
    return np.asarray(one[:, None, None] * mix + other[:, None, None] * (1 - mix))


def _colour(rng: np.random.Generator, points: Floats) -> Floats:
    """Any colour that is not the ground's mean, brighter or darker."""
    mean = points.mean(axis=(1, 2))
    for _ in range(20):
        colour = rng.uniform(0, 1, 3)
        if np.abs(colour - mean).max() > 0.35:
            break
    return np.asarray(colour)


def _shape(label: str, dx: Floats, dy: Floats, half: float) -> Floats:
    """Where the object is, 0 to 1; it touches all four sides of its box."""
    if label == "ring":
        edge = 0.3 * half - np.abs(np.hypot(dx, dy) - 0.7 * half)
    elif label == "square":
        outer = np.maximum(np.abs(dx), np.abs(dy))
        edge = 0.2 * half - np.abs(outer - 0.8 * half)
    else:
        arm = np.minimum(np.abs(dx), np.abs(dy))
        edge = np.minimum(0.25 * half - arm, half - np.maximum(np.abs(dx), np.abs(dy)))
    return np.asarray(np.clip(edge + 0.5, 0, 1))


def _leaf(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """A filled ellipse, tilted: no object, and as bright as one."""
    middle, angle = rng.uniform(0, SIDE, 2), rng.uniform(0, np.pi)
    dx, dy = x - middle[0], y - middle[1]
    long, short = rng.uniform(8, 16), rng.uniform(3, 6)
    u, v = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
    return np.asarray(np.clip((1 - np.hypot(u / long, v / short)) * short + 0.5, 0, 1))


def _paint(points: Floats, where: Floats, colour: Floats) -> None:
    points += where * (colour[:, None, None] - points)


def _overlap(one: list[float], other: list[float]) -> float:
    """Intersection over union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, across) * max(0.0, down)
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(area) - both)
