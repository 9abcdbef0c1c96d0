"""Pictures of four shapes, drawn clean at any place and in any size: the offline sample of the task that draws pictures.

What must be learned is which strokes go together: a corner at the left of a square asks for one at the right.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png

SIDE = 16
COUNTS = {"train": 400, "test": 60}
SHAPES = ("cross", "disc", "ring", "square")


@lru_cache(maxsize=2)
def shapes(split: str) -> tuple[tuple[str, str], ...]:
    """(picture as a PNG data URI, name of its shape) of a split, "train" (400) or "test" (60); the same at every call.

    >>> len(shapes("test")), shapes("test")[1][1]
    (60, 'disc')
    """
    rng = np.random.default_rng(["train", "test"].index(split) + 5)
    names = [SHAPES[i % len(SHAPES)] for i in range(COUNTS[split])]
    return tuple((encode_png(_draw(name, rng)), name) for name in names)


def _draw(name: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    radius = rng.uniform(3.5, 6.5)
    x, y = rng.uniform(radius + 0.5, SIDE - radius - 1.5, 2)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    across, down = np.abs(columns - x), np.abs(rows - y)
    far = np.hypot(across, down)
    # The distance from the line or the area that is inked, in points.
    distance = {
        "cross": np.where(np.maximum(across, down) > radius, 9.0, np.minimum(across, down) - 0.5),
        "disc": far - radius,
        "ring": np.abs(far - radius) - 0.7,
        "square": np.abs(np.maximum(across, down) - radius) - 0.5,
    }[name]
    ink = np.clip(1 - distance, 0, 1)  # the edge is one point wide
    return np.asarray(np.rint(255 * ink), np.uint8)[None]
