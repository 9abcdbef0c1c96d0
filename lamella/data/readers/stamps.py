"""Time stamps as people write them -> seconds since 1970, and later ones written in the same way.

    read = read_stamps(["Jan 5, 2020 6:15 PM", "Jan 6, 2020 6:15 PM"])
    read.seconds                          [1578248100, 1578334500]
    read.style.write(1578420900)          'Jan 7, 2020 6:15 PM'

Dates with marks or names of months, quarters, weeks, half days, offsets; and numbers: seconds, milliseconds and smaller
since 1970, 202001, 20200131, days of a spreadsheet, or a plain count. What a column holds is decided by all of its cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import calendars
from lamella.data.readers import stamp_shapes as shapes
from lamella.data.readers.stamp_clocks import (
    clock_like,
    clock_seconds,
    counted,
    counted_like,
    doubtful,
    formats_of_month,
    hint,
    of_month,
)
from lamella.data.readers.stamp_numbers import (
    EXCEL,
    FIXED,
    FORMATS,
    MOST,
    UNITS,
    decimal_of,
    digits_of,
    excel_seconds,
    is_finer,
    months_of,
    number_kind,
    parts_of,
)
from lamella.data.readers.stamp_orders import is_short, season_like, seasons_of, year_first

NONE = np.iinfo(np.int64).min
"""No time."""
DAY = 86_400
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999
_MONTH = re.compile(r"(0?[1-9]|1[0-2])\.(1[89]|20|21)\d\d")  # 01.2020 is no number of a time
_PLAIN = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[ T]\d\d(?::\d\d){1,2})?)?", re.ASCII)
Times = NDArray[np.int64]


class Style(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a column writes its stamps; a model keeps it, so that one stamp by itself is read as those of training."""

    kind: str = "date"
    """"date", "count", "seconds" and smaller, "year", "yyyymm" and longer, "decimal year", "excel", "season"; "clock" and,
    where hours go on after 24, "elapsed"."""
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
    parts: int = 1
    """Times are counted in so many parts of a second, or of one: 1000 where stamps are milliseconds apart."""
    year_first: bool = False
    """Years of two digits stand in front: 21-03-05 is in March."""
    later: float = 0.0
    """Of years with decimals: by what share of a month all stand behind its beginning."""

    def write(self, seconds: int) -> str:
        """Seconds since 1970 as a stamp of this style.

        >>> Style(sample="01/02/2020 6:15 PM", day_first=True).write(0), Style("yyyymm").write(0), Style("count").write(7)
        ('01/01/1970 12:00 AM', '197001', '7')
        """
        if self.kind in ("clock", "elapsed"):
            return clock_like(int(seconds), self.sample, self.kind == "elapsed")
        if self.kind == "count" and self.sample:
            return counted_like(int(seconds), self.sample)
        if self.kind == "count" or self.kind == "seconds" and self.parts > 1:
            return decimal_of(seconds, self.parts)
        if self.kind in UNITS:
            return str(seconds * UNITS[self.kind])
        if self.kind == "excel":
            days = seconds / DAY + EXCEL
            return f"{days:.10f}".rstrip("0").rstrip(".")
        seconds, part = divmod(int(seconds), self.parts)
        if not _FIRST <= seconds <= _LAST:
            return str(np.datetime64(seconds, "s"))
        when = datetime(1970, 1, 1) + timedelta(seconds=seconds)
        if self.kind == "decimal year":
            digits = len(self.sample.partition(".")[2])
            return f"{when.year + (when.month - 1 + self.later) / 12:.{digits}f}"
        if self.kind == "season":
            return season_like(when.year, self.sample)
        if self.kind in FORMATS:
            return when.strftime(FORMATS[self.kind])
        if self.format:
            return when.strftime(self.format)
        return _like(self, when, digits_of(part, self.parts))


class Stamps(msgspec.Struct):
    """A column of stamps that was read."""

    seconds: Times
    """Since 1970; of a count the numbers themselves; NONE where a cell is no stamp."""
    style: Style
    ambiguous: str = ""
    """A stamp whose day, month and year cannot be told apart; the times are then not to be used."""
    hint: str = ""
    """Of a column with such a stamp, the option that decides it, where that is not --day-first."""


def read_stamps(
    cells: Sequence[str], name: str = "", day_first: bool | None = None, format: str = "", known: Style | None = None,
    whole: bool = False,
) -> Stamps:  # fmt: skip
    """A column of cells -> its times.

    In: the cells; `name`: of the column; `day_first` and `format` where the user said them; `known`: the style of
    training, which decides what the cells leave open; `whole`: fractions of seconds say nothing. Nothing is raised: cells
    that are no stamp are NONE.

    >>> read_stamps(["1970-01-02", "1971", "soon", "1970-01-01T01:00:00+01:00"]).seconds.tolist() == [86400, 31536000, NONE, 0]
    True
    >>> read_stamps(["13/02/1970", "01/02/1970"]).seconds.tolist(), read_stamps(["03/04/2020"]).ambiguous
    ([3715200, 2678400], '03/04/2020')
    """
    cells = [cell.strip() for cell in cells]
    if known and known.format and not format and all(_formatted(cell, known.format) != NONE for cell in cells if cell):
        format = known.format
    if not format and (seasons := seasons_of(cells, 1 if known and known.kind == "season" else 3)):
        return Stamps(_filled(seasons), Style("season", sample=cells[-1]))
    if format:
        return Stamps(np.array([_formatted(cell, format) for cell in cells], np.int64), Style(format=format))
    filled = [cell for cell in cells if cell]
    months = all(_MONTH.fullmatch(cell) for cell in filled)
    if filled and not months and all(re.fullmatch(r"-?\d{1,19}(\.\d*)?", cell) for cell in filled):
        found = _read_numbers(cells, filled, name, known, whole)
        if found is not None:
            return found
    if (found := _without_date(cells, known)) is not None:
        return found
    if all(map(_PLAIN.fullmatch, cells)) and cells:
        try:
            seconds = np.array(list(cells), dtype="datetime64[s]")
            return Stamps(seconds.astype(np.int64), Style(sample=cells[-1]))
        except ValueError:  # the 30th of February
            pass
    return _read_dates(cells, day_first, known, whole)


def _without_date(cells: Sequence[str], known: Style | None) -> Stamps | None:
    """Hours of a day alone, `Day 7`, and months with a number that may be a day or a year; None for other columns."""
    last = next((cell for cell in reversed(cells) if cell), "")
    own = known.kind if known else ""
    if own in ("", "clock", "elapsed") and (clock := clock_seconds(cells)) is not None:
        beyond = any(value is not None and value >= DAY for value in clock) or bool(known and known.kind == "elapsed")
        return Stamps(_filled(clock), Style("elapsed" if beyond else "clock", sample=last))
    if own in ("", "count") and (numbers := counted(cells)) is not None:
        return Stamps(_filled(numbers), Style("count", sample=last))
    months = [part for cell in cells if cell and (part := of_month(cell))] if not known else []
    if not months or len(months) <= 0.9 * sum(map(bool, cells)):
        return None
    if doubtful(months):
        return Stamps(np.full(len(cells), NONE, np.int64), Style(), last, hint(last))
    if len(months) < 2 or not last[0].isdigit():
        return None
    format = formats_of_month(last)[1]  # 19-Dec, 20-Jan, 20-Feb
    return Stamps(np.array([_formatted(cell, format) for cell in cells], np.int64), Style(format=format))


def _filled(values: Sequence[int | None]) -> Times:
    return np.array([NONE if value is None else value for value in values], np.int64)


# ---- numbers


def _read_numbers(
    cells: Sequence[str], filled: Sequence[str], name: str, known: Style | None, whole: bool
) -> Stamps | None:
    """Stamps that are numbers; None where they are none after all."""
    kind = number_kind(filled, name)
    if (
        known
        and all(len(cell) == FIXED.get(known.kind) for cell in filled)
        or known
        and (known.kind in ("count", "excel", "decimal year") or known.kind != "date" and kind == "count")
    ):
        kind = known.kind
    if kind in UNITS and any(int(float(cell)) % UNITS[kind] for cell in filled) and not known and kind != "seconds":
        kind = "count"  # steps shorter than a second: what is counted is their unit
    if kind in FORMATS:
        return Stamps(np.array([_formatted(c.partition(".")[0], FORMATS[kind]) for c in cells], np.int64), Style(kind))
    if kind == "decimal year":
        return _decimal_years(cells, filled, known)
    parts = known.parts if known else 1 if whole else parts_of(filled, kind)
    if max(abs(float(cell)) for cell in filled) * parts > MOST:
        return None
    found = np.full(len(cells), NONE, np.int64)
    for at, cell in enumerate(cells):
        if not cell:
            continue
        if kind == "excel":
            found[at] = excel_seconds(cell)
        elif kind in UNITS and "." not in cell and parts == 1:
            found[at] = int(cell) // UNITS[kind]
        else:
            value = float(cell) * parts / UNITS.get(kind, 1)
            found[at] = math.floor(value) if kind in UNITS and parts == 1 else round(value)
    return Stamps(found, Style(kind, parts=parts))


def _decimal_years(cells: Sequence[str], filled: Sequence[str], known: Style | None) -> Stamps | None:
    read = months_of(filled) if not known else ([round(12 * float(c) - known.later) for c in filled], known.later)
    if read is None:
        return None
    months = iter(read[0])
    found = np.full(len(cells), NONE, np.int64)
    for at, cell in enumerate(cells):
        if cell:
            month = np.datetime64(next(months) - 12 * 1970, "M")
            found[at] = int(month.astype("datetime64[s]").astype(np.int64))
    digits = max((cell for cell in filled), key=len)
    return Stamps(found, Style("decimal year", sample=digits, later=read[1]))


def _formatted(cell: str, format: str) -> int:
    if format == FORMATS["yyyyww"]:  # of a week its Monday
        cell, format = f"{cell}1", f"{format}%u"
    try:
        when = datetime.strptime(cell, format)
    except (ValueError, re.error):  # the second where a format names a part twice
        return int(NONE)
    return shapes.seconds(when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when)


# ---- dates


def _read_dates(cells: Sequence[str], day_first: bool | None, known: Style | None, whole: bool) -> Stamps:
    matches = shapes.match_all(shapes.beginnings(cells))
    front = known.year_first if known else year_first(matches) if day_first is None else False
    if front:
        matches = [shapes.YEAR_FIRST.fullmatch(m.string) or m if m is not None and is_short(m) else m for m in matches]
    day_first, ambiguous = _day_first(matches, day_first, known)
    if front is None:
        ambiguous = next(m.string for m in matches if m is not None and is_short(m))
    wall = np.full(len(cells), NONE, np.int64)
    offsets = np.zeros(len(cells), np.int64)
    zoned = False
    for at, match in enumerate(matches):
        if match is None:
            continue
        try:
            wall[at] = shapes.seconds(shapes.when(match, bool(day_first)))
        except (ValueError, OverflowError):
            continue
        zone = shapes.zone_offset(match.groupdict().get("zone"))
        zoned, offsets[at] = zoned or zone is not None, zone or 0
    there = wall != NONE
    utc = np.where(there, wall - offsets, NONE)
    there &= (utc >= _FIRST) & (utc <= _LAST)  # the first and last hours of the calendar, in another zone
    wall, utc = np.where(there, wall, NONE), np.where(there, utc, NONE)
    local = bool(known and known.local)
    # Stamps of training without a zone say nothing of the offsets of these.
    free = not known or not known.local and shapes.zone_of(known.sample) is None
    if zoned and free and len(np.unique(offsets[there])) > 1:
        local = len(np.unique(wall[there])) > 2 and _regularity(wall[there]) > _regularity(utc[there])
    found, parts = _with_fractions(matches, wall if local else utc, known.parts if known else 1 if whole else 0)
    last = max((m.string for m in matches[:-25:-1] if m is not None), key=len, default="")  # midnight may lack its hour
    groups = ("month", "day", "first", "second_")
    short = any(m is not None and len(m.groupdict().get(g) or "00") == 1 for m in matches for g in groups)
    names = [m["name"] for m in matches if m is not None and m.groupdict().get("name")]
    days = [m[key] for m in matches if m for key in ("dow", "dow2") if m.groupdict().get(key)]
    language = calendars.language_of(names) if names else calendars.language_of_days(days)
    slashed = any(m is not None and "first" in m.re.groupindex for m in matches)
    style = Style("date", day_first if slashed else None, "", local, last, not short, language, parts, bool(front))
    return Stamps(found, style, ambiguous)


def _day_first(
    matches: Sequence[re.Match[str] | None], day_first: bool | None, known: Style | None
) -> tuple[bool | None, str]:
    """Whether days stand before months, as any stamp decides it; and a stamp where none does."""
    slashed = [m for m in matches if m is not None and "first" in m.re.groupindex]
    if not slashed or day_first is not None:
        return day_first, ""
    over = [max(int(m["first"]) for m in slashed) > 12, max(int(m["second_"]) for m in slashed) > 12]
    if over[0] != over[1]:
        return over[0], ""
    if all(m["mark"] == "." for m in slashed):
        return True, ""
    if known and known.day_first is not None:
        return known.day_first, ""
    return None, slashed[0].string


def _with_fractions(matches: Sequence[re.Match[str] | None], seconds: Times, parts: int) -> tuple[Times, int]:
    """Times with the fractions of their seconds, counted in `parts` of one; 0: in as many as it takes, where stamps are
    less than a second apart."""
    fractions = [(m.groupdict().get("fraction") or "").rstrip("0") if m is not None else "" for m in matches]
    there = seconds != NONE
    if not parts:
        parts = 10 ** max(map(len, fractions), default=0)
        fine = {(s, f) for s, f in zip(seconds[there].tolist(), np.array(fractions)[there].tolist(), strict=True)}
        parts = parts if is_finer(len(fine), len(np.unique(seconds[there]))) else 1
    if parts == 1:
        return seconds, 1
    extra = np.array([round(float(f"0.{f or 0}") * parts) for f in fractions], np.int64)
    return np.where(there, np.where(there, seconds, 0) * parts + extra, NONE), parts


def _regularity(seconds: Times) -> float:
    """The share of the commonest distance between neighbours."""
    gaps = np.diff(np.unique(seconds))
    return float(np.unique(gaps, return_counts=True)[1].max() / len(gaps)) if len(gaps) else 0.0


# ---- writing


def _like(style: Style, when: datetime, fraction: str) -> str:
    """A time written like the sample of a style: its parts are replaced where they stand."""
    sample, language = style.sample, style.language
    match = shapes.match_all([sample])[0] if sample else None
    if style.year_first:
        match = shapes.YEAR_FIRST.fullmatch(sample) or match
    if match is None:
        return when.isoformat(sep="T") if when.time() != datetime.min.time() else when.date().isoformat()
    zone = shapes.zone_offset(match.groupdict().get("zone"))
    if zone and not style.local:
        if not datetime.min - when <= timedelta(seconds=zone) <= datetime.max - when:
            return f"{when.isoformat()}Z"  # the first and the last day that there are
        when += timedelta(seconds=zone)
    two = "02d" if style.padded else "d"
    year, week, weekday = when.isocalendar()
    half = match.groupdict().get("half") or match.groupdict().get("half0")
    hour = (when.hour % 12 or 12) if half else when.hour
    one, other = (when.day, when.month) if style.day_first else (when.month, when.day)
    write: dict[str, Callable[[str], str]] = {
        "year": lambda old: f"{year if match.groupdict().get('week') else when.year:04d}"[-len(old) :],
        "month": lambda old: f"{when.month:{two}}",
        "day": lambda old: f"{when.day:{two}}",
        "first": lambda old: f"{one:{two}}",
        "second_": lambda old: f"{other:{two}}",
        "ending": lambda old: calendars.day_ending(when.day, old),
        "name": lambda old: calendars.cased(calendars.month_like(when.month, old, language), old),
        "dow": lambda old: calendars.cased(calendars.weekday_like(when.weekday(), old, language), old),
        "quarter": lambda old: str((when.month + 2) // 3),
        "week": lambda old: f"{week:02d}" if len(old) > 1 else f"{week}",
        "weekday": lambda old: str(weekday),
        "hour": lambda old: f"{hour:{'d' if half or len(old) == 1 else '02d'}}",
        "half0": lambda old: calendars.half_day(when.hour, old),
        "dow2": lambda old: calendars.cased(calendars.weekday_like(when.weekday(), old, language), old),
        "ordinal": lambda old: calendars.day_ending((when.month + 2) // 3, old),
        "half": lambda old: calendars.cased("pm" if when.hour >= 12 else "am", old),
        "minute": lambda old: f"{when.minute:02d}",
        "second": lambda old: f"{when.second:02d}",
        "fraction": lambda old: fraction.ljust(len(old), "0")[: max(len(old), len(fraction))],
        "halfyear": lambda old: "1" if when.month < 7 else "2",
        "dayofyear": lambda old: f"{when.timetuple().tm_yday:03d}",
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
