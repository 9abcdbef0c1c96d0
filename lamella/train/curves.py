"""The course of a training as a picture: the loss, and the task's metric beside it, as one SVG."""

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import msgspec

from lamella.errors import TrainingError
from lamella.storage import disk

WIDTH, HEIGHT, LEFT, TOP = 640, 320, 52, 24
MOST_LOG = 1 << 30  # bytes
MOST_POINTS = 1000  # of a curve: a page shows no more


class _Row(msgspec.Struct):
    """A line of the log."""

    step: int
    loss: float | None


def svg(losses: Sequence[tuple[float, float]], metrics: Sequence[tuple[float, float]], metric: str) -> str:
    """(step, loss) and (step, metric) points -> an SVG document.

    >>> svg([(1, 2.0), (2, 1.0)], [], "chrF").startswith("<svg")
    True
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    parts += _curve(thin(losses), "loss", "#c44", TOP, HEIGHT / 2 - 20)
    parts += _curve(metrics, metric, "#268", HEIGHT / 2 + TOP, HEIGHT - 20)
    return "\n".join([*parts, "</svg>"])


def write_log(path: Path, losses: Sequence[tuple[int, float]]) -> None:
    """Write (step, loss) points as JSON, a point a line, in one step; what is no finite number is null.

    Raises TrainingError where that fails, the log of before intact.
    """
    rows = ({"step": step, "loss": loss if math.isfinite(loss) else None} for step, loss in losses)
    put(path, "".join(json.dumps(row) + "\n" for row in rows))


def put(path: Path, content: str | bytes) -> None:
    """Write a file of the training's folder in one step; a link in its place is replaced, not followed."""
    try:
        disk.replace_file(content.encode() if isinstance(content, str) else content, path)
    except OSError as error:
        raise TrainingError(
            f"{path}: could not be written ({error.strerror or error}). The last checkpoint is intact. "
            "Free some disk space and run the same command with --resume."
        ) from error


def read_log(path: Path, last: int) -> list[tuple[int, float]]:
    """The points up to a step, for a training that goes on from there; none where the log is missing or damaged."""
    try:
        lines = disk.read_regular(path, MOST_LOG).decode().splitlines()
        rows = [msgspec.json.decode(line, type=_Row) for line in lines]
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return []
    return [(row.step, math.nan if row.loss is None else row.loss) for row in rows if row.step <= last]


def thin(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most so many of the points, evenly spread, the last among them.

    >>> thin([(n, 0.0) for n in range(10)], most=4)
    [(0, 0.0), (3, 0.0), (6, 0.0), (9, 0.0)]
    """
    every = -(-len(points) // most) if points else 1
    return list(points[::-1][::every][::-1])


def _curve(points: Sequence[tuple[float, float]], name: str, colour: str, top: float, bottom: float) -> list[str]:
    points = [point for point in points if math.isfinite(point[1])]
    if not points:
        return []
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    low, high, last = min(ys), max(ys), max(xs) or 1
    spread = (high - low) or 1
    right = WIDTH - 16

    def place(x: float, y: float) -> str:
        return f"{LEFT + (right - LEFT) * x / last:.1f},{bottom - (bottom - top) * (y - low) / spread:.1f}"

    grid = "".join(f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>' for y in (top, bottom))
    return [
        grid,
        f'<text x="{LEFT}" y="{top - 8}" fill="{colour}">{escape(name)}: {ys[-1]:.3g} after {last:.0f} steps</text>',
        f'<text x="4" y="{top + 4}">{high:.3g}</text><text x="4" y="{bottom + 4}">{low:.3g}</text>',
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(place(x, y) for x, y in points)}"/>',
    ]
