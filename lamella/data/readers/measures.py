"""Tables of numbers and categories -> rows of numbers on one scale, and back.

    rows, lines = read_rows(["flowers.csv"])            every column of the table, as text
    columns, notes = learn_columns(rows)                what each column holds; constant ones are left out
    values, known = encode(columns, rows[0])            numbers as deviations from the mean, categories as ones and zeros
    decode(columns, values)                             {"height": 1.52, "colour": "red"}

A missing value is filled with its column's mean and marked as not known. An infinity is an error with file and line:
there is no mean with it, and nobody has measured one.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.headers import column_names, first_is_header, numbers_rows
from lamella.data.readers.numbers import TRUTH, is_missing, read_number, read_numbers, say_decimal
from lamella.data.readers.odd_rows import stand_in
from lamella.data.readers.records import Sheet, fold, read_sheet, refuse_wide
from lamella.data.readers.tables import Row
from lamella.data.text.encoding import quote, quote_all
from lamella.errors import DataError

NUMERIC = 0.9  # of a column's known values are numbers, and it is one of numbers; the others are then bad rows
MOST = 100  # names of a category
LOOKED_AT = 300  # rows that tell whether the first one is a header
Columns = Sequence[Mapping[str, Any]]
"""{"name", "mean", "spread"} of each column of numbers, {"name", "names", "shares"} of each of categories; JSON-able."""


def read_rows(paths: Sequence[str], decimal: str = "", learned: Columns = ()) -> tuple[list[Row], list[str]]:
    """All rows of one or several tables with the same columns, as text by column, and what was understood.

    Cells of a column of numbers that are written in another way than Python's (`1.719,71`, `$12,038`) become floats.
    decimal: the mark before decimals, where the user said it; learned: the columns that a model knows, whose marks serve
    where a table leaves two readings. Raises DataError where that is not enough.

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
    separator: str | None = ","
    for path in paths:
        sheet = read_sheet(path, 1, set())
        separator = sheet.delimiter
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
            pairs = zip(mine, map(text_of, texts), strict=True)
            rows.append(Row(dict(pairs), sheet.file, line))
        bad += sheet.bad
        lines.append(
            f"{sheet.file}: {sheet.format}, {sheet.encoding}; {len(mine)} columns; {len(rows) - before:,} rows"
        )
        lines += [f"note: {note}" for note in sheet.notes]
    rows, lines = _without(rows, bad, lines)
    known = {c["name"]: c.get("decimal", "") for c in learned}
    return rows, lines + _as_numbers(rows, decimal, separator, known)


def _as_numbers(rows: Sequence[Row], decimal: str, separator: str | None, learned: Mapping[str, str]) -> list[str]:
    """Put floats where numbers are written in a way that float() does not read; returns notes."""
    columns = {name: [row.get(name, "") for row in rows] for name in rows[0]}
    parsed = {name: read_numbers(cells, decimal, separator) for name, cells in columns.items()}
    hint = next((found.decimal for found in parsed.values() if found.decimal == ","), "")
    hint = hint or next(filter(None, learned.values()), "")
    notes, commas = [], list[str]()
    for row in rows:
        row.commas = commas
    for name, cells in columns.items():
        found = parsed[name]
        if found.ambiguous and (mark := learned.get(name) or hint):
            found = read_numbers(cells, mark)
        known = sum(not is_missing(cell) for cell in cells)
        if not known or len(found.bad) > (1 - NUMERIC) * known:
            continue
        if found.ambiguous:
            raise DataError(say_decimal(rows[0].file, name, found.ambiguous))
        if found.decimal == ",":
            commas.append(name)
        changed = 0
        for row, cell, value in zip(rows, cells, found.values.tolist(), strict=True):
            if not math.isnan(value) and _number(cell) != value:
                row[name] = value
                changed += 1
        if changed:
            how = ", ".join(filter(None, [found.marks, 'decimal mark ","' if found.decimal == "," else ""]))
            at = next(i for i, v in enumerate(found.values) if not math.isnan(v) and _number(cells[i]) != v)
            notes.append(
                f"note: column {quote(name)}: {quote(cells[at])} is read as {found.values[at]:.10g}{f' ({how})' if how else ''}"
            )
    return notes


def counters(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that only number the rows.

    >>> counters([{"nr": str(n), "x": str(n * n), "user_id": str(90 - n)} for n in range(12)])
    ['nr', 'user_id']
    """
    return [name for name in rows[0] if numbers_rows(name, [str(row.get(name, "")) for row in rows])]


def check(columns: Columns, rows: Sequence[Row], lines: list[str]) -> tuple[list[Row], list[str]]:
    """The rows whose values are what their columns hold; too many others are an error. Infinities are one at once."""
    good, bad = [], []
    for column in columns:
        if names := column.get("names"):
            cells = [str(row.get(column["name"], "")) for row in rows]
            new = sorted({cell for cell in cells if category(names, cell) is None and not is_missing(cell)})
            if new:
                count = sum(cell in new for cell in cells)
                where = quote(column["name"])
                lines = [
                    *lines,
                    f"note: {count:,} values of {where} that training has not seen, read as missing: {quote_all(new, 5)}",
                ]
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
    """The names of the columns, and how many rows they take."""
    if sheet.keys is not None:
        return list(sheet.keys), 0
    rows = [[str(c).strip() for c in cells] for _, cells in sheet.rows[:LOOKED_AT]]
    if first_is_header(rows):
        return column_names(rows[0]), 1
    return [f"column {i}" for i in range(1, len(rows[0]) + 1)], 0


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


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
        known = [c.strip() for c in cells if not is_missing(c)]
        parsed = [v for v in map(_number, known) if v is not None]
        gone = stand_in(np.array(parsed))
        if gone is not None:
            parsed = [v for v in parsed if v != gone]
            known = [c for c in known if _number(c) != gone]
            notes.append(f"column {quote(name)}: {gone:g} stands for a missing value")
        for row, cell in zip(rows, cells, strict=True):
            value = _number(cell)
            if value is not None and math.isinf(value):
                raise DataError(_infinite(getattr(row, "where", "a row"), name, cell))
        if not known:
            notes.append(f"column {quote(name)} is empty and is left out")
        elif len(set(known)) == 1:
            notes.append(f"column {quote(name)} is always {quote(known[0])} and is left out")
        elif len(parsed) >= NUMERIC * len(known) and not _codes(known):
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
            if gone is not None:
                columns[-1]["missing"] = gone
            if name in getattr(rows[0], "commas", ()):
                columns[-1]["decimal"] = ","
        elif len(counts := Counter(known)) > min(MOST, max(2, len(known) // 2)):
            notes.append(f"column {quote(name)} has {len(counts):,} different texts, no categories, and is left out")
            continue
        else:
            names = sorted(counts)
            columns.append({"name": name, "names": names, "shares": [counts[n] / len(known) for n in names]})
            if len(parsed) == len(known):
                notes.append(f"column {quote(name)} holds codes such as {quote(min(names))}, read as categories")
        if known and len(known) < len(cells) and columns and columns[-1]["name"] == name:
            notes.append(
                f"column {quote(name)} lacks {len(cells) - len(known):,} of {len(cells):,} values: filled with the mean"
            )
    if not columns:
        raise DataError(f"expected columns of numbers or categories, received none. {'; '.join(notes[:10])}.")
    return columns, notes


def _codes(known: Sequence[str]) -> bool:
    """Whether these are codes of one length that begin with zeros, such as postcodes, and few enough to be categories."""
    length = len(known[0])
    same = length > 2 and all(len(cell) == length and cell.isdecimal() for cell in known)
    return same and any(cell[0] == "0" for cell in known) and len(set(known)) <= min(MOST, len(known) // 2)


def _infinite(where: str, name: str, cell: str) -> str:
    return f"{where}: expected a finite number in {quote(name)}, received {quote(cell)}. Correct or remove it."


def text_of(value: Any) -> str:
    """A value of JSON, or of Python, as it would stand in a table's cell.

    >>> text_of(None), text_of(True), text_of(7.0), text_of(" red ")
    ('', 'true', '7', 'red')
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value).strip()


def category(names: Sequence[str], value: Any) -> str | None:
    """The name that a value stands for; None for one that training has not seen.

    Tables write true, True and TRUE for the same, and 1.0 for 1; JSON has one way for each.

    >>> category(["False", "True"], True), category(["no", "yes"], False), category(["1.0", "x"], 1), category(["a"], "b")
    ('True', 'no', '1.0', None)
    >>> category(["House", "Flat"], "HOUSE"), category(["01067", "10115"], 1067)
    ('House', '01067')
    """
    text = text_of(value)
    if text in names:
        return text
    folded = text.casefold()
    if len(same := [name for name in names if name.casefold() == folded]) == 1:
        return same[0]
    if folded in TRUTH:
        same = [name for name in names if TRUTH.get(name.casefold()) == TRUTH[folded]]
        return same[0] if len(same) == 1 else None
    number = _number(text)
    same = [name for name in names if number is not None and _number(name) == number]
    return same[0] if len(same) == 1 else None


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
        if name not in row and (name := _alike(name, row)) not in row:
            raise DataError(
                f"{where}: expected a value for {quote(name)}, received {quote_all(row)}. Leave it empty (null in JSON) "
                "where it is not known."
            )
        text = text_of(row[name])
        absent = is_missing(text)
        if "names" in column:
            found = category(column["names"], row[name])
            absent = found is None  # a category that training has not seen is not known
            values += column["shares"] if absent else [float(found == n) for n in column["names"]]
            known += [float(not absent)] * len(column["names"])
            continue
        value = column["mean"] if absent else _value(row[name], text, column.get("decimal", "."))
        if value is not None and value == column.get("missing"):
            absent, value = True, column["mean"]
        if value is None:
            raise Unlike(where, f"a number in {quote(name)}", quote(text))
        if math.isinf(value):
            raise DataError(_infinite(where, name, text))
        values.append((value - column["mean"]) / column["spread"])
        known.append(float(not absent))
    return np.array(values, np.float32), np.array(known, np.float32)


def _alike(name: str, row: Mapping[str, Any]) -> str:
    """The one key of a row that is this name but for case, spaces and marks; else the name."""
    alike = [key for key in row if fold(str(key)) == fold(name)]
    return alike[0] if len(alike) == 1 else name


def _value(given: Any, text: str, decimal: str) -> float | None:
    """A number as it is; a text as its column writes numbers, or in the one way in which it can be read."""
    plain = _number(text)
    if not isinstance(given, str) or plain is not None and (decimal == "." or math.isinf(plain)):
        return plain
    value = read_number(text, decimal)
    if value is None and not (alone := read_numbers([text], separator=None)).ambiguous and not alone.bad:
        return float(alone.values[0])
    return value


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
