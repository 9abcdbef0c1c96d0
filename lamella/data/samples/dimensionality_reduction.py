"""Pictures of a soft ring, made by three hidden numbers: the offline sample of the dimensionality-reduction task.

Where the ring's middle lies (from the left, from above) and how wide it is. Nothing else differs but a little noise, so a
net with few numbers to an example can say nearly everything about it, and what it cannot is easily seen.
"""

import numpy as np

from lamella.data.media.images import encode_png

SIDE = 16
COUNTS = {"train": 600, "test": 120}


def rings(split: str) -> list[str]:
    """Pictures of a split as PNG data URIs, "train" (600) or "test" (120); the same at every call, and none in both.

    >>> rings("test") == rings("test"), len(set(rings("train")) & set(rings("test")))
    (True, 0)
    """
    chance = np.random.default_rng(["train", "test"].index(split))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    found = []
    for _ in range(COUNTS[split]):
        x, y = chance.uniform(4.5, SIDE - 5.5, 2)
        radius = chance.uniform(2.0, 4.0)
        distance = np.hypot(columns - x, rows - y)
        shine = np.exp(-(((distance - radius) / 1.2) ** 2)) + chance.normal(0, 0.02, (SIDE, SIDE))
        found.append(encode_png(np.rint(255 * shine.clip(0, 1)).astype(np.uint8)[None]))
    return found
