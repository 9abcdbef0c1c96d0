"""The cells of a table of series as a grid: names of columns, and rows of texts that are all as wide as those."""

from __future__ import annotations

from typing import Any

from lamella.data.readers.bad_rows import BadRow
from lamella.data.readers.headers import column_names, first_is_header, is_name
from lamella.data.readers.records import Sheet, common_width, refuse_wide
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
