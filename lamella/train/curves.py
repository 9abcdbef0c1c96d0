"""The course of a training as a picture: the loss, and the task's metric beside it, as one SVG."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP = 640, 320, 52, 24


def svg(losses: Sequence[tuple[float, float]], metrics: Sequence[tuple[float, float]], metric: str) -> str:
    """(step, loss) and (step, metric) points -> an SVG document.

    >>> svg([(1, 2.0), (2, 1.0)], [], "chrF").startswith("<svg")
    True
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    parts += _curve(losses, "loss", "#c44", TOP, HEIGHT / 2 - 20)
    parts += _curve(metrics, metric, "#268", HEIGHT / 2 + TOP, HEIGHT - 20)
    return "\n".join([*parts, "</svg>"])


def write_log(path: Path, losses: Sequence[tuple[float, float]]) -> None:
    """(step, loss) points as JSON, a point a line."""
    path.write_text("".join(json.dumps({"step": s, "loss": round(v, 5)}) + "\n" for s, v in losses), encoding="utf-8")


def read_log(path: Path, last: int) -> list[tuple[float, float]]:
    """The points up to a step, for a training that goes on from there; none where the log is missing or damaged."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [(row["step"], row["loss"]) for row in rows if row["step"] <= last]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _curve(points: Sequence[tuple[float, float]], name: str, colour: str, top: float, bottom: float) -> list[str]:
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
