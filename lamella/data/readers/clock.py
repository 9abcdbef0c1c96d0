"""Time stamps as people write them, the step between them, and what a calendar says of each.

    parse(["2014-01-01 00:30", "2014-01-01 01:00"])     seconds since 1970
    parse_step("30min")                                  Step(1800, "s")

A step is so many seconds, or so many months (which differ in length); a stamp divided by it is a tick, a whole number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.errors import UsageError

NONE = np.iinfo(np.int64).min  # no time
DAY, WEEK, YEAR = 86_400, 604_800, 31_557_600  # seconds
WORDS = {
    "s": 1, "sec": 1, "second": 1, "min": 60, "t": 60, "minute": 60, "h": 3600, "hour": 3600, "hourly": 3600,
    "d": DAY, "day": DAY, "daily": DAY, "w": WEEK, "week": WEEK, "weekly": WEEK,
}  # fmt: skip
MONTHS = {
    "m": 1, "ms": 1, "me": 1, "month": 1, "monthly": 1, "q": 3, "qs": 3, "qe": 3, "quarter": 3, "quarterly": 3,
    "y": 12, "ys": 12, "ye": 12, "a": 12, "year": 12, "yearly": 12, "annual": 12,
}  # fmt: skip
_SLASHED = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_PLAIN = re.compile(r"\d{4}(?:-\d\d){0,2}(?:[ T]\d\d(?::\d\d){0,2}(?:\.\d{1,9})?)?", re.ASCII)
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])", re.IGNORECASE)


class Step(NamedTuple):
    """From one value to the next: seconds ("s"), months ("months"), or just the next one ("")."""

    size: int = 1
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.size} {self.unit}".strip() if self.unit else ""

    def ticks(self, seconds: NDArray[np.int64]) -> NDArray[np.float64]:
        """Stamps in steps since 1970; a whole number each where they lie on the grid."""
        if self.unit == "months":
            months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            return months / self.size
        return seconds / self.size

    def stamp(self, tick: float) -> str:
        """A tick as people write it.

        >>> Step(12, "months").stamp(2), Step(1800, "s").stamp(1), Step().stamp(3)
        ('1972-01-01', '1970-01-01T00:30:00', '3')
        """
        if not self.unit:
            return f"{tick:g}"
        if self.unit == "months":
            return str(np.datetime64(round(tick * self.size), "M").astype("datetime64[D]"))
        return str(np.datetime64(round(tick * self.size), "s"))

    def seasons(self, given: int = 0) -> list[int]:
        """The usual seasons in steps, the shortest first, or the one that is given; [1] where there is none.

        >>> Step(1800, "s").seasons(), Step(1, "months").seasons(), Step(12, "months").seasons(), Step().seasons(5)
        ([48, 336], [12], [1], [5])
        """
        if given:
            return [given]
        if self.unit == "months":
            return [12 // self.size] if 12 % self.size == 0 else [1]
        if self.unit != "s":
            return [1]
        periods = [DAY, WEEK] if self.size < DAY else [WEEK] if self.size < WEEK else [364 * DAY]
        found = [p // self.size for p in periods if p % self.size == 0 and 2 <= p // self.size <= 1008]
        return found or [1]


def parse_step(word: str) -> Step:
    """A word such as 30min, h, day, 2w, month, quarter, year, or what `str(Step)` gives.

    >>> parse_step("30min"), parse_step("quarter"), parse_step("1800 s") == parse_step("30min")
    (Step(size=1800, unit='s'), Step(size=3, unit='months'), True)
    """
    found = re.fullmatch(r"(\d{0,6})\s*([a-z]+)", word.strip().lower())
    count, unit = (int(found[1] or 1), found[2]) if found else (0, "")
    for table, kind in ((MONTHS, "months"), (WORDS, "s")):
        for name in (unit, unit.removesuffix("s")):
            if count and name in table:
                return Step(count * table[name], kind)
    raise UsageError(f"--frequency {word}: expected one such as 30min, h, day, week, month, quarter or year.")


def parse(cells: Sequence[str]) -> NDArray[np.int64]:
    """Stamps -> seconds since 1970, NONE where a cell is not one. Whether 3/4/2020 is in March is told by the others.

    >>> parse(["1970-01-02", "1971", "soon", "1970-01-01T01:00:00+01:00"]).tolist() == [86400, 31536000, NONE, 0]
    True
    >>> parse(["13/02/1970", "01/02/1970"]).tolist()
    [3715200, 2678400]
    """
    try:
        if not all(map(_PLAIN.fullmatch, cells)):
            raise ValueError("with a time zone, which numpy takes no longer, or words such as now, which it knows")
        plain = np.array(list(cells), dtype="datetime64[s]")
        if not np.isnat(plain).any():
            return plain.astype(np.int64)
    except ValueError:
        pass
    slashed = [m for m in map(_SLASHED.fullmatch, cells) if m]
    month_first = any(int(m[3]) > 12 for m in slashed) or (
        all(m[2] == "/" for m in slashed) and not any(int(m[1]) > 12 for m in slashed)
    )
    return np.array([_one(cell, month_first) for cell in cells], dtype=np.int64)


def ambiguous(cells: Sequence[str]) -> bool:
    """Whether nothing in these stamps tells day and month apart: 03/04/2020."""
    slashed = [m for m in map(_SLASHED.fullmatch, cells) if m and m[2] == "/"]
    return bool(slashed) and not any(int(m[1]) > 12 or int(m[3]) > 12 for m in slashed)


def _one(cell: str, month_first: bool) -> int:
    try:
        if found := _QUARTER.fullmatch(cell):
            when = datetime(int(found[1]), 3 * int(found[2]) - 2, 1)
        elif found := _SLASHED.fullmatch(cell):
            day, month = (int(found[3]), int(found[1])) if month_first else (int(found[1]), int(found[3]))
            hour, minute, second = (int(found[i] or 0) for i in (5, 6, 7))
            when = datetime(int(found[4]), month, day, hour, minute, second)
        elif re.fullmatch(r"\d{4}([-/]\d{1,2})?", cell):
            year, _, month_text = cell.replace("/", "-").partition("-")
            when = datetime(int(year), int(month_text or 1), 1)
        else:
            when = datetime.fromisoformat(cell.replace("/", "-"))
            if when.tzinfo is not None:
                when = when.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # the second: the last hour of 9999 in another time zone
        return int(NONE)
    return round((when - datetime(1970, 1, 1)).total_seconds())


def find_step(times: Sequence[NDArray[np.int64]]) -> Step:
    """The commonest distance between neighbouring stamps of these series, in months where the calendar says so."""
    gaps = np.concatenate([np.diff(np.unique(t)) for t in times])
    if not len(gaps):
        return Step()
    distance = int(np.bincount(np.unique(gaps, return_inverse=True)[1]).argmax())
    seconds = int(np.unique(gaps)[distance])
    if seconds >= 28 * DAY:
        every = np.concatenate(list(times))
        for shifted in (every, every + DAY):  # the last day of each month is the day before a first one
            stamps = shifted.astype("datetime64[s]")
            months = stamps.astype("datetime64[M]")
            if len(np.unique(stamps - months.astype("datetime64[s]"))) == 1:
                steps = [
                    np.diff(np.unique(t.astype("datetime64[s]").astype("datetime64[M]").astype(int))) for t in times
                ]
                values, counts = np.unique(np.concatenate(steps), return_counts=True)
                return Step(int(values[counts.argmax()]), "months")
    return Step(seconds, "s")


def periods(step: Step, span: int) -> list[str]:
    """Which parts of the calendar mean something: shorter than the data, seen twice at least, longer than two steps."""
    if step.unit == "months":
        return ["year"] if step.size <= 6 and span * step.size >= 24 else []
    lengths = {"day": DAY, "week": WEEK, "year": YEAR} if step.unit else {}
    return [name for name, length in lengths.items() if 2 * step.size < length and span * step.size >= 2 * length]


def calendar(step: Step, first: int | None, length: int, wanted: Sequence[str]) -> NDArray[Any]:
    """Waves of the calendar's periods at each step, (length, F); zeros where it is not known when the series is.

    >>> calendar(Step(3600, "s"), 6, 2, ["day"]).round(2).tolist()
    [[1.0, 0.0, 0.0, -1.0], [0.97, -0.26, -0.5, -0.87]]
    """
    columns: list[Any] = []
    tick = np.arange(length) + (first or 0)
    for name in wanted:
        if step.unit == "months":
            share = tick * step.size / 12
        else:  # 1970 began on a Thursday
            share = (tick * step.size + (3 * DAY if name == "week" else 0)) / {"day": DAY, "week": WEEK, "year": YEAR}[
                name
            ]
        for k in range(1, 4 if name == "week" else 3):
            columns += [np.sin(2 * np.pi * k * share), np.cos(2 * np.pi * k * share)]
    found = np.stack(columns, axis=1) if columns else np.zeros((length, 0))
    return found if first is not None else np.zeros_like(found)
