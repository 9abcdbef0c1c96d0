"""What is answered of a picture: its mask, and how much of it each label is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import png_bytes
from lamella.data.media.masks import BACKGROUND, encode_mask, overlay, read_mask
from lamella.decode.regions import connected, grow, without_small
from lamella.decode.segments import resized_argmax
from lamella.task import Answer, Example

Array = NDArray[Any]


def answer(likely: Array, size: tuple[int, int], labels: Sequence[str], apart: bool, least: int) -> Answer:
    """How likely each label is (L, h, w) -> the answer at a picture's own height and width.

    apart: the last row is the border between things, by which they are told apart. least: points that a thing must have.

    >>> found = answer(np.eye(2)[:, :, None], (2, 1), ["background", "cell"], False, 0)
    >>> found["pixels"], found["counts"]
    ({'background': 1, 'cell': 1}, {'cell': 1})
    """
    background = labels[0] == BACKGROUND
    points, between = resized_argmax(likely, size, len(labels))
    things = _things(points, between, background, least)
    if background and (apart or least):
        points[(things == 0) & (points != 0)] = 0
    pixels = np.bincount(points.ravel(), minlength=len(labels))
    of = np.zeros(int(things.max(initial=0)) + 1, np.int64)
    of[things] = points
    counts = np.bincount(of[1:], minlength=len(labels))
    shown = [(i, label) for i, label in enumerate(labels) if not (background and i == 0)]
    found = {
        "mask": encode_mask(points, labels),
        "size": [size[1], size[0]],
        "shares": {label: round(float(pixels[i] / points.size), 6) for i, label in enumerate(labels)},
        "pixels": {label: int(pixels[i]) for i, label in enumerate(labels)},
        "counts": {label: int(counts[i]) for i, label in shown},
    }
    if apart and counts.sum() < 65535:
        found["things"] = encode_mask(points, labels, things)
    return found


def _things(points: Array, between: Array, background: bool, least: int) -> Array:
    """Numbers of things: what is connected once borders are taken away, grown back over those."""
    labels = points if background else points + 1
    things, _ = connected(np.where(between, 0, labels))
    things = without_small(things, max(1, least))
    return grow(things, labels) if between.any() else things


def render(found: Answer) -> str:
    """
    >>> render({"shares": {"background": 0.75, "cell": 0.25}, "counts": {"cell": 3}, "pixels": {}})
    'background 75.0%; cell 25.0%, 3 things'
    """
    parts = []
    for label, share in sorted(found["shares"].items(), key=lambda one: -one[1]):
        if share > 0:
            count = found["counts"].get(label)
            parts.append(
                f"{label} {share:.1%}" + ("" if count is None else f", {count:,} thing{'' if count == 1 else 's'}")
            )
    return "; ".join(parts)


def overlays(examples: Sequence[Example], side: int = 320) -> bytes:
    """Pictures, each beside itself with its mask laid over it, one below the other: the bytes of a PNG."""
    from PIL import Image
    from PIL.Image import Resampling

    rows = []
    for example in examples:
        mask = read_mask(example["mask"])
        high, wide = mask.points.shape
        # Small pictures are shown larger, point by point, so that edges can be judged.
        times = max(1, side // max(high, wide)) if max(high, wide) < side else side / max(high, wide)
        size = max(1, round(wide * times)), max(1, round(high * times))
        pair = [Image.fromarray(overlay(example["image"], mask, strength)) for strength in (0.0, 0.5)]
        rows.append([picture.resize(size, Resampling.NEAREST if times >= 1 else Resampling.BOX) for picture in pair])
    width = 2 * max(row[0].width for row in rows) + 8
    sheet = Image.new("RGB", (width, sum(row[0].height + 8 for row in rows) - 8), "white")
    top = 0
    for row in rows:
        for i, picture in enumerate(row):
            sheet.paste(picture, (i * (width + 8) // 2, top))
        top += row[0].height + 8
    return png_bytes(sheet)
