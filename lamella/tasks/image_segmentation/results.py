"""What is answered of a picture: its mask, and how much of it each label is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import png_bytes
from lamella.data.media.masks import BACKGROUND, encode_mask, overlay, read_mask
from lamella.decode.necks import at_necks
from lamella.decode.regions import connected, grow, without_small
from lamella.decode.segments import resized_argmax
from lamella.metrics.masks import matched
from lamella.task import Answer, Example

Array = NDArray[Any]
BORDERS, NECKS = (0.15, 0.06), (0.25, 0.5)  # tried, one after another
WORTH = 0.003  # of AP, for which things are parted more
SPLINTER = 5  # points, of which a thing begins that grows


class Parting(NamedTuple):
    """How things that touch are told apart: learned on pictures that were kept aside."""

    border: float = 0.0  # how likely it must be that a point lies between two things; 0: likelier than all else
    neck: float = 0.0  # by which share a thing is thicker on both sides of where it is parted; 0: it is not
    least: int = 1  # points of a thing


def answer(likely: Array, size: tuple[int, int], labels: Sequence[str], apart: bool, parting: Parting) -> Answer:
    """How likely each label is (L, h, w) -> the answer at a picture's own height and width.

    apart: the last row is the border between things, by which they are told apart.

    >>> found = answer(np.eye(2)[:, :, None], (2, 1), ["background", "cell"], False, Parting())
    >>> found["pixels"], found["counts"]
    ({'background': 1, 'cell': 1}, {'cell': 1})
    """
    background = labels[0] == BACKGROUND
    points, things = things_of(likely, size, labels, parting)
    if background and (apart or parting.least > 1):
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


def things_of(likely: Array, size: tuple[int, int], labels: Sequence[str], parting: Parting) -> tuple[Array, Array]:
    """The label of each point and the number of its thing: what is connected once borders and necks are taken away, grown back."""
    points, between = resized_argmax(likely, size, len(labels), parting.border)
    shown = points if labels[0] == BACKGROUND else points + 1
    inside = np.where(between, 0, shown)
    things = at_necks(inside, parting.neck) if parting.neck else connected(inside)[0]
    least = max(1, parting.least)
    if not (parting.border or parting.neck):
        things = without_small(things, least)
        return points, grow(things, shown) if between.any() else things
    return points, without_small(grow(without_small(things, min(least, SPLINTER)), shown), least)


def learned_parting(
    pictures: Sequence[tuple[Array, tuple[int, int], Array]], labels: Sequence[str], least: int
) -> Parting:
    """How things are best told apart in pictures: how likely labels are, the size, and the numbers of things that are wanted.

    The best by AP at an overlap of .5; of two that are about as good the one that parts less.
    """

    def score(parting: Parting) -> float:
        counts = [matched(things_of(likely, size, labels, parting)[1], wanted) for likely, size, wanted in pictures]
        total = np.sum(counts, axis=0)
        return float(total[0] / max(1.0, total.sum()))

    best = Parting(least=least)
    reached = score(best)
    for name, values in (("border", BORDERS), ("neck", NECKS), ("border", BORDERS), ("least", (2 * least,))):
        for value in values:
            tried = best._replace(**{name: value})  # type: ignore[arg-type]
            if tried != best and (found := score(tried)) > reached + WORTH:
                best, reached = tried, found
    return best


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
