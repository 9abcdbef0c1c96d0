"""The kind of value `Conclusion`: an answer with its probability, and the rule and the facts behind it."""

from typing import Any, ClassVar

from lamella.fields.base import Field, Limits


class Conclusion(Field, frozen=True, tag="conclusion"):
    """An object with "answer", "probability", "rule" and "facts", a list of [head, relation, tail]; "others", a list of the
    next {"answer", "probability"}; and "known", answers that are facts already."""

    control: ClassVar[str] = "json"

    def cells(self, value: Any) -> Any:
        """
        >>> Conclusion().cells({"answer": "Ben", "probability": 0.8, "rule": "", "facts": [["a", "r", "b"]], "known": []})
        {'answer': 'Ben', 'probability': 0.8, 'rule': '', 'facts': 'a r b', 'known': ''}
        """
        if not isinstance(value, dict):
            return value
        return {name: _cell(part) for name, part in value.items()}

    def confidence(self, answer: Any) -> float | None:
        return float(answer["probability"]) if "probability" in answer else None

    def right(self, answer: Any, wanted: Any) -> bool | None:
        return bool(answer["answer"] == wanted)

    def show(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {"text": str(value)}
        facts = _cell(value.get("facts", []))
        return {"text": f"{value.get('answer', '')}{f', because {facts}' if facts else ''}"}

    def schema(self, limits: Limits) -> dict[str, Any]:
        fact = {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3}
        other = {"type": "object", "properties": {"answer": {"type": "string"}, "probability": {"type": "number"}}}
        return {
            "type": "object",
            "properties": {
                "answer": {"type": "string"},
                "probability": {"type": "number"},
                "rule": {"type": "string"},
                "facts": {"type": "array", "items": fact},
                "others": {"type": "array", "items": other},
                "known": {"type": "array", "items": {"type": "string"}},
            },
        }


def _cell(part: Any) -> Any:
    """A part of a conclusion as one cell of a table."""
    if not isinstance(part, list):
        return part
    words = []
    for one in part:
        if isinstance(one, dict):
            words.append(f"{one['answer']} {one['probability']:g}")
        else:
            words.append(" ".join(map(str, one)) if isinstance(one, list) else str(one))
    return "; ".join(words)
