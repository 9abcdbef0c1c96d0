"""Which column of a table of series is the time, which name a series, which hold values.

Columns are found by their names and by what they hold; `--columns time=...,id=...,value=...` decides, with "+" between
columns that belong together (`id=store+item`) and nothing behind `=` where there is none (`id=`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from lamella.data.readers import used_columns
from lamella.data.readers.headers import numbers_rows
from lamella.data.readers.numbers import read_number
from lamella.data.readers.records import fold
from lamella.data.readers.regular import Raw
from lamella.data.readers.stamps import looks_like_time
from lamella.data.text.encoding import quote, quote_all
from lamella.errors import DataError

TIME_NAMES = ("time", "ds", "date", "datetime", "timestamp", "period", "year", "month", "day", "week", "index", "t")
ID_NAMES = (
    *("id", "unique_id", "series", "series_id", "series_name", "item_id", "item", "store", "name", "key"),
    *("store_id", "shop", "shop_id", "product", "product_id", "sku", "store_nbr", "family", "station"),
)
VALUE_NAMES = ("value", "y", "target", "sales", "demand", "quantity", "count")
NAMES = (*TIME_NAMES, *ID_NAMES, *VALUE_NAMES)
REPEATED = 0.1  # share of stamps that come back with another value: then the series are not told apart
Cells = Sequence[Sequence[str]]


class Roles(msgspec.Struct):
    """What the columns are for."""

    times: list[str] | None
    """The cells of the time, joined from several columns where it takes them; None where there is no time."""
    label: str
    """The columns of the time, in words."""
    ids: list[int]
    """Columns that together name a series; none in a wide table."""
    values: list[int]
    """The one column of values, or those of all series."""
    guessed: bool
    """Whether nobody has said which columns hold values."""
    notes: list[str] = []


def choose_roles(
    where: str, names: Sequence[str], cells: Cells, columns: Mapping[str, str], known: Sequence[str], leave_out: Sequence[str], header: bool = True,
) -> Roles:  # fmt: skip
    """The roles of all columns.

    In: the file for messages; the names of the columns, their cells; those that the user chose, that are known of the
    future, that are to be left out; whether their names are those of a header. Raises DataError for a name that is no column, and where no column holds values.
    """

    def find(role: str, name: str) -> int:
        if name in names:
            return names.index(name)
        if name.isdigit() and 1 <= int(name) <= len(names):
            return int(name) - 1
        raise DataError(f"{where}: no column {quote(name)}. Expected one of {quote_all(names)}: --columns {role}=NAME")

    def chosen(role: str) -> list[int] | None:
        given = columns.get(role)
        if given is None:
            return None
        return [find(role, given)] if given in names else [find(role, n) for n in given.split("+") if n.strip()]

    for name in known:
        if name not in names:
            raise DataError(
                f"{where}: no column {quote(name)}, which --known asks for. Expected one of {quote_all(names)}."
            )
    ignored = {find("leave_out", name) for name in leave_out if name and name != "none"}
    taken = {names.index(name) for name in known} | ignored
    notes: list[str] = []
    picked = chosen("time")
    used = _find_time(names, cells, taken) if picked is None else picked
    times = _join_time(names, cells, used) if used else None
    label = " + ".join(quote(names[at]) for at in used)
    taken |= set(used)
    ids = chosen("id")
    if ids is None:
        ids = _find_ids(names, cells, taken, bool(used), notes)
    taken |= set(ids)
    rest = [at for at in range(len(names)) if at not in taken]
    if not leave_out and len(rest) > 1 and used:
        counting = [at for at in rest if numbers_rows(names[at], cells[at], by_name=True)]
        if counting and len(counting) < len(rest):
            shown = quote_all(names[at] for at in counting)
            notes.append(f"{shown} numbers the rows and is left out; --leave-out none keeps it")
            rest = [at for at in rest if at not in counting]
    values = chosen("value")
    guessed = values is None
    if values is None and ids:
        values = [next((at for n in VALUE_NAMES for at in rest if fold(names[at]) == fold(n)), -1)]
        numeric = [at for at in rest if _all_numbers(cells[at][:50])]
        if values == [-1]:
            values = rest if len(rest) == 1 else numeric
        if len(values) != 1:
            shown = quote_all(names[at] for at in rest)
            raise DataError(
                f"{where}: expected one column of values beside id and time, received {shown}. Choose: --columns value=NAME, "
                "or --columns id= where every column is a series"
            )
    values = rest if values is None else values
    if not values:
        raise DataError(f"{where}: expected a column of values, received {quote_all(names)} only.")
    for role, chosen_ones in (("time", used), ("id", ids), ("value", values if ids else [])):
        if chosen_ones:
            name = "+".join(names[at] for at in chosen_ones)
            used_columns.note(role, name if header else "", chosen_ones[0] + 1, len(names))
    return Roles(times, label, ids, values, guessed, notes)


def _find_time(names: Sequence[str], cells: Cells, taken: set[int]) -> list[int]:
    """The columns of the time: parts of a date and an hour together, or one by its name, or a first one that holds dates."""
    free = {fold(name): at for at, name in reversed(list(enumerate(names))) if at not in taken}
    parts = [free[name] for name in ("year", "month", "day") if name in free]
    whole = next((free[n] for n in ("date", "datetime", "ds", "timestamp", "time") if n in free), None)
    if "year" in free and whole is None:
        for second in ("quarter", "week"):
            if "month" not in free and second in free:
                return [free["year"], free[second]]
        if len(parts) > 1 and "month" in free:
            return parts + [free[n] for n in ("hour",) if n in free and "day" in free]
    if whole is not None and fold(names[whole]) == "date":
        hour = next((free[n] for n in ("time", "hour") if n in free), None)
        if hour is not None and _all_clock(cells[hour][:50]):
            return [whole, hour]
    for name in TIME_NAMES:
        if name in free:
            return [free[name]]
    dated = [at for at in range(len(names)) if at not in taken and looks_like_time(cells[at][:50])]
    return dated[:1]


def _all_clock(cells: Sequence[str]) -> bool:
    """Whether these are hours of a day: 13:30, 01:30 PM, or 0 to 24."""
    known = [c for c in cells if c]
    return bool(known) and all(
        re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?(\.\d+)?\s*([AaPp]\.?[Mm]\.?)?", c) or c.isdigit() and int(c) <= 24
        for c in known
    )


def _join_time(names: Sequence[str], cells: Cells, used: Sequence[int]) -> list[str]:
    """The time's cells, its parts joined as a stamp."""
    if len(used) == 1:
        return list(cells[used[0]])
    kinds = [fold(names[at]) for at in used]
    joined = []
    for row in zip(*(cells[at] for at in used), strict=True):
        part = dict(zip(kinds, (re.sub(r"(?<=\d)\.0$", "", cell) for cell in row), strict=True))
        if "quarter" in part:
            joined.append(f"{part['year']}Q{part['quarter'].lstrip('Qq')}")
        elif "week" in part:
            joined.append(f"{part['year']}-W{part['week'].lstrip('Ww').zfill(2)}")
        elif kinds[0] == "year" and part["month"].isdigit():
            hour = f" {part['hour'].zfill(2)}:00" if part.get("hour", "").isdigit() else ""
            joined.append("-".join(part[k].zfill(2) for k in ("year", "month", "day") if k in part) + hour)
        elif kinds[0] == "year":
            joined.append(" ".join(part[k] for k in ("day", "month", "year") if k in part))
        else:
            joined.append(" ".join(f"{c.zfill(2)}:00" if at and c.isdigit() else c for at, c in enumerate(row)))
    return joined


def _find_ids(names: Sequence[str], cells: Cells, taken: set[int], timed: bool, notes: list[str]) -> list[int]:
    """The columns that name series: by their names, and not where they number the rows."""
    found = []
    for alias in ID_NAMES:
        for at, name in enumerate(names):
            if at in taken or at in found or fold(name) != fold(alias):
                continue
            if not timed and _all_numbers(cells[at][:50]):
                continue
            if len(cells[at]) >= 10 and len(set(cells[at])) == len(cells[at]):
                if len(names) > 2:
                    notes.append(
                        f"{quote(name)} is different on every row and names no series; --columns id={name} decides"
                    )
                    taken.add(at)
                continue
            found.append(at)
    found.sort()
    if len(found) > 1:
        notes.append(
            f"series are named by {' and '.join(quote(names[at]) for at in found)} together; --columns id={names[found[0]]} decides"
        )
    return found


def fail_duplicates(where: str, names: Sequence[str], cells: Cells, roles: Roles, found: Sequence[Raw]) -> None:
    """Raise DataError where stamps come back with other values, and other columns may tell the series apart."""
    repeated = total = 0
    for raw in found:
        if raw.times is None:
            continue
        order = np.argsort(raw.times, kind="stable")
        times, values = raw.times[order], raw.values[order]
        repeated += int(((np.diff(times) == 0) & (values[1:] != values[:-1])).sum())
        total += len(times)
    if repeated <= REPEATED * max(1, total):
        return
    texts = [
        name for at, name in enumerate(names)
        if at not in roles.ids and at not in roles.values and cells[at] and not _all_numbers(cells[at][:50])
        and name not in roles.label and 1 < len(set(cells[at])) < len(cells[at])
    ]  # fmt: skip
    if texts:
        ids = "+".join([*(names[at] for at in roles.ids), texts[0]])
        raise DataError(
            f"{where}: expected one value a series and stamp, received {repeated:,} stamps that come back with another value. "
            f"Name the columns that tell series apart: --columns id={ids}; --frequency ... --resample sum or mean puts them together"
        )


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(read_number(cell) is not None or read_number(cell, ",") is not None for cell in cells)
