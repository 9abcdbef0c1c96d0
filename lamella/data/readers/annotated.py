"""Pictures with boxes as a file describes them -> examples, with an account of every box that was not used.

Each format has a reader of its own (`coco`, `voc`, `yolo`, `label_tools`, `box_tables`); all give `Annotated`, and what
must be the same for all is done here once: the picture is opened, boxes are brought to pixels of the upright picture,
cut at its edge, and left out where nothing remains. Nothing is left out without a line that names file and reason.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from lamella.data.media.canvas import SWAPPED, header, turn_box
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.image_folders import readable
from lamella.data.text.encoding import quote, show_path

LISTED = 100  # boxes and files that are named one by one; all are counted
UNNAMED = "pictures that no file names, which are left out"
NEARLY = 0.02  # two shapes that differ by less are the same picture in another size


class Drawn(msgspec.Struct):
    """One box as it stands in a file."""

    label: str
    sides: list[float]  # left, top, right, bottom
    where: str  # "line 4", "object 2"


class Annotated(msgspec.Struct):
    """One picture and its boxes as a file describes them."""

    image: str  # a path or a data: URI
    boxes: list[Drawn]
    file: str  # that says so, as it is named in messages
    size: tuple[float, float] | None = None  # width and height of the picture as the file states them
    shares: bool = False  # sides are shares of the picture's width and height, not pixels


class Account(msgspec.Struct):
    """What was read, and what was left out and why."""

    lines: list[str] = []  # what was understood
    dropped: dict[str, list[str]] = {}  # reason -> where
    others: dict[str, list[str]] = {}  # the same for pictures and files
    used: int = 0  # boxes

    def drop(self, reason: str, where: str) -> None:
        """Leave out a box."""
        self.dropped.setdefault(reason, []).append(where)

    def leave(self, reason: str, where: str) -> None:
        """Leave out a picture or a file, or say what is odd about it."""
        self.others.setdefault(reason, []).append(where)

    def report(self) -> list[str]:
        """A line for each reason with how many there are, then the places."""
        lines = []
        heads = {f"boxes left out, {why}": places for why, places in self.dropped.items()}
        heads |= {f"note: {what}": places for what, places in self.others.items()}
        for head, places in heads.items():
            lines.append(f"{head}: {len(places):,}")
            lines += [f"  {place}" for place in places[:LISTED]]
            if len(places) > LISTED:
                lines.append(f"  and {len(places) - LISTED:,} more")
        return lines


def to_examples(annotated: Sequence[Annotated], account: Account, where: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Pictures and boxes of all files -> [{"image", "boxes": [{"label", "box"}]}, ...], and lines for people.

    Raises DataError where more than a tenth of the pictures or of the boxes cannot be used; `details` names the first.
    """
    lines = list(account.lines)
    rows, _ = readable([{"image": one.image, "label": "", "from": one} for one in annotated], lines, where)
    examples = []
    for row in rows:
        boxes = _boxes(row["from"], account)
        examples.append({"image": row["image"], "boxes": boxes})
        account.used += len(boxes)
    bad = [f"{place} ({reason})" for reason, places in account.dropped.items() for place in places]
    refuse_many(where, account.used, bad, "boxes", "Correct or remove them.")
    counts: dict[str, int] = {}
    for example in examples:
        for box in example["boxes"]:
            counts[box["label"]] = counts.get(box["label"], 0) + 1
    shown = ", ".join(f"{quote(label)} {count:,}" for label, count in sorted(counts.items())[:20])
    more = ", ..." if len(counts) > 20 else ""
    alike = [label for label in sorted(counts) if sum(label.lower() == other.lower() for other in counts) > 1]
    if alike:
        account.leave(
            "labels that differ in case alone, which are learned as different ones", ", ".join(map(quote, alike))
        )
    lines.append(
        f"kept {len(examples):,} pictures with {account.used:,} boxes of {len(counts):,} labels: {shown}{more}"
    )
    empty = sum(not example["boxes"] for example in examples)
    if empty:
        lines.append(f"pictures without a box, which teach what is background: {empty:,}")
    return examples, lines + account.report()


def _boxes(one: Annotated, account: Account) -> list[dict[str, Any]]:
    """The boxes of a picture in pixels of the upright picture; what is odd goes to the account."""
    width, height, orientation = header(one.image)
    stored = width, height
    upright = (height, width) if orientation in SWAPPED else stored
    picture = show_path(one.image) if len(one.image) < 1000 else "a picture in the file"
    # Drawn by a program that does not heed the camera's note which side is up: the size it states tells.
    turned = orientation in SWAPPED and one.size is not None and _alike(one.size, stored) and width != height
    if turned:
        account.leave("pictures that EXIF turns while their boxes were not; the boxes are turned with them", picture)
    elif one.size and not one.shares and not _alike(one.size, upright):
        says = f"the file says {one.size[0]:g} x {one.size[1]:g}, {picture} has {upright[0]} x {upright[1]}"
        for box in one.boxes:
            account.drop("a box on a picture of another shape than the file says", f"{one.file}, {box.where}: {says}")
        return []
    base = stored if turned else upright
    scale: tuple[float, float] = base if one.shares else (1.0, 1.0)
    if one.size and not one.shares and one.size != base:
        scale = base[0] / one.size[0], base[1] / one.size[1]
        says = f"{one.file}: {picture} has {base[0]} x {base[1]}"
        account.leave("pictures of another size than their file says; the boxes are scaled with them", says)
    kept = []
    for box in one.boxes:
        place = f"{one.file}, {box.where}: {quote(box.label)} {_shown(box.sides)}"
        left, top, right, bottom = (side * scale[i % 2] for i, side in enumerate(box.sides))
        if not right > left or not bottom > top:
            account.drop("a box without an area", place)
            continue
        if turned:
            left, top, right, bottom = turn_box([left, top, right, bottom], orientation, width, height)
        inside = max(0.0, left), max(0.0, top), min(float(upright[0]), right), min(float(upright[1]), bottom)
        if not inside[2] > inside[0] or not inside[3] > inside[1]:
            account.drop("a box outside its picture", f"{place}, the picture has {upright[0]} x {upright[1]}")
            continue
        if max(abs(a - b) for a, b in zip(inside, (left, top, right, bottom), strict=True)) > 1.5:  # 1: counted from 1
            account.leave("boxes that reach over the edge of their picture and are cut there", place)
        kept.append({"label": box.label, "box": [round(side, 3) for side in inside]})
    return kept


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two sizes have the same shape.

    >>> _alike((640, 480), (320, 240)), _alike((640, 480), (480, 640))
    (True, False)
    """
    return min(*one, *other) > 0 and abs(one[0] * other[1] / (one[1] * other[0]) - 1) < NEARLY


def _shown(sides: Sequence[float]) -> str:
    return "[" + ", ".join(f"{side:g}" for side in sides) + "]"
