"""A file of rows -> the rows with their line numbers, whatever the format: TSV, CSV and its kin, JSONL, a JSON array.

Nothing here knows what the columns mean; `lamella.data.readers.tables` does. A row that cannot be read becomes a `BadRow` and the
next row is read as if nothing had happened: one stray quotation mark must not swallow the rest of a file.

    sheet = read_sheet("reviews.csv", needed=2, names={"text", "label"})
    for line, cells in sheet.rows: ...
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lamella.data.readers.bad_rows import BadRow
from lamella.data.readers.headers import is_rule, lines_above
from lamella.data.readers.json_maps import apart, rows_of_map
from lamella.data.readers.json_records import (
    Broken,
    Located,
    flatten,
    is_array,
    is_json,
    json_array,
    json_lines,
    objects_of_columns,
    rows_inside,
    rows_of_columns,
    scalar,
)
from lamella.data.readers.line_shapes import SAMPLE, SPACED, is_decimal_column, is_spaced, split
from lamella.data.readers.odd_rows import without_odd_rows
from lamella.data.readers.packed import unpack
from lamella.data.readers.row_filter import filtered
from lamella.data.readers.suffixes import TABLE_SUFFIXES, table_suffix
from lamella.data.text.encoding import StrPath, quote, read_text, show_path
from lamella.errors import DataError

MAX_FIELD = 1 << 20
"""Characters in one field; more is a bad row. (The csv module's own limit, 131,072, cuts off real documents.)"""
MAX_COLUMNS = 10_000

# In this order where two cut a file equally well: commas stand in text by chance, tabs hardly ever.
_DELIMITERS = ("\t", "|", ";", ",")

Cells = list[Any] | dict[str, Any]
"""One row: fields in order, or by key where the format names them. A field is a str, None, or a nested JSON list."""


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
    quoted: bool = True
    """Whether quotation marks around a field belong to the format, and not to the text."""
    escaped: bool = False
    """Whether marks inside a field are escaped by a backslash, and not doubled."""
    above: int = 0
    """Records above the header, such as a title; they are not among the rows."""
    text: str = ""
    """The whole text, where `keep` asked for it."""
    columns: str = ""
    """The whole text where it is a JSON object of columns; `text` then has a line for each row."""
    spans: list[tuple[int, int, int]] = []
    """With the text, (line, start, end) of each record in it, bad ones included, without its line end."""


def fold(name: str) -> str:
    """The name of a column as it is compared: letters and digits in lower case, accents in one form.

    >>> fold("Review_Text"), fold("review text")
    ('reviewtext', 'reviewtext')
    """
    if not name.isascii():
        from unicodedata import normalize  # as a rule names are in ASCII

        name = normalize("NFC", name)
    return "".join(filter(str.isalnum, name.casefold()))


def read_sheet(path: StrPath, needed: int = 1, names: Collection[str] = (), keep: bool = False) -> Sheet:
    """The rows of one file.

    In: a path; how many columns are needed; the folded names a header may have (they help to find the delimiter);
    `keep`: keep the text too, and where each record stands in it, so that the file can be written again. Then a line of
    nothing but delimiters is a row of empty fields, and not a blank line.
    Out: a `Sheet`, rows that are blank or cannot be read left out and counted. A header row is still among the rows.
    Raises DataError, one line, where the file is missing, empty, not text, or has no columns.
    """
    packed = unpack(path)
    text, encoding, form = packed or (*read_text(path), "")
    file = show_path(path)
    if not text.strip():
        raise DataError(f"{file}: expected rows, received an empty file. Give a file with at least one row")
    sheet = Sheet(file, form or TABLE_SUFFIXES.get(table_suffix(path), ""), encoding, None, None, [], [], 0)
    lines, starts, newline = split(text)
    first = next(line for line in lines if line.strip())
    if not sheet.format and first.lstrip()[0] in "{[" and is_json(first, text):
        sheet.format = "JSON"
    if keep:
        sheet.text = text
    if sheet.format in ("JSON", "JSONL"):
        _read_json(sheet, text, lines, starts, keep, names)
    else:
        _read_delimited(sheet, lines, newline, needed, names, starts if keep else [])
    if not keep:  # a file that is written again is whole
        sheet.rows, odd = without_odd_rows(sheet.rows, sheet.delimiter)
        sheet.notes += [f"{file}: {note}" for note in odd]
        sheet.rows = filtered(sheet.rows, sheet.keys, sheet.file)
    return sheet


# --- delimited text


def _read_delimited(
    sheet: Sheet, lines: list[str], newline: str, needed: int, names: Collection[str], starts: Sequence[int]
) -> None:
    delimiter: str | None
    declared = re.fullmatch(r'"?sep=([,;|\t])"?', lines[0].strip(" \r")) if sheet.format in ("CSV", "") else None
    if declared:  # spreadsheets say the delimiter so
        delimiter = declared[1]
    elif sheet.format == "TSV":
        delimiter = "\t"
    else:
        delimiter = _sniff(lines, names, strict=not sheet.format)
    if not declared and (delimiter is None or delimiter == "\t" and sheet.format != "TSV") and is_spaced(lines):
        delimiter = " "
        sheet.notes.append(f"{sheet.file}: columns of numbers with spaces between them")
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
    if delimiter == "," and is_decimal_column(lines):
        delimiter = ";"
        sheet.notes.append(f"{sheet.file}: one column of numbers with a comma before their decimals")
    sheet.delimiter = delimiter or ","
    quoted = sheet.delimiter != "\t" or sheet.format == "CSV" or _is_quoted(lines)
    sheet.format = sheet.format or ("TSV" if delimiter == "\t" else "CSV")
    if sheet.format == "TSV" and quoted:
        sheet.notes.append(f"{sheet.file}: fields are quoted; the quotation marks were removed")
    sheet.quoted = quoted
    former = csv.field_size_limit(MAX_FIELD + 1)
    try:
        for record in _rows(lines, sheet.delimiter, quoted, 1 if declared else 0, newline, bool(starts)):
            line = record.line
            if starts and (record.problem or record.cells):
                last = line + record.used - 2
                sheet.spans.append((line, starts[line - 1], starts[last] + len(lines[last])))
            if record.problem:
                expected = "fields quoted as in CSV" if quoted else "fields"
                sheet.bad.append(BadRow(sheet.file, line, expected, f"{record.problem}: {quote(lines[line - 1])}"))
            elif record.cells:
                sheet.rows.append((line, record.cells))
                sheet.escaped = sheet.escaped or record.escaped
            else:
                sheet.blank += 1
    finally:
        csv.field_size_limit(former)
    if (
        sheet.delimiter == "|"
        and len(sheet.rows) > 1
        and isinstance(sheet.rows[1][1], list)
        and is_rule(sheet.rows[1][1])
    ):
        del sheet.rows[1]  # of Markdown
    width = common_width(sheet.rows)
    sheet.above = lines_above([list(cells) for _, cells in sheet.rows[:SAMPLE]], width)
    if sheet.above:
        sheet.notes.append(f"{sheet.file}: {sheet.above} lines above the header, left out")
        sheet.rows = sheet.rows[sheet.above :]
    if 0 < width < needed:
        line = sheet.rows[0][0]
        raise DataError(
            f"{sheet.file}, line {line}: expected {needed} columns separated by {quote(sheet.delimiter)}, received "
            f"{width}, {quote(lines[line - 1])}. Give {needed} columns; a file separated otherwise is named .csv"
        )


class _Record(msgspec.Struct):
    """One row of delimited text, blank where it has neither cells nor a problem."""

    line: int
    cells: list[Any]
    used: int = 1
    """Lines."""
    problem: str = ""
    escaped: bool = False


def _rows(
    lines: Sequence[str],
    delimiter: str,
    quoted: bool,
    start: int = 0,
    newline: str = "\n",
    empty: bool = False,
) -> Iterator[_Record]:
    """The records in order. `empty`: a line of nothing but delimiters is a row, and not blank."""
    at = start
    while at < len(lines):
        line = lines[at]
        if not line.strip() and not (empty and delimiter in line):
            record = _Record(at + 1, [])
        elif delimiter == " ":
            record = _Record(at + 1, [cell.strip('"') for cell in SPACED.findall(line)])
        elif not quoted or '"' not in line:
            record = _Record(at + 1, [cell.strip() for cell in line.split(delimiter)])
        else:
            record = _quoted_row(lines, at, delimiter, newline)
        yield record
        at += record.used


def _quoted_row(lines: Sequence[str], at: int, delimiter: str, newline: str) -> _Record:
    """The row that begins at a line, over as many lines as its quoted fields need, or what is wrong with that line.

    Each row has a reader of its own, so that a row with a stray quotation mark is one bad row and the next line is tried.
    """
    best: _Record | None = None
    problem = ""
    for dialect in ({}, {"escapechar": "\\", "doublequote": False}):
        rest, skip = (lines[number] + newline for number in range(at, len(lines))), delimiter != "\t"
        reader = csv.reader(rest, delimiter=delimiter, strict=True, skipinitialspace=skip, **dialect)  # type: ignore[arg-type]
        try:
            cells, used = next(reader), reader.line_num
        except csv.Error as error:
            problem = problem or str(error)
        else:
            best = _Record(at + 1, cells, used, escaped=bool(dialect))
        if best or '\\"' not in lines[at]:  # only then can the second dialect, as databases write it, do better
            break
    if best is None:
        return _Record(at + 1, [], problem=problem)
    # A stray mark can also find a partner far below. Then what lies between looks like rows, not like a text.
    between = [line.count(delimiter) == len(best.cells) - 1 for line in lines[at + 1 : at + best.used - 1]]
    if best.used > 10 and sum(between) > 0.9 * len(between):
        return _Record(at + 1, [], problem=f"a quotation mark that is closed {best.used - 1} lines later")
    if newline == "\r":
        best.cells = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in best.cells]
    best.cells = [cell.strip() for cell in best.cells]
    return best


def _sniff(lines: Sequence[str], names: Collection[str], strict: bool) -> str | None:
    """The delimiter that cuts the first lines into most nearly equal rows of two or more cells, or None."""
    best: tuple[bool, float] = (False, 0.0)
    found = None
    sample = lines[:SAMPLE]
    for delimiter in _DELIMITERS:
        if not any(delimiter in line for line in sample):
            continue
        rows = [record for record in _rows(sample, delimiter, quoted=True) if record.cells or record.problem]
        good = [(record.line, record.cells) for record in rows if record.cells]
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


def refuse_wide(sheet: Sheet) -> None:
    """Raise DataError where a table would be far larger than its file, for readers that make an array of each column.

    That is one of more than MAX_COLUMNS columns; and rows that name their fields, of which nearly every row lacks nearly
    all: a first one with ten thousand fields and many without any are kilobytes that ask for gigabytes.
    """
    width = common_width(sheet.rows) if sheet.keys is None else len(sheet.keys)
    if width > MAX_COLUMNS:
        raise DataError(
            f"{sheet.file}: expected at most {MAX_COLUMNS:,} columns, received {width:,}. Separate the rows with line ends"
        )
    if sheet.keys is None:
        return
    cells, values = len(sheet.keys) * len(sheet.rows), sum(len(cells) for _, cells in sheet.rows)
    if cells > 1_000_000 + 20 * values:
        raise DataError(
            f"{sheet.file}: expected rows with the same fields, received {len(sheet.rows):,} rows of "
            f"{len(sheet.keys):,} different fields, {values:,} values in all. Leave out the fields that most rows have not"
        )


def common_width(rows: Sequence[tuple[int, Cells]]) -> int:
    """The commonest number of cells, 0 where there are no rows."""
    common = Counter(len(cells) for _, cells in rows).most_common(1)
    return common[0][0] if common else 0


def _is_quoted(lines: Sequence[str]) -> bool:
    """Whether the quotation marks of a TSV belong to the format, as when a spreadsheet wrote it, and not to the text.

    They do where every field is quoted, where some field has doubled marks inside and none contradicts, or where only so
    all rows are of one width: then some field holds a line end or a tab.
    """
    if any('"' in line for line in lines[:SAMPLE]):
        widths = {line.count("\t") for line in lines[:SAMPLE] if line.strip()}
        rows = list(_rows(lines[:SAMPLE], "\t", quoted=True))
        whole = {len(row.cells) for row in rows if row.cells or row.problem}
        if len(widths) > 1 and len(whole) == 1 and whole != {0}:
            return True
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


def _each_its_line(values: Iterable[Located]) -> list[Located]:
    """Values by their lines, or where several stand on one line by their numbers: a row is known by this number alone."""
    found = list(values)
    if len({line for line, *_ in found}) == len(found):
        return found
    return [(number, *rest) for number, (_, *rest) in enumerate(found, 1)]


def _read_json(
    sheet: Sheet, text: str, lines: list[str], starts: list[int], keep: bool, names: Collection[str]
) -> None:
    if not keep and sheet.format == "JSON" and (rows := rows_of_map(text, names)):
        sheet.format, sheet.keys, sheet.rows = "JSON of texts and labels", ["text", "label"], list(enumerate(rows, 1))
        return
    first = next(line for line in lines if line.strip())
    inside = rows_inside(sheet.file, text) if sheet.format == "JSON" else None
    if sheet.format == "JSON" and inside is None and (columns := rows_of_columns(text)):
        sheet.format, sheet.keys = "JSON of columns", list(columns[0])
        sheet.rows = list(enumerate(columns, 1))
        if keep:
            sheet.columns, at = text, 0
            for line, row in enumerate(objects_of_columns(text), 1):
                sheet.spans.append((line, at, at + len(row)))
                at += len(row) + 1
            sheet.text = "".join(f"{row}\n" for row in objects_of_columns(text))
        return
    array = inside is not None or is_array(sheet.file, text, lines, first, whole=sheet.format == "JSON")
    sheet.format = "JSON array" if array else "JSONL"
    sheet.blank = 0 if array else sum(not line.strip() for line in lines)
    keys: dict[str, None] = {}
    objects = False
    located = _each_its_line(json_array(sheet.file, text, inside)) if array else json_lines(lines, starts)
    for line, start, end, value in located:
        if keep:
            sheet.spans.append((line, start, end))
        if isinstance(value, Broken):
            sheet.bad.append(BadRow(sheet.file, line, "a JSON object", value.reason))
        elif isinstance(value, dict):
            objects = True
            for flat in map(flatten, [value] if keep else apart(value, names)):
                if len(keys) < 1000:
                    keys.update(dict.fromkeys(flat))
                sheet.rows.append((line, flat))
        elif isinstance(value, list):
            sheet.rows.append((line, [scalar(item) for item in value]))
        else:
            sheet.bad.append(BadRow(sheet.file, line, "a JSON object", quote(json.dumps(value))))
    if objects:
        sheet.keys = list(keys)
        lists = [line for line, cells in sheet.rows if isinstance(cells, list)]
        sheet.bad += [BadRow(sheet.file, line, "a JSON object, as on other lines", "a list") for line in lists]
        sheet.rows = [(line, cells) for line, cells in sheet.rows if isinstance(cells, dict)]
