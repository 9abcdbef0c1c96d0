"""The kind of value `Matches`: things that were found, the nearest first, each with how near it is."""

from typing import Any, ClassVar

from lamella.fields.base import Field, Limits


class Matches(Field, frozen=True, tag="matches"):
    """A list of objects with the same entries, such as {"text", "grade"}; in a table each entry is a column."""

    control: ClassVar[str] = "json"

    def cells(self, value: Any) -> Any:
        """
        >>> Matches().cells([{"text": "a", "grade": 4.5}, {"text": "b", "grade": 2.0}])
        {'text_1': 'a', 'grade_1': 4.5, 'text_2': 'b', 'grade_2': 2.0}
        """
        if not isinstance(value, list):
            return value
        return {f"{name}_{i}": entry for i, match in enumerate(value, start=1) for name, entry in match.items()}

    def show(self, value: Any) -> dict[str, Any]:
        found = value if isinstance(value, list) else [value]
        return {"text": "; ".join(", ".join(map(str, match.values())) for match in found if isinstance(match, dict))}

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "object"}, "maxItems": limits.values}
