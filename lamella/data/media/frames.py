"""Pictures that are several: animations, and files of several pages. The first one is what is read.

frames("scan.tif")                  3
several(["a.png", "b.gif"])         those of more than one
note(task, {"image": "b.gif"})      what is said beside its answer
"""

import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from lamella.data.media.images import formats, is_uri, raw_bytes
from lamella.errors import DataError

# JPEGs are left alone: many cameras put a preview into them, which is no second picture.
HOLD_SEVERAL = {".gif", ".png", ".apng", ".webp", ".tif", ".tiff", ".avif"}


def frames(value: Any) -> int:
    """How many frames or pages a picture has; 1 for what cannot be read, which is said elsewhere.

    value: a path, a `data:` URI, bytes or an array.
    """
    if not isinstance(value, str | Path | bytes):
        return 1
    uri = is_uri(value)
    file = None if uri or isinstance(value, bytes) else Path(value)
    if file and (file.suffix.lower() not in HOLD_SEVERAL or not os.path.isfile(file)):
        return 1
    if uri and str(value)[:15].lower().startswith(("data:image/jpeg", "data:image/jpg")):
        return 1
    from PIL import Image

    try:
        with Image.open(file or BytesIO(raw_bytes(value)[1]), formats=formats()) as picture:
            return int(getattr(picture, "n_frames", 1))
    except (DataError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return 1


def several(values: Iterable[Any]) -> list[Any]:
    """Those of some pictures that have more than one frame or page."""
    return [value for value in values if frames(value) > 1]


def note(task: Any, example: Mapping[str, Any]) -> str:
    """Of a picture of several frames or pages, which of them was read: an `Output.note` of a task whose field is `image`."""
    count = frames(example.get("image"))
    return f"has {count} frames or pages, of which the first is read." if count > 1 else ""
