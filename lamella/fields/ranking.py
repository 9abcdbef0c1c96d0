"""The kind of value `Ranking`: items in the order in which they are recommended, and what of the question was not understood."""

from typing import Any, ClassVar

from lamella.fields.base import Field, Limits


class Ranking(Field, frozen=True, tag="ranking"):
    """An object with "items", a list of {"item", "probability"} and maybe "because", and "unknown", a list of names."""

    control: ClassVar[str] = "json"

    def cells(self, value: Any) -> Any:
        """
        >>> Ranking().cells({"items": [{"item": "Aliens", "probability": 0.2}], "unknown": ["Alein"]})
        {'item_1': 'Aliens', 'probability_1': 0.2, 'unknown': 'Alein'}
        """
        if not isinstance(value, dict):
            return value
        columns: dict[str, Any] = {}
        for rank, entry in enumerate(value.get("items", ()), start=1):
            for name, part in entry.items():
                columns[f"{name}_{rank}"] = "; ".join(part) if isinstance(part, list) else part
        return {**columns, "unknown": "; ".join(value.get("unknown", ()))}

    def confidence(self, answer: Any) -> float | None:
        """The probability of the first item."""
        return float(answer["items"][0]["probability"]) if answer.get("items") else None

    def right(self, answer: Any, wanted: Any) -> bool | None:
        """Whether the first item is the wanted one."""
        return bool(answer["items"][0]["item"] == wanted) if answer.get("items") else None

    def show(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {"text": str(value)}
        return {"text": "; ".join(str(entry.get("item", "")) for entry in value.get("items", ()))}

    def schema(self, limits: Limits) -> dict[str, Any]:
        names = {"type": "array", "items": {"type": "string"}}
        entry = {"item": {"type": "string"}, "probability": {"type": "number"}, "because": names}
        items = {"type": "array", "items": {"type": "object", "properties": entry}, "maxItems": limits.values}
        return {"type": "object", "properties": {"items": items, "unknown": names}}
