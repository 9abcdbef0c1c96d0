"""Time stamps as people write them -> seconds since 1970, and later ones written in the same way.

    read = read_stamps(["Jan 5, 2020 6:15 PM", "Jan 6, 2020 6:15 PM"])
    read.seconds                          [1578248100, 1578334500]
    read.style.write(1578420900)          'Jan 7, 2020 6:15 PM'

Dates with marks or names of months, quarters, weeks, half days, offsets; and numbers: seconds, milliseconds and smaller
since 1970, 202001, 20200131, days of a spreadsheet, or a plain count. What a column holds is decided by all of its cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import calendars
from lamella.data.readers.headers import is_number

NONE = np.iinfo(np.int64).min
"""No time."""
DAY = 86_400
TIME_WORDS = {"date", "datetime", "ds", "timestamp", "time", "day", "period", "month"}
"""Names of columns in which five-digit numbers are a spreadsheet's days, not a count."""
_EXCEL = 25_569  # the day 1970-01-01 in a spreadsheet
_SAMPLE = 200
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999
_CLOCK = (
    r"(?:(?:[T,]\s*|\s+)(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?)?(?:\s*(?P<zone>(?:UTC|GMT)?[-+]\d\d(?::?\d\d)?|" + calendars.ZONE + r"))?"
)
_NAME = r"(?P<name>[^\W\d_]{3,10})\.?"
_DOW = r"(?:(?P<dow>[^\W\d_]{2,9})\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?P<ending>st|nd|rd|th|er|º|ST|ND|RD|TH)?"
_SHAPES = [
    re.compile(shape + _CLOCK)
    for shape in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?",
        r"(?P<first>\d{1,2})(?P<mark>[-/. ])(?P<second_>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)",
        rf"{_DOW}{_DAY}[-\s./]*(?:(?:de|of)\s+|d['’])?{_NAME}[-\s,./]*(?:de\s+)?(?P<year>\d{{4}}|\d\d)",
        rf"{_DOW}{_NAME}\s*{_DAY},?\s+(?P<year>\d{{4}})",
        rf"{_NAME}[-\s.,/']*(?:de\s+)?(?P<year>\d{{4}}|\d\d)",
        rf"(?P<year>\d{{4}})[-\s./]*{_NAME}(?:[-\s./]+(?P<day>\d{{1,2}}))?",
        r"(?P<year>\d{4})[-\s/]*[Qq](?P<quarter>[1-4])",
        r"[Qq](?P<quarter>[1-4])[-\s/]*(?P<year>\d{4})",
        r"(?P<year>\d{4})-?W(?P<week>\d{1,2})(?:-(?P<weekday>[1-7]))?",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:[T ]?(?P<hour2>\d\d)(?P<minute2>\d\d)(?P<second2>\d\d)?)?",
        r"(?P<year>\d{4})",
    )
]
_PLAIN = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[ T]\d\d(?::\d\d){1,2})?)?", re.ASCII)
_UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}
Times = NDArray[np.int64]


class Style(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a column writes its stamps; a model keeps it, so that one stamp by itself is read as those of training."""

    kind: str = "date"
    """"date", "count", "seconds" and smaller, "yyyymm", "yyyymmdd", "excel", "year"."""
    day_first: bool | None = None
    """Whether 3/4/2020 is in April; None where no stamp is written so."""
    format: str = ""
    """The user's own, as `datetime.strptime` has them."""
    local: bool = False
    """The seconds are those of the clock on the wall, and not UTC: stamps come with offsets that change, and only so the
    steps between them are equal."""
    sample: str = ""
    """A stamp; later ones are written like it."""
    padded: bool = True
    """Days and months have a zero in front."""
    language: str = "en"
    """Of the names of months and days."""

    def write(self, seconds: int) -> str:
        """Seconds since 1970 as a stamp of this style.

        >>> Style(sample="01/02/2020 6:15 PM", day_first=True).write(0), Style("yyyymm").write(0), Style("count").write(7)
        ('01/01/1970 12:00 AM', '197001', '7')
        """
        if self.kind == "count":
            return str(seconds)
        if self.kind in _UNITS:
            return str(seconds * _UNITS[self.kind])
        if self.kind == "excel":
            days = seconds / DAY + _EXCEL
            return f"{days:.10f}".rstrip("0").rstrip(".")
        if not _FIRST <= seconds <= _LAST:
            return str(np.datetime64(int(seconds), "s"))
        when = datetime(1970, 1, 1) + timedelta(seconds=int(seconds))
        if self.kind in ("yyyymm", "yyyymmdd", "year"):
            return when.strftime({"yyyymm": "%Y%m", "yyyymmdd": "%Y%m%d", "year": "%Y"}[self.kind])
        if self.format:
            return when.strftime(self.format)
        return _like(self, when)


class Stamps(msgspec.Struct):
    """A column of stamps that was read."""

    seconds: Times
    """Since 1970; of a count the numbers themselves; NONE where a cell is no stamp."""
    style: Style
    ambiguous: str = ""
    """A stamp whose day and month cannot be told apart; the times are then not to be used."""


def read_stamps(
    cells: Sequence[str], name: str = "", day_first: bool | None = None, format: str = "", known: Style | None = None
) -> Stamps:
    """A column of cells -> its times.

    In: the cells; `name`: of the column; `day_first` and `format` where the user said them; `known`: the style of
    training, which decides what the cells leave open. Nothing is raised: cells that are no stamp are NONE.

    >>> read_stamps(["1970-01-02", "1971", "soon", "1970-01-01T01:00:00+01:00"]).seconds.tolist() == [86400, 31536000, NONE, 0]
    True
    >>> read_stamps(["13/02/1970", "01/02/1970"]).seconds.tolist(), read_stamps(["03/04/2020"]).ambiguous
    ([3715200, 2678400], '03/04/2020')
    """
    cells = [cell.strip() for cell in cells]
    if format:
        return Stamps(np.array([_formatted(cell, format) for cell in cells], np.int64), Style(format=format))
    filled = [cell for cell in cells if cell]
    if filled and all(re.fullmatch(r"-?\d{1,19}(\.\d*)?", cell) for cell in filled):
        found = _read_numbers(cells, filled, name, known)
        if found is not None:
            return found
    if all(map(_PLAIN.fullmatch, cells)) and cells:
        try:
            seconds = np.array(list(cells), dtype="datetime64[s]")
            return Stamps(seconds.astype(np.int64), Style(sample=cells[-1]))
        except ValueError:  # the 30th of February
            pass
    return _read_dates(cells, day_first, known)


# ---- numbers


def _read_numbers(cells: Sequence[str], filled: Sequence[str], name: str, known: Style | None) -> Stamps | None:
    """Stamps that are numbers; None where they are none after all."""
    kind = _number_kind(filled, name)
    if known and (known.kind in ("count", "excel") or known.kind != "date" and kind == "count"):
        kind = known.kind
    if kind in _UNITS and any(int(float(cell)) % _UNITS[kind] for cell in filled) and not known:
        kind = "count"  # steps shorter than a second: what is counted is their unit
    if kind in ("yyyymm", "yyyymmdd", "year"):
        pattern = {"yyyymm": "%Y%m", "yyyymmdd": "%Y%m%d", "year": "%Y"}[kind]
        return Stamps(np.array([_formatted(c.partition(".")[0], pattern) for c in cells], np.int64), Style(kind))
    found = np.full(len(cells), NONE, np.int64)
    for at, cell in enumerate(cells):
        if not cell:
            continue
        if kind == "excel":
            found[at] = round((float(cell) - _EXCEL) * DAY)
        elif kind in _UNITS and "." not in cell:
            found[at] = int(cell) // _UNITS[kind]
        else:
            value = float(cell) / _UNITS.get(kind, 1)
            if kind == "count" and value % 1:
                return None  # of parts of steps nothing is known
            found[at] = round(value)
    return Stamps(found, Style(kind))


def _number_kind(filled: Sequence[str], name: str) -> str:
    """What numbers in a column of time stamps count.

    >>> [_number_kind([n], "date") for n in ("2020", "202012", "20201231", "1577836800", "1577836800000", "43831", "7")]
    ['year', 'yyyymm', 'yyyymmdd', 'seconds', 'milliseconds', 'excel', 'count']
    """
    whole = [cell.partition(".")[0] for cell in filled]
    numbers = [int(cell) for cell in whole]
    low, high = min(numbers), max(numbers)
    if all("." not in cell or cell.endswith(".0") for cell in filled):
        for kind, width, least, most in (
            ("year", 4, 1500, 2200),
            ("yyyymm", 6, 150001, 220012),
            ("yyyymmdd", 8, 15000101, 22001231),
        ):
            if {len(cell) for cell in whole} == {width} and least <= low and high <= most:
                months = [n % 100 if kind == "yyyymm" else n // 100 % 100 for n in numbers]
                if kind == "year" or all(1 <= month <= 12 for month in months):
                    return kind
    for kind, scale in _UNITS.items():
        if 10**8 * scale <= low and high < 10**10 * scale:  # from 1973 to 2286
            return kind
    words = set(re.findall(r"[a-z]+", name.casefold()))
    if words & TIME_WORDS and low >= 15_000 and high < 80_000:  # from 1941 to 2119
        return "excel"
    return "count"


def _formatted(cell: str, format: str) -> int:
    try:
        when = datetime.strptime(cell, format)
    except (ValueError, re.error):  # the second where a format names a part twice
        return int(NONE)
    return _seconds(when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when)


# ---- dates


def _read_dates(cells: Sequence[str], day_first: bool | None, known: Style | None) -> Stamps:
    matches = _matches(cells)
    slashed = [m for m in matches if m is not None and "first" in m.re.groupindex]
    ambiguous = ""
    if slashed and day_first is None:
        over = [max(int(m["first"]) for m in slashed) > 12, max(int(m["second_"]) for m in slashed) > 12]
        if over[0] != over[1]:
            day_first = over[0]
        elif all(m["mark"] == "." for m in slashed):
            day_first = True
        elif known and known.day_first is not None:
            day_first = known.day_first
        else:
            ambiguous = slashed[0].string
    wall = np.full(len(cells), NONE, np.int64)
    offsets = np.zeros(len(cells), np.int64)
    zoned = False
    for at, match in enumerate(matches):
        if match is None:
            continue
        try:
            wall[at] = _seconds(_when(match, bool(day_first)))
        except (ValueError, OverflowError):
            continue
        zone = _offset(match["zone"])
        zoned, offsets[at] = zoned or zone is not None, zone or 0
    there = wall != NONE
    utc = np.where(there, wall - offsets, NONE)
    there &= (utc >= _FIRST) & (utc <= _LAST)  # the first and last hours of the calendar, in another zone
    wall, utc = np.where(there, wall, NONE), np.where(there, utc, NONE)
    local = bool(known and known.local)
    if zoned and not known and len(np.unique(offsets[there])) > 1:
        local = len(np.unique(wall[there])) > 2 and _regularity(wall[there]) > _regularity(utc[there])
    last = max((m.string for m in matches[:-25:-1] if m is not None), key=len, default="")  # midnight may lack its hour
    groups = ("month", "day", "first", "second_")
    short = any(m is not None and len(m.groupdict().get(g) or "00") == 1 for m in matches for g in groups)
    names = [m["name"] for m in matches if m is not None and m.groupdict().get("name")]
    language = calendars.language_of(names) if names else "en"
    style = Style("date", day_first if slashed else None, "", local, last, not short, language)
    return Stamps(wall if local else utc, style, ambiguous)


def _matches(cells: Sequence[str]) -> list[re.Match[str] | None]:
    """Each cell as one of the shapes, that of most cells first."""
    sample = cells[:: max(1, len(cells) // _SAMPLE)]
    order = sorted(_SHAPES, key=lambda shape: -sum(_match(shape, cell) is not None for cell in sample))
    return [next(filter(None, (_match(shape, cell) for shape in order)), None) for cell in cells]


def _match(shape: re.Pattern[str], cell: str) -> re.Match[str] | None:
    found = shape.fullmatch(cell) if len(cell) < 60 else None
    if found is None or "name" not in shape.groupindex:
        return found
    dow = found.groupdict().get("dow")
    return found if calendars.month(found["name"]) and (not dow or calendars.is_weekday(dow)) else None


def _when(match: re.Match[str], day_first: bool) -> datetime:
    """What a match says. ValueError where there is no such day or hour."""
    part: dict[str, Any] = match.groupdict()
    year = int(part["year"])
    if len(part["year"]) == 2:  # as POSIX has it
        year += 2000 if year < 69 else 1900
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
    hour = int(part.get("hour") or part.get("hour2") or 0)
    half = (part.get("half") or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if half == "pm" else 0)
    minute, second = (int(part.get(name) or part.get(f"{name}2") or 0) for name in ("minute", "second"))
    if part.get("week"):
        when = datetime.fromisocalendar(year, int(part["week"]), int(part.get("weekday") or 1))
        return when.replace(hour=hour, minute=minute, second=second)
    extra = timedelta(days=1) if hour == 24 and not (minute or second) else timedelta()
    return datetime(year, month, day, hour % 24 if extra else hour, minute, second) + extra


def _offset(zone: str | None) -> int | None:
    """Of a zone in seconds, None where none is written."""
    if not zone:
        return None
    if zone in calendars.ZONES:
        return 60 * calendars.ZONES[zone]
    zone = zone.removeprefix("UTC").removeprefix("GMT")
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def _seconds(when: datetime) -> int:
    return round((when - datetime(1970, 1, 1)).total_seconds())


def _regularity(seconds: Times) -> float:
    """The share of the commonest distance between neighbours."""
    gaps = np.diff(np.unique(seconds))
    return float(np.unique(gaps, return_counts=True)[1].max() / len(gaps)) if len(gaps) else 0.0


# ---- writing


def _like(style: Style, when: datetime) -> str:
    """A time written like the sample of a style: its parts are replaced where they stand."""
    sample, language = style.sample, style.language
    match = _matches([sample])[0] if sample else None
    if match is None:
        return when.isoformat(sep="T") if when.time() != datetime.min.time() else when.date().isoformat()
    zone = _offset(match["zone"])
    if zone and not style.local:
        when += timedelta(seconds=zone)
    two = "02d" if style.padded else "d"
    year, week, weekday = when.isocalendar()
    half = match.groupdict().get("half")
    hour = (when.hour % 12 or 12) if half else when.hour
    one, other = (when.day, when.month) if style.day_first else (when.month, when.day)
    write: dict[str, Callable[[str], str]] = {
        "year": lambda old: f"{year if match.groupdict().get('week') else when.year:04d}"[-len(old) :],
        "month": lambda old: f"{when.month:{two}}",
        "day": lambda old: f"{when.day:{two}}",
        "first": lambda old: f"{one:{two}}",
        "second_": lambda old: f"{other:{two}}",
        "ending": lambda old: calendars.day_ending(when.day, old),
        "name": lambda old: _cased(calendars.month_like(when.month, old, language), old),
        "dow": lambda old: _cased(calendars.weekday_like(when.weekday(), old, language), old),
        "quarter": lambda old: str((when.month + 2) // 3),
        "week": lambda old: f"{week:02d}",
        "weekday": lambda old: str(weekday),
        "hour": lambda old: f"{hour:{'d' if half or len(old) == 1 else '02d'}}",
        "half": lambda old: _cased("pm" if when.hour >= 12 else "am", old),
        "minute": lambda old: f"{when.minute:02d}",
        "second": lambda old: f"{when.second:02d}",
        "fraction": lambda old: "0" * len(old),
        "hour2": lambda old: f"{when.hour:02d}",
        "minute2": lambda old: f"{when.minute:02d}",
        "second2": lambda old: f"{when.second:02d}",
    }
    spans = sorted((match.span(name), name) for name in write if match.groupdict().get(name) is not None)
    text, at = "", 0
    for (start, end), name in spans:
        text += sample[at:start] + write[name](sample[start:end])
        at = end
    return text + sample[at:]


def _cased(word: str, like: str) -> str:
    """A word in another one's case and with its points.

    >>> _cased("feb", "JAN"), _cased("february", "January"), _cased("pm", "a.m.")
    ('FEB', 'February', 'p.m.')
    """
    if "." in like:
        word = ".".join(word) + "."
    return word.upper() if like.isupper() else word.capitalize() if like[0].isupper() else word


def looks_like_time(cells: Sequence[str]) -> bool:
    """Whether nearly all of these are dates, and no plain numbers."""
    known = [cell for cell in cells if cell.strip()]
    if not known or sum(map(is_number, known)) > 0.5 * len(known) and all(re.fullmatch(r"[-\d.,]+", c) for c in known):
        return False
    return bool((read_stamps(known).seconds != NONE).mean() > 0.9)
