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


def written_numbers(name: str, texts: Sequence[str]) -> list[float]:
    """Numbers as people write them, read as a table's column is: all together. UsageError where they leave two readings.

    >>> written_numbers("past", ["1.299,50", "12,5"])
    [1299.5, 12.5]
    """
    from lamella.data.readers.numbers import is_missing, read_number, read_numbers  # only where one was written

    found = read_numbers(texts, separator=None)
    if found.ambiguous:
        low, high = read_number(found.ambiguous, "."), read_number(found.ambiguous, ",")
        raise UsageError(
            f"{name}: expected numbers that can be read one way only, received {found.ambiguous[:40]!r}, which may be "
            f"{low:.10g} or {high:.10g}. Send numbers of JSON."
        )
    bad = [*found.bad, *(i for i, text in enumerate(texts) if is_missing(text))]
    if bad:
        raise UsageError(f"{name}: expected a finite number, received text {texts[min(bad)][:40]!r}.")
    return [float(value) for value in found.values]


def received_number(name: str, value: Any) -> float | int:
    """A number of a request, also one that came as text, as people write it; UsageError for anything else.

    >>> received_number("age", "3.5"), received_number("age", 3), received_number("price", "$1,299.50")
    (3.5, 3, 1299.5)
    """
    if isinstance(value, str) and not finite(value):
        [value] = written_numbers(name, [value])
    if isinstance(value, bool) or not finite(value):
        raise UsageError(f"{name}: expected a finite number, received {json_kind(value)}.")
    return value if isinstance(value, int) else float(value)
