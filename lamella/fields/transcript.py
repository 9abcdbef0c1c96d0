"""The kind of value `Transcript`: what was said, word by word, with times."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lamella.fields.base import Field, Limits, wrong

EXPECTED = '{"text", "words": [{"word", "start", "end", "confidence"}], "confidence"}'


class Transcript(Field, frozen=True, tag="transcript"):
    """What was said: {"text", "words": [{"word", "start", "end", "confidence"}], "confidence", "reason"}, times in seconds.

    reason: why there is no text, "" where there is one.
    """

    control: ClassVar[str] = "json"

    def check(self, name: str, value: Any) -> dict[str, Any]:
        """
        >>> Transcript().check("said", {"text": "yes", "words": []})["text"]
        'yes'
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
            raise wrong(name, EXPECTED, value)
        return dict(value)

    def cells(self, value: Any) -> Any:
        """The text, how sure it is, and all words in one cell."""
        if not isinstance(value, Mapping):
            return value
        return {name: value[name] for name in ("text", "confidence", "words") if name in value}

    def remark(self, answer: Any) -> str:
        """
        >>> Transcript().remark({"text": "", "reason": "The recording is silent."})
        'The recording is silent.'
        """
        return str(answer.get("reason") or "") if isinstance(answer, Mapping) else ""

    def confidence(self, answer: Any) -> float | None:
        """How sure the words are on average; whether all of them are right says no probability of it."""
        return float(answer["confidence"]) if "confidence" in answer else None

    def show(self, value: Any) -> dict[str, Any]:
        text = value.get("text") if isinstance(value, Mapping) else value
        return {"text": str(text) or "(nothing)"}

    def schema(self, limits: Limits) -> dict[str, Any]:
        number = {"type": "number"}
        word = {"word": {"type": "string"}, "start": number, "end": number, "confidence": number}
        words = {"type": "array", "items": {"type": "object", "properties": word}}
        return {"type": "object", "properties": {"text": {"type": "string"}, "words": words, "confidence": number}}
