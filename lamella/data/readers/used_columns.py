"""Which columns a training took its examples from: a model keeps them, and later tables are read by the same ones.

with recording() as used:
    examples, lines = task.read(paths, columns)
used                                                {"text": {"name": "review", "number": 2, "of": 3}}
columns_of(["new.csv"], used, {})                   {"text": "review"}, where new.csv has such a column
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from lamella.data.readers.headers import names_above_numbers
from lamella.data.readers.numbers import read_number
from lamella.data.readers.records import common_width, fold, read_sheet
from lamella.data.readers.suffixes import is_table, may_be_table
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError

Used = dict[str, dict[str, Any]]
"""Field -> its column: "name" ("" where the table had no header), "number" from 1 ("2+3" for two), and how many columns there were ("of")."""

_LINE = 1 << 14  # bytes of a first line

_record: ContextVar[Used | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[Used]:
    """Collect what the readers of tables note while they read; of several files the first counts."""
    used: Used = {}
    token = _record.set(used)
    try:
        yield used
    finally:
        _record.reset(token)


def note(field: str, name: str, number: int | str, of: int) -> None:
    """Note the column that a field is read from, or the columns ("2+3"), where someone records it."""
    used = _record.get()
    if used is not None:
        used.setdefault(field, {"name": name, "number": number, "of": of})


def columns_of(
    paths: Sequence[StrPath], used: Mapping[str, Mapping[str, Any]], given: Mapping[str, str] | None
) -> dict[str, str] | None:
    """The columns to read tables by: those that are given, and for other fields those of training where the tables have them.

    A column that had a name is looked for by it, whatever else the table holds; one without, by its number, in tables
    without a header that are as wide. None where nothing is known.
    """
    found = dict(given or {})
    tables = [path for path in paths if (is_table(path) or names_columns(path, used)) and Path(path).is_file()]
    open_ones = {field: column for field, column in used.items() if field not in found}
    if not open_ones or len(tables) < len(paths):
        return found or None
    for field, column in _shared([_in_table(path, open_ones) for path in tables]).items():
        found[field] = column
    return found or None


def names_columns(path: StrPath, used: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a text file is a table all the same: its first line holds the name of a column of training, among others."""
    if is_table(path) or not may_be_table(path) or not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        first = file.read(_LINE).decode("utf-8-sig", "replace").partition("\n")[0]
    cells = {fold(cell.strip().strip('"')) for cell in re.split(r"[\t;,|]", first)}
    return len(cells) > 1 and any(fold(str(column["name"])) in cells for column in used.values() if column["name"])


def _in_table(path: StrPath, used: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    names = [name for column in used.values() for name in str(column["name"]).split("+")]
    try:
        sheet = read_sheet(path, 1, {fold(name) for name in names if name})
    except DataError:  # whoever reads the table says what is wrong with it
        return {}
    first = sheet.keys or ([str(cell) for cell in sheet.rows[0][1]] if sheet.rows else [])
    found: dict[str, str] = {}
    for field, column in used.items():
        if name := str(column["name"]):
            parts = [_named(part, first) for part in name.split("+")] if name not in first else [name]
            if all(parts):
                found[field] = "+".join(map(str, parts))
        elif sheet.keys is None and len(first) == column["of"]:
            rows = [[str(cell) for cell in cells] for _, cells in sheet.rows[:300]]
            if not names_above_numbers(rows):  # as in training: texts above texts are a row
                found[field] = str(column["number"])
    return found


def _named(name: str, first: Sequence[str]) -> str:
    """A column of this name, its letters' case and marks aside; "" where there is none, or two."""
    if name in first:
        return name
    alike = [other for other in first if fold(other) == fold(name)]
    return alike[0] if len(alike) == 1 else ""


def _shared(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all tables have alike."""
    first, *others = each
    return {field: column for field, column in first.items() if all(o.get(field) == column for o in others)}


def is_grid(path: StrPath, named: bool) -> bool:
    """Whether a text file holds a table: three rows or more with several cells each; values alone are none.

    named: the columns that are wanted have names, so that numbers without any are values too, in several lines.
    """
    try:
        sheet = read_sheet(path, 1, set())
    except DataError:
        return False
    if len(sheet.rows) < 3 or common_width(sheet.rows) < 2:
        return False
    return not named or any(read_number(str(cell)) is None for _, cells in sheet.rows[:20] for cell in cells)
