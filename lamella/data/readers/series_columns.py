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
from lamella.data.readers.time_columns import TIME_NAMES, find_time, join_time, unread_time
from lamella.data.text.encoding import quote, quote_all
from lamella.errors import DataError

ID_NAMES = (
    *("id", "unique_id", "series", "series_id", "series_name", "item_id", "item", "store", "name", "key"),
    *("store_id", "shop", "shop_id", "product", "product_id", "sku", "store_nbr", "family", "station"),
)
VALUE_NAMES = ("value", "y", "target", "sales", "demand", "quantity", "count")
NAMES = (*TIME_NAMES, *ID_NAMES, *VALUE_NAMES)
_KEYS = {
    "id", "sensor", "device", "station", "stations", "store", "shop", "item", "product", "sku", "meter", "series", "site", "region",
    "country", "city", "customer", "account", "symbol", "ticker", "machine", "unit", "line", "plant", "node", "channel",
}  # fmt: skip
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
    used = find_time(names, cells, taken) if picked is None else picked
    if not used and picked is None and (at := unread_time(names, cells, taken)) is not None:
        raise DataError(
            f"{where}: expected time stamps in {quote(names[at])}, received {quote(cells[at][0])} and the like. Say how they "
            f"are written: --date-format %d.%m.%Y, or --columns time= where no column is the time"
        )
    times = join_time(names, cells, used) if used else None
    label = " + ".join(quote(names[at]) for at in used)
    taken |= set(used)
    ids = chosen("id")
    if ids is None:
        ids = _find_ids(names, cells, taken, bool(used), notes)
        ids = ids or (_find_keys(names, cells, taken, times, notes) if times is not None else [])
    taken |= set(ids)
    rest = [at for at in range(len(names)) if at not in taken]
    if not leave_out and len(rest) > 1:
        counting = [at for at in rest if numbers_rows(names[at], cells[at], by_name=True)]
        if counting and len(counting) < len(rest):
            shown = quote_all(names[at] for at in counting)
            notes.append(f"{shown} numbers the rows and is left out; --leave-out none keeps it")
            rest = [at for at in rest if at not in counting]
        alike = [] if ids else [at for at in rest if _is_same_key(names[at], cells[at])]
        if alike and len(alike) < len(rest):
            shown = quote_all(names[at] for at in alike)
            notes.append(f"{shown} is the same in every row and is left out; --leave-out none keeps it")
            rest = [at for at in rest if at not in alike]
    values = chosen("value")
    guessed = values is None
    if values is None and ids:
        values = [next((at for n in VALUE_NAMES for at in rest if fold(names[at]) == fold(n)), -1)]
        numeric = [at for at in rest if _all_numbers(cells[at][:50])]
        if values == [-1]:
            values = rest if len(rest) == 1 else numeric
        if len(values) > 1 and chosen("id") is None and all(len(set(cells[at])) == 1 for at in ids):
            same = quote_all(names[at] for at in ids)
            notes.append(f"{same} is the same in every row and names no series; --columns id={names[ids[0]]} decides")
            ids, values = [], None
        elif len(values) != 1:
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


def _is_same_key(name: str, cells: Sequence[str]) -> bool:
    """Whether a column is a key of what all rows are about, such as the number of the one station, and no series.

    >>> _is_same_key("site_no", ["15s", "01646500", "01646500"]), _is_same_key("load", ["5", "5"]), _is_same_key("id", ["5", "6"])
    (True, False, False)
    """
    words = re.findall(r"[^\W\d_]+", name.casefold())
    called = bool(words) and (words[-1] in _KEYS or words[-1] in ("no", "nr", "code", "number", "num", "key"))
    # The first cell may be a second header, with the width of a column.
    all_of_them, behind = ({cell for cell in cells[first:] if cell} for first in (0, 1))
    return called and (len(all_of_them) == 1 or (len(cells) > 2 and len(behind) == 1))


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


def _find_keys(
    names: Sequence[str], cells: Cells, taken: set[int], times: Sequence[str], notes: list[str]
) -> list[int]:
    """The columns that tell series apart where many stamps come back: the first one with which each row has a stamp of its
    own, or several together. They hold texts, or are called so: `sensor`, `station_id`."""
    total = len(times)
    if total - len(set(times)) <= REPEATED * total:
        return []

    def apart(keys: Sequence[int]) -> bool:
        return len(set(zip(times, *(cells[at] for at in keys), strict=True))) > (1 - REPEATED / 10) * total

    likely = [
        at for at, name in enumerate(names)
        if at not in taken and 1 < len(set(cells[at])) <= total // 2
        and (not _all_numbers(cells[at][:50]) or _KEYS & set(re.findall(r"[^\W\d_]+", name.casefold())))
    ]  # fmt: skip
    found = next(([at] for at in likely if apart([at])), likely if len(likely) > 1 and apart(likely) else [])
    if found:
        shown = " and ".join(quote(names[at]) for at in found)
        notes.append(f"series are told apart by {shown}, since stamps come back; --columns id= decides")
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
    ids = "+".join([*(names[at] for at in roles.ids), texts[0] if texts else "NAME"])
    stamps = " + ".join(re.findall(r'"([^"]*)"', roles.label)) or "TIME"
    raise DataError(
        f"{where}: expected one value a series and stamp, received {repeated:,} stamps that come back with another value. "
        f"Name the columns that tell series apart: --columns id={ids}, or that are the time too: --columns "
        f"time={stamps.replace(' + ', '+')}+NAME; --frequency ... --resample sum or mean puts them together"
    )


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(read_number(cell) is not None or read_number(cell, ",") is not None for cell in cells)
