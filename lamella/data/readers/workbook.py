"""Spreadsheets (.xlsx) that get new columns: the one sheet is edited, every other file in the workbook keeps its bytes.

    table = open_table(Path("prices.xlsx"), {"text": True})
    raw = with_columns(Path("prices.xlsx"), table, [{"translation": "Pomme"}, None])

Cells, formulas, styles and other sheets stay as they are. A new cell looks like the last one of its row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lamella.data.documents.xml_text import Token, escape, tokens
from lamella.data.documents.zips import Archive
from lamella.data.readers.answer_table import Answer, AnswerTable
from lamella.data.readers.packed import column_number, first_sheet
from lamella.data.readers.table_text import json_text
from lamella.data.text.encoding import StrPath, read_bytes, show_path
from lamella.errors import DataError

_ATTRIBUTE = r"\s{}\s*=\s*(?:\"[^\"]*\"|'[^']*')"


def with_columns(path: StrPath, table: AnswerTable, answers: Sequence[Answer]) -> bytes:
    """The workbook that a table was read from, with the answers to its rows behind the last column of its sheet.

    Raises DataError where the file is damaged, or has changed meanwhile.
    """
    name = show_path(path)
    member, rows = first_sheet(path)
    records = _records(table, answers)
    if len(rows) != len(records):
        raise DataError(f"{name}: expected {len(records):,} rows as before, received {len(rows):,}. Try again")
    archive = Archive(read_bytes(path), name, ".xlsx")
    try:
        text = archive.read(member).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} ({member}): expected UTF-8, received other bytes. Save it again") from error
    pieces = list(tokens(text))
    new = {place: record for (place, _), record in zip(rows, records, strict=True)}
    width = max([*(len(values) for _, values in rows), *_merged(pieces)])
    return archive.replaced({member: _edited(pieces, new, width).encode("utf-8", "replace")})


def _records(table: AnswerTable, answers: Sequence[Answer]) -> list[list[Any]]:
    """What the new cells hold, for each record of the table, its header among them: texts, numbers, None for none."""
    by_line = {row.line: answer or {} for row, answer in zip(table.rows, answers, strict=True)}
    names = table.new_names(answers)
    head = table.sheet.above if table.header else -1
    lines = [line for line, _, _ in table.sheet.spans]
    return [
        list(names.values()) if at == head else [_plain(by_line.get(line, {}).get(name)) for name in names]
        for at, line in enumerate(lines)
    ]


def _plain(value: Any) -> Any:
    """A value that a cell can hold; what is no text or number as JSON."""
    plain = value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))
    return value if plain else json_text(value)


def _merged(pieces: Sequence[Token]) -> list[int]:
    """The last column of each group of merged cells."""
    ends = (one.attribute("ref").rpartition(":")[2] for one in pieces if _local(one) == "mergeCell")
    return [column_number(end) for end in ends]


def _local(token: Token) -> str:
    return token.name.rpartition(":")[2]


def _edited(pieces: Sequence[Token], new: Mapping[int, Sequence[Any]], width: int) -> str:
    """The sheet with cells at the end of its rows. new: by the number of the row among all of the sheet, from 0."""
    out: list[str] = []
    place, number, style = -1, 0, ""
    wider = max(map(len, new.values()), default=0)
    for token in pieces:
        local = _local(token)
        raw = token.raw
        if local == "row" and token.kind in ("open", "void"):
            place, style = place + 1, ""
            said = token.attribute("r")
            number = int(said) if said.isdigit() else number + 1
            raw = re.sub(_ATTRIBUTE.format("spans"), "", raw) if new.get(place) else raw
        elif local == "c" and token.kind in ("open", "void"):
            style = token.attribute("s")
        elif local == "row" and token.kind == "close":
            prefix = token.name[: -len(local)]
            cells = enumerate(new.get(place, ()), start=width + 1)
            out += [_cell(prefix, f"{_letters(at)}{number}", style, value) for at, value in cells if value is not None]
        elif local == "dimension":
            first, _, last = token.attribute("ref").partition(":")
            rows = re.sub(r"\D", "", last or first)
            raw = re.sub(_ATTRIBUTE.format("ref"), f' ref="{first}:{_letters(width + wider)}{rows}"', raw)
        out.append(raw)
    return "".join(out)


def _cell(prefix: str, place: str, style: str, value: Any) -> str:
    look = f' s="{style}"' if style.isdigit() else ""
    if isinstance(value, (int, float)):
        return f'<{prefix}c r="{place}"{look}><{prefix}v>{value}</{prefix}v></{prefix}c>'
    held = f'<{prefix}t xml:space="preserve">{escape(str(value))}</{prefix}t>'
    return f'<{prefix}c r="{place}"{look} t="inlineStr"><{prefix}is>{held}</{prefix}is></{prefix}c>'


def _letters(column: int) -> str:
    """The name of a column, counted from 1.

    >>> _letters(1), _letters(28)
    ('A', 'AB')
    """
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
