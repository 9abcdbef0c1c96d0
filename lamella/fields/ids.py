"""The kind of value `Id`: the name of a user, an item or an entity."""

from collections.abc import Sequence
from typing import Any, ClassVar

from lamella.errors import UsageError
from lamella.fields.base import LONGEST, Field, Limits, json_kind, plain_text, wrong


class Id(Field, frozen=True, tag="id"):
    """The name of a user, an item or an entity; a whole number is a name too, and a date is one as ISO 8601 has it."""

    single: ClassVar[bool] = True
    control: ClassVar[str] = "line"

    def check(self, name: str, value: Any) -> str:
        if type(value) is str:  # as most are
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if hasattr(value, "isoformat"):  # a date or a time stamp, as the start of a series may be
            return str(value.isoformat())
        if type(value).__name__ == "datetime64":
            return str(value)
        if not isinstance(value, str):
            raise wrong(name, "a name or a whole number", value)
        return plain_text(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise UsageError(f"{name}: expected a string or a whole number, received {json_kind(value)}.")
        return str(value)

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": ["string", "integer"], "maxLength": LONGEST}

    def usual(self, values: Sequence[Any]) -> Any:
        from lamella.fields.single import most_frequent

        return most_frequent(values)
