"""The step between the time stamps of a series, the stamps that follow, and what a calendar says of each.

    find_step([seconds])            Step(86400, "s"), Step(1, "months"), Step(1, "business days"), Step(5, "count")
    advance(step, start, 3)         the time three steps later
    parse_step("30min")             Step(1800, "s")

A stamp divided by the step is a tick. Ticks of one series lie whole numbers apart, from whatever one it begins with: weeks
that begin on Wednesdays, hours at a quarter past, quarters from February.
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.stamps import DAY, NONE
from lamella.errors import UsageError

WEEK, YEAR = 604_800, 31_557_600  # seconds
WORDS = {
    "s": 1, "sec": 1, "second": 1, "min": 60, "t": 60, "minute": 60, "h": 3600, "hour": 3600, "hourly": 3600,
    "d": DAY, "day": DAY, "daily": DAY, "w": WEEK, "week": WEEK, "weekly": WEEK,
}  # fmt: skip
MONTHS = {
    "m": 1, "ms": 1, "me": 1, "month": 1, "monthly": 1, "q": 3, "qs": 3, "qe": 3, "quarter": 3, "quarterly": 3,
    "y": 12, "ys": 12, "ye": 12, "a": 12, "year": 12, "yearly": 12, "annual": 12,
}  # fmt: skip
BUSINESS = {"b": 1, "business": 1, "business day": 1, "bday": 1, "weekday": 1}
COUNT = {"count": 1}
WEEK_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OPEN = "days "  # before the days of a week that has others off than Saturday and Sunday
Times = NDArray[np.int64]


class Step(NamedTuple):
    """From one value to the next: so many seconds ("s"), months, business days, counts, or just the next row ("").

    The unit of a week with other days off names those that are not: "days Mon Tue Wed Thu Fri Sat".
    """

    size: int = 1
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.size} {self.unit}".strip() if self.unit else ""

    @property
    def week(self) -> str:
        """The days of the week that are not left out, as numpy has them; "" where steps are no such days."""
        return "1111100" if self.unit == "business days" else self.unit.removeprefix(_OPEN) if self.of_week else ""

    @property
    def of_week(self) -> bool:
        """Whether some days of each week are left out."""
        return self.unit == "business days" or self.unit.startswith(_OPEN)

    def ticks(self, seconds: Times) -> NDArray[np.float64]:
        """Stamps in steps since 1970; those of one series lie whole numbers apart where they are on its grid."""
        if self.unit == "months":
            return np.asarray(seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) / self.size)
        if self.of_week:
            days = seconds.astype("datetime64[s]").astype("datetime64[D]")
            count = np.busday_count(np.datetime64("1970-01-01"), days, weekmask=self.week)
            weekend = ~np.is_busday(days, weekmask=self.week)  # lies between two ticks
            return np.asarray(count + seconds % DAY / DAY + 0.5 * weekend)
        return seconds / self.size

    def seconds(self, tick: float) -> int:
        """The time of a tick; of months their first day."""
        if self.unit == "months":
            return int(np.datetime64(round(tick * self.size), "M").astype("datetime64[s]").astype(np.int64))
        if self.of_week:
            whole = int(np.floor(tick + 1e-9))
            day = np.busday_offset(np.datetime64("1970-01-01"), whole, roll="forward", weekmask=self.week)
            return int(day.astype("datetime64[s]").astype(np.int64)) + round((tick - whole) * DAY)
        return round(tick * self.size)

    def stamp(self, tick: float) -> str:
        """A tick as ISO 8601 has it; a count as a number.

        >>> Step(12, "months").stamp(2), Step(1800, "s").stamp(1), Step(5, "count").stamp(3), Step().stamp(3)
        ('1972-01-01', '1970-01-01T00:30:00', '15', '3')
        """
        if self.unit in ("", "count"):
            return f"{tick * self.size:g}"
        when = np.datetime64(self.seconds(tick), "s")
        return str(when.astype("datetime64[D]") if self.unit == "months" else when)

    def seasons(self, given: int = 0) -> list[int]:
        """The usual seasons in steps, the shortest first, or the one that is given; [1] where there is none.

        >>> Step(1800, "s").seasons(), Step(1, "months").seasons(), Step(12, "months").seasons(), Step().seasons(5)
        ([48, 336], [12], [1], [5])
        """
        if given:
            return [given]
        if self.unit == "months":
            return [12 // self.size] if 12 % self.size == 0 else [1]
        if self.of_week:
            return [5 if self.unit == "business days" else len(self.week.split())]
        if self.unit != "s":
            return [1]
        lengths = [DAY, WEEK] if self.size < DAY else [WEEK] if self.size < WEEK else [364 * DAY]
        found = [p // self.size for p in lengths if p % self.size == 0 and 2 <= p // self.size <= 1008]
        return found or [1]


def parse_step(word: str) -> Step:
    """A word such as 30min, h, day, 2w, month, quarter, year, business, row, or what `str(Step)` gives.

    row: one value follows the other in the order of their stamps, whatever lies between these.

    >>> parse_step("30min"), parse_step("quarter"), parse_step("1800 s") == parse_step("30min")
    (Step(size=1800, unit='s'), Step(size=3, unit='months'), True)
    """
    if word.strip().lower() in ("row", "rows"):
        return Step()
    if open_days := re.fullmatch(r"(?:1 )?days ((?:mon|tue|wed|thu|fri|sat|sun| )+)", word.strip().lower()):
        return Step(1, _OPEN + open_days[1].title())
    found = re.fullmatch(r"(\d{0,9})\s*([a-z ]+)", word.strip().lower())
    count, unit = (int(found[1] or 1), found[2]) if found else (0, "")
    for table, kind in ((MONTHS, "months"), (WORDS, "s"), (BUSINESS, "business days"), (COUNT, "count")):
        for name in (unit, unit.removesuffix("s")):
            if count and name in table:
                return Step(count * table[name], kind)
    raise UsageError(
        f"--frequency {word}: expected one such as 30min, h, day, week, month, quarter, year, business (days) or row."
    )


def find_step(times: Sequence[Times], count: bool = False) -> Step:
    """The commonest distance between neighbouring stamps of these series: in months where the calendar says so, in
    business days where days follow each other and no weekend is among them.

    In: seconds since 1970, of each series; or, where they `count`, the numbers themselves.

    >>> days = [np.datetime64(d, "s").astype(int) for d in ("2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08")]
    >>> find_step([np.array(days)]), find_step([np.array([5, 10, 15])], count=True)
    (Step(size=1, unit='business days'), Step(size=5, unit='count'))
    """
    gaps = np.concatenate([np.diff(np.unique(t)) for t in times])
    if not len(gaps):
        return Step(1, "count") if count else Step()
    values, counts = np.unique(gaps, return_counts=True)
    commonest = int(values[counts.argmax()])
    if count:
        return Step(commonest, "count")
    every = np.concatenate(list(times)).astype("datetime64[s]")
    days = every.astype("datetime64[D]")
    if commonest == DAY and np.is_busday(days).all() and (days.max() - days.min()).astype(int) >= 5:
        return Step(1, "business days")
    if commonest == DAY and (closed := _days_off(days)):
        return Step(1, _OPEN + " ".join(name for at, name in enumerate(WEEK_DAYS) if at not in closed))
    if commonest >= 28 * DAY and _in_months(every):
        steps = [np.diff(np.unique(t.astype("datetime64[s]").astype("datetime64[M]").astype(int))) for t in times]
        values, counts = np.unique(np.concatenate(steps), return_counts=True)
        if len(values):
            return Step(int(values[counts.argmax()]), "months")
    return Step(commonest, "s")


def _days_off(days: NDArray[Any]) -> set[int]:
    """Which days of the week (0: Monday) never come where each would have come thrice: one or two of them."""
    span = (days.max() - days.min()).astype(int) + 1
    found = set(range(7)) - set(((days.astype(np.int64) + 3) % 7).tolist())  # 1970 began on a Thursday
    return found if span >= 21 and len(found) <= 2 else set()


def _in_months(stamps: NDArray[Any]) -> bool:
    """Whether all stand at one time of day, on one day of the month or on its last ones."""
    if len(np.unique(stamps.astype(np.int64) % DAY)) > 1:
        return False
    day = _day_of_month(stamps)
    return bool((day == day.max()).all() or ends_of_months(stamps) or day.max() > 28 and (day >= 28).all())


def _day_of_month(stamps: NDArray[Any]) -> NDArray[np.int64]:
    days = stamps.astype("datetime64[D]")
    return np.asarray((days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1)


def ends_of_months(stamps: NDArray[Any]) -> bool:
    """Whether every stamp is on the last day of its month."""
    after = stamps.astype("datetime64[D]") + 1
    return len(stamps) > 0 and bool((after == after.astype("datetime64[M]").astype("datetime64[D]")).all())


def advance(step: Step, start: int, steps: int, ends: bool = False) -> int:
    """The time so many steps later: seconds since 1970, or a count.

    start: the time to begin with; ends: stamps are on the last days of their months.

    >>> [str(np.datetime64(advance(Step(1, "months"), 18_262 * DAY + 30 * DAY, n, ends=True), "s"))[:10] for n in (1, 2)]
    ['2020-02-29', '2020-03-31']
    """
    if step.unit == "months":
        first = np.datetime64(start, "s")
        month = first.astype("datetime64[M]") + steps * step.size
        year, number = int(str(month)[:4]), int(str(month)[5:7])
        last = months.monthrange(year, number)[1]
        day = last if ends else min(int(_day_of_month(np.array([first]))[0]), last)
        return int(month.astype("datetime64[s]").astype(np.int64)) + (day - 1) * DAY + start % DAY
    if step.of_week:
        day = np.datetime64(start, "s").astype("datetime64[D]")
        later = np.busday_offset(day, steps * step.size, roll="backward", weekmask=step.week)
        return int(later.astype("datetime64[s]").astype(np.int64)) + start % DAY
    return start + steps * step.size


def periods(step: Step, span: int) -> list[str]:
    """Which parts of the calendar mean something: shorter than the data, seen twice at least, longer than two steps."""
    if step.unit == "months":
        return ["year"] if step.size <= 6 and span * step.size >= 24 else []
    if step.of_week:
        week = step.seasons()[0]
        return [name for name, length in (("week", week), ("year", -(-365 * week // 7))) if span >= 2 * length]
    lengths = {"day": DAY, "week": WEEK, "year": YEAR} if step.unit == "s" else {}
    return [name for name, length in lengths.items() if 2 * step.size < length and span * step.size >= 2 * length]


def calendar(step: Step, first: float | None, length: int, wanted: Sequence[str]) -> NDArray[Any]:
    """Waves of the calendar's periods at each step, (length, F); zeros where it is not known when the series is.

    >>> calendar(Step(3600, "s"), 6, 2, ["day"]).round(2).tolist()
    [[1.0, 0.0, 0.0, -1.0], [0.97, -0.26, -0.5, -0.87]]
    """
    columns: list[Any] = []
    tick = np.arange(length) + (first or 0)
    business = step.of_week and wanted
    seconds = np.array([step.seconds(t) for t in tick]) if business else tick * step.size
    for name in wanted:
        if step.unit == "months":
            share = tick * step.size / 12
        else:  # 1970 began on a Thursday
            share = (seconds + (3 * DAY if name == "week" else 0)) / {"day": DAY, "week": WEEK, "year": YEAR}[name]
        for k in range(1, 4 if name == "week" else 3):
            columns += [np.sin(2 * np.pi * k * share), np.cos(2 * np.pi * k * share)]
    found = np.stack(columns, axis=1) if columns else np.zeros((length, 0))
    return found if first is not None else np.zeros_like(found)


__all__ = ["NONE", "Step", "advance", "calendar", "ends_of_months", "find_step", "parse_step", "periods"]
