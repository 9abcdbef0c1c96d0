"""Which part of a date with a year of two digits is the year: 21-03-05 is in March 2021, or on the 21st of March 2005.

    year_first(match_all(["21-01-30", "21-01-31", "21-02-01"]))         True

All stamps of a column decide it: each must be a date, they follow each other, and they do not span more years than need be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np

from lamella.data.readers import stamp_shapes as shapes

_SEASON = re.compile(r"((?:FY|AY)?\s?)(\d{4})(\s?[-/–]\s?)(\d\d|\d{4})")
ORDERS = ("ymd", "dmy", "mdy")
_LOOKED_AT = 2000  # stamps
_SURE = 0.05  # by which more of the steps go one way


def year_first(matches: Sequence[re.Match[str] | None]) -> bool | None:
    """Whether the year is first; False too where no stamp has a year of two digits, None where nothing decides it."""
    short = [m for m in matches if is_short(m)][:_LOOKED_AT]
    if not short:
        return False
    read = {order: found for order in ORDERS if (found := _read(short, order)) is not None}
    if "ymd" not in read or len(read) == 1:
        return "ymd" in read
    own, others = _likely(read.pop("ymd")), [_likely(found) for found in read.values()]
    if all(_better(own, other) for other in others):
        return True
    if any(_better(other, own) for other in others) or all(m is not None and m["mark"] == "." for m in short):
        return False
    return None


def is_short(match: re.Match[str] | None) -> bool:
    """Whether a match is of three numbers of which the last has two digits."""
    return match is not None and "first" in match.re.groupindex and len(match["year"]) == 2


def _read(short: Sequence[re.Match[str] | None], order: str) -> list[date] | None:
    """The days in this order of year, month and day; None where more than a tenth are none."""
    found = []
    for match in short:
        parts = dict(zip(order, map(int, match.group("first", "second_", "year")), strict=True)) if match else {}
        try:
            found.append(date(shapes.century(parts["y"]), parts["m"], parts["d"]))
        except ValueError:
            continue
    return found if len(found) >= 0.9 * len(short) else None


def _likely(days: Sequence[date]) -> tuple[float, int]:
    """The share of steps that go one way, and how many years lie between the first and the last."""
    steps = np.diff([day.toordinal() for day in days])
    share = max(float((steps >= 0).mean()), float((steps <= 0).mean())) if len(steps) else 1.0
    years = [day.year for day in days]
    return share, max(years) - min(years)


def _better(one: tuple[float, int], other: tuple[float, int]) -> bool:
    if abs(one[0] - other[0]) > _SURE:
        return one[0] > other[0]
    return 3 * one[1] + 1 <= other[1]


def seasons_of(cells: Sequence[str], fewest: int) -> list[int | None]:
    """Years that begin within one and end within the next, where all cells are such, as times; [] else.

    >>> seasons_of(["1999/00", "2000/01", ""], 2), seasons_of(["2010/10", "2010/11"], 2)
    ([915148800, 946684800, None], [])
    """
    found: list[int | None] = []
    for cell in cells:
        match = _SEASON.fullmatch(cell)
        if cell and (match is None or int(match[4]) != (int(match[2]) + 1) % 10 ** len(match[4])):
            return []
        found.append(shapes.seconds(datetime(int(match[2]), 1, 1)) if match and match[2] != "0000" else None)
    return found if len(set(found) - {None}) >= fewest else []


def season_like(year: int, sample: str) -> str:
    """The season that begins in a year, written like another one.

    >>> season_like(2009, "FY 2001/02"), season_like(1999, "1970-1971")
    ('FY 2009/10', '1999-2000')
    """
    match = _SEASON.fullmatch(sample)
    assert match is not None
    return f"{match[1]}{year:04d}{match[3]}{str(year + 1)[-len(match[4]) :]}"
