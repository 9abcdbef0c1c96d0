"""The kind of value `Number`: one finite number."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, json_kind, wrong


class Number(Field, frozen=True, tag="number"):
    """One number."""

    numeric: ClassVar[bool] = True
    single: ClassVar[bool] = True
    control: ClassVar[str] = "number"

    def check(self, name: str, value: Any) -> Any:
        if not isinstance(value, bool | bytes) and finite(value):
            return value
        raise wrong(name, "a finite number", value)

    def receive(self, name: str, value: Any, limits: Limits) -> float | int:
        return received_number(name, value)

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": ["number", "string"]}

    def confidence(self, answer: Any) -> float | None:
        """How likely an example is, where the number is that."""
        return float(answer["log_likelihood"]) if isinstance(answer, dict) and "log_likelihood" in answer else None

    def usual(self, values: Sequence[Any]) -> Any:
        from lamella.fields.single import median

        return median(values)


def finite(value: Any) -> bool:
    """Whether a value is a finite number, or text that is one."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def received_number(name: str, value: Any) -> float | int:
    """A number of a request, also one that came as text; UsageError for anything else.

    >>> received_number("age", "3.5"), received_number("age", 3)
    (3.5, 3)
    """
    if isinstance(value, bool) or not finite(value):
        raise UsageError(f"{name}: expected a finite number, received {json_kind(value)}.")
    return value if isinstance(value, int) else float(value)
