"""Composed scenes with captions: the offline sample of the task that puts pictures into words.

One to three drawings of a kind, or two drawings of which one is above or left of the other, each in a colour of its own,
on grass, sand, snow or water. Every picture has two captions, which say the same in other words, so that a right caption
must name colours, drawings, how many there are, how they stand to each other and the ground; none can be guessed from the
others.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png

SIDE = 48
COUNTS = {"train": 260, "test": 36}
FINER = 3  # drawn larger by this and scaled down, for smooth edges
NAMES = ("boat", "house", "star", "tree", "ball")
COLOURS = {"red": (205, 30, 35), "blue": (35, 60, 200), "yellow": (240, 205, 30), "black": (25, 25, 30)}
GROUNDS = {"grass": (105, 165, 95), "sand": (215, 185, 140), "snow": (235, 240, 245), "water": (120, 180, 205)}
NUMBERS = ("a", "two", "three")
RELATIONS = {"above": "below", "left of": "right of"}  # each with what it is from the other side
# Corners, the middle being 0 and the drawing's half side 1; the ball has none.
CORNERS: dict[str, list[tuple[float, float]]] = {
    "boat": [(-1, 0.3), (-0.1, 0.3), (-0.1, -1), (0.8, 0.2), (0.1, 0.2), (0.1, 0.3), (1, 0.3), (0.6, 0.9), (-0.6, 0.9)],
    "house": [(-0.8, 1), (-0.8, -0.1), (-1, -0.1), (0, -1), (1, -0.1), (0.8, -0.1), (0.8, 1), (0.3, 1), (0.3, 0.3), (-0.3, 0.3), (-0.3, 1)],
    "star": [(float(np.sin(k * np.pi / 5) * r), float(-np.cos(k * np.pi / 5) * r)) for k in range(10) for r in ([1.1, 0.45][k % 2],)],
    "tree": [(0, -1), (0.7, -0.2), (0.35, -0.2), (0.9, 0.5), (0.2, 0.5), (0.2, 1), (-0.2, 1), (-0.2, 0.5), (-0.9, 0.5), (-0.35, -0.2), (-0.7, -0.2)],
}  # fmt: skip
Thing = tuple[str, str]  # a colour and the name of a drawing


@lru_cache(maxsize=2)
def scenes(split: str) -> tuple[tuple[str, tuple[str, str]], ...]:
    """(picture as a PNG data URI, its two captions) of a split, "train" (260) or "test" (36), the same at every call.

    >>> len(scenes("test")), scenes("test")[1][1]
    (36, ('a blue boat left of a yellow star on grass', 'on grass a yellow star right of a blue boat'))
    """
    rng = np.random.default_rng(["train", "test"].index(split) + 23)
    return tuple((encode_png(points), captions) for points, captions, _ in (scene(rng) for _ in range(COUNTS[split])))


def scene(rng: np.random.Generator) -> tuple[NDArray[np.uint8], tuple[str, str], dict[str, Any]]:
    """A random picture (3, SIDE, SIDE), its captions, and what they must say: things, ground, number or relation."""
    ground = _pick(rng, list(GROUNDS))
    one: Thing = (_pick(rng, list(COLOURS)), _pick(rng, NAMES))
    if rng.random() < 0.5:
        count = int(rng.integers(1, 4))
        words = f"{NUMBERS[count - 1]} {one[0]} {one[1]}{'s' if count > 1 else ''}"
        points = _paint(rng, ground, [one] * count, _apart(rng, count))
        facts = {"ground": ground, "things": [one], "count": count}
        return points, (f"{words} on {ground}", f"on {ground} {words}"), facts
    while (other := (_pick(rng, list(COLOURS)), _pick(rng, NAMES))) == one:
        pass
    relation = _pick(rng, list(RELATIONS))
    gap, across = rng.uniform(18, 24), rng.uniform(-5, 5)
    step = np.array([across, gap] if relation == "above" else [gap, across]) / 2
    middle = SIDE / 2 + rng.uniform(-4, 4, 2)
    points = _paint(rng, ground, [one, other], [middle - step, middle + step])
    first, second = (f"a {colour} {name}" for colour, name in (one, other))
    captions = f"{first} {relation} {second} on {ground}", f"on {ground} {second} {RELATIONS[relation]} {first}"
    return points, captions, {"ground": ground, "things": [one, other], "relation": relation}


def _pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]


def _apart(rng: np.random.Generator, count: int) -> list[NDArray[np.float64]]:
    """Middles of so many drawings, none of which touches another."""
    places: list[NDArray[np.float64]] = []
    while len(places) < count:
        place = rng.uniform(10, SIDE - 10, 2)
        if all(np.hypot(*(place - other)) > 17 for other in places):
            places.append(place)
        elif rng.random() < 0.05:  # a corner that leaves no room for the rest: begin again
            places.clear()
    return places


def _paint(
    rng: np.random.Generator, ground: str, things: Sequence[Thing], places: Sequence[NDArray[np.float64]]
) -> NDArray[np.uint8]:
    """The drawings at their places on a grainy ground -> (3, SIDE, SIDE)."""
    from PIL import Image, ImageDraw, ImageFilter

    large = SIDE * FINER
    grain = rng.normal(0, 12, (SIDE, SIDE, 1)) + np.array(GROUNDS[ground]) + rng.normal(0, 6, 3)
    sheet = Image.fromarray(grain.clip(0, 255).astype(np.uint8)).resize((large, large), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(sheet)
    for (colour, name), place in zip(things, places, strict=True):
        half, tilt = rng.uniform(6.5, 8.5), rng.normal(0, 0.12)
        shade = tuple(int(c) for c in (np.array(COLOURS[colour]) + rng.normal(0, 12, 3)).clip(0, 255))
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        if name == "ball":
            box = np.concatenate([place - half, place + half]) * FINER
            pen.ellipse(tuple(box.tolist()), fill=shade)
        else:
            corners = (place + np.array(CORNERS[name]) @ turn.T * half) * FINER
            pen.polygon([tuple(corner) for corner in corners.tolist()], fill=shade)
    small = sheet.filter(ImageFilter.BoxBlur(1)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.ascontiguousarray((np.asarray(small) // 16 * 16).transpose(2, 0, 1))  # 16 steps: small as a PNG
