"""The kind of value `Marked`: a text with places marked in it, such as words that were filled in, or that are unlikely."""

from typing import Any, ClassVar

from lamella.fields.base import Field, Limits

SHOWN = 10  # other answers of a table's cell


class Marked(Field, frozen=True, tag="marked"):
    """{"text", "marks": [{"start", "end", "word", "probability", ...}], ...}: places in characters, end behind the last."""

    control: ClassVar[str] = "json"

    def cells(self, value: Any) -> Any:
        """The text, the marked words, how likely they are, and what else could stand there, as one cell each.

        >>> Marked().cells({"text": "a cat", "marks": [], "words": ["cat"], "probability": 0.5,
        ...                 "fillings": [{"words": ["cat"], "probability": 0.5}, {"words": ["dog"], "probability": 0.2}]})
        {'text': 'a cat', 'words': 'cat', 'probability': 0.5, 'others': 'dog 0.2'}
        """
        if not isinstance(value, dict):
            return value
        others = [f"{' '.join(one['words'])} {one['probability']:.2g}" for one in value.get("fillings", [])[1:SHOWN]]
        found = {"text": value["text"], "words": " ".join(value.get("words") or [m["word"] for m in value["marks"]])}
        plain = {k: v for k, v in value.items() if k not in ("text", "marks", "words", "fillings")}
        return {**found, **plain, **({"others": ", ".join(others)} if "fillings" in value else {})}

    def confidence(self, answer: Any) -> float | None:
        return float(answer["probability"]) if "probability" in answer else None

    def right(self, answer: Any, wanted: Any) -> bool | None:
        return list(answer["words"]) == str(wanted).split() if "words" in answer else None

    def show(self, value: Any) -> dict[str, Any]:
        return {"text": str(value["text"])} if isinstance(value, dict) else {"text": str(value)}

    def schema(self, limits: Limits) -> dict[str, Any]:
        places = {"start": {"type": "integer"}, "end": {"type": "integer"}, "word": {"type": "string"}}
        mark = {"type": "object", "properties": {**places, "probability": {"type": "number"}}}
        return {"type": "object", "properties": {"text": {"type": "string"}, "marks": {"type": "array", "items": mark}}}
