"""A value that is one part: a number, a label, a name."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np


class SingleParts:
    """One part; in its place comes what is usual. What can be replaced by nothing, or is usual already, has no part."""

    def __init__(self, kind: str, value: Any, usual: Any) -> None:
        self.kind, self.value, self.usual = kind, value, usual
        self.how = (f"replaced by what is usual, {usual}",) * 2
        self.units: list[dict[str, Any]] = [] if usual is None else [{"label": str(value)[:80]}]

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        return self.usual if gone else self.value

    def shown(self) -> Any:
        return self.value if isinstance(self.value, str | int | float | bool | list | dict) else str(self.value)

    def facts(self) -> dict[str, Any]:
        return {}


def most_frequent(values: Sequence[Any]) -> Any:
    """The value that occurs most often, the first in order of several; None of nothing.

    >>> most_frequent(["b", "a", "b"]), most_frequent([])
    ('b', None)
    """
    return max(sorted(values, key=str), key=list(values).count) if values else None


def median(values: Sequence[Any]) -> float | None:
    """The median of numbers, None of nothing.

    >>> median([1, 5, "2"])
    2.0
    """
    return float(np.median([float(v) for v in values])) if values else None
