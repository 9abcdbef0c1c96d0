"""Stamps without a whole date: hours of a day, spans of time since a beginning, `Day 7`; and days or months without a year.

    clock_seconds(["10:05", "10:10"])           [36300, 36600]
    unwrapped([82800, 84600, 0, 1800], DAY)     [82800, 84600, 86400, 88200]
    doubtful([("dec", 19), ("dec", 20)])        True: the 19th of December, or December 2019

A column of such stamps says nothing of the day, or the year; what follows from its order is taken from that.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import calendars

_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,5})\s*d(?:ays?)?,?\s+)?(?P<hour>\d{1,4}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?"
)
_COUNTED = re.compile(
    r"(?P<word>day|week|month|year|hour|minute|step|period|quarter|round|tag|woche|monat|jour|semaine|mois|d|w|m|t|h)"
    r"(?P<gap>[\s_#.:-]{0,2})(?P<number>\d{1,9})",
    re.IGNORECASE,
)
_YEARS = re.compile(r"%[-_#]?[yYGcxDF]")
_OF_MONTH = re.compile(r"(\d{1,2})[-\s./]*([^\W\d_]{3,12})\.?|([^\W\d_]{3,12})\.?[-\s./]*(\d{1,2})")
YEAR = 365 * 86_400  # of a date without one


def clock_parts(cells: Sequence[str]) -> list[re.Match[str]] | None:
    """The matches of a column whose filled cells are all hours with minutes and nothing else; None for any other."""
    filled = [cell for cell in cells if cell]
    found = [match for cell in filled if (match := _CLOCK.fullmatch(cell))]
    return found if found and len(found) == len(filled) else None


def clock_seconds(cells: Sequence[str]) -> list[int | None] | None:
    """Hours of a day, or spans of time, in seconds; None in the place of an empty cell, and for a column of anything else.

    >>> clock_seconds(["10:05", "", "25:00:30"]), clock_seconds(["1:30 PM"]), clock_seconds(["1 day 02:00:00"])
    ([36300, None, 90030], [48600], [93600])
    >>> clock_seconds(["10:05", "2020"]), clock_seconds(["13:30 PM"])
    (None, None)
    """
    if clock_parts(cells) is None:
        return None
    found: list[int | None] = []
    for cell in cells:
        match = _CLOCK.fullmatch(cell) if cell else None
        if match is None:
            found.append(None)
            continue
        hour = int(match["hour"])
        if match["half"]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + 12 * (match["half"][0] in "pP")
        found.append(
            86_400 * int(match["days"] or 0) + 3600 * hour + 60 * int(match["minute"]) + int(match["second"] or 0)
        )
    return found


def clock_like(seconds: int, sample: str, beyond: bool) -> str:
    """Seconds as a clock shows them, written like the sample; beyond: hours go on after 24.

    >>> clock_like(86_700, "9:05 pm", False), clock_like(90_000, "01:30:00", True), clock_like(93_600, "0 days 01:30:00", True)
    ('12:05 am', '25:00:00', '1 days 02:00:00')
    """
    match = _CLOCK.fullmatch(sample)
    if match is None:
        return str(seconds)
    days, hour = divmod(seconds // 3600, 24) if match["days"] or not beyond else (0, seconds // 3600)
    half = match["half"] and ("pm" if hour >= 12 else "am")
    hour = (hour % 12 or 12) if half else hour
    width = len(match["hour"]) if match["hour"][0] == "0" or len(match["hour"]) > 1 else 1
    text = f"{days}{sample[match.end('days') : match.start('hour')]}" if match["days"] else ""
    text += f"{hour:0{min(2, width)}d}:{seconds // 60 % 60:02d}"
    text += f":{seconds % 60:02d}" if match["second"] else ""
    if half:
        text += sample[max(match.end("minute"), match.end("second")) : match.start("half")]
        text += calendars.cased(half, match["half"].replace(".", ""))
    return text


def unwrapped(times: NDArray[np.int64], period: int, none: int) -> NDArray[np.int64]:
    """Times that begin again after a period, such as a day, as times that go on; `none` stays.

    >>> unwrapped(np.array([5, 9, 2, -1, 6, 1]), 10, -1).tolist()
    [5, 9, 12, -1, 16, 21]
    """
    found = times.copy()
    there = np.flatnonzero(times != none)
    if len(there) > 1:
        found[there[1:]] += period * np.cumsum(np.diff(times[there]) < -period / 4)
    return found


def names_no_year(format: str) -> bool:
    """Whether a format of `datetime.strptime` has no year in it.

    >>> names_no_year("%d-%b"), names_no_year("%d-%b-%y")
    (True, False)
    """
    return not _YEARS.search(format)


def counted(cells: Sequence[str]) -> list[int | None] | None:
    """The numbers of stamps such as `Day 7`, all with one word; None for a column of anything else.

    >>> counted(["Day 1", "", "Day 2"]), counted(["t_10", "t_11"]), counted(["Day 1", "Week 1"]), counted(["Q1", "Q2"])
    ([1, None, 2], [10, 11], None, None)
    """
    matches = [_COUNTED.fullmatch(cell) for cell in cells]
    words = {m["word"].casefold() if m else None for m, cell in zip(matches, cells, strict=True) if cell}
    if len(words) != 1 or None in words:
        return None
    return [int(m["number"]) if m else None for m in matches]


def counted_like(number: int, sample: str) -> str:
    """A number with the word that stands in the sample.

    >>> counted_like(13, "Day 12"), counted_like(8, "t_007")
    ('Day 13', 't_008')
    """
    match = _COUNTED.fullmatch(sample)
    if match is None:
        return str(number)
    width = len(match["number"]) if match["number"][0] == "0" else 1
    return f"{match['word']}{match['gap']}{number:0{width}d}"


def of_month(cell: str) -> tuple[str, int] | None:
    """The month's name and the number of `19-Dec` or `Dec-19`; None for anything else.

    >>> of_month("19-Dec"), of_month("Dec 19"), of_month("19-Dec-2019"), of_month("19-Foo")
    (('dec', 19), ('dec', 19), None, None)
    """
    match = _OF_MONTH.fullmatch(cell)
    name, number = (match[2] or match[3], match[1] or match[4]) if match else ("", "")
    return (name.casefold(), int(number)) if name and calendars.month(name) else None


def doubtful(parts: Sequence[tuple[str, int]]) -> bool:
    """Whether a column of months' names with a number of two digits may be days as well as years.

    It may be where numbers change and months hardly do; a number above 31, or 0, is no day.

    >>> doubtful([("dec", 19), ("dec", 20), ("dec", 21)]), doubtful([("dec", 19), ("jan", 20), ("feb", 20)])
    (True, False)
    >>> doubtful([("dec", 19)]), doubtful([("dec", 97), ("dec", 98)]), doubtful([("mar", 19), ("mar", 20), ("jun", 20)])
    (False, False, True)
    """
    parts = list(dict.fromkeys(parts))
    if len(parts) < 2 or any(not 1 <= number <= 31 for _, number in parts):
        return False
    other = sum(one[0] != next_[0] for one, next_ in itertools.pairwise(parts))
    return other <= (len(parts) - 1) / 2


def hint(cell: str) -> str:
    """What to say of a stamp that cannot be read, besides what is expected: the option that decides it.

    >>> hint("19-Dec")
    '--date-format %d-%b for days, %y-%b for months of years'
    """
    if not of_month(cell):
        return "--date-format %d.%m.%Y says how stamps are written"
    day, year = (f'"{format}"' if " " in format else format for format in formats_of_month(cell))
    return f"--date-format {day} for days, {year} for months of years"


def formats_of_month(cell: str) -> tuple[str, str]:
    """The formats of `19-Dec`, the number being a day, and a year.

    >>> formats_of_month("19-Dec"), formats_of_month("December 20")
    (('%d-%b', '%y-%b'), ('%B %d', '%B %y'))
    """
    pieces = re.findall(r"\d+|[^\W\d_]+|[\W_]+", cell)
    names = {piece: "%b" if len(piece) == 3 else "%B" for piece in pieces if piece.isalpha()}
    day, year = ("".join(f if p.isdigit() else names.get(p, p) for p in pieces) for f in ("%d", "%y"))
    return day, year


def span_number(cell: str) -> float | None:
    """A span of time as a number of its smallest part: `1:30` is 90, `1:00:05.5` 3605.5; None for anything else.

    >>> span_number("1:30"), span_number("-1:00:05,5"), span_number("2 days 01:00:00"), span_number("1h 30m"), span_number("PT2M3S")
    (90.0, -3605.5, 176400.0, 5400.0, 123.0)
    >>> span_number("1:75"), span_number("12"), span_number("1:30 PM")
    (None, None, None)
    """
    text = cell.strip()
    sign = -1.0 if text[:1] in "-−" else 1.0
    text = text.lstrip("+-−").strip()
    if match := re.fullmatch(r"(?:(\d{1,5}) days? )?(\d{1,5}):([0-5]\d)(?::([0-5]\d))?(?:[.,](\d{1,9}))?", text):
        days, first, second, third, fraction = match.groups()
        value = 60 * int(first) + int(second)
        value = 60 * value + int(third) if third else value
        if days and not third:
            return None
        return sign * (86_400 * int(days or 0) + value + (float(f"0.{fraction}") if fraction else 0.0))
    units = {"d": 86_400, "h": 3600, "m": 60, "min": 60, "s": 1, "sec": 1}
    pieces = re.findall(r"(\d{1,6}(?:\.\d+)?)\s*(d|h|min|m|sec|s)(?![a-z])\s*", text.lower().removeprefix("pt"))
    whole = re.sub(r"(\d{1,6}(?:\.\d+)?)\s*(d|h|min|m|sec|s)(?![a-z])\s*", "", text.lower().removeprefix("pt"))
    order = [units[unit] for _, unit in pieces]
    if (
        whole.strip()
        or len(pieces) < (1 if text.upper().startswith("PT") else 2)
        or order != sorted(set(order), reverse=True)
    ):
        return None
    found = sign * sum(float(count) * units[unit] for count, unit in pieces)
    return found if math.isfinite(found) else None
