"""The cells of a table of series as a grid: names of columns, and rows of texts that are all as wide as those."""

from __future__ import annotations

import re
from typing import Any

from lamella.data.readers import calendars
from lamella.data.readers.bad_rows import BadRow
from lamella.data.readers.headers import column_names, first_is_header, is_name
from lamella.data.readers.numbers import is_missing, read_number
from lamella.data.readers.records import Sheet, common_width, fold, refuse_wide
from lamella.data.readers.time_columns import PARTS
from lamella.data.text.encoding import quote
from lamella.errors import DataError


def grid(sheet: Sheet) -> tuple[list[str], list[list[str]], list[int]]:
    """Column names, rows of strings all as wide as those, and their lines; rows of another width become bad ones."""
    refuse_wide(sheet)
    if sheet.keys is not None:
        rows = [[_text(cells.get(k)) for k in sheet.keys] for _, cells in sheet.rows if isinstance(cells, dict)]
        return sheet.keys, rows, [line for line, _ in sheet.rows]
    width = common_width(sheet.rows)
    body, lines = [], []
    for line, cells in sheet.rows:
        if len(cells) == width:
            body.append([_text(c) for c in cells])
            lines.append(line)
        else:
            sheet.bad.append(BadRow(sheet.file, line, f"{width} columns", str(len(cells))))
    first = [str(c) for c in sheet.rows[0][1]] if sheet.rows else []
    if first and len(first) != width and all(map(is_name, filter(None, first))):
        raise DataError(
            f"{sheet.file}, line {sheet.rows[0][0]}: expected rows of {len(first)} columns, as the header has, received "
            f"{width}. Numbers such as 15,5 need quotation marks, or another separator than the comma"
        )
    if body and first_is_header(body[:300]):
        # Spreadsheets leave columns behind that hold nothing, not even a name.
        filled = [at for at in range(width) if any(row[at] for row in body)] if "" in body[0] else range(width)
        body = [[row[at] for at in filled] for row in body] if len(filled) < width else body
        return column_names(body[0]), body[1:], lines[1:]
    return [f"column {i}" for i in range(1, width + 1)], body, lines


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def months_across(names: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]], str] | None:
    """A table with a row a year and a column a month as one with a row a month, and a note; None for any other.

    Texts beside them name the series; numbers, such as a mean of the year, are left out.

    >>> months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    >>> names, rows, _ = months_across(["Year", *months, "Mean"], [["2019", *map(str, range(12)), "5.5"]])
    >>> names, rows[:2], len(rows)
    (['time', 'value'], [['2019-01', '0'], ['2019-02', '1']], 12)
    """
    year = next((at for at, name in enumerate(names) if fold(name) in PARTS["year"]), None)
    if year is None or not all(re.fullmatch(r"[12]\d{3}", row[year]) for row in rows):
        return None
    found: dict[int, int] = {}
    for at, name in enumerate(names):
        number = int(name) if re.fullmatch(r"0?[1-9]|1[0-2]", name) else calendars.month(name.strip(". "))
        if number and at != year:
            found.setdefault(number, at)
    if len(found) != 12:
        return None
    others = [at for at in range(len(names)) if at != year and at not in found.values()]
    keys = [at for at in others if not any(row[at] and _numeric(row[at]) for row in rows)]
    out = [
        [*(row[at] for at in keys), f"{row[year]}-{month:02}", row[found[month]]]
        for row in rows
        for month in range(1, 13)
    ]
    while out and not keys and is_missing(out[-1][-1]):  # months that are still to come
        out.pop()
    left = [quote(names[at]) for at in others if at not in keys]
    note = f"a row a year, a column a month{', not used: ' + ', '.join(left) if left else ''}"
    return [*(names[at] for at in keys), "time", "value"], out, note


def _numeric(cell: str) -> bool:
    return read_number(cell) is not None or read_number(cell, ",") is not None
