"""The kind of value `Label`: one of a few names."""

from collections.abc import Sequence
from typing import Any, ClassVar

from lamella.errors import UsageError
from lamella.fields.base import LONGEST, Field, Limits, json_kind, plain_text


class Label(Field, frozen=True, tag="label"):
    """One of a few names."""

    classes: ClassVar[bool] = True
    single: ClassVar[bool] = True
    control: ClassVar[str] = "line"

    def check(self, name: str, value: Any) -> str:
        return plain_text(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> Any:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise UsageError(f"{name}: expected a string, received {json_kind(value)}.")
        return value

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "maxLength": LONGEST}

    def group(self, value: Any, before: Any = None) -> str:
        return str(value)

    def confidence(self, answer: Any) -> float | None:
        return float(answer["probabilities"][answer["label"]]) if "probabilities" in answer else None

    def right(self, answer: Any, wanted: Any) -> bool | None:
        return bool(answer["label"] == str(wanted))

    def usual(self, values: Sequence[Any]) -> Any:
        from lamella.fields.single import most_frequent

        return most_frequent(values)
