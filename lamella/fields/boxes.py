"""The kind of value `Boxes`: rectangles in a picture, each with a label."""

import math
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import msgspec

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, Part, Parts, TooLarge, wrong

EXPECTED = 'a list of boxes, each {"label": text, "box": [left, top, right, bottom]} in pixels'


class Boxes(Field, frozen=True, tag="boxes"):
    """Rectangles, each {"label", "box": [left, top, right, bottom]} in pixels of the picture, an answer's with a "score"."""

    control: ClassVar[str] = "json"

    def parse(self, name: str, text: str) -> list[dict[str, Any]]:
        try:
            return self.check(name, msgspec.json.decode(text))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise UsageError(f"{name}: expected {EXPECTED}, received {text[:60]!r} ({error}).") from error

    def check(self, name: str, value: Any) -> list[dict[str, Any]]:
        """Each box with a label, four finite sides, and an area; UsageError names the box that has not."""
        if isinstance(value, str):
            return self.parse(name, value)
        if not isinstance(value, list | tuple):
            raise wrong(name, EXPECTED, value)
        return [box(f"{name}, box {i}", one) for i, one in enumerate(value, start=1)]

    def receive(self, name: str, value: Any, limits: Limits) -> list[dict[str, Any]]:
        if isinstance(value, list) and len(value) > limits.values:
            raise TooLarge(f"{name}: expected at most {limits.values:,} boxes, received {len(value):,}.")
        return self.check(name, value)

    def cells(self, value: Any) -> Any:
        """How many boxes there are, and all of them in one cell.

        >>> Boxes().cells([{"label": "cat", "box": [1, 2, 3, 4]}])["count"]
        1
        """
        return {"count": len(value), "boxes": value} if isinstance(value, list) else value

    def show(self, value: Any) -> dict[str, Any]:
        return {"text": ", ".join(str(one["label"]) for one in value) or "nothing", "boxes": list(value)}

    def schema(self, limits: Limits) -> dict[str, Any]:
        sides = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
        properties = {"label": {"type": "string"}, "box": sides, "score": {"type": "number"}}
        item = {"type": "object", "properties": properties, "required": ["label", "box"]}
        return {"type": "array", "items": item, "maxItems": limits.values}

    def follow(self, value: Any, move: Any) -> Any:
        from lamella.data.noise.moves import moved_boxes

        return moved_boxes(value, move)

    def confidence(self, answer: Any) -> float | None:
        """The surest box's score; 0 without boxes."""
        return max((float(one["score"]) for one in answer), default=0.0)

    def split(self, value: Any, usual: Any = None) -> Parts:
        return BoxParts(self.check("boxes", value))


def box(where: str, value: Any) -> dict[str, Any]:
    """One box as it is; UsageError where it is none.

    >>> box("box 1", {"label": "cat", "box": [0, 0, 8, 9.5]})
    {'label': 'cat', 'box': [0, 0, 8, 9.5]}
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("label"), str) or "box" not in value:
        raise wrong(where, '{"label": text, "box": [left, top, right, bottom]}', value)
    sides = value["box"]
    try:
        left, top, right, bottom = map(float, sides)
    except (TypeError, ValueError) as error:
        raise wrong(where, "four numbers, [left, top, right, bottom]", sides) from error
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise wrong(where, "four finite numbers, [left, top, right, bottom]", sides)
    if right <= left or bottom <= top:
        raise UsageError(
            f"{where}: expected a box with an area, left before right and top before bottom, received {sides}."
        )
    return dict(value)


class BoxParts:
    """Boxes, each of which may be left out.

    >>> BoxParts([{"label": "cat", "box": [0, 0, 1, 1]}, {"label": "dog", "box": [0, 0, 2, 2]}]).without({0})
    [{'label': 'dog', 'box': [0, 0, 2, 2]}]
    """

    kind = "boxes"
    how = ("left out", "left out")

    def __init__(self, value: list[dict[str, Any]]) -> None:
        self.boxes = value
        self.units: list[Part] = [{"label": one["label"]} for one in value]

    def without(self, gone: Collection[int], other: bool = False) -> list[dict[str, Any]]:
        return [one for i, one in enumerate(self.boxes) if i not in gone]

    def shown(self) -> list[dict[str, Any]]:
        return self.boxes

    def facts(self) -> dict[str, Any]:
        return {}
