"""A field's value as units, and the value with some of them taken away: words, patches, time steps, columns.

parts = split(Text(), "not a good film")
parts.units                 [{"label": "not", "start": 0, "end": 3}, ...]
parts.without({0})          "a good film"
parts.without({0}, True)    "_ a good film": with another replacement, for checks

What is taken away is replaced by what says least: nothing, the background, what lies between the neighbours. No net was
trained on such examples, which is why an explanation is checked with another replacement than it was made with.
"""

import json
import math
import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png, read_image, shape_of
from lamella.fields import Field, Image, Series, Text

MOST = 60  # units of one field: a longer one is cut into as many pieces of several words or steps
FINE = 40  # of a series' latest steps stand alone
GRID = (7, 8, 6, 5)  # patches along a side: the first that divides it
LARGEST = 224  # points along the side of a picture
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each is taken for a word
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W{IDEOGRAPHS}]+(?:['’\-][^\W{IDEOGRAPHS}]+)*|[^\w\s]+|_+")
Unit = dict[str, Any]  # its label, and where it stands


class Parts(Protocol):
    """A value and its units."""

    kind: str
    units: list[Unit]
    how: tuple[str, str]  # the two ways in which a unit is taken away, in words

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        """The value with these units taken away, in the one way or in the other."""

    def shown(self) -> Any:
        """The value as JSON can hold it."""

    def facts(self) -> dict[str, Any]:
        """What a picture of the units needs besides them."""


def split(field: Field, value: Any, usual: Any = None) -> Parts:
    """A field and its value -> its parts. usual: what stands for a single value that is taken away.

    >>> split(Text(), "not a good film").without({0, 3})
    'a good'
    """
    if isinstance(field, Text):
        return TextParts(str(value))
    if isinstance(field, Series):
        return SeriesParts(value)
    if isinstance(field, Image):
        row = as_row(value)
        return ImageParts(value) if row is None else RowParts(value, row)
    return PlainParts(field, value, usual)


class TextParts:
    """Words and marks; of a long text so many neighbours are one unit that there are at most MOST."""

    kind = "text"
    how = ("left out", "replaced by _")

    def __init__(self, text: str) -> None:
        found = [match.span() for match in WORD.finditer(text)]
        step = max(1, math.ceil(len(found) / MOST))
        spans = [(found[i][0], found[min(i + step, len(found)) - 1][1]) for i in range(0, len(found), step)]
        self.text, self.spans = text, spans
        self.units: list[Unit] = [{"label": text[a:b], "start": a, "end": b} for a, b in spans]

    def without(self, gone: Collection[int], other: bool = False) -> str:
        out, at = "", 0
        for i in sorted(gone):
            start, end = self.spans[i]
            out, at = out + self.text[at:start] + "_" * other, end
            if not other and (not out or out[-1].isspace()) and self.text[at : at + 1].isspace():
                at += 1  # of the spaces on both sides one stays
        out += self.text[at:]
        return out if other or out == self.text else out.strip()

    def shown(self) -> str:
        return self.text

    def facts(self) -> dict[str, Any]:
        return {}


class SeriesParts:
    """Time steps, the latest alone and those before in ever longer blocks; what is missing lies between its neighbours.

    >>> parts = SeriesParts([1, 9, 3, 4])
    >>> parts.without({1}), parts.without({3}), [unit["label"] for unit in parts.units]
    ([1.0, 2.0, 3.0, 4.0], [1.0, 9.0, 3.0, 3.0], ['-4', '-3', '-2', '-1'])
    """

    kind = "series"
    how = ("interpolated between their neighbours", "held at the value before")

    def __init__(self, value: Any) -> None:
        if isinstance(value, str):
            value = [float(x) for x in value.replace(",", " ").split()]
        self.values: NDArray[np.float64] = np.asarray(value, np.float64)
        edges = blocks(len(self.values))
        self.units: list[Unit] = []
        for start, end in pairwise(edges):
            first, last = start - len(self.values), end - 1 - len(self.values)
            label = str(first) if first == last else f"{first} to {last}"
            self.units.append({"label": label, "start": start, "end": end})

    def without(self, gone: Collection[int], other: bool = False) -> list[float]:
        lost = np.zeros(len(self.values), bool)
        for i in gone:
            lost[self.units[i]["start"] : self.units[i]["end"]] = True
        places, values = np.arange(len(self.values)), self.values.copy()
        if lost.all():
            values[:] = self.values.mean() if len(values) else 0.0
        elif other:
            known = places[~lost]
            values[lost] = self.values[known[np.maximum(np.searchsorted(known, places[lost]) - 1, 0)]]
        else:
            values[lost] = np.interp(places[lost], places[~lost], values[~lost])
        return [float(v) for v in values]

    def shown(self) -> list[float]:
        return [float(v) for v in self.values]

    def facts(self) -> dict[str, Any]:
        return {"values": self.shown()}


def blocks(length: int, most: int = MOST, fine: int = FINE) -> list[int]:
    """Where the units of a series begin, and its end: the latest steps alone, those before in blocks that grow.

    >>> blocks(3), blocks(12, most=6, fine=3)
    ([0, 1, 2, 3], [0, 5, 8, 9, 10, 11, 12])
    """
    if length <= most:
        return list(range(length + 1))
    growth = np.linspace(0, 1, most - fine + 1)[1:]
    far = length - fine
    power = 1.0
    while round(far * growth[0] ** power) > 1 and power < 20:  # the block next to the fine ones is nearly as fine
        power += 0.25
    ends = sorted({max(i + 1, round(far * g**power)) for i, g in enumerate(growth)})
    return [*(far - e for e in reversed(ends)), *range(far, length + 1)]


class ImageParts:
    """Patches; in the place of one that is taken away is the colour of the picture's edge."""

    kind = "image"
    how = ("painted in the colour of the picture's edge", "painted in the picture's mean colour")

    def __init__(self, value: Any) -> None:
        side, channels = shape_of([value], largest=LARGEST)
        self.points = read_image(value, side, channels)  # (C, S, S)
        count = next((n for n in GRID if side % n == 0), GRID[0])
        self.count = count
        self.edges = [round(i * side / count) for i in range(count + 1)]
        self.units: list[Unit] = [
            {"label": f"row {r + 1}, column {c + 1}", "row": r, "column": c} for r in range(count) for c in range(count)
        ]
        x = self.points
        edge = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
        self.fill = np.median(edge, axis=1).astype(np.uint8), x.mean(axis=(1, 2)).astype(np.uint8)

    def without(self, gone: Collection[int], other: bool = False) -> NDArray[np.uint8]:
        points, fill = self.points.copy(), self.fill[other]
        for i in gone:
            (top, bottom), (left, right) = (self.edges[k : k + 2] for k in divmod(i, self.count))
            points[:, top:bottom, left:right] = fill[:, None, None]
        return points

    def shown(self) -> str:
        return encode_png(self.points)

    def facts(self) -> dict[str, Any]:
        return {"rows": self.count, "columns": self.count}


class RowParts:
    """The columns of a table's row; one that is taken away is missing, as in a table with holes."""

    kind = "row"
    how = ("left empty, as where a table has no value", "left empty, as where a table has no value")

    def __init__(self, value: Any, row: dict[str, Any]) -> None:
        self.named, self.row = isinstance(value, dict) or str(value).lstrip().startswith("{"), row
        self.units: list[Unit] = [{"label": name} for name in row]

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        found = {name: None if i in gone else value for i, (name, value) in enumerate(self.row.items())}
        return found if self.named else ",".join("" if v is None else str(v) for v in found.values())

    def shown(self) -> Any:
        return self.row

    def facts(self) -> dict[str, Any]:
        return {}


def as_row(value: Any) -> dict[str, Any] | None:
    """A row of a table as column -> value, None where it is a picture.

    >>> as_row("3.5, x"), as_row({"a": 1}), as_row("a.png")
    ({'column 1': '3.5', 'column 2': 'x'}, {'a': 1}, None)
    """
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple) and value and not isinstance(value[0], list | tuple | np.ndarray):
        return {f"column {i}": v for i, v in enumerate(value, start=1)}
    if not isinstance(value, str) or value.startswith("data:") or (len(value) < 1000 and Path(value).is_file()):
        return None
    if value.lstrip().startswith("{"):
        found = json.loads(value)
        return found if isinstance(found, dict) else None
    cells = [c.strip() for c in value.split(",")] if "," in value else value.split()
    return {f"column {i}": c for i, c in enumerate(cells, start=1)} if len(cells) > 1 else None


class PlainParts:
    """A single value - a number, a label, a name - is one unit; in its place comes what is usual."""

    def __init__(self, field: Field, value: Any, usual: Any) -> None:
        self.kind, self.value, self.usual = type(field).__name__.lower(), value, usual
        self.how = (f"replaced by what is usual, {usual}",) * 2
        # What can be replaced by nothing, or is what is usual already, cannot be taken away.
        self.units: list[Unit] = [] if usual is None else [{"label": str(value)[:80]}]

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        return self.usual if gone else self.value

    def shown(self) -> Any:
        return self.value if isinstance(self.value, str | int | float | bool | list | dict) else str(self.value)

    def facts(self) -> dict[str, Any]:
        return {}


def usual(values: Collection[Any]) -> Any:
    """The median of numbers, the most frequent of other values, None of nothing.

    >>> usual([1, 5, 2]), usual(["a", "b", "b"])
    (2.0, 'b')
    """
    if not values:
        return None
    try:
        return float(np.median([float(v) for v in values]))
    except (TypeError, ValueError):
        return max(sorted(values, key=str), key=list(values).count)
