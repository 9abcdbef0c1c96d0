"""Parts of a page that both kinds of report are made of: notes, tints, images, lines."""

from html import escape
from typing import Any

FOR, AGAINST = "46,160,67", "218,54,51"


def note(text: str) -> str:
    """A note in small print."""
    return f'<p class="note">{escape(text)}</p>'


def tint(share: float) -> str:
    """The background colour for a weight, given as a share of the largest, -1 to 1."""
    return f"background:rgba({FOR if share > 0 else AGAINST},{0.75 * min(1.0, abs(share)):.2f})"


def image(uri: Any, width: int, inside: str = "") -> str:
    """An image element; only `data:` URIs are accepted."""
    if not str(uri).startswith("data:image/"):
        return ""
    return f'<img src="{escape(str(uri), quote=True)}" width="{width}" alt="{escape(inside, quote=True)}">'


def polyline(xs: Any, ys: Any, colour: str) -> str:
    """A curve of an SVG."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'
