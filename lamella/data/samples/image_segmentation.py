"""Leaves, stones and berries on moss: the offline sample of the task that gives each point a label.

Leaves are long, stones are large and round, berries are small and round and lie beside each other, so that many touch. Most
leaves are yellow, most stones grey and most berries red, but one in four has any of these colours, and the moss has all of them
in small spots: the form around a point tells what its colour does not. Every tenth picture is moss alone.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png
from lamella.data.media.masks import BACKGROUND, encode_mask

SIDE = 64
COUNTS = {"train": 200, "test": 40}
LABELS = (BACKGROUND, "leaf", "stone", "berry")
COLOURS = {"leaf": (0.75, 0.65, 0.25), "stone": (0.65, 0.65, 0.7), "berry": (0.75, 0.25, 0.25)}
Floats = NDArray[np.float64]


@lru_cache(maxsize=2)
def ground(split: str) -> tuple[tuple[str, str], ...]:
    """(picture, mask) as PNG data URIs of a split, "train" (200) or "test" (40), the same at every call.

    >>> pictures = ground("test")
    >>> len(pictures), pictures[0][0][:22]
    (40, 'data:image/png;base64,')
    """
    rng = np.random.default_rng(["train", "test"].index(split) + 71)
    made = []
    for i in range(COUNTS[split]):
        points, places, things = _draw(rng, empty=i % 10 == 9)
        made.append((encode_png(points), encode_mask(places, LABELS, things)))
    return tuple(made)


def _draw(rng: np.random.Generator, empty: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int32]]:
    """One picture (3, SIDE, SIDE), the place of each point's label, and the number of its thing."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    points = _moss(rng, x, y)
    places, things = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.int32)
    if not empty:
        for label in rng.permutation(["leaf", "leaf", "stone", "berry"]):
            middle = rng.uniform(10, SIDE - 10, 2)
            for _ in range(int(rng.integers(2, 5)) if label == "berry" else 1):
                inside, texture = _thing(str(label), rng, x - middle[0], y - middle[1])
                usual = rng.random() < 0.75
                colour = np.array(COLOURS[str(label) if usual else str(rng.choice(list(COLOURS)))])
                colour = colour * rng.uniform(0.85, 1.15, 3)
                points += inside * (colour[:, None, None] * texture - points)
                solid = inside > 0.5
                places[solid] = LABELS.index(str(label))
                things[solid] = things.max() + 1
                angle = rng.uniform(0, 2 * np.pi)
                middle = middle + 9 * np.array([np.cos(angle), np.sin(angle)])  # the next berry touches this one
    light = 1 + 0.2 * np.sin(x / 20 + rng.uniform(0, 6)) * np.sin(y / 20 + rng.uniform(0, 6)) + rng.uniform(-0.15, 0.15)
    noisy = points * light + rng.normal(0, 0.03, (1, SIDE, SIDE))
    _, numbers = np.unique(things, return_inverse=True)  # one that lies under others has no number
    return (np.rint(16 * noisy.clip(0, 1)) * 15).astype(np.uint8), places, numbers.reshape(SIDE, SIDE).astype(np.int32)


def _moss(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """Dark green, with spots of the colours of all things."""
    mix = 0.5 + 0.25 * np.sin(x / rng.uniform(2, 4) + rng.uniform(0, 6)) * np.sin(y / rng.uniform(2, 4))
    points = np.array([0.3, 0.35, 0.2])[:, None, None] * (0.5 + mix)
    for _ in range(14):
        near = np.clip(2.2 - np.hypot(x - rng.uniform(0, SIDE), y - rng.uniform(0, SIDE)), 0, 1)
        colour = np.array(COLOURS[str(rng.choice(list(COLOURS)))])
        points = points + near * (colour[:, None, None] - points)
    return np.asarray(points)


def _thing(label: str, rng: np.random.Generator, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Where a thing is, 0 to 1 with soft edges, and how bright it is there."""
    angle = rng.uniform(0, np.pi)
    u, v = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
    texture = 1 + 0.12 * np.sin(u / 2 + angle) * np.sin(v / 2)
    if label == "leaf":
        long, short = rng.uniform(13, 18), rng.uniform(4, 6)
        edge = (1 - np.hypot(u / long, v / short)) * short
    elif label == "stone":
        bumps = 1 + 0.15 * np.sin(3 * np.arctan2(v, u) + rng.uniform(0, 6))
        edge = rng.uniform(9, 12) * bumps - np.hypot(u, v)
    else:
        edge = rng.uniform(4.5, 5.5) - np.hypot(dx, dy)
    return np.clip(edge + 0.5, 0, 1), texture
