"""Pictures of pictures: many of them on one sheet, or each at its place on a map, as one SVG on one line.

sheet([["data:image/png;base64,...", ...], ...])    a grid
scatter(points, pictures)                           a map: dots, or small pictures where there are some
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL, GAP, MAP = 56, 4, 960  # in pixels
THUMBNAIL = 18


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


def scatter(points: NDArray[Any] | Sequence[Sequence[float]], pictures: Sequence[str] = ()) -> str:
    """Points (N, Z) by their first two numbers -> SVG; `pictures` (N) stand where their points are.

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
            marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#7fd" fill-opacity="0.6"/>')
    return _svg(MAP, MAP, marks)


def _svg(width: int, height: int, marks: Sequence[str]) -> str:
    size = f'width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#000"/>{"".join(marks)}</svg>'
