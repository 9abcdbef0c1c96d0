"""Tables that are in memory -> files that the readers of tables read: data frames, arrays, lists of dicts, dicts of columns.

    with as_files([frame, "more.csv"]) as paths:       ["/tmp/.../table-1.jsonl", "more.csv"]
        examples, lines = task.read(paths)

A frame is read as the same table on disk would be: one set of rules for columns, numbers, dates and bad rows. pandas and
polars are not imported: whatever has their methods is a frame. Pictures in cells become `data:` URIs.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lamella.errors import UsageError

PREFIX = "lamella-data-"  # of a folder that holds tables while they are read
Rows = list[dict[str, Any]]


def is_path(value: Any) -> bool:
    """Whether data are the path of a file, or the word sample, and nothing in memory."""
    return isinstance(value, str | os.PathLike)


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame of pandas, polars or a library like them."""
    return hasattr(value, "columns") and (hasattr(value, "to_dicts") or hasattr(value, "to_dict"))


def rows_of(value: Any) -> Rows:
    """The rows of a table in memory, each a dict of its columns, values as JSON has them.

    In: a frame; a Series of pandas; an array (N,) or (N, columns), also of a structured type; a list of dicts; a dict of
    columns. Raises UsageError for anything else, and for columns of different lengths.

    >>> rows_of({"a": [1, 2], "b": ["x", None]})
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': None}]
    """
    rows: Any
    if hasattr(value, "to_frame") and not is_frame(value):  # a Series, which has a name
        value = value.to_frame(value.name or "value")
    if hasattr(value, "to_dicts"):
        rows = value.to_dicts()
    elif is_frame(value):
        index = getattr(value, "index", None)
        named = type(index).__name__ != "RangeIndex" and getattr(index, "nlevels", 1) >= 1
        # The times of a series stand in the index, as a rule; an index of numbers says nothing.
        if index is not None and named and not np.issubdtype(np.asarray(index).dtype, np.integer):
            value = (
                value.reset_index(names=index.name or "time")
                if getattr(index, "nlevels", 1) == 1
                else value.reset_index()
            )
        rows = value.to_dict("records")
    elif isinstance(value, Mapping):
        rows = _of_columns(value)
    elif hasattr(value, "__array__") and not isinstance(value, list | tuple):
        rows = _of_array(np.asarray(value))
    elif (
        isinstance(value, Sequence)
        and not isinstance(value, bytes | str)
        and all(isinstance(row, Mapping) for row in value)
    ):
        rows = value
    else:
        raise UsageError(
            f"data: expected the path of a file, a data frame, an array, a list of dicts or a dict of columns, received "
            f"{type(value).__name__}."
        )
    if not rows:
        raise UsageError("data: expected rows, received a table without any.")
    return [{str(name): plain(cell) for name, cell in row.items()} for row in rows]


def _of_columns(columns: Mapping[Any, Any]) -> Rows:
    lists = {str(name): list(column) for name, column in columns.items() if hasattr(column, "__iter__")}
    if len(lists) < len(columns) or len({len(column) for column in lists.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(column)}" for name, column in lists.items())
        raise UsageError(f"data: expected columns of one length in a dict, received {lengths or 'single values'}.")
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _of_array(array: Any) -> Rows:
    if array.dtype.names:
        return [dict(zip(array.dtype.names, row, strict=True)) for row in array.tolist()]
    if array.ndim == 1:
        return [{"value": value} for value in array.tolist()]
    if array.ndim == 2:
        return [{f"column {i}": value for i, value in enumerate(row, 1)} for row in array.tolist()]
    raise UsageError(f"data: expected an array of one or two dimensions, received one of shape {array.shape}.")


def plain(cell: Any) -> Any:
    """A cell as JSON has it: times as text, pictures as `data:` URIs, what is missing as None.

    >>> plain(float("nan")), plain(datetime.date(2020, 1, 2)), plain(np.float32(1.5))
    (None, '2020-01-02', 1.5)
    """
    if isinstance(cell, np.generic) and not isinstance(cell, np.datetime64):
        cell = cell.item()
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, datetime.datetime | datetime.date):
        return None if str(cell) == "NaT" else cell.isoformat(" ") if isinstance(cell, datetime.datetime) else str(cell)
    if isinstance(cell, np.datetime64):
        return None if np.isnat(cell) else str(cell).replace("T", " ")
    if hasattr(cell, "save") and hasattr(cell, "mode"):  # a picture of Pillow's
        out = io.BytesIO()
        cell.save(out, "PNG")
        return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    if isinstance(cell, np.ndarray) and cell.dtype == np.uint8 and cell.ndim in (2, 3):
        from PIL import Image

        return plain(Image.fromarray(cell))
    if isinstance(cell, list | tuple | np.ndarray):
        return [plain(one) for one in cell]
    if isinstance(cell, Mapping):
        return {str(name): plain(one) for name, one in cell.items()}
    return None if type(cell).__name__ in ("NAType", "NaTType") else str(cell)


@contextmanager
def as_files(data: Sequence[Any]) -> Iterator[list[str]]:
    """Paths of files for all data: those that are paths already, and temporary ones for tables in memory."""
    if all(map(is_path, data)):
        yield [os.fspath(one) for one in data]
        return
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        paths = []
        for number, one in enumerate(data, 1):
            if is_path(one):
                paths.append(os.fspath(one))
                continue
            path = Path(folder, f"table-{number}.jsonl")
            path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(one)), encoding="utf-8")
            paths.append(str(path))
        yield paths


def several(data: Any) -> list[Any]:
    """One path or table, or a list of them, as a list; a list of dicts is one table.

    >>> several("a.csv"), several(("a.csv", "b.csv")), several([{"a": 1}]), several(())
    (['a.csv'], ['a.csv', 'b.csv'], [[{'a': 1}]], [])
    """
    if isinstance(data, list | tuple) and not any(isinstance(one, Mapping) for one in data):
        return list(data)
    return [data]


def without_places(line: str) -> str:
    """A line about a table in memory without the temporary file that it was for a moment.

    >>> without_places("/tmp/lamella-data-x1_y/table-1.jsonl: JSONL, UTF-8")
    'table 1 in memory: JSONL, UTF-8'
    """
    return re.sub(rf"[^\s\"']*{PREFIX}[^\s/\\]*[/\\]table-(\d+)\.jsonl", r"table \1 in memory", line)


def with_columns(frame: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """A frame with the columns of rows that it has not, or, where there are other rows, a frame of these alone."""
    names = [str(name) for name in frame.columns]
    if len(rows) != len(frame):
        return type(frame)(list(rows))
    new = {name: [row.get(name) for row in rows] for name in rows[0] if name not in names}
    if hasattr(frame, "hstack"):
        return frame.hstack(type(frame)(new))
    return frame.assign(**new)
