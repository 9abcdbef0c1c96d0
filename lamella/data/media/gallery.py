"""Pictures of pictures: many of them on one sheet, or each at its place on a map, as one SVG on one line.

sheet([["data:image/png;base64,...", ...], ...])    a grid
scatter(points, pictures)                           a map: dots, or small pictures where there are some
scatter(points, (), *colours_of(column))            dots coloured by a column, with a legend
"""

import math
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL, GAP, MAP = 56, 4, 960  # in pixels
THUMBNAIL = 18
MOST_NAMES = 10  # different numbers that are still names, such as digits
NAMED = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#0072b2", "#b2df8a", "#fb9a99", "#cab2d6")
OTHERS = "#888"
SCALE = (
    "440154",
    "3b528b",
    "21918c",
    "5ec962",
    "fde725",
)  # viridis, even to the eye and for those who see colours differently


def sheet(rows: Sequence[Sequence[str]]) -> str:
    """Pictures as data URIs, row by row -> SVG.

    >>> sheet([["data:,a", "data:,b"]]).count("<image")
    2
    """
    step = CELL + GAP
    marks = [
        f'<image x="{GAP + x * step}" y="{GAP + y * step}" width="{CELL}" height="{CELL}" href="{uri}"/>'
        for y, row in enumerate(rows)
        for x, uri in enumerate(row)
    ]
    return _svg(GAP + step * max(map(len, rows)), GAP + step * len(rows), marks)


def square(pictures: Sequence[str]) -> list[Sequence[str]]:
    """Pictures in rows that are as many as they are long.

    >>> square("abcd")
    ['ab', 'cd']
    """
    across = math.isqrt(len(pictures))
    return [pictures[i : i + across] for i in range(0, len(pictures), across)]


def colours_of(values: Sequence[Any]) -> tuple[list[str], list[tuple[str, str]]]:
    """Values (N) of a column -> a colour for each, and a legend of (colour, name): numbers on a scale, names by how frequent
    they are, and grey for what is missing or rare.

    >>> colours_of(["cat", "dog", "cat", None])
    (['#e69f00', '#56b4e9', '#e69f00', '#888'], [('#e69f00', 'cat'), ('#56b4e9', 'dog'), ('#888', 'others')])
    >>> colours_of([str(n) for n in range(20)])[1]
    [('#440154', '0'), ('#21918c', '9.5'), ('#fde725', '19')]
    """
    texts = ["" if value is None else str(value).strip() for value in values]
    numbers = [_number(text) for text in texts]
    known = [n for n in numbers if n is not None]
    if len(set(known)) > MOST_NAMES and len(known) == sum(map(bool, texts)):
        low, spread = min(known), (max(known) - min(known)) or 1.0
        each = [OTHERS if n is None else _on_scale((n - low) / spread) for n in numbers]
        return each, [(_on_scale(share), f"{low + share * spread:.4g}") for share in (0.0, 0.5, 1.0)]
    names = [name for name, _ in Counter(text for text in texts if text).most_common(len(NAMED))]
    by_name = dict(zip(names, NAMED, strict=False))
    each = [by_name.get(text, OTHERS) for text in texts]
    return each, [(colour, name) for name, colour in by_name.items()] + [(OTHERS, "others")] * (OTHERS in each)


def _number(text: str) -> float | None:
    try:
        return float(text) if math.isfinite(float(text)) else None
    except ValueError:
        return None


def _on_scale(share: float) -> str:
    """A colour of the scale, 0 to 1."""
    at = share * (len(SCALE) - 1)
    below, above = SCALE[int(at)], SCALE[min(int(at) + 1, len(SCALE) - 1)]
    mixed = (
        round(a + (b - a) * (at - int(at))) for a, b in zip(bytes.fromhex(below), bytes.fromhex(above), strict=True)
    )
    return f"#{bytes(mixed).hex()}"


def scatter(
    points: NDArray[Any] | Sequence[Sequence[float]],
    pictures: Sequence[str] = (),
    colours: Sequence[str] = (),
    legend: Sequence[tuple[str, str]] = (),
) -> str:
    """Points (N, Z) by their first two numbers -> SVG; `pictures` (N) stand where their points are, or dots in `colours` (N)
    with their legend, see `colours_of`.

    Numbers that lie alone far out would leave the rest a small heap, so the map ends where 99.8% of them do.

    >>> scatter([[0, 0], [1, 1], [0, 1]]).count("<circle")
    3
    """
    at = np.asarray(points, dtype=np.float64)
    at = np.stack([at[:, 0], at[:, 1] if at.shape[1] > 1 else np.zeros(len(at))], axis=1)
    low, high = np.percentile(at, 0.1, axis=0), np.percentile(at, 99.9, axis=0)
    scaled = ((at - low) / np.maximum(high - low, 1e-9)).clip(0, 1) * (MAP - 2 * THUMBNAIL) + THUMBNAIL
    marks = []
    for i, (x, down) in enumerate(scaled):
        y = MAP - down  # up is more
        if pictures:
            half = THUMBNAIL / 2
            marks.append(
                f'<image x="{x - half:.1f}" y="{y - half:.1f}" width="{THUMBNAIL}" height="{THUMBNAIL}" '
                f'href="{pictures[i]}" style="mix-blend-mode:lighten"/>'
            )
        else:
            colour = colours[i] if colours else "#7fd"
            marks.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}" fill-opacity="{0.85 if colours else 0.6}"/>'
            )
    for row, (colour, name) in enumerate(legend):
        y = 24 + 20 * row
        marks.append(f'<circle cx="16" cy="{y}" r="6" fill="{colour}"/>')
        marks.append(
            f'<text x="28" y="{y + 5}" fill="#fff" font-family="sans-serif" font-size="15">{escape(name[:40])}</text>'
        )
    return _svg(MAP, MAP, marks)


def _svg(width: int, height: int, marks: Sequence[str]) -> str:
    size = f'width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#000"/>{"".join(marks)}</svg>'
