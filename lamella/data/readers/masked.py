"""Pictures with masks as files describe them -> examples, with an account of every mask that was not used.

Each format has a reader of its own (`mask_folders`, `mask_shapes`); all give `Marked`, and what must be the same for all is
done here once: picture and mask are opened, their sizes compared, and the mask written as the one PNG that tasks know. So
a mask that is misread is seen before training: which labels there are, how many points each has, and four overlays.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lamella.data.media.canvas import SWAPPED, header
from lamella.data.media.frames import frames
from lamella.data.media.images import fingerprint
from lamella.data.media.masks import BACKGROUND, IGNORE, Mask, encode_mask, turned
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.report import counted
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError, UsageError

LISTED = 10  # masks and files that are named one by one; all are counted
ODD = "shapes that are no areas or have no label, which are left out"
UNNAMED = "pictures that no file names, which are left out"
NOTHING = "areas that cover no point of their picture, which are left out"
FIRST = "pictures of several frames or pages, of which the first is taken"
TURNED = "pictures that EXIF turns while their masks were not; the masks are turned with them"
UPRIGHT = "pictures that EXIF turns; their masks are taken for those of the upright pictures"
NOWHERE = "areas of an image_id that no image has, which are left out"
UNKNOWN = "areas of a category_id that no category has, which are left out"
MANY = 30  # labels without names, from which on they may be numbers of things


class Marked(msgspec.Struct):
    """One picture and how to make its mask."""

    image: str  # a path or a data: URI
    make: Callable[[int, int], Mask]  # from width and height of the upright picture
    where: str  # what to call its mask in messages
    group: str = ""  # of a table: what may not stand on both sides of a split


class Account(msgspec.Struct):
    """What was understood, and what was left out and why."""

    lines: list[str] = []
    left: dict[str, list[str]] = {}  # reason -> where

    def leave(self, reason: str, where: str) -> None:
        """Leave out a picture, a file or a shape, or say what is odd about it."""
        self.left.setdefault(reason, []).append(where)

    def report(self) -> list[str]:
        """A line for each reason with how many there are, then the first places."""
        lines = []
        for reason, places in self.left.items():
            lines.append(f"note: {reason}: {len(places):,}")
            lines += [f"  {place}" for place in places[:LISTED]]
            lines += [f"  and {len(places) - LISTED:,} more"] if len(places) > LISTED else []
        return lines


def to_examples(
    marked: Sequence[Marked], account: Account, where: str, group: str = ""
) -> tuple[list[dict[str, Any]], list[str]]:
    """Pictures and masks of all files -> [{"image", "mask"}], or with a "group" each, and lines for people.

    group: "folder", or a regular expression of which the first group of a picture's path says what it belongs to; "": none.
    Raises DataError where more than a tenth of the masks cannot be used; `details` names the first.
    """
    pattern = group_pattern(group)
    examples, bad, marks = [], [], set[str]()
    points: dict[str, int] = {}
    pictures: dict[str, int] = {}
    things, unknown, named = 0, 0, True
    for one in marked:
        try:
            mark = fingerprint(one.image)  # a picture that cannot be read is found now, not in the middle of training
            mask = _fitting(one, account)
        except DataError as error:
            bad.append(str(error) if str(error).startswith(one.where) else f"{one.where}: {error}")
            continue
        if mark in marks:
            account.leave("pictures that repeat another one, point for point", _name(one.image))
        marks.add(mark)
        if frames(one.image) > 1:
            account.leave(FIRST, _name(one.image))
        example = {"image": one.image, "mask": encode_mask(mask.points, mask.labels, mask.things)}
        if pattern or one.group:
            example["group"] = one.group or group_of(one.image, pattern)
        examples.append(example)
        counts = np.bincount(mask.points.ravel(), minlength=256)
        for label, count in zip(mask.labels, counts.tolist(), strict=False):
            points[label] = points.get(label, 0) + count
            pictures[label] = pictures.get(label, 0) + (count > 0)
        unknown += int(counts[IGNORE])
        things += len(np.unique(mask.things)) - 1 if mask.things is not None else 0
        named &= mask.named
    refuse_many(where, len(examples), bad, "masks", "Correct or remove them.")
    lost = next((reason for reason in (ODD, NOWHERE, UNKNOWN) if reason in account.left), "")
    if lost and not sum(count for label, count in points.items() if label != BACKGROUND):
        places = account.left[lost]
        raise DataError(
            f"{where}: expected areas with labels, received none that can be used ({lost}: {len(places):,}, the first: {places[0]})."
        )
    lines = list(account.lines)
    if bad:
        lines.append(f"left out {counted(len(bad), 'mask')} of {len(marked):,} that cannot be used")
        lines += [f"unusable: {line}" for line in bad[:LISTED]]
    lines += _shares(len(examples), points, pictures, things, unknown, named)
    return examples, lines + account.report()


def _fitting(one: Marked, account: Account) -> Mask:
    """The mask of a picture, of the size of the upright picture."""
    width, height, orientation = header(one.image)
    swapped = orientation in SWAPPED and width != height
    upright = (height, width) if swapped else (width, height)
    refused = None
    # Drawn by a program that does not heed the camera's note which side is up: its size tells.
    for size in (upright, (width, height)) if swapped else (upright,):
        try:
            mask = one.make(*size)
        except DataError as error:
            refused = refused or error
            continue
        if mask.points.shape == size[::-1]:
            if orientation > 1:
                account.leave(UPRIGHT if size == upright else TURNED, _name(one.image))
            return mask if size == upright else turned(mask, orientation)
        received = f"{mask.points.shape[1]} x {mask.points.shape[0]}"
    if refused:
        raise refused
    raise DataError(
        f"{one.where}: expected a mask of {upright[0]} x {upright[1]} points, as {_name(one.image)} has, received {received}. "
        "Scale neither: export the mask again."
    )


def _name(image: str) -> str:
    return show_path(image) if len(image) < 1000 else "the picture"


def _shares(
    count: int, points: dict[str, int], pictures: dict[str, int], things: int, unknown: int, named: bool
) -> list[str]:
    """How many points each label has, so that a mask that was misread is seen before training."""
    total = max(1, sum(points.values()))
    labels = [label for label in points if points[label]]
    lines = [f"kept {counted(count, 'picture')} with masks of {counted(len(labels), 'label')}"]
    lines[0] += f" and {counted(things, 'thing')} told apart" if things else ""
    for label in labels[:MANY]:
        share = f"{points[label] / total:.1%}" if points[label] / total >= 0.001 else f"{points[label] / total:.2g}"
        lines.append(f"  {quote(label)}: {share} of the points, in {counted(pictures[label], 'picture')}")
    if len(labels) > MANY:
        lines.append(f"  and {len(labels) - MANY:,} more labels")
        if not named:
            lines.append("note: if each number is a thing of its own and no label, save the masks in 16 bits")
    elif not named:
        lines.append("note: the masks name no labels, so numbers are their names; name them in labels.txt, one a line")
        if unknown and len(labels) > 2 and any(label.isdigit() and int(label) > 127 for label in labels):
            lines.append(
                "note: black and white masks that were smoothed or scaled have greys at their edges; save them with 0 and 255 alone"
            )
    if unknown:
        lines.append(
            f"note: points whose label is not known, which neither teach nor count: {unknown / (total + unknown):.1%}"
        )
    if points.get(BACKGROUND) == total:
        lines.append("note: every point is background; look at the masks")
    return lines


def group_pattern(group: str) -> re.Pattern[str] | None:
    """The pattern that finds a picture's group in its path; None without groups. UsageError where it is no pattern.

    >>> group_pattern("folder") is group_pattern("folder")
    True
    """
    if not group:
        return None
    if group == "folder":
        return re.compile(r"([^/\\]*)[/\\][^/\\]*$")
    try:
        pattern = re.compile(group)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f'--group {group[:60]}: expected "folder", or a regular expression such as (patient\\d+), received {error}.'
        ) from error
    if pattern.groups != 1:
        raise UsageError(
            f"--group {group[:60]}: expected one group in parentheses, what pictures of one patient share, received "
            f"{pattern.groups}. For example: (patient\\d+)"
        )
    return pattern


def group_of(image: str, pattern: re.Pattern[str] | None) -> str:
    """What a picture belongs to, by its path. DataError where the pattern is not in it.

    >>> group_of("slides/p12_003.png", group_pattern("(p[0-9]+)_")), group_of("a/p12/1.png", group_pattern("folder"))
    ('p12', 'p12')
    """
    match = pattern.search(str(Path(image))) if pattern and len(image) < 4000 else None
    if match is None:
        raise DataError(
            f"--group: expected {quote(pattern.pattern if pattern else '')} in the path of each picture, received "
            f"{quote(image[:80])}. Change the expression, or use --group folder."
        )
    return match[1] or ""
