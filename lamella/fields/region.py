"""The kind of value `Region`: a part of a picture, by a word, by a box, or by a picture that is white there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamella.errors import DataError, UsageError
from lamella.fields.base import LONGEST, Field, Limits, json_kind, wrong
from lamella.fields.media import beside, is_uri

HALVES = {"top": (0, 0, 1, 0.5), "bottom": (0, 0.5, 1, 1), "left": (0, 0, 0.5, 1), "right": (0.5, 0, 1, 1)}
EXPECTED = "top, bottom, left, right, a box as left,top,right,bottom in pixels, or a picture that is white there"


class Region(Field, frozen=True, tag="region"):
    """A half of a picture by its name, a box in pixels, or a mask: a picture of the same size, white where it is meant."""

    control: ClassVar[str] = "line"

    def open(self, name: str, path: Path) -> str:
        return str(path)

    def locate(self, value: Any, folder: Path) -> Any:
        return beside(value, folder)

    def check(self, name: str, value: Any) -> Any:
        """A word, four numbers, a path or URI of a picture, or an array (H, W); UsageError for anything else."""
        if isinstance(value, str):
            return value
        if isinstance(value, list | tuple) and len(value) == 4 and all(isinstance(x, int | float) for x in value):
            return ",".join(map(str, value))
        if isinstance(value, list | np.ndarray | Path):
            return value
        raise wrong(name, EXPECTED, value)

    def receive(self, name: str, value: Any, limits: Limits) -> Any:
        if isinstance(value, list) and len(value) == 4 and all(type(x) in (int, float) for x in value):
            return self.check(name, value)
        if not isinstance(value, str):
            raise UsageError(f"{name}: expected {EXPECTED}, received {json_kind(value)}.")
        if value.strip().lower() in HALVES or is_uri(value) or _box(value):
            return self.check(name, value)
        raise UsageError(f"{name}: expected {EXPECTED}, received {value[:60]!r}.")

    def schema(self, limits: Limits) -> dict[str, Any]:
        numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
        text = {"type": "string", "description": f"One of {', '.join(HALVES)}, l,t,r,b, or data:image/"}
        return {"anyOf": [text | {"maxLength": max(LONGEST, limits.characters)}, numbers]}

    def show(self, value: Any) -> dict[str, Any]:
        return {"image": value} if is_uri(value) else {"text": str(value)}


def _box(value: str) -> tuple[float, ...]:
    """The four numbers of a text, none where it is another.

    >>> _box("0, 8,16,16"), _box("left")
    ((0.0, 8.0, 16.0, 16.0), ())
    """
    try:
        numbers = tuple(float(part) for part in value.split(",")) if value.count(",") == 3 else ()
    except ValueError:
        return ()
    return numbers if all(map(np.isfinite, numbers)) else ()


def mask_of(value: Any, width: int, height: int) -> NDArray[np.bool_]:
    """Which points of a picture of this size are meant: (height, width). DataError where none is, or it does not fit.

    >>> mask_of("bottom", 2, 2).tolist(), mask_of("1,0,2,1", 2, 2).tolist()
    ([[False, False], [True, True]], [[False, True], [False, False]])
    """
    mask = np.zeros((height, width), bool)
    sides: Sequence[float] = ()
    if isinstance(value, str) and value.strip().lower() in HALVES:
        shares = HALVES[value.strip().lower()]
        sides = [share * (width, height)[i % 2] for i, share in enumerate(shares)]
    elif isinstance(value, str):
        sides = _box(value)
    if sides:
        left, top, right, bottom = (int(np.floor(x + 0.5)) for x in sides)
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise DataError(f"region {value}: expected a box within the picture of {width} x {height} points.")
        mask[top:bottom, left:right] = True
        return mask
    array = _picture(value)
    if array.shape != (height, width):
        raise DataError(
            f"region: expected a mask of {width} x {height} points, like its picture, received {array.shape[1]} x "
            f"{array.shape[0]}. White is what is drawn anew."
        )
    if not array.any():
        raise DataError(
            "region: expected a mask that is white where the picture is to be drawn anew, received a black one."
        )
    return array


def _picture(value: Any) -> NDArray[np.bool_]:
    """A mask's points, white or not: of a file, a URI or an array."""
    from lamella.data.media.images import open_picture

    if isinstance(value, str) and not is_uri(value):
        try:
            there = Path(value).is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            raise DataError(f"region: expected {EXPECTED}, received {value[:60]!r}.")
    if isinstance(value, list | np.ndarray):
        array = np.asarray(value)
        if array.ndim != 2 or array.dtype.kind not in "biuf":
            raise DataError(f"region: expected an array of height x width, received {array.dtype} {array.shape}.")
        return np.asarray(array > (0 if array.dtype.kind == "b" or array.max(initial=0) <= 1 else 127))
    return np.asarray(open_picture(value).convert("L")) > 127
