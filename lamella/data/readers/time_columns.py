"""Which columns of a table of series are the time: one, or a year, a month and so on that belong together.

    find_time(["Year", "Month", "Sales"], cells, taken=set())       [0, 1]
    join_time(["Year", "Month"], cells, [0, 1])                     ["2019-01", "2019-02", ...]

Found by their names, in a dozen languages, and by what they hold: dates with any name are a time, and so are numbers that
can hardly be anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamella.data.readers.headers import is_numbered
from lamella.data.readers.numbers import read_number
from lamella.data.readers.records import fold
from lamella.data.readers.stamp_clocks import clock_parts, clock_seconds, counted
from lamella.data.readers.stamp_columns import counts_time, looks_like_time
from lamella.data.readers.stamps import NONE, read_stamps

TIME_NAMES = ("time", "ds", "date", "datetime", "timestamp", "period", "year", "month", "day", "week", "index", "t")
_STRONG = TIME_NAMES[:5]  # whatever a column of such a name holds, it is the time; "index" may be one of prices
PARTS = {
    "year": ("year", "yr", "yyyy", "jahr", "annee", "année", "an", "ano", "año", "anno", "jaar", "rok", "год", "年"),
    "month": ("month", "mo", "mon", "mnth", "mm", "monat", "mois", "mes", "mês", "mese", "maand", "месяц", "月"),
    "day": ("day", "dy", "dd", "dom", "tag", "jour", "dia", "día", "giorno", "dag", "день", "日"),
    "hour": ("hour", "hr", "hh", "stunde", "heure", "hora", "ora", "uur"),
    "quarter": ("quarter", "qtr", "quartal", "trimestre", "trimester", "kwartaal"),
    "doy": ("doy", "dayofyear", "yday", "jday", "julianday", "julian", "ordinalday"),
    "week": ("week", "weeknum", "isoweek", "weekofyear", "woche", "kw", "semaine", "semana", "settimana"),
}
_HOURS = ("time", "hour", *PARTS["hour"], "clock", "uhrzeit", "zeit", "tijd", "czas")
_DATES = ("date", "datetime", "ds", "timestamp", "time")
# Words in names such as MESS_DATUM, created_at, "Date/Time (UTC)"; they count where a column also looks like a time.
_WORDS = {
    *TIME_NAMES[:6], "ts", "dt", "stamp", "epoch", "unix", "created", "observation", "at", "elapsed", "seconds", "sec", "ms",
    "datum", "zeit", "zeitpunkt", "zeitstempel", "uhrzeit", "buchungstag", "fecha", "hora", "data", "horodatage", "heure",
    "tijd", "tijdstip", "dato", "tid", "pvm", "tarih", "czas", "дата", "время", "日付", "日期", "日時", "時間", "时间", "날짜", "시간", "年月",
    *(name for names in PARTS.values() for name in names),
}  # fmt: skip
_LOOKED_AT = 50  # rows that show what a column holds; all are looked at before numbers are taken for times
Cells = Sequence[Sequence[str]]


def find_time(names: Sequence[str], cells: Cells, taken: set[int]) -> list[int]:
    """The columns of the time: parts of a date and an hour together, one by its name, or one that holds dates; [] for none."""
    free = {fold(name): at for at, name in reversed(list(enumerate(names))) if at not in taken}
    if parts := _parts(free, cells):
        return parts
    dated = next((at for at in range(len(names)) if at not in taken and looks_like_time(cells[at][:_LOOKED_AT])), None)
    whole = next((free[n] for n in _DATES if n in free), dated)
    if whole is not None and (fold(names[whole]) == "date" or whole == dated):
        hour = next((free[n] for n in _HOURS if n in free and free[n] != whole), None)
        bare = not any(":" in cell for cell in cells[whole][:_LOOKED_AT])
        if hour is not None and bare and all_clock(cells[hour][:_LOOKED_AT]):
            return [whole, hour]
    for name in TIME_NAMES:
        if name in free and (name in _STRONG or _may_be_time(names[free[name]], cells[free[name]])):
            return [free[name]]
    for at, name in enumerate(names):
        words = {word.casefold() for word in re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))}
        if at not in taken and (words & _WORDS) and _may_be_time(name, cells[at], named=True):
            return [at]
    if dated is not None:
        return [dated]
    first = min((at for at in range(len(names)) if at not in taken), default=0)
    if len(names) < 2 or first in taken:
        return []
    begins = clock_seconds(cells[first][:_LOOKED_AT]) or counted(
        cells[first][:_LOOKED_AT]
    )  # 10:05, 10:10; Day 1, Day 2
    there = [at for at in begins or () if at is not None]
    rises = len(there) > 2 and sorted(set(there)) == begins
    return [first] if rises or counts_time(cells[first], names[first]) else []


def _parts(free: dict[str, int], cells: Cells) -> list[int]:
    """A year with what else stands beside it, unless there is a whole date."""
    found = {part: next((free[n] for n in names if n in free), -1) for part, names in PARTS.items()}
    at = {part: place for part, place in found.items() if place >= 0}
    if "year" not in at or any(name in free for name in _DATES):
        return []
    if not all(re.fullmatch(r"(\d{4}|\d\d)(\.0)?", cell) for cell in cells[at["year"]][:_LOOKED_AT] if cell):
        return []
    if "month" not in at:
        second = next((part for part in ("quarter", "doy", "week") if part in at), "")
        hour = [at["hour"]] if second == "doy" and "hour" in at else []
        return [at["year"], at[second], *hour] if second else []
    used = [at[part] for part in ("year", "month", "day") if part in at]
    return [*used, at["hour"]] if "hour" in at and "day" in at else used


def _may_be_time(name: str, cells: Sequence[str], named: bool = False) -> bool:
    """Whether a column whose name may mean the time holds it: dates, texts that are no numbers, or numbers that count it.

    named: texts alone do not do, since "at" and "data" are words of many names.
    """
    known = [cell for cell in cells[:_LOOKED_AT] if cell]
    if looks_like_time(known) or clock_parts(known) is not None:
        return True
    if not all(read_number(cell) is not None for cell in known):
        return not named
    return counts_time(list(dict.fromkeys(cells)), name, fewest=3) if named else _rises(cells)


def _rises(cells: Sequence[str]) -> bool:
    """Whether these are years, or numbers that come once each: 1, 2, 3 in any order, and not prices."""
    numbers = [float(cell) for cell in cells if re.fullmatch(r"-?\d{1,19}(\.\d*)?", cell)]
    whole = all(value.is_integer() for value in numbers)
    return len(numbers) > 0.9 * len(cells) and (whole or sorted(set(numbers)) == numbers)


def all_clock(cells: Sequence[str]) -> bool:
    """Whether these are hours of a day: 13:30, 01:30 PM, 13.30.00, or 0 to 24."""
    known = [c for c in cells if c]
    return bool(known) and all(
        re.fullmatch(r"\d{1,2}(:\d\d(:\d\d)?(\.\d+)?|\.\d\d\.\d\d)\s*([AaPp]\.?[Mm]\.?)?", c)
        or re.fullmatch(r"\d{1,2}(\.0)?", c)
        and float(c) <= 24
        for c in known
    )


def join_time(names: Sequence[str], cells: Cells, used: Sequence[int]) -> list[str]:
    """The time's cells, its parts joined as a stamp."""
    if len(used) == 1:
        return list(cells[used[0]])
    kinds = [_part_of(names[at]) for at in used]
    joined = []
    for row in zip(*(cells[at] for at in used), strict=True):
        part = dict(zip(kinds, (re.sub(r"(?<=\d)\.0$", "", cell) for cell in row), strict=True))
        if kinds[0] == "year" and "quarter" in part:
            joined.append(f"{part['year']}Q{part['quarter'].lstrip('QqTt')}")
        elif kinds[0] == "year" and part.get("doy", "").isdigit():
            hour = f"T{part['hour'].zfill(2)}:00" if part.get("hour", "").isdigit() else ""
            joined.append(f"{part['year']}-{part['doy'].zfill(3)}{hour}")
        elif kinds[0] == "year" and "week" in part:
            joined.append(f"{part['year']}-W{part['week'].lstrip('KWkw').zfill(2)}")
        elif kinds[0] == "year" and part.get("month", "").isdigit():
            hour = f" {part['hour'].zfill(2)}:00" if part.get("hour", "").isdigit() else ""
            joined.append("-".join(part[k].zfill(2) for k in ("year", "month", "day") if k in part) + hour)
        elif kinds[0] == "year":
            joined.append(" ".join(part[k] for k in ("day", "month", "year") if k in part))
        else:
            rest = [re.sub(r"(?<=\d)\.0$", "", cell) for cell in row[1:]]
            joined.append(" ".join([row[0], *(f"{c.zfill(2)}:00" if c.isdigit() else c for c in rest)]))
    return joined


def _part_of(name: str) -> str:
    """year, month, ... for a name of one in any of the languages; else the name itself."""
    folded = fold(name)
    return next((part for part, names in PARTS.items() if folded in names), folded)


def unread_time(names: Sequence[str], cells: Cells, taken: set[int]) -> int | None:
    """A first column that must be the time, though it cannot be read: different texts with digits in them on all rows."""
    first = min((at for at in range(len(names)) if at not in taken), default=None)
    if first is None or len(names) < 2 or not cells:
        return None
    known = [cell for cell in cells[first] if cell]
    texts = sum(read_number(cell) is None and read_number(cell, ",") is None for cell in known)
    digits = sum(any(letter.isdigit() for letter in cell) for cell in known)
    many = len(known) > 2 and len(set(known)) > 0.95 * len(known)
    return first if many and texts > 0.9 * len(known) and digits > 0.9 * len(known) else None


def first_stamp(names: Sequence[str]) -> int:
    """Where in a header the columns begin that are called by times, three at least up to the last one; 0 for none.

    Times with any letters in them need a year: "May" is a name too. d_1, d_2, ... count days.

    >>> first_stamp(["city", "2019", "2020", "2021"]), first_stamp(["a", "Jan 2019", "Feb 2019", "Mar 2019"])
    (1, 1)
    >>> first_stamp(["a", "b", "May", "June", "April"]), first_stamp(["item", "store", "d_1", "d_2", "d_3"])
    (0, 2)
    """
    stamps = read_stamps(names).seconds != NONE
    first = len(names)
    while first and stamps[first - 1] and any(letter.isdigit() for letter in names[first - 1]):
        first -= 1
    if len(names) - first < 3:
        first = next((at for at, name in enumerate(names) if re.fullmatch(r"(d|day|t|w|week|m|month)_?1", name)), 0)
        first = first if is_numbered(names[first:]) else 0
    return first if len(names) - first >= 3 else 0
