"""Pictures of any size through a net that takes some sizes: edges are reflected, large ones go in tiles that overlap.

scores = in_tiles(run, picture, tile=512, multiple=16)      (C, H, W) -> (L, H, W)

Each point's scores are a mean over the tiles that hold it, weighted by a Hann window: most where it is in the middle of a
tile, and next to nothing at a tile's edge, where the net sees only half of what is around.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
OVERLAP = 0.25  # of a tile, at least, that it shares with the next


def in_tiles(run: Callable[[Array], Array], picture: Array, tile: int, multiple: int) -> Array:
    """Scores (L, H, W) of a picture (C, H, W).

    run: (1, C, h, w) -> (1, L, h, w), where h and w are multiples of `multiple`. tile: the side above which a picture is
    cut, a multiple of it too.

    >>> in_tiles(lambda x: x[:, :1] * 2, np.ones((3, 50, 20), np.float32), tile=32, multiple=16).shape
    (1, 50, 20)
    """
    _, height, width = picture.shape
    whole = reflected(picture, multiple)
    if max(whole.shape[1:]) <= tile:
        return run(whole[None])[0, :, :height, :width]
    total, weight = None, np.zeros(whole.shape[1:], np.float32)
    high, wide = (min(tile, side) for side in whole.shape[1:])
    window = hann(high)[:, None] * hann(wide)
    for top in starts(whole.shape[1], high):
        for left in starts(whole.shape[2], wide):
            place = np.s_[:, top : top + high, left : left + wide]
            scores = run(np.ascontiguousarray(whole[place])[None])[0]
            if total is None:
                total = np.zeros((len(scores), *whole.shape[1:]), np.float32)
            total[place] += scores * window
            weight[place[1:]] += window
    assert total is not None
    return np.asarray(total / weight, np.float32)[:, :height, :width]


def reflected(picture: Array, multiple: int) -> Array:
    """A picture (C, H, W) made larger to the next multiples, at the lower and right edge, by its own reflection.

    >>> reflected(np.array([[[1.0, 2.0, 3.0]]], np.float32), 4)[0, :1].tolist()
    [[1.0, 2.0, 3.0, 3.0]]
    """
    pads = [(-side) % multiple for side in picture.shape[1:]]
    # "symmetric", which repeats the edge itself, can make a side of a single point larger too.
    return np.pad(picture, [(0, 0), (0, pads[0]), (0, pads[1])], mode="symmetric") if any(pads) else picture


def starts(length: int, tile: int) -> list[int]:
    """Where tiles begin so that they cover a side, at even distances, with at least OVERLAP of each in common.

    >>> starts(1000, 512), starts(512, 512)
    ([0, 244, 488], [0])
    """
    if length <= tile:
        return [0]
    count = 1 + -int(-(length - tile) // (tile * (1 - OVERLAP)))
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


def hann(size: int) -> Array:
    """A Hann window that is nowhere 0, so that points of the picture's edge have a weight too.

    >>> hann(4).round(2).tolist()
    [0.15, 0.85, 0.85, 0.15]
    """
    return (np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2).astype(np.float32)
