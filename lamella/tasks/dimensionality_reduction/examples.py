"""Pictures, or rows of a table, as arrays and back: for tasks that take either.

values, lines = read(["digits/"])           paths of pictures; or rows, where it is a table of numbers and categories
kind = Pictures([1, 28, 28])                or Rows(columns)
array, known = kind.array(values[0])        what the net is given
kind.example(made)                          a data URI, or a row
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.media.depths import WHITE, White
from lamella.data.media.images import SUFFIXES, encode_png, fingerprint, read_image, shape_of, white_of
from lamella.data.readers import measures, typed_rows
from lamella.data.readers.image_folders import IMAGE_NAMES
from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import quote_all
from lamella.errors import DataError, UsageError

NAMES = ("example", *IMAGE_NAMES)  # of a table's column with pictures
SAMPLES = 64  # new examples that are decoded at once
STEPS = 9  # points of a line, ends included, and of each side of a plane
WALK = 2.5  # half the width of a plane, in standard deviations
LOOKED_AT = 100  # pictures that say which side and channels suit all
Array = NDArray[Any]


class Pictures:
    """Pictures of one shape [channels, side, side], bytes or, where `binary`, black and white."""

    def __init__(self, shape: Sequence[int], binary: bool = False, white: White = WHITE) -> None:
        self.shape, self.binary, self.white = tuple(shape), binary, white

    def array(self, value: Any) -> tuple[Array, Array]:
        """A picture -> its points (C, S, S) of one byte, and which are known: all, so none is named."""
        x = read_image(value, self.shape[1], self.shape[0], self.white)
        return np.where(x >= 128, 255, 0).astype(np.uint8) if self.binary else x, x[:0]

    def examples(self, made: Array) -> list[str]:
        """Points from 0 to 1, of several pictures -> these."""
        return [encode_png(points) for points in np.rint(255 * made.clip(0, 1)).astype(np.uint8)]

    def example(self, made: Array) -> str:
        """Points from 0 to 1 -> a picture."""
        return self.examples(made[None])[0]

    def errors(self, wanted: Any, came: Any) -> tuple[float, float]:
        """The sum of the squared differences of two pictures, and of how many points."""
        one, other = (self.array(value)[0].astype(np.float64) / 255 for value in (wanted, came))
        return float(np.square(one - other).sum()), float(one.size)


class Rows:
    """Rows of numbers and categories, on the scale that `columns` says."""

    binary = False

    def __init__(self, columns: measures.Columns, decimal: str = "") -> None:
        """decimal: the mark before decimals in numbers that are given as text, "": as training had it."""
        self.columns = [{**c, "decimal": decimal} for c in columns] if decimal else columns

    def array(self, value: Any) -> tuple[Array, Array]:
        """A row -> its values (V,), and which of them are known (V,)."""
        return measures.encode(self.columns, typed_rows.as_row(self.columns, value))

    def examples(self, made: Array) -> list[dict[str, Any]]:
        """Values of several rows -> these."""
        return [self.example(values) for values in made]

    def example(self, made: Array) -> dict[str, Any]:
        """Values -> a row."""
        return measures.decode(self.columns, made)

    def errors(self, wanted: Any, came: Any) -> tuple[float, float]:
        """The sum of the squared differences of what is known in `wanted`, and of how many values."""
        one, known = self.array(wanted)
        return float((np.square(one - self.array(came)[0]) * known).sum()), float(known.sum())


def shades(points: Array) -> Array:
    """Points of one byte -> numbers from 0 to 1; other arrays stay as they are."""
    return points.astype(np.float32) / 255 if points.dtype == np.uint8 else points


def learn(values: Sequence[Any], side: int = 0) -> tuple[list[int], list[dict[str, Any]]]:
    """The shape of the arrays that suit these examples, and their columns, of which pictures have none."""
    if isinstance(values[0], dict):
        columns, _ = measures.learn_columns(values)
        return [measures.width(columns)], columns
    shared_side, channels = shape_of(values[:LOOKED_AT], white=white_of(values[:LOOKED_AT]))
    return [channels, side or shared_side, side or shared_side], []


def seed(value: Any) -> int:
    """The seed that was given in place of an example."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise DataError(f"--make samples: expected a seed, such as 7, received {text[:40]!r}.")
    return int(text)


def normal(seeds: Iterable[Any], dims: int, count: int = SAMPLES) -> list[Array]:
    """For each seed, `count` draws of standard normal numbers, (count, dims)."""
    return [np.random.default_rng(int(s)).standard_normal((count, dims)) for s in seeds]


def between(one: Array, other: Array, steps: int = STEPS) -> list[Array]:
    """Points (B, Z) twice -> the straight lines between them, both ends included: B times (steps, Z).

    >>> between(np.zeros((1, 1)), np.ones((1, 1)), 3)[0].tolist()
    [[0.0], [0.5], [1.0]]
    """
    share = np.linspace(0, 1, steps)[:, None]
    return [a + share * (b - a) for a, b in zip(one, other, strict=True)]


def lattice(point: Sequence[float], reach: float = WALK, count: int = STEPS) -> tuple[list[float], Array]:
    """Grid coordinates from -reach to reach, and a grid of points (count, count, Z).

    The first two numbers vary over the grid, the others are those of `point`.

    >>> lattice([0.0, 0.0, 7.0], 1.0, 2)[1].tolist()  # up is more
    [[[-1.0, 1.0, 7.0], [1.0, 1.0, 7.0]], [[-1.0, -1.0, 7.0], [1.0, -1.0, 7.0]]]
    """
    places = np.linspace(-reach, reach, count)
    z = np.tile(np.array(point, np.float32), (count, count, 1))
    z[:, :, 0] = places
    z[:, :, 1:2] = places[::-1, None, None]
    return places.round(3).tolist(), z


def key(value: Any) -> str:
    """A key that examples with the same content share."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else fingerprint(value)


def mean(kind: Pictures | Rows, values: Iterable[Any]) -> Array:
    """The mean of the arrays; of pictures from 0 to 1."""
    total, count = np.zeros(1), 0
    for value in values:
        total, count = total + kind.array(value)[0], count + 1
    return np.asarray(total / count / (255 if isinstance(kind, Pictures) else 1), np.float32)


def seen(kind: Pictures | Rows, values: Iterable[Any]) -> list[str]:
    """Pictures as the net sees them; of rows there are none."""
    return [encode_png(kind.array(value)[0]) for value in values] if isinstance(kind, Pictures) else []


def column(name: str, values: Sequence[Any]) -> list[Any]:
    """The values of the column that colours a map, [] where none is named; of pictures the names of their folders.

    >>> column("kind", [{"kind": "a"}, {"kind": "b"}]), column("folder", ["cats/1.png"]), column("", [])
    (['a', 'b'], ['cats'], [])
    """
    if not name:
        return []
    if not isinstance(values[0], Mapping):
        if name != "folder":
            raise UsageError(f"--colour-by {name[:60]}: expected folder, the folder that each picture is in.")
        return [Path(str(value)).parent.name if len(str(value)) < 1000 else "" for value in values]
    if name not in values[0]:
        raise UsageError(f"--colour-by {name[:60]}: expected one of {quote_all(values[0])}.")
    return [value.get(name) for value in values]


def read(
    paths: Sequence[str],
    choice: Mapping[str, str] | None = None,
    columns: measures.Columns | None = None,
    decimal: str = "",
    leave_out: Sequence[str] = (),
) -> tuple[list[Any], list[str]]:
    """Folders of pictures, tables of them, or tables of numbers -> the examples, and what was understood.

    choice: which column holds `example`, a picture; columns: what a trained model knows of a table's; decimal: the mark
    before decimals; leave_out: columns of a table that are not read, "none" for not even those that number its rows.
    """
    from lamella.data.readers.image_folders import image_folder, readable
    from lamella.data.readers.tables import read_table

    if not all(map(is_table, paths)):
        pictures, lines = image_folder(list(paths))
        return [row["image"] for row in pictures], lines
    if not choice and not _of_pictures(paths[0]):
        rows, lines = measures.read_rows(paths, decimal, columns or ())
        notes: list[str] = []
        if not columns:
            _leave_out(rows, leave_out, lines)
            columns, notes = measures.learn_columns(rows)
        rows, lines = measures.check(columns, rows, [*lines, *(f"note: {note}" for note in notes)])
        return list(rows), lines
    values, lines = [], []
    for path in paths:
        table = read_table([path], {"example": NAMES}, choice)
        names = [row["example"] for row in table.rows]
        places = [n if n.startswith("data:") else str(Path(path).parent / n) for n in names]
        lines += table.report.lines()
        good, _ = readable([{"image": place, "label": ""} for place in places], lines, path)
        values += [row["image"] for row in good]
    return values, lines


def _leave_out(rows: Sequence[Any], names: Sequence[str], lines: list[str]) -> None:
    """Take columns out of rows: those that are named, else those that only number the rows."""
    gone = [name for name in names if name != "none"]
    if unknown := [name for name in gone if name not in rows[0]]:
        raise UsageError(f"--leave-out {unknown[0]}: expected one of {quote_all(rows[0])}.")
    if not names and (gone := measures.counters(rows)) and len(gone) < len(rows[0]):
        lines.append(f"note: {quote_all(gone)} numbers the rows and is left out; --leave-out none keeps it")
    elif not names:
        gone = []
    for row in rows:
        for name in gone:
            row.pop(name, None)


def _of_pictures(path: str) -> bool:
    """Whether a table holds pictures: a column with such a name, and a value in it that looks like one."""
    from lamella.data.readers.records import read_sheet

    sheet = read_sheet(path, 1, set(NAMES))
    if not sheet.rows:  # `read_rows` says why
        return False
    names = sheet.keys or [str(c) for c in sheet.rows[0][1]]
    cells = sheet.rows[0 if sheet.keys else -1][1]
    values = [cells.get(n) for n in names] if isinstance(cells, dict) else cells
    pairs = [str(v) for n, v in zip(names, values, strict=False) if str(n).strip().lower() in NAMES]
    return any(v.startswith("data:image/") or Path(v[-20:]).suffix.lower() in SUFFIXES for v in pairs)
