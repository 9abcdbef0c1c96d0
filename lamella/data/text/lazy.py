"""Patterns that are compiled when they are first used: most short texts need few of them, and compiling them all takes as long
as to translate a sentence.

>>> digits = lazy("[0-9]+")
>>> digits.findall("3 of 12")
['3', '12']
"""

import re
from typing import Any, cast


class _Lazy:
    def __init__(self, pattern: str, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """What the pattern has of this name: asked for once, since it is kept here then."""
        found = getattr(re.compile(*self._given), name)  # `re` keeps what it has compiled
        setattr(self, name, found)
        return found


def lazy(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern as `re.compile` gives it, compiled on first use; an error in it shows then."""
    return cast(re.Pattern[str], _Lazy(pattern, flags))
