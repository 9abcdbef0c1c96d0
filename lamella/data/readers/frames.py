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
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamella.errors import DataError, LamellaError, UsageError
from lamella.storage import temporary

KIND = "data"  # of a folder that holds tables while they are read
MASKS = {"mask", "masks", "label", "labels", "segmentation", "annotation"}  # columns whose pictures hold labels
SOUNDS = ("audio", "sound", "recording", "wav", "speech")  # columns in which an array is samples
AS_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # how Pillow holds pictures that a PNG can hold as well
SEVERAL = ' Several columns are a dict, such as {"text": [...], "label": [...]}.'
Rows = list[dict[str, Any]]


def is_path(value: Any) -> bool:
    """Whether data are the path of a file, or the word sample, and nothing in memory."""
    return isinstance(value, str | os.PathLike)


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame of pandas, polars or a library like them."""
    if is_lazy(value):
        return True
    return hasattr(value, "columns") and (hasattr(value, "to_dicts") or hasattr(value, "to_dict"))


def is_lazy(value: Any) -> bool:
    """Whether a value is a frame of polars that is not computed yet."""
    return hasattr(value, "collect_schema") and hasattr(value, "collect")


def rows_of(value: Any) -> Rows:
    """The rows of a table in memory, each a dict of its columns, values as JSON has them.

    In: a frame; a Series of pandas; an array (N,) or (N, columns), also of a structured type, or pictures (N, H, W) or
    (N, H, W, 3); a list of dicts; a dict of columns. Cells may be pictures of Pillow or arrays of their points, and sounds: arrays
    of samples in a column named audio, or {"array", "sampling_rate"}. Raises UsageError for anything else, and for columns of
    different lengths or of one name.

    >>> rows_of({"a": [1, 2], "b": ["x", None]})
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': None}]
    """
    rows: Any
    if is_lazy(value):
        value = value.collect()
    if hasattr(value, "to_frame") and not is_frame(value):  # a Series, which has a name
        value = value.to_frame(value.name or "value")
    if hasattr(value, "to_dicts"):
        rows = value.to_dicts()
    elif is_frame(value):
        names = [column_name(name) for name in value.columns]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise UsageError(f"data: expected columns of different names, received several named {twice[0][:60]!r}.")
        rows = _with_index(value).to_dict("records")
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
            f"{type(value).__name__}.{SEVERAL if isinstance(value, Sequence) and len(value) else ''}"
        )
    if not rows:
        raise UsageError("data: expected rows, received a table without any.")
    return [{column_name(name): plain(cell, column_name(name)) for name, cell in row.items()} for row in rows]


def _with_index(frame: Any) -> Any:
    """A frame of pandas with its index as columns: times of a series stand there, as a rule; numbers say nothing."""
    index = getattr(frame, "index", None)
    if index is None or type(index).__name__ == "RangeIndex" or np.issubdtype(np.asarray(index).dtype, np.integer):
        return frame
    return frame.reset_index(names=index.name or "time") if index.nlevels == 1 else frame.reset_index()


def column_name(name: Any) -> str:
    """The name of a column; one of several levels has a space between them.

    >>> column_name("a"), column_name(("x", "a")), column_name(3)
    ('a', 'x a', '3')
    """
    return " ".join(map(str, name)).strip() if isinstance(name, tuple) else str(name)


def _of_columns(columns: Mapping[Any, Any]) -> Rows:
    lists = {str(name): list(column) for name, column in columns.items() if _is_column(column)}
    if len(lists) < len(columns) or len({len(column) for column in lists.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(column)}" for name, column in lists.items())
        raise UsageError(f"data: expected columns of one length in a dict, received {lengths or 'single values'}.")
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _is_column(column: Any) -> bool:
    """Whether it holds a value for each row: a text is one value."""
    return hasattr(column, "__iter__") and not isinstance(column, str | bytes | Mapping)


def _of_array(array: Any) -> Rows:
    if array.dtype.names:
        return [dict(zip(array.dtype.names, row, strict=True)) for row in array.tolist()]
    if array.ndim == 1:
        return [{"value": value} for value in array.tolist()]
    if array.ndim == 2:
        return [{f"column {i}": value for i, value in enumerate(row, 1)} for row in array.tolist()]
    if array.ndim in (3, 4) and not (array.ndim == 3 and array.shape[2] in (1, 3, 4)):
        return [{"image": picture} for picture in array]
    raise UsageError(
        f"data: expected an array of one or two dimensions, or pictures (N, H, W) or (N, H, W, 3), received one of shape "
        f"{array.shape}."
    )


def plain(cell: Any, column: str = "") -> Any:
    """A cell as JSON has it: times as text, pictures and sounds as `data:` URIs, what is missing as None.

    >>> plain(float("nan")), plain(datetime.date(2020, 1, 2)), plain(np.float32(1.5))
    (None, '2020-01-02', 1.5)
    """
    if isinstance(cell, np.generic) and not isinstance(cell, np.datetime64 | np.timedelta64):
        cell = cell.item()
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, datetime.datetime | datetime.date):
        return None if str(cell) == "NaT" else cell.isoformat(" ") if isinstance(cell, datetime.datetime) else str(cell)
    if isinstance(cell, datetime.timedelta):  # a span, in seconds; pandas has one that is missing
        return None if str(cell) == "NaT" else cell.total_seconds()
    if isinstance(cell, np.timedelta64):
        return None if np.isnat(cell) else float(cell / np.timedelta64(1, "s"))
    if isinstance(cell, np.datetime64):
        return None if np.isnat(cell) else str(cell).replace("T", " ")
    if hasattr(cell, "save") and hasattr(cell, "mode"):  # a picture of Pillow's
        if cell.mode in ("I", "F"):
            return _picture(np.asarray(cell))
        return _uri(cell if cell.mode in AS_PNG else cell.convert("RGB"), "png")
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "biuf" and cell.ndim in (2, 3):
        return _picture(_whole(cell) if column.lower() in MASKS else cell)
    if _is_sound(cell, column):
        return _sound(cell)
    if isinstance(cell, list | tuple | np.ndarray):
        parts = [plain(one) for one in cell]
        # Such as boxes: a table on disk has them as a text too.
        return json.dumps(parts) if parts and all(isinstance(part, dict) for part in parts) else parts
    if isinstance(cell, Mapping):
        return {str(name): plain(one) for name, one in cell.items()}
    if not any(
        name in vars(kind) for kind in type(cell).__mro__[:-1] for name in ("__str__", "__repr__")
    ):  # says nothing
        raise UsageError(
            f"data: expected texts, numbers, times, pictures or sounds in cells, received {type(cell).__name__}"
            + (f" in {column[:60]!r}." if column else ".")
        )
    return None if type(cell).__name__ in ("NAType", "NaTType") else str(cell)


def _whole(points: Any) -> Any:
    """A mask (H, W) whose labels came as floats, 2.0, as whole numbers; DataError for shares of one. Others as they are."""
    if points.dtype.kind != "f" or points.ndim != 2 or not points.size:
        return points
    odd = points[~np.isfinite(points) | (points != np.rint(points))]
    if odd.size:
        raise DataError(
            f"mask: expected whole numbers, one a label, received {odd.flat[0]:g}. Give the labels, not how likely they are."
        )
    return points.astype(np.int64)


def _picture(points: Any) -> str:
    """Points (H, W), (H, W, C) or (C, H, W) -> a PNG that keeps whole numbers as they are, since masks are such.

    Floats are from 0 to 1; of other ones, and of numbers below 0, it is a TIFF. Raises DataError for what is no picture.
    """
    from lamella.data.media.images import open_picture  # imported late: most tables hold none

    if points.dtype.kind == "b":
        points = points.astype(np.uint8) * 255
    elif points.dtype.kind in "iu" and points.size and points.min() >= 0 and points.max() <= 255:
        points = points.astype(np.uint8)
    elif points.dtype.kind in "iu" and points.ndim == 2 and points.size and 0 <= points.min() <= points.max() < 1 << 16:
        from PIL import Image

        return str(plain(Image.fromarray(points.astype(np.uint16))))
    picture = open_picture(points, white=0)
    # Of a wider range than a PNG holds: what is black and white in it is of the data set.
    return _uri(picture, "tiff") if picture.mode in ("I", "F") else str(plain(picture))


def _uri(picture: Any, form: str) -> str:
    out = io.BytesIO()
    picture.save(out, form)
    return f"data:image/{form};base64,{base64.b64encode(out.getvalue()).decode()}"


def _is_sound(cell: Any, column: str) -> bool:
    """Samples: as the audio column of a data set of Hugging Face has them, with their rate, or alone in a column of that name."""
    if isinstance(cell, Mapping):
        return {"array", "sampling_rate"} <= set(cell)
    samples = isinstance(cell, np.ndarray) and cell.ndim == 1 and cell.dtype.kind in "fi"
    return samples and column.lower() in SOUNDS or type(cell).__name__ == "Sound"


def _sound(cell: Any) -> str:
    from lamella.data.media.sounds import Sound, read_sound
    from lamella.data.media.wave import wave_uri

    if isinstance(cell, Mapping):
        cell = Sound(read_sound(np.asarray(cell["array"])).samples, int(cell["sampling_rate"]))
    sound = read_sound(cell)
    return wave_uri(sound.samples, sound.rate)


@contextmanager
def as_files(data: Sequence[Any]) -> Iterator[list[str]]:
    """Paths of files for all data: those that are paths already, and temporary ones for tables in memory."""
    if all(map(is_path, data)):
        yield [os.fspath(one) for one in data]
        return
    with temporary.folder(KIND) as folder:
        paths = []
        for number, one in enumerate(data, 1):
            if is_path(one):
                paths.append(os.fspath(one))
                continue
            path = folder / f"table-{number}.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(one)), encoding="utf-8")
            paths.append(str(path))
        try:
            yield paths
        except LamellaError as error:  # nobody knows the files that their tables were for a moment
            error.args = (without_places(str(error)),)
            error.details = [without_places(line) for line in error.details]
            raise


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
    return re.sub(rf"[^\s\"']*{temporary.PREFIX}{KIND}-[^\s/\\]*[/\\]table-(\d+)\.jsonl", r"table \1 in memory", line)


def with_columns(frame: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """A frame with the columns of rows that it has not, or, where there are other rows, a frame of these alone."""
    frame = frame.collect() if is_lazy(frame) else frame
    given = frame if hasattr(frame, "hstack") else _with_index(frame)
    names = {column_name(name) for name in given.columns}
    if len(rows) != len(frame) or not names <= set(rows[0]):  # as values ahead, of which there may be as many
        return type(frame)(list(rows))
    new = {name: [row.get(name) for row in rows] for name in rows[0] if name not in names}
    if hasattr(frame, "hstack"):
        return frame.hstack(type(frame)(new))
    return frame.assign(**new)
