"""The kind of value `Image`: a picture, explained patch by patch."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import SUFFIXES, encode_png, read_image, shape_of
from lamella.fields.base import Field, Limits, Part, Parts
from lamella.fields.media import beside, data_uri, kept_uri, medium

GRID = (7, 8, 6, 5)  # patches along a side: the first that divides it
LARGEST = 224  # points along the side of a picture that is explained
SKETCH = 20  # characters of a picture in a terminal, in half as many lines
TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}  # that every browser shows


class Image(Field, frozen=True, tag="image"):
    """A picture: a path, a `data:image/...` URI, the bytes of a file, or an array of points."""

    media: ClassVar[str] = "image"
    suffixes: ClassVar[frozenset[str]] = SUFFIXES
    control: ClassVar[str] = "picture"
    noises: ClassVar[tuple[str, ...]] = ("grain", "blur", "faint", "dark", "jpeg", "covered")
    moves: ClassVar[tuple[str, ...]] = ("rotated", "shifted", "zoomed", "mirrored")

    def open(self, name: str, path: Path) -> str:
        return str(path)

    def sketch(self, value: Any) -> list[str]:
        """Its shades, light characters for dark points."""
        from lamella.data.media.charts import shaded  # only where it is drawn

        return shaded(read_image(value, SKETCH, 1)[0])

    def locate(self, value: Any, folder: Path) -> Any:
        return beside(value, folder)

    def check(self, name: str, value: Any) -> Any:
        return medium(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        return data_uri(name, value, "image")

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "pattern": "^data:image/"}

    def show(self, value: Any) -> dict[str, Any]:
        return {"image": value} if isinstance(value, str) and value.startswith("data:image/") else {}

    def keep(self, value: Any, most: int) -> Any:
        return kept_uri(value, most, TYPES)

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> Any:
        from lamella.data.noise import pictures

        return pictures.disturbed(value, noise, strength, rng)

    def move(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> tuple[Any, Any]:
        from lamella.data.noise import moves

        return moves.moved(value, noise, strength, rng)

    def split(self, value: Any, usual: Any = None) -> Parts:
        return ImageParts(value)


class ImageParts:
    """Square patches; in the place of one that is taken away is the colour of the picture's edge."""

    kind = "image"
    how = ("painted in the colour of the picture's edge", "painted in the picture's mean colour")

    def __init__(self, value: Any) -> None:
        side, channels = shape_of([value], largest=LARGEST)
        self.points = read_image(value, side, channels)  # (C, S, S)
        count = next((n for n in GRID if side % n == 0), GRID[0])
        self.count = count
        self.edges = [round(i * side / count) for i in range(count + 1)]
        self.units: list[Part] = [
            {"label": f"row {r + 1}, column {c + 1}", "row": r, "column": c} for r in range(count) for c in range(count)
        ]
        x = self.points
        edge = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
        self.fill = np.median(edge, axis=1).astype(np.uint8), x.mean(axis=(1, 2)).astype(np.uint8)

    def without(self, gone: Collection[int], other: bool = False) -> NDArray[np.uint8]:
        points, fill = self.points.copy(), self.fill[other]
        for i in gone:
            (top, bottom), (left, right) = (self.edges[k : k + 2] for k in divmod(i, self.count))
            points[:, top:bottom, left:right] = fill[:, None, None]
        return points

    def shown(self) -> str:
        return encode_png(self.points)

    def facts(self) -> dict[str, Any]:
        return {"rows": self.count, "columns": self.count, "side": self.points.shape[1]}
