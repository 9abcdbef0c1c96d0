"""Tables of numbers and categories -> rows of numbers on one scale, and back.

    rows, lines = read_rows(["flowers.csv"])            every column of the table, as text
    columns, notes = learn_columns(rows)                what each column holds; constant ones are left out
    values, known = encode(columns, rows[0])            numbers as deviations from the mean, categories as ones and zeros
    decode(columns, values)                             {"height": 1.52, "colour": "red"}

A missing value is filled with its column's mean and marked as not known. An infinity is an error with file and line:
there is no mean with it, and nobody has measured one.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.records import Sheet, read_sheet, refuse_wide
from lamella.data.readers.tables import Row
from lamella.data.text.encoding import quote, quote_all
from lamella.errors import DataError

MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-", "--", "missing"}
NUMERIC = 0.9  # of a column's known values are numbers, and it is one of numbers; the others are then bad rows
MOST = 100  # names of a category
Columns = Sequence[Mapping[str, Any]]
"""{"name", "mean", "spread"} of each column of numbers, {"name", "names", "shares"} of each of categories; JSON-able."""


def read_rows(paths: Sequence[str]) -> tuple[list[Row], list[str]]:
    """All rows of one or several tables with the same columns, as text by column, and what was understood.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "flowers.csv")
    >>> _ = path.write_text("height,colour\\n1.5,red\\n,blue\\n")
    >>> rows, lines = read_rows([str(path)])
    >>> rows, lines[0].partition("flowers.csv: ")[2]
    ([{'height': '1.5', 'colour': 'red'}, {'height': '', 'colour': 'blue'}], 'CSV, UTF-8; 2 columns; 2 rows')
    """
    rows: list[Row] = []
    lines: list[str] = []
    bad: list[BadRow] = []
    names: list[str] = []
    for path in paths:
        sheet = read_sheet(path, 1, set())
        if not sheet.rows:  # none could be read: the count of bad rows says so below
            bad += sheet.bad
            continue
        refuse_wide(sheet)
        mine, found = _header(sheet)
        if names and set(mine) != set(names):
            raise DataError(
                f"{sheet.file}: expected the columns {quote_all(names)}, received {quote_all(mine)}. "
                "Train on tables with the same columns."
            )
        names = names or mine
        before = len(rows)
        for line, cells in sheet.rows[found:]:
            texts = [cells.get(n) for n in mine] if isinstance(cells, dict) else cells
            if len(texts) != len(mine) or any(isinstance(t, list | dict) for t in texts):
                bad.append(BadRow(sheet.file, line, f"{len(mine)} plain values", f"{len(texts)}: {quote(str(texts))}"))
                continue
            pairs = zip(mine, ("" if t is None else str(t).strip() for t in texts), strict=True)
            rows.append(Row({n: _point(t) if sheet.delimiter == ";" else t for n, t in pairs}, sheet.file, line))
        bad += sheet.bad
        lines.append(
            f"{sheet.file}: {sheet.format}, {sheet.encoding}; {len(mine)} columns; {len(rows) - before:,} rows"
        )
    return _without(rows, bad, lines)


def check(columns: Columns, rows: Sequence[Row], lines: list[str]) -> tuple[list[Row], list[str]]:
    """The rows whose values are what their columns hold; more than 1% others are an error. Infinities are one at once."""
    good, bad = [], []
    for row in rows:
        try:
            encode(columns, row)
            good.append(row)
        except Unlike as error:
            bad.append(BadRow(row.file, row.line, error.expected, error.received))
    return _without(good, bad, lines)


def _without(rows: list[Row], bad: list[BadRow], lines: list[str]) -> tuple[list[Row], list[str]]:
    if not rows and not bad:
        raise DataError(f"{', '.join(lines)}: expected rows, received none.")
    if bad:
        refuse_many(bad[0].file, len(rows), bad, "rows", "Correct or remove them.")
    return rows, [*lines, *(f"bad row, left out: {b}" for b in bad)]


def _header(sheet: Sheet) -> tuple[list[str], int]:
    """The names of the columns, and how many rows they take: a first row in which nothing is a number holds them."""
    if sheet.keys is not None:
        return list(sheet.keys), 0
    first = [str(c).strip() for c in sheet.rows[0][1]]
    plain = [c for c in first if c]
    if plain and len(set(plain)) == len(plain) and not any(_number(c) is not None for c in plain):
        return [c or f"column {i}" for i, c in enumerate(first, start=1)], 1
    return [f"column {i}" for i in range(1, len(first) + 1)], 0


def _point(text: str) -> str:
    """In tables with semicolons 1,5 is a number: it is 1.5.

    >>> _point("-1,5"), _point("a,b")
    ('-1.5', 'a,b')
    """
    return text.replace(",", ".") if re.fullmatch(r"[-+]?\d+,\d+", text) else text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _missing(text: str) -> bool:
    return text.strip().casefold() in MISSING


# ---- what columns hold -----------------------------------------------------------------------------------------


def learn_columns(rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, Any]], list[str]]:
    """What each column holds, and notes on what is missing or left out.

    >>> columns, notes = learn_columns([{"a": "1", "b": "x", "c": "7"}, {"a": "3", "b": "x", "c": "?"}])
    >>> columns, notes
    ([{'name': 'a', 'mean': 2.0, 'spread': 1.0}], ['column "b" is always "x" and is left out', 'column "c" is always "7" and is left out'])
    """
    columns: list[dict[str, Any]] = []
    notes: list[str] = []
    for name in rows[0]:
        cells = [str(row.get(name, "")) for row in rows]
        known = [c.strip() for c in cells if not _missing(c)]
        parsed = [v for v in map(_number, known) if v is not None]
        for row, cell in zip(rows, cells, strict=True):
            value = _number(cell)
            if value is not None and math.isinf(value):
                raise DataError(_infinite(getattr(row, "where", "a row"), name, cell))
        if not known:
            notes.append(f"column {quote(name)} is empty and is left out")
        elif len(set(known)) == 1:
            notes.append(f"column {quote(name)} is always {quote(known[0])} and is left out")
        elif len(parsed) >= NUMERIC * len(known):
            with np.errstate(over="ignore", invalid="ignore"):
                mean, spread = float(np.mean(parsed)), float(np.std(parsed))
            if not math.isfinite(mean + spread):  # squares of numbers above 1e154 are no floats
                raise DataError(
                    f"expected numbers in {quote(name)} whose spread is finite, received up to {max(map(abs, parsed)):g}. "
                    "Correct the largest, or measure in larger units."
                )
            if spread <= 1e-9 * max(1e-9, abs(mean)):
                notes.append(f"column {quote(name)} is always {parsed[0]:g} and is left out")
                continue
            columns.append({"name": name, "mean": mean, "spread": spread})
        elif len(counts := Counter(known)) > min(MOST, max(2, len(known) // 2)):
            notes.append(f"column {quote(name)} has {len(counts):,} different texts, no categories, and is left out")
            continue
        else:
            names = sorted(counts)
            columns.append({"name": name, "names": names, "shares": [counts[n] / len(known) for n in names]})
        if known and len(known) < len(cells) and columns and columns[-1]["name"] == name:
            notes.append(
                f"column {quote(name)} lacks {len(cells) - len(known):,} of {len(cells):,} values: filled with the mean"
            )
    if not columns:
        raise DataError(f"expected columns of numbers or categories, received none. {'; '.join(notes[:10])}.")
    return columns, notes


def _infinite(where: str, name: str, cell: str) -> str:
    return f"{where}: expected a finite number in {quote(name)}, received {quote(cell)}. Correct or remove it."


class Unlike(DataError):
    """A value that is not what its column holds."""

    def __init__(self, where: str, expected: str, received: str) -> None:
        super().__init__(f"{where}: expected {expected}, received {received}.")
        self.expected, self.received = expected, received


def width(columns: Columns) -> int:
    """How many numbers a row becomes."""
    return sum(len(c["names"]) if "names" in c else 1 for c in columns)


def encode(columns: Columns, row: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A row -> its numbers (V,) and which of them are known (V,), 0 or 1.

    >>> columns = [{"name": "a", "mean": 2.0, "spread": 0.5}, {"name": "b", "names": ["x", "y"], "shares": [0.25, 0.75]}]
    >>> [a.tolist() for a in encode(columns, {"a": "3", "b": ""})]
    [[2.0, 0.25, 0.75], [1.0, 0.0, 0.0]]
    """
    values: list[float] = []
    known: list[float] = []
    where = getattr(row, "where", "a row")
    for column in columns:
        name = column["name"]
        if name not in row:
            raise DataError(f"{where}: expected a value for {quote(name)}, received {quote_all(row)}.")
        text = "" if row[name] is None else str(row[name]).strip()
        absent = _missing(text)
        if "names" in column:
            if not absent and text not in column["names"]:
                raise Unlike(where, f"one of {quote_all(column['names'])} in {quote(name)}", quote(text))
            values += column["shares"] if absent else [float(text == n) for n in column["names"]]
            known += [float(not absent)] * len(column["names"])
            continue
        value = column["mean"] if absent else _number(text)
        if value is None:
            raise Unlike(where, f"a number in {quote(name)}", quote(text))
        if math.isinf(value):
            raise DataError(_infinite(where, name, text))
        values.append((value - column["mean"]) / column["spread"])
        known.append(float(not absent))
    return np.array(values, np.float32), np.array(known, np.float32)


def decode(columns: Columns, values: Sequence[float] | NDArray[np.float32]) -> dict[str, Any]:
    """Numbers (V,) -> a row: the likeliest name of each category, and numbers of five digits.

    >>> columns = [{"name": "a", "mean": 2.0, "spread": 0.5}, {"name": "b", "names": ["x", "y"], "shares": [0.25, 0.75]}]
    >>> decode(columns, [2.0, 0.4, 0.3])
    {'a': 3.0, 'b': 'x'}
    """
    row: dict[str, Any] = {}
    at = 0
    for column in columns:
        if "names" in column:
            row[column["name"]] = column["names"][int(np.argmax(values[at : at + len(column["names"])]))]
            at += len(column["names"])
        else:
            row[column["name"]] = float(f"{float(values[at]) * column['spread'] + column['mean']:.5g}")
            at += 1
    return row


def as_row(columns: Columns, value: Any) -> Mapping[str, Any]:
    """A row as it is; a text as a JSON object, or as values in the order of the columns, with commas or spaces between.

    >>> as_row([{"name": "a", "mean": 0, "spread": 1}, {"name": "b", "names": ["x"], "shares": [1]}], "3.5, x")
    {'a': '3.5', 'b': 'x'}
    """
    if isinstance(value, dict):
        return value
    text = str(value)
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise DataError(f"expected a row as JSON, received {quote(text)} ({error}).") from error
    cells = [c.strip() for c in text.split(",")] if "," in text else text.split()
    if len(cells) != len(columns):
        names = quote_all(c["name"] for c in columns)
        raise DataError(f"expected {len(columns)} values ({names}), received {len(cells)}: {quote(text)}.")
    return {c["name"]: cell for c, cell in zip(columns, cells, strict=True)}
