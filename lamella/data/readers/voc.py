"""XML files of annotations: Pascal VOC's, one for each picture, and CVAT's "for images", one for all.

VOC counts pixels from 1 and both ends of a box are inside it, so that `xmin` 1 and `xmax` 10 are the first ten pixels: 0
to 10 here. Objects marked `difficult` are kept like any other.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from lamella.data.readers.annotated import Account, Annotated, Drawn
from lamella.data.readers.picture_places import Places
from lamella.data.text.encoding import quote, read_bytes, show_path
from lamella.errors import DataError

POINTED = ("polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")


def read_xml(paths: Sequence[Path], account: Account) -> list[Annotated]:
    """VOC files, or CVAT files, -> their pictures and boxes."""
    annotated: list[Annotated] = []
    places: dict[Path, Places] = {}
    for path in paths:
        near = places.setdefault(path.parent, Places(path.parent))
        root = read_root(path)
        if root.tag == "annotations":
            annotated += _cvat(path, root, near, account)
        elif root.tag == "annotation":
            annotated += _voc(path, root, near, account)
        else:
            raise DataError(
                f"{show_path(path)}: expected annotations of Pascal VOC (<annotation>) or CVAT for images (<annotations>), "
                f"received <{root.tag[:40]}>. Export in one of these formats."
            )
    return annotated


def read_root(path: Path) -> Any:
    """The root of an XML file; DataError where it is none."""
    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

    try:
        return fromstring(read_bytes(path))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DataError(
            f"{show_path(path)}: expected XML, received something that cannot be read as such ({str(error)[:80]}). "
            "Export it again or remove it."
        ) from error


def _voc(path: Path, root: Element, places: Places, account: Account) -> list[Annotated]:
    name = show_path(path)
    file = (root.findtext("filename") or "").strip() or path.stem
    # Tools that rename pictures leave the old name inside; the file's own name is the better guess then.
    place = places.find(file) or places.find(path.stem)
    if place is None:
        account.leave(
            "pictures that a file names and that are not there, or of which several have that name",
            f"{name}: {quote(file)}",
        )
        return []
    boxes = []
    for i, thing in enumerate(root.iter("object"), start=1):
        label = (thing.findtext("name") or "").strip()
        sides = [_float(thing.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")]
        numbers = [side for side in sides if side is not None]
        if not label or len(numbers) < 4:
            account.drop("an object without a name or without the four sides of a bndbox", f"{name}, object {i}")
            continue
        left, top, right, bottom = numbers
        # xmin = xmax is a box one pixel wide by the letter, and always a slip of the mouse.
        drawn = [left - 1, top - 1, right, bottom] if right > left and bottom > top else [left, top, right, bottom]
        boxes.append(Drawn(label, drawn, f"object {i}"))
    stated = _float(root.findtext("size/width")), _float(root.findtext("size/height"))
    size = (stated[0], stated[1]) if stated[0] and stated[1] else None
    return [Annotated(str(place), boxes, name, size)]


def _cvat(path: Path, root: Element, places: Places, account: Account) -> list[Annotated]:
    name = show_path(path)
    if root.find("track") is not None and root.find("image") is None:
        raise DataError(
            f"{name}: expected CVAT's format for images, received the one for videos. Export as CVAT for images 1.1."
        )
    annotated = []
    for image in root.iter("image"):
        file = image.get("name", "")
        place = places.find(file)
        if place is None:
            account.leave(
                "pictures that a file names and that are not there, or of which several have that name",
                f"{name}: {quote(file)}",
            )
            continue
        boxes = []
        for i, thing in enumerate((one for one in image if one.tag in ("box", *POINTED)), start=1):
            where, label = f"picture {quote(file)}, {thing.tag} {i}", thing.get("label", "").strip()
            sides = _cvat_sides(thing)
            if not label or sides is None:
                account.drop("a shape that is no box and no polygon, or has no label", f"{name}, {where}")
                continue
            boxes.append(Drawn(label, sides, where))
        stated = _float(image.get("width")), _float(image.get("height"))
        size = (stated[0], stated[1]) if stated[0] and stated[1] else None
        annotated.append(Annotated(str(place), boxes, name, size))
    account.lines.append(f"{name}: CVAT, {len(annotated):,} pictures")
    return annotated


def _cvat_sides(thing: Element) -> list[float] | None:
    """Left, top, right, bottom of a box, or around a polygon."""
    names = {"box": "xtl ytl xbr ybr", "ellipse": "cx cy rx ry", "mask": "left top width height"}.get(thing.tag)
    if names:
        given = [n for key in names.split() if (n := _float(thing.get(key))) is not None]
        if len(given) < 4:
            return None
        a, b, c, d = given
        angle = _float(thing.get("rotation", "0")) or 0.0
        if thing.tag == "ellipse":
            return around_ellipse(a, b, c, d, angle)
        if thing.tag == "mask":
            return [a, b, a + c, b + d]
        return around(_turned([(a, b), (c, b), (c, d), (a, d)], ((a + c) / 2, (b + d) / 2), angle))
    if thing.tag not in ("polygon", "cuboid"):
        return None
    points = [[_float(n) for n in pair.split(",")] for pair in thing.get("points", "").split(";")]
    numbers = [(p[0], p[1]) for p in points if len(p) == 2 and p[0] is not None and p[1] is not None]
    return around(numbers) if len(numbers) > 2 else None


def around(points: Sequence[tuple[float, float]]) -> list[float]:
    """The smallest box around points.

    >>> around([(1, 5), (3, 2)])
    [1, 2, 3, 5]
    """
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return [min(xs), min(ys), max(xs), max(ys)]


def around_ellipse(x: float, y: float, across: float, down: float, angle: float) -> list[float]:
    """The upright box around an ellipse with these half axes, turned by an angle in degrees.

    >>> [round(side, 9) for side in around_ellipse(10, 10, 4, 2, 90)]
    [8.0, 6.0, 12.0, 14.0]
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    wide, tall = math.hypot(across * cos, down * sin), math.hypot(across * sin, down * cos)
    return [x - wide, y - tall, x + wide, y + tall]


def _turned(
    points: Sequence[tuple[float, float]], middle: tuple[float, float], angle: float
) -> list[tuple[float, float]]:
    """Points turned around one by an angle in degrees; exactly where they were for an angle of 0."""
    if not angle:
        return list(points)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    near = [(x - middle[0], y - middle[1]) for x, y in points]
    return [(middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos) for x, y in near]


def _float(text: str | None) -> float | None:
    try:
        value = float((text or "").strip())
        return value if abs(value) < 1e9 else None
    except ValueError:
        return None
