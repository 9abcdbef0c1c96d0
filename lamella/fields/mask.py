"""The kind of value `Mask`: a label for every point of a picture."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, wrong
from lamella.fields.media import beside, data_uri, kept_uri, medium

TYPES = {".png": "image/png"}  # a picture that is compressed with loss makes labels of its own
BY_LABEL = {
    "shares": "share",
    "pixels": "pixels",
    "counts": "count",
}  # parts of an answer, and what their columns begin with


class Mask(Field, frozen=True, tag="mask"):
    """A picture whose points are numbers of labels: a PNG as path, `data:image/png` URI or bytes, or an array (H, W).

    An answer is a dict with such a PNG as "mask", and for each label its share of the points, its points and its things.
    """

    control: ClassVar[str] = "picture"

    def open(self, name: str, path: Path) -> str:
        return str(path)

    def locate(self, value: Any, folder: Path) -> Any:
        return beside(value, folder)

    def check(self, name: str, value: Any) -> Any:
        """A mask without loss: a JPEG, or an array that is not (H, W) of whole numbers, is a UsageError."""
        value = medium(name, value)
        if isinstance(value, str | Path) and str(value).lower().endswith((".jpg", ".jpeg")):
            raise _lossy(name)
        if isinstance(value, list | np.ndarray):
            array = np.asarray(value)
            if array.ndim != 2 or array.dtype.kind not in "iub":
                raise wrong(name, "an array (H, W) of whole numbers", value)
        return value

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        uri = data_uri(name, value, "image")
        if uri[5:16].lower().startswith(("image/jpeg", "image/jpg")):
            raise _lossy(name)
        return uri

    def follow(self, value: Any, move: Any) -> Any:
        from lamella.data.noise.moves import moved_mask

        return moved_mask(value, move)

    def cells(self, value: Any) -> Any:
        """Of an answer what is said of each label is a column of its own, and the mask is one."""
        if not isinstance(value, dict):
            return value
        columns = {k: v for k, v in value.items() if k not in BY_LABEL}
        for part, begin in BY_LABEL.items():
            columns |= {f"{begin}_{label}": one for label, one in dict(value.get(part, {})).items()}
        return columns

    def show(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            value = value.get("mask")
        return {"image": value} if isinstance(value, str) and value.startswith("data:image/") else {}

    def keep(self, value: Any, most: int) -> Any:
        return kept_uri(value, most, TYPES)

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "pattern": "^data:image/png"}


def decoded(value: Any) -> tuple["np.ndarray[Any, Any]", list[str]]:
    """A mask, or an answer with one -> the places of its points' labels (H, W), 255 where none is known, and the labels.

    >>> decoded(np.array([[0, 7]]))
    (array([[0, 1]], dtype=uint8), ['background', '7'])
    """
    from lamella.data.media.masks import read_mask  # only where masks are measured

    mask = read_mask(value["mask"] if isinstance(value, dict) else value)
    return mask.points, mask.labels


def _lossy(name: str) -> UsageError:
    return UsageError(
        f"{name}: expected a mask that is stored without loss, received a JPEG, whose compression changes labels. "
        "Save it as PNG."
    )
