"""Tables that people have -> rows as dicts, with an account of every row that was not used.

    table = read_table("reviews.csv", {"text": ("text", "review"), "label": ("label", "stars")})
    table.rows[0]                   {"text": "Fine.", "label": "4"}
    table.rows[0].where             "reviews.csv, line 2"
    print(*table.report.lines(), sep="\\n")

TSV, CSV (commas, semicolons, tabs or |), JSONL and JSON arrays, by suffix first and by content otherwise. Columns are found
by the names in the header, or chosen, or taken in order where there is no header. A row with an empty cell is left out and
counted. More than one bad row in ten stops the reading (`lamella.data.readers.bad_rows`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from lamella.data.readers import used_columns
from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.headers import first_is_header, is_name, is_number, is_numbered, stands_apart
from lamella.data.readers.records import MAX_COLUMNS, MAX_FIELD, Cells, Sheet, common_width, fold, read_sheet
from lamella.data.readers.report import LISTED, Report, Source, counted
from lamella.data.readers.table_text import json_text
from lamella.data.text.encoding import StrPath, goes_on, quote
from lamella.errors import DataError, UsageError

EMPTY = "an empty cell"
"""What `pick` received where a cell that must not be empty is; such rows are counted and are no bad rows."""
Paths = StrPath | Sequence[StrPath]
Choose = Callable[[list[list[str]]], dict[str, int] | None]
"""Rows -> the position of each field, or None: for tables whose header, if any, says nothing."""

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


class Row(dict[str, str]):
    """A row: an ordinary dict that remembers where it comes from, so that a later error can still say so.

    >>> row = Row({"text": "Hello"}, "a.csv", 7)
    >>> row, row.where
    ({'text': 'Hello'}, 'a.csv, line 7')
    """

    __slots__ = ("commas", "file", "line")

    def __init__(self, fields: Mapping[str, str], file: str = "", line: int = 0, commas: Collection[str] = ()) -> None:
        super().__init__(fields)
        self.file = file
        self.line = line
        self.commas = commas
        """The columns whose numbers have a comma before their decimals."""

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, line {self.line}"

    def __reduce__(self) -> tuple[type[Row], tuple[dict[str, str], str, int, Collection[str]]]:
        return Row, (dict(self), self.file, self.line, self.commas)


class Table(msgspec.Struct):
    """Rows, each with its origin, and the report on how they were read."""

    rows: list[Row]
    report: Report

    def __len__(self) -> int:
        return len(self.rows)


def read_table(
    paths: Paths,
    wanted: Mapping[str, Sequence[str]],
    columns: Mapping[str, str | int] | None = None,
    *,
    optional: Collection[str] = (),
    allow_empty: bool = False,
    choose: Choose | None = None,
    words: Collection[str] = (),
    nested: Collection[str] = (),
) -> Table:
    """Read one or several tables.

    In: the path or paths; `wanted`: each field with the names its column may have, likeliest first; `columns`: field ->
    the name or the number (from 1) of its column, where names do not find it; `optional`: fields that may be missing or
    empty; `allow_empty`: empty fields are not errors; `choose`: finds the columns by what they hold where names do not;
    `words`: names that may stand as a word in a longer one, as `en` does in `en-US`, where only one column has it;
    `nested`: fields that may hold a JSON list or object, which is kept as JSON.
    Out: a `Table` whose rows have exactly the wanted fields, white space around them removed, in the order of the files.
    Raises DataError where a file is missing, empty, not a table, without the wanted columns, or has more than a tenth bad
    rows (`details` then lists the first ten), and UsageError where `columns` names a field that does not exist.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "reviews.csv")
    >>> _ = path.write_text('id;review;stars\\n1;"Good; cheap";4\\n2;Bad;1\\n')
    >>> table = read_table(path, {"text": ("text", "review"), "label": ("label", "stars")})
    >>> table.rows
    [{'text': 'Good; cheap', 'label': '4'}, {'text': 'Bad', 'label': '1'}]
    >>> table.report.sources[0].columns
    {'text': 'column 2 "review"', 'label': 'column 3 "stars"'}
    """
    if unknown := set(columns or ()) - set(wanted):
        raise UsageError(f"columns: expected {', '.join(wanted)}, received {', '.join(sorted(unknown))}")
    paths = list_paths(paths)
    required = [field for field in wanted if field not in optional]
    names = {fold(name) for aliases in wanted.values() for name in aliases}
    names |= {fold(str(column)) for column in (columns or {}).values() if _number(column) is None}
    rows: list[Row] = []
    report = Report()
    bad: list[BadRow] = []
    for path in paths:
        sheet = read_sheet(path, len(required), names)
        if not sheet.rows:  # none could be read: the count of bad rows says so below
            report.sources.append(Source(sheet.file, sheet.format, sheet.encoding, sheet.delimiter))
            bad += sheet.bad
            continue
        keys, source, body = find_columns(sheet, wanted, columns or {}, required, choose, words)
        report.sources.append(source)
        report.notes += sheet.notes
        report.drop("blank line", sheet.blank)
        before = len(rows)
        width = 0 if source.header and sheet.keys else len(source.header or ()) or common_width(sheet.rows)
        for line, cells in sheet.rows[body:]:
            fields, problem = pick(cells, keys, width, optional, allow_empty, nested)
            if problem and problem[1] == EMPTY:
                report.drop(problem[0])
            elif problem:
                sheet.bad.append(BadRow(sheet.file, line, *problem))
            else:
                texts = {k: v if isinstance(v, str) else json_text(v) for k, v in fields.items()}
                rows.append(Row(texts, sheet.file, line))
        source.rows = len(rows) - before
        bad += sorted(sheet.bad, key=lambda row: row.line)
        if width > len(keys) and not source.header:
            used = ", ".join(f"{field} = {column}" for field, column in source.columns.items())
            report.notes.append(f"{sheet.file}: {width} columns without names, taken so: {used}; choose with --columns")
    report.kept = len(rows)
    report.bad = bad[:LISTED]
    report.drop("bad row", len(bad))
    total = len(rows) + len(bad)
    where = report.sources[0].file if len(paths) == 1 else f"{len(paths)} files"
    if not total:
        empty = [reason for reason in report.dropped if reason.startswith(EMPTY)]
        what = "a header only" if report.sources[0].header else "none"
        what = f"only rows that have {empty[0]}" if empty else what
        raise DataError(f"{where}: expected rows, received {what}")
    refuse_many(where, len(rows), bad, "rows", "Correct or remove them, or choose other columns with --columns")
    return Table(rows, report)


def list_paths(paths: Paths) -> list[StrPath]:
    """One path or several, as a list. Raises UsageError for none."""
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not listed:
        raise UsageError("expected at least one file, received none")
    return listed


def pick(
    cells: Cells,
    keys: Mapping[str, int | str],
    width: int,
    optional: Collection[str],
    allow_empty: bool,
    nested: Collection[str] = (),
) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """The wanted fields of a row, and (expected, received) where something is wrong with it.

    nested: the fields that may hold JSON lists and objects, as they are.
    """
    # Cells beyond the last column do no harm while they are empty: spreadsheets leave them.
    if isinstance(cells, list) and len(cells) != width and (len(cells) < width or any(cells[width:])):
        shown = quote(" | ".join(map(str, cells)))
        return {}, (counted(width, "column"), f"{len(cells)}: {shown}")
    fields: dict[str, Any] = {}
    for field, key in keys.items():
        value = cells.get(str(key)) if isinstance(cells, dict) else cells[int(key)]
        if value is None and isinstance(cells, dict) and key not in cells and field not in optional:
            return {}, (f"the field {quote(str(key))}", f"only {', '.join(map(quote, list(cells)[:8])) or 'none'}")
        if value is not None and not isinstance(value, str):
            if field in nested:
                fields[field] = value
                continue
            return {}, (f"text in {quote(str(key))}", f"nested JSON ({type(value).__name__})")
        value = (value or "").strip()
        if not value and not allow_empty and field not in optional:
            return {}, (f"{EMPTY} in {field}", EMPTY)
        if len(value) > MAX_FIELD:
            return {}, (f"at most {MAX_FIELD:,} characters in {field}", f"{len(value):,}")
        # JSON can spell out what no file can hold: a NUL, or half of a surrogate pair.
        if _NOT_TEXT.search(value):
            return {}, (f"text in {field}", f"a character that is not text: {quote(value)}")
        fields[field] = value
    return fields, None


# --- which column is which


def find_columns(
    sheet: Sheet,
    wanted: Mapping[str, Sequence[str]],
    columns: Mapping[str, str | int],
    required: Sequence[str],
    choose: Choose | None,
    words: Collection[str] = (),
    in_order: bool = True,
) -> tuple[dict[str, int | str], Source, int]:
    """(field -> key into a row's cells, the source to report, where rows begin after a header).

    in_order: take columns without a header in their order, even where there are more of them than fields.
    """
    source = Source(sheet.file, sheet.format, sheet.encoding, sheet.delimiter)
    keyed = sheet.keys is not None
    own = len(sheet.keys or sheet.rows[0][1])
    named_parts, joined = False, dict[str, list[int]]()
    for field, column in columns.items():
        if isinstance(column, str) and "+" in column:
            named_parts = named_parts or any(not _number(part.strip()) for part in column.split("+"))
            new, joined[field] = _join(sheet, field, column)
            columns = {**columns, field: new}
    first = sheet.keys or list(map(str, sheet.rows[0][1]))
    line = sheet.rows[0][0]
    if len(first) > MAX_COLUMNS:
        raise DataError(
            f"{sheet.file}, line {line}: expected at most {MAX_COLUMNS:,} columns, received {len(first):,}. "
            "Separate the rows with line ends"
        )
    named = {
        field: str(column) for field, column in columns.items() if _number(column) is None or keyed and column in first
    }
    found = _match(first, wanted, named, f"{sheet.file}, line {line}", words)
    lists = [cells for _, cells in sheet.rows if isinstance(cells, list)]
    header = keyed or bool(named) or named_parts or not goes_on() and _is_header(first, lists[1:301], found, required)
    positions = found if header else {}
    for field, at in positions.items():
        if first.count(first[at]) > 1:
            raise DataError(
                f"{sheet.file}, line {line}: expected one column named {quote(first[at])}, received "
                f"{first.count(first[at])}. Choose by number: --columns {field}={at + 1}"
            )
    for field, column in columns.items():
        if field not in named:
            positions[field] = _position(column, len(first), f"{sheet.file}, line {line}")
    missing = [field for field in required if field not in positions]
    if missing and not columns and choose and not keyed:
        width = common_width(sheet.rows)
        chosen = choose([cells for cells in lists[header:] if len(cells) == width])
        if chosen and not (header and len(first) != width):  # a header of another width names nothing
            both = chosen | positions  # optional fields too
            positions = both if len(set(both.values())) == len(both) else chosen
            missing = []
    if missing and not header and (in_order or common_width(sheet.rows) == len(required)):
        free = [position for position in range(common_width(sheet.rows)) if position not in positions.values()]
        positions |= dict(zip([field for field in wanted if field not in positions], free, strict=False))
        missing = [field for field in required if field not in positions]
    if missing:
        choice = ",".join(f"{field}={'NAME' if header else 1 + at}" for at, field in enumerate(missing))
        raise DataError(
            f"{sheet.file}, line {line}: expected {counted(len(required), 'column')} for {', '.join(required)}, received "
            f"{'columns named' if header else 'no header but'} {', '.join(map(quote, first[:12])) or 'nothing'}. "
            f"Choose with --columns {choice}"
        )
    source.header = first if header else None
    for field, position in positions.items():
        parts = joined.get(field) or [position]
        name = "+".join(first[at] for at in parts) if header else ""
        number = "+".join(str(at + 1) for at in parts)
        source.columns[field] = ("field" if keyed else f"column {number}") + (f" {quote(name)}" if header else "")
        used_columns.note(field, name, number if len(parts) > 1 else position + 1, own)
    keys = {field: first[position] if keyed else position for field, position in positions.items()}
    return keys, source, int(header and not keyed)


def _join(sheet: Sheet, field: str, column: str) -> tuple[str, list[int]]:
    """Give a table a further column, in which several (`title+body`, or `2+3`) stand one after the other.

    Out: the new column, by its number or by its key, and the places of its parts; the column as it was and [] where one is
    called so. Raises DataError where a part is not there.
    """
    first = sheet.keys or list(map(str, sheet.rows[0][1]))
    if column in first:
        return column, []
    at = []
    for part in map(str.strip, column.split("+")):
        alike = [i for i, name in enumerate(first) if name == part] or [
            i for i, n in enumerate(first) if fold(n) == fold(part)
        ]
        number = _number(part) or 0
        if not alike and not 1 <= number <= len(first):
            raise DataError(
                f"{sheet.file}, line {sheet.rows[0][0]}: expected a column {quote(part)}, a part of --columns {field}={column}, "
                f"received {', '.join(map(quote, first[:12]))}. Change it, or give a number from 1"
            )
        at.append(alike[0] if alike else number - 1)
    for _, cells in sheet.rows:
        if isinstance(cells, dict):
            cells[column] = " ".join(filter(None, (str(cells.get(first[i]) or "").strip() for i in at)))
        elif len(cells) == len(first):
            cells.append(" ".join(filter(None, (str(cells[i]) for i in at))))
    if sheet.keys is not None:
        sheet.keys.append(column)
        return column, at
    return str(len(first) + 1), at


def _number(column: str | int) -> int | None:
    return int(column) if isinstance(column, int) or re.fullmatch(r"[0-9]{1,6}", column) else None


def _position(column: str | int, width: int, where: str) -> int:
    number = _number(column) or 0
    if not 1 <= number <= width:
        raise DataError(f"{where}: expected a column from 1 to {width}, received {number}. Change --columns")
    return number - 1


def _match(
    first: Sequence[str],
    wanted: Mapping[str, Sequence[str]],
    named: Mapping[str, str],
    where: str,
    words: Collection[str] = (),
) -> dict[str, int]:
    """The positions of fields in a header: columns asked for by name must be there, others may."""
    folded = [fold(name) for name in first]
    last = [fold(name.rpartition(".")[2]) for name in first]  # translation.en is found as en
    parts = [set(re.findall(r"[^\W_]+", name.casefold())) for name in first]
    found: dict[str, int] = {}
    for field, aliases in wanted.items():
        for name in [named[field]] if field in named else aliases:
            exact = [at for at, other in enumerate(first) if other == name]
            hits = exact or [at for at, other in enumerate(folded) if other == fold(name)]
            hits = hits or [at for at, other in enumerate(last) if other == fold(name)]
            hits = hits or [at for at, other in enumerate(folded) if other == f"{fold(name)}s"]  # texts, labels
            if not hits and name in words:
                hits = [at for at, among in enumerate(parts) if name.casefold() in among]
                hits = hits if len(hits) == 1 else []
            hits = [at for at in hits if at not in found.values()]
            if hits:
                found[field] = hits[0]
                break
        if field in named and field not in found:
            raise DataError(
                f"{where}: expected a column named {quote(named[field])}, received {', '.join(map(quote, first[:12]))}. "
                f"Change --columns {field}=..., or give a number from 1"
            )
    return found


def _is_header(
    first: Sequence[str], body: Sequence[Sequence[str]], found: Mapping[str, int], required: Sequence[str]
) -> bool:
    """Whether a first row holds names: the wanted ones, or names above columns of another kind."""
    if all(field in found for field in required):
        return True
    names = [
        name for name in first if name
    ]  # data frames leave that of the row numbers empty, spreadsheets the last ones
    if not names or len(set(names)) < len(names):
        return False
    if is_numbered(names) or stands_apart([first, *body]):
        return True
    if any(map(is_number, names)):  # 0, 1, 2 or years may be names too
        return first_is_header([first, *body])
    if not all(map(is_name, names)):
        return False
    for at, cell in enumerate(first):
        if not cell:
            continue
        column = [cells[at] for cells in body if len(cells) > at]
        if cell in column:  # a name does not come back as a value, as a label on the first row would
            return False
    return bool(found) or any(
        _another_kind([cells[at] for cells in body if len(cells) > at]) for at in range(len(first))
    )


def _another_kind(column: Sequence[str]) -> bool:
    """Whether a column is of numbers, or of a few values that come back again and again: not of names or texts."""
    if len(column) < 2:  # one row: a name above a number
        return len(column) == 1 and is_number(column[0])
    numbers = sum(map(is_number, column))
    return numbers > 0.9 * len(column) or len(column) >= 20 and len(set(column)) <= len(column) // 5
