"""A file of rows -> the rows with their line numbers, whatever the format: TSV, CSV and its kin, JSONL, a JSON array.

Nothing here knows what the columns mean; `lamella.data.tables` does. A row that cannot be read becomes a `BadRow` and the
next row is read as if nothing had happened: one stray quotation mark must not swallow the rest of a file.

    sheet = read_sheet("reviews.csv", needed=2, names={"text", "label"})
    for line, cells in sheet.rows: ...
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lamella.data.text import StrPath, quote, read_text, show_path, split_lines
from lamella.errors import DataError

MAX_FIELD = 1 << 20
"""Characters in one field; more is a bad row. (The csv module's own limit, 131,072, cuts off real documents.)"""
MAX_COLUMNS = 10_000

TABLE_SUFFIXES = {
    ".tsv": "TSV",
    ".tab": "TSV",
    ".csv": "CSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".json": "JSON",
}
# In this order where two cut a file equally well: commas stand in text by chance, tabs hardly ever.
_DELIMITERS = ("\t", "|", ";", ",")
_SAMPLE = 300  # lines that decide on delimiter and header

Cells = list[Any] | dict[str, Any]
"""One row: fields in order, or by key where the format names them. A field is a str, None, or a nested JSON list."""


class BadRow(msgspec.Struct, frozen=True):
    """A row that could not be used: where it is, what was expected there and what came."""

    file: str
    line: int
    expected: str
    received: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: expected {self.expected}, received {self.received}"


class Sheet(msgspec.Struct):
    """All rows of one file, and how they were found."""

    file: str
    format: str
    encoding: str
    delimiter: str | None
    keys: list[str] | None
    """The names of the fields where the rows are JSON objects."""
    rows: list[tuple[int, Cells]]
    """(line, cells)"""
    bad: list[BadRow]
    blank: int
    """Lines with nothing on them."""
    notes: list[str] = []


def fold(name: str) -> str:
    """The name of a column as it is compared: letters and digits in lower case.

    >>> fold("Review_Text"), fold("review text")
    ('reviewtext', 'reviewtext')
    """
    return "".join(filter(str.isalnum, name.casefold()))


def read_sheet(path: StrPath, needed: int = 1, names: Collection[str] = ()) -> Sheet:
    """The rows of one file.

    In: a path; how many columns are needed; the folded names a header may have (they help to find the delimiter).
    Out: a `Sheet`, rows that are blank or cannot be read left out and counted. A header row is still among the rows.
    Raises DataError, one line, where the file is missing, empty, not text, or has no columns.
    """
    text, encoding = read_text(path)
    file = show_path(path)
    if not text.strip():
        raise DataError(f"{file}: expected rows, received an empty file. Give a file with at least one row")
    suffix = Path(path).suffix.lower()
    sheet = Sheet(file, TABLE_SUFFIXES.get(suffix, ""), encoding, None, None, [], [], 0)
    lines = split_lines(text)
    first = next(line for line in lines if line.strip())
    if not sheet.format and first.lstrip()[0] in "{[" and _is_json(first, text):
        sheet.format = "JSON"
    if sheet.format in ("JSON", "JSONL"):
        _read_json(sheet, text, lines, first)
    else:
        _read_delimited(sheet, lines, needed, names)
    return sheet


# --- delimited text


def _read_delimited(sheet: Sheet, lines: list[str], needed: int, names: Collection[str]) -> None:
    delimiter: str | None
    declared = re.fullmatch(r"sep=([,;|\t])", lines[0].strip(" \r")) if sheet.format == "CSV" else None
    if declared:  # spreadsheets say the delimiter so
        delimiter = declared[1]
    elif sheet.format == "TSV":
        delimiter = "\t"
    else:
        delimiter = _sniff(lines, names, strict=not sheet.format)
    if delimiter is None and needed > 1:
        line = next(number for number, line in enumerate(lines, 1) if line.strip())
        shown = quote(lines[line - 1])
        if not sheet.format:
            what = "markup (XML or HTML)" if shown.startswith('"<') else f"text without columns, {shown}"
            raise DataError(
                f"{sheet.file}, line {line}: expected TSV, CSV or JSONL, received {what}. "
                f"Save it as one of these, with {needed} columns"
            )
        raise DataError(
            f"{sheet.file}, line {line}: expected {needed} columns, received one, {shown}. "
            "Separate the columns with commas, semicolons, tabs or |, and quote fields that hold one"
        )
    sheet.delimiter = delimiter or ","
    quoted = sheet.delimiter != "\t" or sheet.format == "CSV" or _is_quoted(lines)
    sheet.format = sheet.format or ("TSV" if delimiter == "\t" else "CSV")
    if sheet.format == "TSV" and quoted:
        sheet.notes.append(f"{sheet.file}: fields are quoted; the quotation marks were removed")
    former = csv.field_size_limit(MAX_FIELD + 1)
    try:
        for line, cells in _rows(lines, sheet.delimiter, quoted, start=1 if declared else 0):
            if isinstance(cells, str):
                expected = "fields quoted as in CSV" if quoted else "fields"
                sheet.bad.append(BadRow(sheet.file, line, expected, f"{cells}: {quote(lines[line - 1])}"))
            elif cells:
                sheet.rows.append((line, cells))
            else:
                sheet.blank += 1
    finally:
        csv.field_size_limit(former)
    width = common_width(sheet.rows)
    if 0 < width < needed:
        line, cells = sheet.rows[0]
        raise DataError(
            f"{sheet.file}, line {line}: expected {needed} columns separated by {quote(sheet.delimiter)}, received "
            f"{width}, {quote(lines[line - 1])}. Give {needed} columns; a file separated otherwise is named .csv"
        )


def _rows(lines: Sequence[str], delimiter: str, quoted: bool, start: int = 0) -> Iterator[tuple[int, Any]]:
    """(line number, cells); no cells for a blank line, a str that says what is wrong for a bad one."""
    at = start
    while at < len(lines):
        line = lines[at]
        cells: Any
        used = 1
        if not line.strip():
            cells = []
        elif not quoted or '"' not in line:
            cells = [cell.strip() for cell in line.split(delimiter)]
        else:
            cells, used = _quoted_row(lines, at, delimiter)
        yield at + 1, cells
        at += used


def _quoted_row(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str] | str, int]:
    """The row that begins at a line, over as many lines as its quoted fields need; what is wrong, and 1, otherwise.

    Each row has a reader of its own, so that a row with a stray quotation mark is one bad row and the next line is tried.
    """
    problem = ""
    for dialect in ({}, {"escapechar": "\\", "doublequote": False}):
        reader = csv.reader(
            (lines[number] + "\n" for number in range(at, len(lines))),
            delimiter=delimiter,
            strict=True,
            skipinitialspace=delimiter != "\t",
            **dialect,  # type: ignore[arg-type]
        )
        try:
            cells = next(reader)
        except csv.Error as error:
            problem = problem or str(error)
            if '\\"' not in lines[at]:  # only then can the second dialect, as databases write it, do better
                break
            continue
        used = reader.line_num
        # A stray mark can also find a partner far below. Then what lies between looks like rows, not like a text.
        between = [line.count(delimiter) == len(cells) - 1 for line in lines[at + 1 : at + used - 1]]
        if used > 10 and sum(between) > 0.9 * len(between):
            return f"a quotation mark that is closed {used - 1} lines later", 1
        return [cell.strip() for cell in cells], used
    return problem, 1


def _sniff(lines: Sequence[str], names: Collection[str], strict: bool) -> str | None:
    """The delimiter that cuts the first lines into most nearly equal rows of two or more cells, or None."""
    best: tuple[bool, float] = (False, 0.0)
    found = None
    sample = lines[:_SAMPLE]
    for delimiter in _DELIMITERS:
        if not any(delimiter in line for line in sample):
            continue
        rows = [(line, cells) for line, cells in _rows(sample, delimiter, quoted=True) if cells]
        good = [(line, cells) for line, cells in rows if isinstance(cells, list)]
        width = common_width(good)
        if width < 2:
            continue
        equal = sum(len(cells) == width for _, cells in good) / len(rows)
        header = len(good[0][1]) == width <= MAX_COLUMNS and any(fold(cell) in names for cell in good[0][1])
        # Prose has commas too: without a suffix that says it is a table, rows must agree.
        if strict and not (header and equal > 0.5 or equal > 0.95 and (len(rows) > 2 or delimiter == "\t")):
            continue
        if (header, round(equal, 2)) > best:
            best, found = (header, round(equal, 2)), delimiter
    return found


def common_width(rows: Sequence[tuple[int, Cells]]) -> int:
    """The commonest number of cells, 0 where there are no rows."""
    common = Counter(len(cells) for _, cells in rows).most_common(1)
    return common[0][0] if common else 0


def _is_quoted(lines: Sequence[str]) -> bool:
    """Whether the quotation marks of a TSV belong to the format, as when a spreadsheet wrote it, and not to the text.

    They do where every field is quoted, or where some field has doubled marks inside and none contradicts.
    """
    doubled = plain = False
    for line in lines:
        for field in line.split("\t"):
            if not field.startswith('"'):
                plain = True
                continue
            inner = field[1:-1]
            if len(field) < 2 or not field.endswith('"') or '"' in inner.replace('""', ""):
                return False
            doubled = doubled or '""' in inner
    return doubled or not plain


# --- JSON

_DECODER = json.JSONDecoder(
    parse_int=str,  # as written: 1.50 stays 1.50, and no number is too long
    parse_float=str,
    parse_constant=lambda _: None,  # NaN and Infinity are missing values
    strict=False,
)


def _decode(text: str, start: int = 0) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except json.JSONDecodeError as error:  # its own message counts lines from wherever reading began
        raise ValueError(f"{error.msg} at character {error.pos - start + 1}") from None


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _is_json(first: str, text: str) -> bool:
    """Whether a text that begins with a brace or bracket is JSON: its first line is, or the first value of its array."""
    array = text.find("[") + 1
    try:
        _decode(first.lstrip())
    except ValueError:
        try:
            _decode(text, _skip_space(text, array))
        except ValueError:
            return False
        return text[:array].strip() == "["
    return True


def _read_json(sheet: Sheet, text: str, lines: list[str], first: str) -> None:
    array = text.lstrip().startswith("[")
    try:
        _, end = _decode(first.strip())
        # A list on each of several lines is JSONL whose rows are lists.
        if end == len(first.strip()) and any(line.strip() for line in lines[lines.index(first) + 1 :]):
            array = False
    except ValueError as error:
        if not array and sheet.format == "JSON":
            raise DataError(
                f"{sheet.file}, line 1: expected one JSON object a line, or an array of them, received {error}. "
                "Write each object on one line, or put all in [ ]"
            ) from error
    sheet.format = "JSON array" if array else "JSONL"
    keys: dict[str, None] = {}
    objects = False
    for line, value in _array(sheet.file, text) if array else _json_lines(sheet, lines):
        if isinstance(value, dict):
            objects = True
            flat = _flatten(value)
            if len(keys) < 1000:
                keys.update(dict.fromkeys(flat))
            sheet.rows.append((line, flat))
        elif isinstance(value, list):
            sheet.rows.append((line, [_scalar(item) for item in value]))
        else:
            sheet.bad.append(BadRow(sheet.file, line, "a JSON object", quote(json.dumps(value))))
    if objects:
        sheet.keys = list(keys)
        for line, cells in sheet.rows:
            if isinstance(cells, list):
                sheet.bad.append(BadRow(sheet.file, line, "a JSON object, as on other lines", "a list"))
        sheet.rows = [(line, cells) for line, cells in sheet.rows if isinstance(cells, dict)]


def _json_lines(sheet: Sheet, lines: list[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        content = line.strip()
        if not content:
            sheet.blank += 1
            continue
        try:
            value, end = _decode(content)
            if end < len(content):
                raise ValueError(f"more text after it: {quote(content[end:])}")
            yield number, value
        except ValueError as error:
            sheet.bad.append(BadRow(sheet.file, number, "a JSON object", f"{error}: {quote(content)}"))


def _array(file: str, text: str) -> Iterator[tuple[int, Any]]:
    """The values of a JSON array with the lines they begin on. What follows a broken one means nothing: an error."""
    at = text.index("[") + 1
    counted, line = 0, 1
    while True:
        at = _skip_space(text, at)
        if text[at : at + 1] == "]":
            return
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = _decode(text, at)
            yield line, value
            at = _skip_space(text, at)
            if text[at : at + 1] not in (",", "]"):
                raise ValueError('no "," or "]" after a value')
        except ValueError as error:
            raise DataError(
                f"{file}, line {line}: expected a JSON array of objects, received {error}. Correct it, or write one "
                "object a line (JSONL)"
            ) from error
        at += text[at] == ","


def _scalar(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _flatten(value: dict[str, Any]) -> dict[str, Any]:
    """One level of nesting becomes dotted names: {"translation": {"en": "Yes"}} has the field translation.en."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update((f"{key}.{inner}", _scalar(inside)) for inner, inside in item.items())
        else:
            flat[key] = _scalar(item)
    return flat
