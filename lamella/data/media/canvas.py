"""Fit a picture into a frame of fixed size without distortion; read size and orientation from its header.

points, scale = fit_picture("cat.jpg", height=240, width=320, channels=3)    (3, 240, 320) of 0 to 255, and its scale
header("cat.jpg")                                                            (4000, 3000, 6): width, height, orientation
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.depths import WHITE, White
from lamella.data.media.images import even, is_uri, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Bytes = NDArray[np.uint8]
ORIENTATION = 0x0112  # the EXIF tag
SWAPPED = (5, 6, 7, 8)  # orientations by which width and height change places


def fit_picture(
    value: Any, height: int, width: int, channels: int, fill: int = 128, white: White = WHITE
) -> tuple[Bytes, float, int, int]:
    """A picture scaled to fit into (height, width), in the upper left corner; the rest has the grey `fill`; white: as of `white_of`.

    Out: (channels, height, width) of 0 to 255, the scale (pixels of the frame to one of the picture), and the width and
    height of the upright picture. Raises DataError as `read_image` does.

    >>> points, scale, across, down = fit_picture(np.zeros((10, 20, 3), np.uint8), height=40, width=40, channels=1)
    >>> points.shape, scale, (across, down), points[0, 19, 0].item(), points[0, 20, 0].item()
    ((1, 40, 40), 2.0, (20, 10), 0, 128)
    """
    picture = open_picture(value, white)
    across, down = picture.size
    scale = min(width / across, height / down)
    picture = picture.convert("L" if channels == 1 else "RGB")
    inside = max(1, min(width, round(across * scale))), max(1, min(height, round(down * scale)))
    if inside != picture.size:
        picture = _resized(picture, inside)
    points = np.full((channels, height, width), fill, np.uint8)
    pixels = np.asarray(picture, np.uint8)
    points[:, : inside[1], : inside[0]] = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return points, scale, across, down


def _resized(picture: "Image", size: tuple[int, int]) -> "Image":
    from PIL.Image import Resampling

    return picture.resize(size, Resampling.BILINEAR)  # averages where it makes smaller


def header(value: Any) -> tuple[int, int, int]:
    """Width, height and EXIF orientation (1: upright) of a picture, as they are stored and before it is turned.

    Only the head of a file is read. The picture must be one that `read_image` reads, which reports any errors.
    """
    if isinstance(value, str | Path) and not is_uri(value):
        try:
            return _header_of_file(str(value), Path(value).stat().st_mtime_ns)
        except (OSError, ValueError, SyntaxError):  # read_image below gives a better error
            pass
    width, height = open_picture(value).size
    return width, height, 1


@lru_cache(maxsize=1 << 16)
def _header_of_file(path: str, changed: int) -> tuple[int, int, int]:
    from PIL import Image

    with Image.open(path) as picture:
        orientation = picture.getexif().get(ORIENTATION, 1)
        width, height = picture.size
    return width, height, orientation if orientation in range(1, 9) else 1


def upright_size(value: Any) -> tuple[int, int]:
    """Width and height of a picture as it is shown. Raises DataError as `read_image` does.

    >>> upright_size(np.zeros((2, 3), np.uint8))
    (3, 2)
    """
    width, height, orientation = header(value)
    return (height, width) if orientation in SWAPPED else (width, height)


def turn_box(box: list[float], orientation: int, width: float, height: float) -> list[float]:
    """A box [left, top, right, bottom] on a picture as it is stored -> the box on the upright one.

    width and height are those of the stored picture.

    >>> turn_box([0, 0, 10, 20], 6, 100, 50)  # turned by a quarter, clockwise
    [30, 0, 50, 10]
    """
    left, top, right, bottom = box
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return [top, left, bottom, right] if orientation in SWAPPED else [left, top, right, bottom]


def on_square(value: Any, most: int, channels: int, white: White = WHITE) -> tuple[Any, str]:
    """A picture as explanations cut it, into squares: one that is none, or larger than `most`, is laid on one and made smaller.

    Besides, how large it then is, "" where it is as it was.

    >>> on_square(np.zeros((30, 60), np.uint8), 40, 1)[1], on_square(np.zeros((40, 40), np.uint8), 40, 1)[1]
    ('40 x 20', '')
    """
    width, height = upright_size(value)
    if width == height and width <= most and width % 4 == 0:
        return even(value, white), ""
    side = min(most, -(-max(width, height) // 4) * 4)
    points, scale, _, _ = fit_picture(value, side, side, channels, white=white)
    return points, f"{round(width * scale)} x {round(height * scale)}"
