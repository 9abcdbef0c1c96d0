"""Noise that moves what a picture shows: turned, shifted, scaled, mirrored. Boxes and masks move along.

    move = move_of("rotated", 0.5, width=64, height=48, rng=np.random.default_rng(0))
    moved_picture(open_picture(value), move), moved_boxes(boxes, move), moved_mask(mask, move)

A picture keeps its size. What comes in from outside has the colour of the picture's edge; of such points a mask knows nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import open_picture
from lamella.data.media.masks import IGNORE, encode_mask, read_mask

if TYPE_CHECKING:
    from PIL.Image import Image

Rng = np.random.Generator
TURNED, SHIFTED, ZOOMED = 40.0, 0.3, 0.6  # at full strength: degrees, a share of each side, a share of the size
INSIDE = 0.3  # share of a box that must still be in the picture; with less of it nobody could name the object


class Move(msgspec.Struct, frozen=True):
    """Where each place of a picture goes: x' = a x + b y + c, y' = d x + e y + f, in pixels from the upper left corner."""

    matrix: tuple[float, float, float, float, float, float]  # a, b, c, d, e, f
    width: int
    height: int

    @property
    def back(self) -> tuple[float, ...]:
        """The same from the new place to the old one.

        >>> Move((2, 0, 1, 0, 1, 0), 4, 4).back
        (0.5, 0.0, -0.5, 0.0, 1.0, 0.0)
        """
        a, b, c, d, e, f = self.matrix
        inverse = np.linalg.inv([[a, b], [d, e]])
        offset = -inverse @ [c, f]
        return tuple(float(v) + 0.0 for v in (*inverse[0], offset[0], *inverse[1], offset[1]))


def move_of(noise: str, strength: float, width: int, height: int, rng: Rng) -> Move:
    """The move of one picture; by generators of one seed a stronger one goes further in the same direction.

    mirrored: as many of the pictures as the strength says, each whole.
    """
    chance = float(rng.random())
    a, b, d, e, right, down = 1.0, 0.0, 0.0, 1.0, 0.0, 0.0  # the offset is of the picture's middle
    if noise == "rotated":
        angle = math.radians(TURNED * strength) * (1 if chance < 0.5 else -1)
        a, b, d, e = math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    elif noise == "shifted":
        right, down = (SHIFTED * strength * size * wave(2 * math.pi * chance)
                       for size, wave in ((width, math.cos), (height, math.sin)))  # fmt: skip
    elif noise == "zoomed":
        a = e = (1 + ZOOMED * strength) ** (1 if chance < 0.5 else -1)
    elif chance < strength:
        a = -1.0
    x, y = width / 2, height / 2
    return Move((a, b, x + right - a * x - b * y, d, e, y + down - d * x - e * y), width, height)


def moved(value: Any, noise: str, strength: float, rng: Rng) -> tuple[Any, Move]:
    """A picture, in any form that is read, moved, as an array (H, W) or (H, W, 3) of bytes; and where its places went."""
    picture = open_picture(value)
    move = move_of(noise, strength, *picture.size, rng)
    return moved_picture(picture, move), move


def moved_picture(picture: "Image", move: Move) -> NDArray[np.uint8]:
    """An opened picture, moved, as an array (H, W) or (H, W, 3).

    >>> moved_picture(open_picture(np.array([[0, 90, 200]], np.uint8)), Move((-1, 0, 3, 0, 1, 0), 3, 1)).tolist()
    [[200, 90, 0]]
    """
    from PIL.Image import Resampling, Transform

    picture = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    points = np.asarray(picture)
    edge = np.concatenate([points[0], points[-1], points[:, 0], points[:, -1]])
    colour = np.median(edge, axis=0).astype(int)
    fill = tuple(colour.tolist()) if points.ndim == 3 else int(colour)
    turned = picture.transform(picture.size, Transform.AFFINE, move.back, Resampling.BILINEAR, fillcolor=fill)
    return np.asarray(turned)


def moved_boxes(boxes: Sequence[Mapping[str, Any]], move: Move) -> list[dict[str, Any]]:
    """Boxes around what they held, those left out of which too little is still in the picture.

    Of a turned box the one around the ellipse in it: objects seldom fill their corners (Kalra et al., 2021).

    >>> mirror = Move((-1, 0, 10, 0, 1, 0), 10, 10)
    >>> moved_boxes([{"label": "cat", "box": [0, 0, 2, 3]}], mirror)
    [{'label': 'cat', 'box': [8.0, 0.0, 10.0, 3.0]}]
    """
    a, b, c, d, e, f = move.matrix
    found = []
    for one in boxes:
        left, top, right, bottom = map(float, one["box"])
        x, y, wide, tall = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
        x, y, wide, tall = (
            a * x + b * y + c,
            d * x + e * y + f,
            math.hypot(a * wide, b * tall),
            math.hypot(d * wide, e * tall),
        )
        left, right = (min(max(v, 0.0), move.width) for v in (x - wide, x + wide))
        top, bottom = (min(max(v, 0.0), move.height) for v in (y - tall, y + tall))
        if (right - left) * (bottom - top) > INSIDE * 4 * wide * tall:
            found.append({**one, "box": [round(v, 2) for v in (left, top, right, bottom)]})
    return found


def moved_mask(value: Any, move: Move) -> str:
    """A mask as a `data:` URI, each point that of the nearest old place, things too; IGNORE where there was none."""
    mask = read_mask(value)
    height, width = mask.points.shape
    a, b, c, d, e, f = move.back
    y, x = np.mgrid[:height, :width] + 0.5  # middles of the points
    across, down = np.floor(a * x + b * y + c).astype(int), np.floor(d * x + e * y + f).astype(int)
    inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    across, down = across.clip(0, width - 1), down.clip(0, height - 1)
    points = np.where(inside, mask.points[down, across], np.uint8(IGNORE)).astype(np.uint8)
    things = None if mask.things is None else np.where(inside, mask.things[down, across], 0)
    return encode_mask(points, mask.labels, things)
