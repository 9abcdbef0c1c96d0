"""Digits drawn by an unsteady hand: the offline sample of the tasks that sort pictures.

Each digit is a line through a few points. The hand moves every point a little, the pen is thin or thick, the sheet is
turned, stretched and grainy, so that no two drawings are alike and some can be read only by comparing.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png

SIDE = 20
COUNTS = {"train": 900, "test": 210}
# From the left and from above, in tenths of the sheet.
STROKES = {
    "0": [(5, 1), (3, 2), (2, 5), (3, 8), (5, 9), (7, 8), (8, 5), (7, 2), (5, 1)],
    "1": [(3, 3), (5, 1), (5, 9)],
    "2": [(2, 3), (4, 1), (7, 2), (7, 4), (4, 7), (2, 9), (8, 9)],
    "3": [(2, 2), (5, 1), (7, 3), (4, 5), (7, 7), (5, 9), (2, 8)],
    "4": [(6, 9), (6, 1), (2, 6), (8, 6)],
    "5": [(7, 1), (3, 1), (3, 4), (6, 4), (8, 6), (6, 9), (2, 8)],
    "6": [(7, 1), (4, 3), (2, 6), (4, 9), (7, 8), (7, 6), (4, 5), (2, 7)],
    "7": [(2, 1), (8, 1), (5, 5), (4, 9)],
    "8": [(5, 5), (3, 3), (5, 1), (7, 3), (5, 5), (3, 7), (5, 9), (7, 7), (5, 5)],
    "9": [(7, 4), (4, 5), (3, 3), (5, 1), (7, 2), (7, 4), (6, 7), (4, 9)],
}


@lru_cache(maxsize=2)
def drawings(split: str) -> tuple[tuple[str, str], ...]:
    """(picture as a PNG data URI, name of the digit) of a split, "train" (900) or "test" (210), the same at every call.

    >>> len(drawings("test")), sorted({label for _, label in drawings("test")}) == sorted(STROKES)
    (210, True)
    """
    chance = np.random.default_rng(["train", "test"].index(split) + 17)
    names = sorted(STROKES)
    return tuple((encode_png(_draw(names[i % 10], chance)), names[i % 10]) for i in range(COUNTS[split]))


def _draw(name: str, chance: np.random.Generator) -> NDArray[np.uint8]:
    points = np.array(STROKES[name]) / 10 - 0.5  # (P, 2), the middle of the sheet being 0
    points = points + chance.normal(0, 0.04, points.shape)
    angle = chance.normal(0, 0.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = points @ turn * chance.uniform(0.65, 1.05, 2) + chance.uniform(-0.1, 0.1, 2)
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE - 0.5
    here = np.stack([columns, rows], axis=-1)[:, :, None]  # (S, S, 1, 2)
    start, along = points[:-1], np.diff(points, axis=0)  # (P - 1, 2): the pieces of the line
    share = ((here - start) * along).sum(axis=-1) / np.maximum((along**2).sum(axis=-1), 1e-9)  # (S, S, P - 1)
    nearest = start + share.clip(0, 1)[..., None] * along
    distance = np.linalg.norm(here - nearest, axis=-1).min(axis=-1)  # (S, S)
    ink = 1 / (1 + np.exp((distance - chance.uniform(0.03, 0.07)) * 60))
    ink = chance.uniform(0.6, 1) * ink + chance.normal(0, 0.25, ink.shape)
    return np.asarray(np.rint(255 * ink.clip(0, 1)), np.uint8)
