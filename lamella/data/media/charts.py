"""Drawings of numbers: a forecast after its past as SVG on one line; a series and a picture in characters, for terminals.

forecast([1, 2, 3], [4, 5], {"80%": [(3, 5), (4, 6)]})     a chart with a band for each interval
sparkline([1, 5, 3])                                        "▁█▅"
shaded(points)                                              a line of characters for each two rows of a picture
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 220, 64, 12, 26, 24  # in pixels
PAST, AHEAD = "#666", "#0072b2"
SHADES = " .:-=+*#%@"  # from dark to light
BLOCKS = "▁▂▃▄▅▆▇█"
Band = Sequence[Sequence[float]]


def forecast(past: Sequence[float], middle: Sequence[float], bands: Mapping[str, Band] | None = None) -> str:
    """A series (T,) and the values ahead of it (H,) -> an SVG chart; bands: intervals (H, 2) by name, drawn around them.

    >>> forecast([1, 2, 3], [4, 5], {"80%": [(3, 5), (4, 6)]}).count("<polygon")
    1
    """
    bands = dict(bands or {})
    before, ahead = np.asarray(past, np.float64), np.asarray(middle, np.float64)
    edges = {name: np.asarray(band, np.float64).reshape(-1, 2) for name, band in bands.items()}
    every = np.concatenate([before, ahead, *(band.ravel() for band in edges.values())])
    if not len(every):
        return ""
    low, high = float(every.min()), float(every.max())
    spread = (high - low) or 1.0
    xs = LEFT + (WIDTH - LEFT - RIGHT) * np.arange(len(before) + len(ahead)) / max(1, len(before) + len(ahead) - 1)

    def ups(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (values - low) / spread

    ticks = np.linspace(low, low + spread, 3)
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        for value, y in zip(ticks, ups(ticks), strict=True)
    )
    marks = [grid]
    at = xs[len(before) :]
    for band in edges.values():  # one above the other: the inner one is darker
        ends = [*zip(at, ups(band[:, 0]), strict=True), *reversed([*zip(at, ups(band[:, 1]), strict=True)])]
        marks.append(f'<polygon fill="{AHEAD}" fill-opacity="0.16" points="{_points(ends)}"/>')
    known = [*zip(xs[: len(before)], ups(before), strict=True)]
    marks += [_curve(known, PAST), _curve([*known[-1:], *zip(at, ups(ahead), strict=True)], AHEAD)]
    named = f"forecast with intervals of {', '.join(bands)}" if bands else "forecast"
    marks.append(_legend(named, len(before), len(ahead), float(xs[max(0, len(before) - 1)])))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="forecast" font-family="sans-serif" font-size="12" style="max-width:100%;height:auto">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(marks)}</svg>'
    )


def _legend(named: str, before: int, ahead: int, now: float) -> str:
    """What the colours are, where the past ends, and how many steps are on each side."""
    line = (
        f'<line x1="{now:.1f}" x2="{now:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="3 3"/>'
    )
    below = f'y="{HEIGHT - 7}" fill="#555"'
    return (
        (line if before else "")
        + (f'<text x="{LEFT}" y="16" fill="{PAST}">past</text>' if before else "")
        + f'<text x="{LEFT + 40 * bool(before)}" y="16" fill="{AHEAD}">{escape(named)}</text>'
        + (f'<text x="{LEFT}" {below}>-{before}</text>' if before > 1 else "")
        + f'<text x="{WIDTH - RIGHT}" {below} text-anchor="end">+{ahead}</text>'
    )


def _curve(points: Sequence[tuple[float, float]], colour: str) -> str:
    if len(points) == 1:  # a line of one point would not be seen
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>'
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_points(points)}"/>' if points else ""


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def number(value: float) -> str:
    """A number as an axis shows it: four digits, and whole ones as they are.

    >>> number(12345.678), number(0.00012345), number(20.0)
    ('12,346', '0.0001234', '20')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def sparkline(values: Sequence[float], most: int = 40) -> str:
    """Numbers as a line of block characters, at most so many; more numbers are averaged.

    >>> sparkline([1, 5, 3]), sparkline([2, 2]), sparkline([])
    ('▁█▅', '▁▁', '')
    """
    every = np.asarray(values, np.float64)
    if not len(every) or not np.isfinite(every).all():
        return ""
    means = np.array([part.mean() for part in np.array_split(every, min(most, len(every)))])
    low, spread = float(means.min()), float(np.ptp(means))
    if not spread or not math.isfinite(spread):
        return BLOCKS[0] * len(means)
    return "".join(BLOCKS[round(share * (len(BLOCKS) - 1))] for share in (means - low) / spread)


def shaded(points: NDArray[Any]) -> list[str]:
    """Grey points (H, W) -> H / 2 lines of characters, since these are twice as tall as wide; the darkest point is a space.

    >>> shaded(np.array([[0, 90], [0, 90], [180, 90], [180, 90]], np.uint8))
    [' =', '@=']
    """
    pairs = points[: len(points) // 2 * 2].astype(np.float64).reshape(-1, 2, points.shape[1]).mean(axis=1)
    shares = (pairs - pairs.min()) / (float(np.ptp(pairs)) or 1.0)
    return ["".join(SHADES[round(share * (len(SHADES) - 1))] for share in row).rstrip() for row in shares]
