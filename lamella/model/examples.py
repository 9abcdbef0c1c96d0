"""A few examples that travel with a model, without their answers, so that its page can offer something to try."""

import base64
import math
import os
from pathlib import Path
from typing import Any

import msgspec

from lamella.fields import Image, Text
from lamella.storage import disk
from lamella.task import Example, Task

MOST = 3
TRIED = 30  # held-out examples that are looked at for such as are small enough
BYTES = 20_000  # of an example as JSON
LETTERS = 600  # of a text
COUNTS = {1: "one held-out example is", 2: "two held-out examples are", 3: "three held-out examples are"}
PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}


def without_answer(job: Task, example: Example) -> Example | None:
    """An example as it is given, of JSON-able values, a picture as a `data:` URI; None where it is too large."""
    given, kinds = job.given(example), {**job.optional, **job.fields}
    shown = {name: _value(kinds[name], value) for name, value in given.items()}
    try:
        raw = msgspec.json.encode(shown)
    except (TypeError, ValueError, msgspec.EncodeError):
        return None
    whole = set(job.fields) <= set(shown) and None not in shown.values()
    return shown if whole and len(raw) <= BYTES else None


def _value(kind: Any, value: Any) -> Any:
    if isinstance(kind, Image) and isinstance(value, str | os.PathLike) and not str(value).startswith("data:"):
        suffix = PICTURES.get(Path(value).suffix.lower())
        try:
            raw = disk.read_regular(Path(value), BYTES * 3 // 4)
        except OSError:
            return None
        return f"data:image/{suffix};base64,{base64.b64encode(raw).decode()}" if suffix else None
    if isinstance(kind, Text) and isinstance(value, str) and len(value) > LETTERS:
        return value[:LETTERS].rsplit(maxsplit=1)[0]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
