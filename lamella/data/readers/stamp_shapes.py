"""The shapes in which people write dates and times, as patterns, and what a match of one says.

    match = match_all(["Fri, 03 Jan 2020"])[0]
    seconds(when(match, day_first=False))       1578009600

Dates with marks or names of months, in several orders; quarters, halves of years, weeks, days of a year; the calendars' words
of East Asia; behind them a time of day, half days, a zone. Of a span of time (`10:00 - 11:00`) its beginning counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from lamella.data.readers import calendars

_SAMPLE = 200  # cells that tell which shape most have
_LONGEST = 60  # characters of a stamp
_ZONE = rf"(?P<zone>(?:UTC|GMT)?[-+]\d\d(?::?\d\d)?|{calendars.ZONE})"
_AT = r"(?:(?:kl\.?|klo|um|at|à|a las|alle|om|às|о)\s+)?"  # words before an hour
_CLOCK = (
    r"(?:\s?г\.?)?(?:\s?[(（](?P<dow2>[^\W\d_]{1,9})\.?[)）])?(?:(?:[T,:]\s*|,?\s+)"
    rf"{_AT}(?:(?P<half0>{'|'.join([*calendars.HALVES, *calendars.HALVES.values()])})\s?)?(?P<hour>\d{{1,2}})(?:[:h.时時시点](?:(?<=[时時시点])\s?)?"
    r"(?P<minute>\d\d)(?:[:.分분](?:(?<=[分분])\s?)?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    rf"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?)|\s*(?:Uhr|uhr|h|Hrs|hrs|[时時시点分분秒초]))?)?(?:\s*{_ZONE})?(?:\s*\([^()]{{2,40}}\))?"
)
_NAME = r"(?P<name>[^\W\d_]{3,12})\.?"
_DOW = r"(?:(?P<dow>[^\W\d_]{2,9})\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?P<ending>st|nd|rd|th|er|º|ST|ND|RD|TH)?"
_YEAR = r"(?P<year>\d{4}|\d\d)"
_QUARTER = r"(?:[QqTtK]|Trim\.?\s?|Quartal\s?|[Qq]uarter\s?)"
_WEEK = r"(?:[Ww]|[KC]W|[Ww]eek|wk|[Ss]em(?:aine|ana)?)\.?\s?"
SHAPES = [
    re.compile(shape)
    for shape in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?" + _CLOCK,
        rf"{_DOW}(?P<first>\d{{1,2}})(?P<mark>[-/. ])(?P<second_>\d{{1,2}})(?P=mark){_YEAR}" + _CLOCK,
        rf"{_DOW}{_DAY}[-\s./]*(?:(?:de|of)\s+|d['’])?{_NAME}[-\s,./]*(?:de\s+)?{_YEAR}" + _CLOCK,
        rf"{_DOW}{_NAME}\s*{_DAY},?\s+(?P<year>\d{{4}})" + _CLOCK,
        rf"{_NAME}[-\s.,/']*(?:de\s+)?{_YEAR}" + _CLOCK,
        rf"(?P<year>\d{{4}})[-\s./]*{_NAME}(?:[-\s./]+(?P<day>\d{{1,2}}))?" + _CLOCK,
        r"(?P<month>\d{1,2})[-/.]\s?(?P<year>\d{4})",
        r"(?P<year>\d{4})[-\s]?[Mm](?P<month>\d{1,2})",
        r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월](?:\s?(?P<day>\d{1,2})\s?[日일])?" + _CLOCK,
        r"(?P<year>\d{4})\.\s?(?P<month>\d{1,2})\.(?:\s?(?P<day>\d{1,2})\.?)?" + _CLOCK,
        rf"(?P<year>\d{{4}})[-\s/:.]*{_QUARTER}(?P<quarter>[1-4])",
        rf"{_QUARTER}(?P<quarter>[1-4])[-\s/:.']*{_YEAR}",
        rf"(?P<quarter>[1-4])(?:\.|(?P<ordinal>st|nd|rd|th|er|e|º|°))?\s?(?:[QqTt]|Quartal|[Qq]uarter|[Tt]rimestre)[-\s/.',]*(?:of\s|de\s)?{_YEAR}",
        r"(?P<year>\d{4})[-\s/]*[HhSs](?P<halfyear>[12])",
        rf"[HhSs](?P<halfyear>[12])[-\s/']*{_YEAR}",
        rf"(?P<year>\d{{4}})[-\s/]*{_WEEK}(?P<week>\d{{1,2}})(?:-(?P<weekday>[1-7]))?",
        rf"{_WEEK}(?P<week>\d{{1,2}})[-\s/,]*(?P<year>\d{{4}})",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:[T _-]?(?P<hour2>\d\d):?(?:(?P<minute2>\d\d):?(?P<second2>\d\d)?)?)?"
        rf"(?:{_ZONE})?",
        r"(?P<year>\d{4})[-/.](?P<dayofyear>\d{3})" + _CLOCK,
        # As C's ctime has it: the year behind the hour.
        rf"{_DOW}{_NAME}\s+{_DAY}\s+(?P<hour>\d{{1,2}}):(?P<minute>\d\d):(?P<second>\d\d)(?:\s+{_ZONE})?\s+(?P<year>\d{{4}})",
        r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?,?\s+(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second_>\d{1,2})(?P=mark)"
        rf"{_YEAR}",
        r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?,?\s+(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2}),?\s+(?P<dow>[^\W\d_]{2,9})\.?",
        r"(?:(?:FY|CY|AY)\s?)?(?P<year>\d{4})",
    )
]
YEAR_FIRST = re.compile(r"(?P<year>\d\d)(?P<mark>[-/. ])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _CLOCK)
"""A year of two digits in front: no shape of its own, since days in front look the same (`stamp_orders`)."""
_SPAN = re.compile(r"(.*\d.*?)(?:\s+(?:-|–|—|to|bis|à)\s+|/(?=\d{4}-))(?=.*\d).{4,}")


def beginnings(cells: Sequence[str]) -> list[str]:
    """Of spans of time, where all cells are some, the beginnings; other cells as they are.

    >>> beginnings(["2020-01-06 10:00 - 11:00", ""]), beginnings(["2020-01-06/2020-01-12"]), beginnings(["6 - 7", "x"])
    (['2020-01-06 10:00', ''], ['2020-01-06'], ['6 - 7', 'x'])
    """
    spans = [_SPAN.fullmatch(cell) if len(cell) < 2 * _LONGEST else None for cell in cells]
    if not any(spans) or any(cell and span is None for cell, span in zip(cells, spans, strict=True)):
        return list(cells)
    return [span[1].strip() if span else cell for cell, span in zip(cells, spans, strict=True)]


def match_all(cells: Sequence[str]) -> list[re.Match[str] | None]:
    """Each cell as one of the shapes, that of most cells first."""
    sample = cells[:: max(1, len(cells) // _SAMPLE)]
    order = sorted(SHAPES, key=lambda shape: -sum(_match(shape, cell) is not None for cell in sample))
    return [next(filter(None, (_match(shape, cell) for shape in order)), None) for cell in cells]


def _match(shape: re.Pattern[str], cell: str) -> re.Match[str] | None:
    found = shape.fullmatch(cell) if len(cell) < _LONGEST else None
    if found is None:
        return None
    parts = found.groupdict()
    dow, name = parts.get("dow") or parts.get("dow2"), parts.get("name")
    known = (not name or calendars.month(name)) and (not dow or calendars.is_weekday(dow))
    return found if known else None


def when(match: re.Match[str], day_first: bool) -> datetime:
    """What a match says. ValueError where there is no such day or hour."""
    part: dict[str, Any] = match.groupdict()
    year = int(part["year"]) if len(part["year"]) == 4 else century(int(part["year"]))
    month, day = 1, int(part.get("day") or 1)
    if part.get("first"):
        one, other = int(part["first"]), int(part["second_"])
        day, month = (one, other) if day_first else (other, one)
    elif part.get("month"):
        month = int(part["month"])
    elif part.get("name"):
        month = calendars.month(part["name"])
    elif part.get("quarter"):
        month = 3 * int(part["quarter"]) - 2
    elif part.get("halfyear"):
        month = 6 * int(part["halfyear"]) - 5
    hour = int(part.get("hour") or part.get("hour2") or 0)
    half = (part.get("half") or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if half == "pm" else 0)
    if early := part.get("half0"):
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (0 if early in calendars.HALVES else 12)
    minute, second = (int(part.get(name) or part.get(f"{name}2") or 0) for name in ("minute", "second"))
    if part.get("week"):
        monday = datetime.fromisocalendar(year, int(part["week"]), int(part.get("weekday") or 1))
        return monday.replace(hour=hour, minute=minute, second=second)
    extra = timedelta(days=1) if hour == 24 and not (minute or second) else timedelta()
    if part.get("dayofyear"):
        number = int(part["dayofyear"])
        if not 1 <= number <= (datetime(year, 12, 31) - datetime(year, 1, 1)).days + 1:
            raise ValueError("no such day")
        extra += timedelta(days=number - 1)
    return datetime(year, month, day, hour % 24 if hour == 24 else hour, minute, second) + extra


def century(year: int) -> int:
    """A year of two digits as POSIX has it.

    >>> century(68), century(69)
    (2068, 1969)
    """
    return year + (2000 if year < 69 else 1900)


def zone_offset(zone: str | None) -> int | None:
    """Of a zone in seconds, None where none is written."""
    if not zone:
        return None
    if zone in calendars.ZONES:
        return 60 * calendars.ZONES[zone]
    zone = zone.removeprefix("UTC").removeprefix("GMT")
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def zone_of(stamp: str) -> int | None:
    """The zone of a stamp in seconds, None where it has none.

    >>> zone_of("2020-01-31 10:00+01:00"), zone_of("2020-01-31"), zone_of("soon")
    (3600, None, None)
    """
    match = match_all([stamp])[0]
    return zone_offset(match.groupdict().get("zone")) if match else None


def seconds(moment: datetime) -> int:
    """Since 1970."""
    return round((moment - datetime(1970, 1, 1)).total_seconds())
