"""Time stamps that are numbers: what they count is told by all cells of a column and its name.

number_kind(["20201231"], "day")            "yyyymmdd"
decimals(["0.0", "0.5", "1.0"])             1
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}
FORMATS = {
    "year": "%Y", "yymmdd": "%y%m%d", "yyyymm": "%Y%m", "yyyymmdd": "%Y%m%d", "yyyymmddhh": "%Y%m%d%H", "yyyymmddhhmm": "%Y%m%d%H%M",
    "yyyymmddhhmmss": "%Y%m%d%H%M%S", "yyyyww": "%G%V", "yyyyddd": "%Y%j",
}  # fmt: skip
FIXED = {"yymmdd": 6, "yyyyww": 6, "yyyyddd": 7}  # of which one cell alone may be read in another way, and its digits
TIME_WORDS = {"date", "datetime", "ds", "timestamp", "time", "day", "period", "month", "datum", "fecha", "data", "zeit"}
"""Names of columns in which five-digit numbers are a spreadsheet's days, not a count."""
WEEK_WORDS = {"week", "weeks", "yearweek", "isoweek", "kw", "woche", "semaine", "semana", "yyyyww", "week_id"}
_MANY = 60  # numbers that are weeks by themselves, whatever their column is called
EXCEL = 25_569  # the day 1970-01-01 in a spreadsheet
_WIDTHS = {"year": 4, "yyyymm": 6, "yyyymmdd": 8, "yyyymmddhh": 10, "yyyymmddhhmm": 12, "yyyymmddhhmmss": 14}
_MOST_DECIMALS = 9
_DAY = 86_400
MOST = 2**62  # parts that are counted: more than an integer of 64 bits holds


def number_kind(filled: Sequence[str], name: str) -> str:
    """What numbers in a column of time stamps count.

    >>> [number_kind([n], "date") for n in ("2020", "202012", "20201231", "2020123118", "1577836800", "1577836800000", "43831", "7")]
    ['year', 'yyyymm', 'yyyymmdd', 'yyyymmddhh', 'seconds', 'milliseconds', 'excel', 'count']
    >>> number_kind(["210331", "210401"], "date"), number_kind(["202103"], "date"), number_kind(["210331"], "n")
    ('yymmdd', 'yyyymm', 'count')
    >>> number_kind(["1949.0", "1949.083", "1949.167"], "time"), number_kind(["2021365", "2022001"], "date")
    ('decimal year', 'yyyyddd')
    """
    whole = [cell.partition(".")[0] for cell in filled]
    numbers = [int(cell) for cell in whole]
    words = set(re.findall(r"[a-z]+", name.casefold()))
    if words & TIME_WORDS and all(len(c) == 6 and _is_date(c, "yymmdd") for c in filled) and _far(filled):
        return "yymmdd"
    low, high = min(numbers), max(numbers)
    if all("." not in cell or re.fullmatch(r"\d+\.0*", cell) for cell in filled):
        widths = {len(cell) for cell in whole}
        for kind, width in _WIDTHS.items():
            if widths == {width} and "1500" <= whole[0][:4] <= "2200" and all(_is_date(c, kind) for c in whole):
                return kind
        if widths == {6} and _are_weeks(whole, bool(words & (TIME_WORDS | WEEK_WORDS))):
            return "yyyyww"
        if widths == {7} and words & TIME_WORDS and all(_is_day_of_year(c) for c in whole):
            return "yyyyddd"
    elif low >= 1700 and high <= 2100 and months_of(filled) is not None:
        return "decimal year"
    for kind, scale in UNITS.items():
        if 10**8 * scale <= low and high < 10**10 * scale:  # from 1973 to 2286
            return kind
    if words & TIME_WORDS and low >= 15_000 and high < 80_000:  # from 1941 to 2119
        return "excel"
    return "count"


def _are_weeks(cells: Sequence[str], named: bool) -> bool:
    """Whether numbers of six digits are a year and a week of it: 53 is followed by 01. named: the column is one of times.

    >>> _are_weeks(["202052", "202053", "202101"], True), _are_weeks(["202060"], True), _are_weeks(["202052"], False)
    (True, False, False)
    """
    weeks = [int(cell[4:]) for cell in cells]
    if not all("1900" <= cell[:4] <= "2100" for cell in cells) or not 12 < max(weeks) <= 53 or min(weeks) < 1:
        return False
    try:
        for year, week in {(int(cell[:4]), int(cell[4:])) for cell in cells}:
            datetime.fromisocalendar(year, week, 1)
    except ValueError:
        return False
    return named or len(cells) >= _MANY and len({cell[:4] for cell in cells}) > 1


def _is_day_of_year(cell: str) -> bool:
    return "1900" <= cell[:4] <= "2100" and "001" <= cell[4:] <= "366" and _is_date(cell, "yyyyddd")


def _is_date(cell: str, kind: str) -> bool:
    if kind == "year":
        return 1500 <= int(cell) <= 2200
    try:
        datetime.strptime(cell, FORMATS[kind])
    except ValueError:  # a column may hold one such day; whether it is a date is decided by its month
        return kind == "yyyymmdd" and 1 <= int(cell[4:6]) <= 12 and int(cell[6:]) <= 39
    return True


def _far(cells: Sequence[str]) -> bool:
    """Whether none of these can be a month: 202103 is in 2021, and 210301 in no year that anybody has numbers of."""
    return not all("1500" <= cell[:4] <= "2100" and "01" <= cell[4:] <= "12" for cell in cells)


def months_of(cells: Sequence[str]) -> tuple[list[int], float] | None:
    """Years with decimals, such as those of R's series -> months since the year 0, and by what share of a month all are later.

    None where they are not on one place of their months.

    >>> months_of(["1949.0", "1949.083", "1949.25"]), months_of(["1949.3", "1950.9"])
    (([23388, 23389, 23391], 0.0), None)
    """
    exact = [12 * float(cell) for cell in cells]
    if all(value % 12 == 0 for value in exact):
        return None
    later = exact[0] % 1 if 0.1 < exact[0] % 1 < 0.9 else 0.0
    months = [round(value - later) for value in exact]
    off = max(abs(value - later - month) for value, month in zip(exact, months, strict=True))
    return (months, round(later, 3)) if off < 0.07 and len(set(months)) > 0.5 * len(months) else None


def decimals(cells: Sequence[str]) -> int:
    """How many digits behind the point these numbers have, as far as they say something: those of a float's noise do not.

    >>> decimals(["1", "2.0"]), decimals(["0.5", "0.25"]), decimals(["0.30000000000000004"])
    (0, 2, 1)
    """
    most = 0
    for cell in cells:
        value = float(cell)
        most = next((k for k in range(most, _MOST_DECIMALS + 1) if abs(round(value, k) - value) <= 1e-9), most)
    return most


def excel_seconds(cell: str) -> int:
    """A spreadsheet's days as seconds since 1970."""
    return round((float(cell) - EXCEL) * _DAY)


def digits_of(part: int, parts: int) -> str:
    """A part of a second as the digits behind its point.

    >>> digits_of(50, 1000), digits_of(0, 1)
    ('050', '')
    """
    return f"{part:0{len(str(parts)) - 1}d}" if parts > 1 else ""


def decimal_of(count: int, parts: int) -> str:
    """A number that is counted in parts.

    >>> decimal_of(15, 10), decimal_of(7, 1), decimal_of(-5, 10)
    ('1.5', '7', '-0.5')
    """
    whole, part = divmod(abs(int(count)), parts)
    return ("-" if count < 0 else "") + str(whole) + (f".{digits_of(part, parts)}" if parts > 1 else "")


def parts_of(filled: Sequence[str], kind: str) -> int:
    """In how many parts of one, or of a second, numbers are counted: tenths where they have one decimal, ..."""
    if kind not in ("count", "seconds") or not any("." in cell for cell in filled):
        return 1
    parts = 10 ** decimals(filled)
    if max(abs(float(cell)) for cell in filled) * parts > MOST:
        return 1
    fine = {round(float(cell) * parts) for cell in filled}
    return parts if kind == "count" or is_finer(len(fine), len({n // parts for n in fine})) else 1


def is_finer(fine: int, whole: int) -> bool:
    """Whether stamps are less than a second apart, by how many there are with and without their fractions."""
    return fine > 1.5 * whole
