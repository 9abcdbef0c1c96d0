"""Several pictures on one sheet, row by row."""

import io
import math
from collections.abc import Sequence
from typing import Any

from lamella.data.media.drawing import FORMATS
from lamella.data.media.images import open_picture

GAP = 2  # points between pictures


def sheet(pictures: Sequence[Any], suffix: str) -> bytes:
    """Pictures of one size -> the bytes of a file with this suffix; one by itself is that picture without a frame.

    >>> import numpy as np
    >>> made = sheet([np.zeros((4, 4), np.uint8)] * 3, ".png")
    >>> open_picture(made).size
    (14, 14)
    """
    from PIL import Image

    opened = [open_picture(picture).convert("RGB") for picture in pictures]
    width, height = max(one.width for one in opened), max(one.height for one in opened)
    across = math.ceil(math.sqrt(len(opened)))
    down = math.ceil(len(opened) / across)
    gap = GAP if len(opened) > 1 else 0
    page = Image.new("RGB", (across * (width + gap) + gap, down * (height + gap) + gap), "#808080")
    for i, one in enumerate(opened):
        page.paste(one, (gap + i % across * (width + gap), gap + i // across * (height + gap)))
    out = io.BytesIO()
    page.save(out, FORMATS[suffix])
    return out.getvalue()
