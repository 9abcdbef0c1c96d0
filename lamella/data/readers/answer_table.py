"""A table that gets answers as new columns, and is otherwise written back as it came.

    table = open_table(Path("reviews.csv"), {"text": "text"})
    for row in table.rows: ...                 row.fields to answer, or row.problem that says why there are none
    raw = table.render([{"label": "good"}, None])

Each row keeps its line, so that an answer can only come to stand in its own row. Every row stays, in its order, with its
quotation marks, spaces and line end; so do blank lines, delimiter, encoding and byte order mark. A row that could not be
read gets empty answers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lamella.data.readers.bad_rows import BadRow
from lamella.data.readers.headers import is_name, is_number
from lamella.data.readers.records import Sheet, common_width, fold, read_sheet
from lamella.data.readers.suffixes import TABLE_SUFFIXES
from lamella.data.readers.table_text import (
    Delimited,
    free_names,
    in_encoding,
    insert_columns,
    insert_keys,
    json_text,
    unescaped,
    unlike,
)
from lamella.data.readers.tables import Row, find_columns, pick
from lamella.data.text.encoding import quote
from lamella.errors import DataError, UsageError

Answer = Mapping[str, Any] | None
"""The new columns of a row; None where it has no answer."""


class TableRow(msgspec.Struct):
    """A row of the table, its header left out."""

    line: int
    fields: dict[str, Any] | None = None
    """What the task asks for; a text is stripped, and may be empty."""
    problem: str = ""
    """Why there are no fields: what was expected and what came."""


class AnswerTable:
    """An open table: its rows, and `render` for what comes of them."""

    def __init__(self, sheet: Sheet, rows: list[TableRow], header: bool, width: int, notes: list[str]) -> None:
        self.sheet, self.rows, self.notes = sheet, rows, notes
        self.header, self._width = header, width

    @property
    def is_json(self) -> bool:
        return self.sheet.format.startswith("JSON")

    def _taken(self) -> set[str]:
        """The names of its columns."""
        if not self.is_json:
            return set(map(str, self.sheet.rows[0][1])) if self.header else set()
        names = {str(key) for _, cells in self.sheet.rows if isinstance(cells, dict) for key in cells}
        return names | {name.partition(".")[0] for name in names}  # {"a": {"b": 1}} was flattened to a.b

    def new_names(self, answers: Sequence[Answer]) -> dict[str, str]:
        """The names of the new columns, by what the answers call them."""
        return free_names(dict.fromkeys(k for a in answers if a for k in a), self._taken())

    def render(self, answers: Sequence[Answer], suffix: str = "") -> bytes:
        """The table with the answers: in its own format, or in that of another suffix.

        In: an answer for each of `rows`, in order. A new column whose name is taken already is called predicted_NAME.
        """
        by_line = {row.line: answer for row, answer in zip(self.rows, answers, strict=True)}
        names = self.new_names(answers)
        own = "JSON" if self.sheet.format == "JSON array" else self.sheet.format
        format = TABLE_SUFFIXES.get(suffix, own)
        if self.sheet.columns and format in (own, "JSON"):
            every = [by_line.get(line) or {} for line, _ in self.sheet.rows]
            return in_encoding(insert_columns(self.sheet.columns, every, names), self.sheet.encoding, True)[0]
        if self.is_json:
            pieces = self._json_pieces(by_line, names)
            if format == own:
                return self._spliced(pieces)
            if format == "JSONL":
                return _json_file(list(map(_on_one_line, pieces)), format)
            if format == "JSON":  # a line that is no JSON becomes a text
                return _json_file([p if _is_value(p) else json_text(p) for p in pieces], format)
            return self._json_as_text(by_line, names, _delimiter_of(suffix)).encode()
        if format == own:
            return self._spliced(self._text_pieces(by_line, names))
        if format in ("JSON", "JSONL"):
            return _json_file([json_text(row) for row in self._objects(by_line, names)], format)
        return self._text_as_text(by_line, names, _delimiter_of(suffix)).encode()

    # ---- in its own format

    def _spliced(self, pieces: Sequence[str]) -> bytes:
        """The text with each record replaced, and what stands between them as it was."""
        text, at, out = self.sheet.text, 0, []
        for (_, start, end), piece in zip(self.sheet.spans, pieces, strict=True):
            out += [text[at:start], piece]
            at = end
        raw, note = in_encoding("".join([*out, text[at:]]), self.sheet.encoding, self.is_json)
        if note:
            self.notes.append(f"{self.sheet.file}: {note}")
        return raw

    def _text_pieces(self, by_line: Mapping[int, Answer], names: Mapping[str, str]) -> list[str]:
        sheet, format = self.sheet, Delimited.of(self.sheet)
        cells_at = {line: list(cells) for line, cells in sheet.rows}
        pieces = []
        for number, (line, start, end) in enumerate(sheet.spans):
            raw = sheet.text[start:end]
            if number < sheet.above:
                pieces.append(raw)
                continue
            cells = cells_at.get(line)
            given = [""] * (0 if self.header and number == sheet.above else len(names))
            if self.header and number == sheet.above:
                given = list(names.values())
            elif answer := by_line.get(line):
                given = [_cell(answer[name]) if name in answer else "" for name in names]
            if cells is None:  # a stray quotation mark would swallow the answers of the next rows
                raw = format.row(raw.split(format.delimiter))
                cells = raw.split(format.delimiter)
            elif len(cells) > self._width and not any(
                cells[self._width :]
            ):  # else the answers stand a column too far right
                raw = format.row([str(cell) for cell in cells[: self._width]])
            padding = [""] * (self._width - len(cells))
            pieces.append(format.delimiter.join([raw, *padding, *map(format.field, given)]))
        return pieces

    def _json_pieces(self, by_line: Mapping[int, Answer], names: Mapping[str, str]) -> list[str]:
        pieces = []
        for line, start, end in self.sheet.spans:
            raw = self.sheet.text[start:end]
            answer = by_line.get(line) or {}
            pieces.append(insert_keys(raw, {new: answer.get(name) for name, new in names.items()}))
        return pieces

    # ---- in another

    def _objects(self, by_line: Mapping[int, Answer], names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows of delimited text as objects."""
        columns = self._column_names()
        found = []
        for line, cells in self._records():
            width = max(len(cells), len(columns))
            columns += [f"column {i}" for i in range(len(columns) + 1, width + 1)]
            row: dict[str, Any] = dict(zip(columns, cells, strict=False))
            answer = by_line.get(line) or {}
            found.append({**row, **{new: answer.get(name) for name, new in names.items()}})
        return found

    def _column_names(self) -> list[str]:
        """Different names for all columns."""
        if not self.header:
            return [f"column {i}" for i in range(1, self._width + 1)]
        names: list[str] = []
        for name in map(str, self.sheet.rows[0][1]):
            names.append(unlike(name or f"column {len(names) + 1}", names))
        return names

    def _records(self) -> list[tuple[int, list[str]]]:
        """(line, cells) of all records but the header, cut at delimiters where one could not be read."""
        cells_at = dict(self.sheet.rows)
        found = []
        for line, start, end in self.sheet.spans[self.sheet.above + int(self.header) :]:
            cells = cells_at.get(line)
            raw = self.sheet.text[start:end].split(self.sheet.delimiter or ",")
            found.append((line, list(map(str, raw if cells is None else cells))))
        return found

    def _text_as_text(self, by_line: Mapping[int, Answer], names: Mapping[str, str], delimiter: str) -> str:
        format = Delimited(delimiter)
        rows = [[*map(str, self.sheet.rows[0][1]), *names.values()]] if self.header else []
        for line, cells in self._records():
            answer = by_line.get(line) or {}
            padding = [""] * (self._width - len(cells))
            rows.append([*cells, *padding, *(_cell(answer[n]) if n in answer else "" for n in names)])
        return "".join(format.row(row) + "\n" for row in rows)

    def _json_as_text(self, by_line: Mapping[int, Answer], names: Mapping[str, str], delimiter: str) -> str:
        """Objects as rows, a column for each key; a line that is no object stands in the first column."""
        format = Delimited(delimiter)
        objects: list[tuple[int, dict[str, Any]]] = []
        columns: dict[str, None] = {}
        for line, start, end in self.sheet.spans:
            value = unescaped(self.sheet.text[start:end])
            if isinstance(value, list):
                value = {f"column {i}": cell for i, cell in enumerate(value, start=1)}
            objects.append((line, value if isinstance(value, dict) else {"": self.sheet.text[start:end]}))
            columns.update(dict.fromkeys(value) if isinstance(value, dict) else {})
        columns = columns or {"": None}
        first = next(iter(columns))
        rows = [[*columns, *names.values()]]
        for line, row in objects:
            answer = by_line.get(line) or {}
            cells = [_cell(row[c]) if c in row else "" for c in columns]
            cells[0] = cells[0] if "" not in row or first in row else _cell(row[""])
            rows.append([*cells, *(_cell(answer[n]) if n in answer else "" for n in names)])
        return "".join(format.row(row) + "\n" for row in rows)


def open_table(
    path: Path,
    fields: Mapping[str, bool],
    optional: Collection[str] = (),
    columns: Mapping[str, str] | None = None,
    own: Sequence[Mapping[str, Any]] | None = None,
) -> AnswerTable:
    """Read a table whose rows are to be answered.

    In: the path; the fields of an example, and whether each is a text (others may be JSON lists); fields that a row may
    have besides; `columns`: field -> name or number of its column; `own`: the rows as the task itself reads them, where it
    does, each with a `tables.Row` among its values, which knows its line.
    Raises DataError where there is no row, or no column for a field, and UsageError for an unknown field in `columns`.
    """
    if unknown := set(columns or ()) - {*fields, *optional}:
        raise UsageError(f"columns: expected {', '.join([*fields, *optional])}, received {', '.join(sorted(unknown))}")
    if own is not None:
        return _as_read(read_sheet(path, 1, (), keep=True), own)
    names = {fold(name) for name in (*fields, *(columns or {}).values())}
    sheet = read_sheet(path, len(fields), names, keep=True)
    if not sheet.rows:
        what = f"{len(sheet.bad):,} rows that cannot be read, the first: {sheet.bad[0]}" if sheet.bad else "none"
        raise DataError(f"{sheet.file}: expected rows, received {what}", list(map(str, sheet.bad[:10])))
    first = {fold(str(name)) for name in sheet.keys or sheet.rows[0][1]}
    also = [name for name in optional if name in (columns or {}) or fold(name) in first]
    wanted = {name: (name,) for name in (*fields, *also)}
    only = columns or {}
    if not only and len(fields) == 1:
        only = _only_column(sheet, next(iter(fields)))
    keys, source, body = find_columns(sheet, wanted, only, list(fields), partial(_texts, fields), in_order=False)
    # As `read_table` has it: a header says how wide a table is, else most of its rows.
    width = len(source.header) if source.header and not sheet.keys else common_width(sheet.rows)
    nested = [name for name in keys if not fields.get(name, False)]
    rows = [TableRow(bad.line, problem=_problem(bad)) for bad in sheet.bad]
    for line, cells in sheet.rows[body:]:
        found, problem = pick(cells, keys, width, also, allow_empty=True, nested=nested)
        if problem:
            rows.append(TableRow(line, problem=f"expected {problem[0]}, received {problem[1]}"))
        else:
            rows.append(TableRow(line, {k: _native(v) for k, v in found.items() if k not in also or v != ""}))
    rows.sort(key=lambda row: row.line)
    notes = list(sheet.notes) if "damaged" not in sheet.encoding else [*sheet.notes, f"{sheet.file}: {sheet.encoding}"]
    guessed = [
        field
        for field, key in keys.items()
        if field not in only and (not source.header or fold(str(key)) != fold(field))
    ]
    if source.header and not sheet.keys:
        guessed = [f for f in guessed if fold(source.header[int(keys[f])]) != fold(f)]
    if guessed and width > 1:
        used = ", ".join(f"{field} = {source.columns[field]}" for field in guessed)
        head = "" if source.header else "no header; "
        notes.append(f"{sheet.file}: {head}taken so: {used}. Choose with --columns")
    return AnswerTable(sheet, rows, bool(body), width, notes)


def table_like(path: Path, rows: Sequence[Mapping[str, Any]], decimal: str = ".") -> bytes:
    """Rows as a table that is written as the one at `path` is: format, separator, marks, line ends, encoding.

    decimal: the mark before the decimals of numbers.
    """
    sheet = read_sheet(path, 1, (), keep=True)
    if sheet.format.startswith("JSON"):
        return _json_file([json_text(row) for row in rows], "JSON" if sheet.format == "JSON array" else "JSONL")
    written, end = Delimited.of(sheet), "\r\n" if "\r\n" in sheet.text else "\n" if "\n" in sheet.text else "\r"

    def cell(value: Any) -> str:
        text = _cell(value)
        return text.replace(".", decimal) if isinstance(value, float) else text

    lines = [written.row(list(rows[0])), *(written.row([cell(value) for value in row.values()]) for row in rows)]
    return in_encoding("".join(line + end for line in lines), sheet.encoding, False)[0]


def _only_column(sheet: Sheet, field: str) -> dict[str, str]:
    """The one column of a table, by its name where the first row is one: a short name above texts that are none."""
    first = sheet.keys or [str(cell) for cell in sheet.rows[0][1]]
    if len(first) != 1 or fold(first[0]) == fold(field):
        return {}
    if sheet.keys:
        return {field: first[0]}
    body = [str(cells[0]) for _, cells in sheet.rows[1:300] if isinstance(cells, list) and cells and cells[0]]
    longer = sum(" " in cell or not is_name(cell) for cell in body)
    is_header = is_name(first[0]) and " " not in first[0] and first[0] not in body and longer > 0.6 * len(body)
    if is_header and body:
        sheet.notes.append(f"{sheet.file}: {quote(first[0])} is taken as the name of the one column")
        return {field: first[0]}
    return {}


def _texts(fields: Mapping[str, bool], rows: list[list[str]]) -> dict[str, int] | None:
    """The column of the one field, a text, in a table without names: the only one that does not hold numbers."""
    if len(fields) != 1 or not all(fields.values()) or not rows:
        return None
    columns = list(zip(*rows, strict=True))
    texts = [at for at, cells in enumerate(columns) if sum(map(is_number, cells)) < 0.5 * len(cells) and any(cells)]
    return {next(iter(fields)): texts[0]} if len(texts) == 1 else None


def new_table(name: str, values: Sequence[str], answers: Sequence[Answer], suffix: str = "") -> bytes:
    """A table of one column with the answers beside it: CSV, or what the suffix says."""
    names = free_names(dict.fromkeys(k for a in answers if a for k in a), {name})
    rows = [
        {name: v, **{new: (a or {}).get(n) for n, new in names.items()}} for v, a in zip(values, answers, strict=True)
    ]
    format = TABLE_SUFFIXES.get(suffix, "CSV")
    if format in ("JSON", "JSONL"):
        return _json_file([json_text(row) for row in rows], format)
    written = Delimited(_delimiter_of(suffix))
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "".join(written.row(row) + "\n" for row in table).encode(errors="backslashreplace")


def _as_read(sheet: Sheet, own: Sequence[Mapping[str, Any]]) -> AnswerTable:
    """A table whose rows the task has read; those that it has not are said to be unread."""
    by_line = {v.line: example for example in own for v in example.values() if isinstance(v, Row)}
    lines = [line for line, _, _ in sheet.spans[sheet.above :]]
    if not by_line and own and len(own) in (len(lines), len(lines) - 1):  # all of them, but for a header
        by_line = dict(zip(lines[len(lines) - len(own) :], own, strict=True))
    if not by_line or not set(by_line) <= set(lines):
        raise DataError(
            f"{sheet.file}: expected rows of the kind that the model knows, received none. Check the columns"
        )
    bad = {bad.line: _problem(bad) for bad in sheet.bad}
    cells_at, width = dict(sheet.rows), common_width(sheet.rows)
    header = not sheet.keys and lines[0] not in by_line and lines[0] not in bad and len(cells_at[lines[0]]) == width
    rows = []
    for line in lines[int(header) :]:
        example = by_line.get(line)
        problem = bad.get(line) or f"expected {width} plain values, received {len(cells_at.get(line, ()))}"
        rows.append(TableRow(line, None if example is None else dict(example), "" if example is not None else problem))
    return AnswerTable(sheet, rows, header, width, list(sheet.notes))


def _problem(bad: BadRow) -> str:
    return f"expected {bad.expected}, received {bad.received}"


def _native(value: Any) -> Any:
    """Numbers inside of JSON lists, which were read as they are written, as numbers.

    >>> _native(["1", "2.5", ["-1e3"]]), _native("1")
    ([1, 2.5, [-1000.0]], '1')
    """
    if isinstance(value, list):
        return [_number(item) if isinstance(item, str) else _native(item) for item in value]
    return {key: _native([item])[0] for key, item in value.items()} if isinstance(value, dict) else value


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _json_file(values: Sequence[str], format: str) -> bytes:
    """JSON values as an array, or a line each."""
    return ("[\n" + ",\n".join(values) + "\n]\n" if format == "JSON" else "".join(v + "\n" for v in values)).encode()


def _cell(value: Any) -> str:
    """A value as delimited text holds it: what is no text as JSON, nothing as an empty field."""
    return value if isinstance(value, str) else "" if value is None else json_text(value)


def _delimiter_of(suffix: str) -> str:
    return "\t" if TABLE_SUFFIXES.get(suffix) == "TSV" else ","


def _is_value(piece: str) -> bool:
    try:
        json.loads(piece)
    except (ValueError, RecursionError):
        return False
    return True


def _on_one_line(piece: str) -> str:
    """A JSON value without the line ends between its parts (in its strings they are escaped)."""
    return " ".join(part.strip() for part in piece.splitlines()) if "\n" in piece or "\r" in piece else piece
