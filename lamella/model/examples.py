"""A few examples stored with a model, without their answers, for users of its page to try."""

import math
from typing import Any

import msgspec

from lamella.task import Example, Task

MOST = 3
TRIED = 30  # held-out examples that are tried, since some are too large
BYTES = 20_000  # most bytes of an example as JSON
COUNTS = {1: "one held-out example is", 2: "two held-out examples are", 3: "three held-out examples are"}


def without_answer(job: Task, example: Example) -> Example | None:
    """An example as JSON-able values, a picture as a `data:` URI; None if it is too large."""
    fields = {**job.optional, **job.fields}
    shown = {name: _small(fields[name].keep(value, BYTES)) for name, value in job.given(example).items()}
    try:
        raw = msgspec.json.encode(shown)
    except (TypeError, ValueError, msgspec.EncodeError):
        return None
    whole = set(job.fields) <= set(shown) and None not in shown.values()
    return shown if whole and len(raw) <= BYTES else None


def _small(value: Any) -> Any:
    """A JSON-able value: numbers that are not finite become None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
