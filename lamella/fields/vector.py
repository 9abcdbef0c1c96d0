"""The kind of value `Vector`: numbers in no order of time, such as a point of a map or an embedding."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np

from lamella.fields.base import Field, Limits, Part, Parts
from lamella.fields.series import DRAWN, MOST, numbers, received_numbers

POINTS = 3  # most numbers of a point that belongs on a map


class Vector(Field, frozen=True, tag="vector"):
    """A list of numbers that is one point; in a table each number is a column of its own."""

    numeric: ClassVar[bool] = True
    control: ClassVar[str] = "series"

    def check(self, name: str, value: Any) -> Any:
        return value if isinstance(value, str) else numbers(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> list[float | int]:
        return received_numbers(name, value, limits)

    def confidence(self, answer: Any) -> float | None:
        """Minus the error with which a point gives its example back, where it says that."""
        return -float(answer["error"]) if isinstance(answer, dict) and "error" in answer else None

    def draw_all(self, answers: Sequence[Any]) -> str:
        """A map, where all have a point of few numbers and there are more than two.

        >>> "<svg" in Vector().draw_all([{"point": [0.0, 1.0]}] * 3), Vector().draw_all([[0.0, 1.0]] * 2)
        (True, '')
        """
        found = [answer.get("point") if isinstance(answer, dict) else None for answer in answers]
        points = [point for point in found if isinstance(point, list) and 2 <= len(point) <= POINTS]
        if len(points) < 3 or len(points) < len(answers):
            return ""
        from lamella.data.media.gallery import scatter  # only where it is drawn

        return scatter(points)

    def cells(self, value: Any) -> Any:
        """
        >>> Vector().cells([3.0, 4.0]), Vector().cells({"point": [1.0, 2.0], "error": 0.1})
        ({'1': 3.0, '2': 4.0}, {'point_1': 1.0, 'point_2': 2.0, 'error': 0.1})
        """
        if isinstance(value, list):
            return {str(i): x for i, x in enumerate(value, start=1)}
        if not isinstance(value, dict):
            return value
        columns: dict[str, Any] = {}
        for name, entry in value.items():
            if isinstance(entry, list) and entry and all(isinstance(x, int | float) for x in entry):
                columns |= {f"{name}_{i}": x for i, x in enumerate(entry, start=1)}
            else:
                columns[name] = entry
        return columns

    def show(self, value: Any) -> dict[str, Any]:
        return {"text": value} if isinstance(value, str) else {"series": [float(v) for v in value[-DRAWN:]]}

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "number"}, "maxItems": limits.values}

    def split(self, value: Any, usual: Any = None) -> Parts:
        return VectorParts(value)


class VectorParts:
    """Numbers, or where there are many of them as many neighbours together as make MOST parts.

    >>> VectorParts([1, 2, 6]).without({0}), VectorParts("1 2 6").without({0}, other=True)
    ([3.0, 2.0, 6.0], [0.0, 2.0, 6.0])
    """

    kind = "vector"
    how = ("set to the mean of all numbers", "set to zero")

    def __init__(self, value: Any) -> None:
        if isinstance(value, str):
            value = value.replace(",", " ").split()
        self.values = np.asarray(value, np.float64)
        step = max(1, -(-len(self.values) // MOST))
        starts = range(0, len(self.values), step)
        self.units: list[Part] = [
            {"label": str(i + 1), "start": i, "end": min(i + step, len(self.values))} for i in starts
        ]

    def without(self, gone: Collection[int], other: bool = False) -> list[float]:
        values = self.values.copy()
        for i in gone:
            values[self.units[i]["start"] : self.units[i]["end"]] = 0.0 if other else self.values.mean()
        return [float(v) for v in values]

    def shown(self) -> list[float]:
        return [float(v) for v in self.values]

    def facts(self) -> dict[str, Any]:
        return {"values": self.shown()}
