"""Read only some rows of tables: those with one value in a column, whatever reader reads them, and files in their own place.

values_of(["reviews.csv"], "country")            {"de": 120, "fr": 80}
with rows_where("country", "de"):
    examples, lines = task.read(["reviews.csv"])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lamella.errors import UsageError

EMPTY = "(empty)"  # the name of the rows without a value
Rows = list[tuple[int, Any]]

_only: ContextVar[tuple[str, str, list[str]] | None] = ContextVar("only", default=None)


@contextmanager
def rows_where(column: str, value: str) -> Iterator[list[str]]:
    """A context in which tables are read as if they had only the rows with this value in a column.

    The list gets the tables that are read so: none where a reader looks at no table at all, such as one of folders.
    """
    read: list[str] = []
    token = _only.set((column, value, read))
    try:
        yield read
    finally:
        _only.reset(token)


def is_filtered() -> bool:
    """Whether only some rows of tables are read now."""
    return _only.get() is not None


def filtered(rows: Rows, keys: Sequence[str] | None, file: str) -> Rows:
    """The rows that are asked for, and the header where it is a row; all of them outside of `rows_where`."""
    only = _only.get()
    if only is None or not rows:
        return rows
    column, value, read = only
    read.append(file)
    at = place_of(column, rows, keys, file)
    head = [] if keys is not None else rows[:1]
    return head + [(line, cells) for line, cells in rows[len(head) :] if cell_of(cells, at) == value]


def place_of(column: str, rows: Rows, keys: Sequence[str] | None, file: str) -> Any:
    """Where in a row's cells a column stands, by its name; UsageError where there is none of this name, or two."""
    names = list(keys) if keys is not None else [str(cell).strip() for cell in rows[0][1]]
    hits = [i for i, name in enumerate(names) if name == column]
    hits = hits or [i for i, name in enumerate(names) if name.casefold() == column.casefold()]
    if len(hits) != 1:
        raise UsageError(
            f"--group {column[:60]}: expected the name of one column of {file}, one of {', '.join(names[:20])}."
        )
    return names[hits[0]] if keys is not None else hits[0]


def cell_of(cells: Any, at: Any) -> str:
    """A cell as the name of a group.

    >>> cell_of(["a", " b "], 1), cell_of({"x": None}, "x"), cell_of(["a"], 1)
    ('b', '(empty)', '(empty)')
    """
    value = cells.get(at) if isinstance(cells, dict) else cells[at] if at < len(cells) else None
    return (str(value).strip() if value is not None else "") or EMPTY
