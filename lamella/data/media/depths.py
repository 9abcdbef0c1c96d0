"""Pictures of more than 8 bits: 10 to 16 bits of a camera, floats, whole numbers with a sign, as grey of 8 bits.

    eight_bits(picture, white=4095)             12 bits in 16
    eight_bits(picture, white=[-1000, 400])     Hounsfield units

What is black and white is said of a data set (`lamella.data.media.images.white_of`), not of a picture or of a type: one picture
is as bright beside another as it was.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

WHITE = 65535  # of grey in 16 bits, where a data set does not say another
White = int | Sequence[float]
"""The value of white in grey of 16 bits; of floats and of whole numbers beyond these the values of black and of white."""


def strips(picture: "Picture") -> Iterator[tuple[int, int, int, int]]:
    """Horizontal strips of about a million pixels, so that temporary arrays stay small."""
    width, height = picture.size
    rows = max(1, 1_000_000 // max(1, width))
    return ((0, top, width, min(height, top + rows)) for top in range(0, height, rows))


def finite(picture: "Picture") -> NDArray[np.float64]:
    """The numbers of a picture, 0 where one is none."""
    return np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=0, neginf=0)


def eight_bits(picture: "Picture", white: White = WHITE) -> "Picture":
    """Grey of more than 8 bits, by what is black and white; what is beyond becomes black or white.

    Without a range: floats from 0 to 1, from 0 to 255, or between their own least and largest, and so whole numbers beyond 16
    bits.
    """
    from PIL import Image

    if isinstance(white, int):
        ends = [(part.min(), part.max()) for part in (finite(picture.crop(strip)) for strip in strips(picture))]
        low, high = float(min(least for least, _ in ends)), float(max(most for _, most in ends))
        if picture.mode[0] != "F" and (white != WHITE or low >= 0 and high <= WHITE):
            low, high = 0.0, float(white)
        elif picture.mode[0] == "F" and low >= 0 and high <= 255:
            low, high = 0.0, 1.0 if high <= 1 else 255.0
    else:
        low, high = white
    out = Image.new("L", picture.size)
    for strip in strips(picture):
        half = max(1e-12, high / 2 - low / 2)  # the range may be more than a float holds
        scaled = ((finite(picture.crop(strip)) / 2 - low / 2) / half).clip(0, 1)
        out.paste(Image.fromarray(np.rint(255 * scaled).astype(np.uint8)), strip)
    return out


def deep(points: NDArray[Any], white: White) -> "Picture | None":
    """The picture of an array of more than 8 bits, (H, W) or (H, W, 3); None where it has no more, or nobody knows its range."""
    if points.dtype.kind not in "iuf" or points.ndim not in (2, 3) or points.size == 0 or points.dtype == np.uint8:
        return None
    low, high = float(points.min()), float(points.max())
    floats = points.dtype.kind == "f"
    if floats and not math.isfinite(high - low):
        return None
    dark = points.dtype == np.uint16 and white != WHITE or not isinstance(white, int)  # among pictures of more bits
    if (
        low >= 0
        and high <= 255
        and not dark
        or isinstance(white, int)
        and white
        and (floats or low < 0 or high > WHITE)
    ):
        return None
    flat = points.reshape(len(points), -1).astype(np.float32 if floats else np.int32)  # colours side by side
    from PIL import Image

    grey = Image.fromarray(flat)
    if not white:
        return grey
    even = eight_bits(grey, white)
    return even if points.ndim == 2 else Image.fromarray(np.asarray(even).reshape(points.shape))
