"""Files of shapes -> masks: COCO's polygons and RLE, LabelMe's JSON, CVAT's XML.

Each shape is a thing of its own. Later ones lie above earlier ones; what no shape covers is background. Points of polygons are
pixels of the upright picture; where the file states another size of the same shape they are scaled.
"""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.media.masks import BACKGROUND, IGNORE, MOST_LABELS, MOST_THINGS, Mask, open_mask
from lamella.data.readers.coco import is_coco
from lamella.data.readers.label_tools import is_labelme, picture_inside
from lamella.data.readers.masked import NOTHING, NOWHERE, ODD, UNKNOWN, Account, Marked
from lamella.data.readers.picture_places import Places
from lamella.data.readers.rle import coco_rle, cvat_rle
from lamella.data.readers.voc import read_root
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError

__all__ = ["is_coco", "is_labelme", "read_coco", "read_cvat", "read_labelme"]
MISSING = "pictures that a file names and that are not there, or of which several have that name"
VOID = ("void", "ignore")  # shapes of these labels are points that are not known
Points = Sequence[tuple[float, float]]
Paint = Callable[[int, int, tuple[float, float]], NDArray[np.bool_]]  # height, width and scale -> (H, W)


class Shape(msgspec.Struct):
    """One area of a picture."""

    label: str  # "" for points that are not known
    paint: Paint
    thing: str = ""  # shapes of one label that share it are one thing; "": it is one by itself
    where: str = ""  # what to call it in messages


class Shapes(msgspec.Struct):
    """Makes the mask of one picture from its shapes."""

    shapes: list[Shape]
    labels: list[str]  # of the whole file, the background first
    size: tuple[float, float] | None = None  # width and height as the file states them
    account: Account | None = None  # is told of shapes that lie outside of the picture

    def __call__(self, width: int, height: int) -> Mask:
        scale = 1.0, 1.0
        if self.size and self.size != (width, height):
            if abs(self.size[0] * height / (self.size[1] * width) - 1) > 0.02:
                raise DataError(
                    f"the file says that the picture has {self.size[0]:g} x {self.size[1]:g} points, and it has {width} x {height}. "
                    "Export them together."
                )
            scale = width / self.size[0], height / self.size[1]
        if len(self.labels) > MOST_LABELS or len(self.shapes) > MOST_THINGS:
            raise DataError(f"expected at most {MOST_LABELS} labels and {MOST_THINGS:,} shapes, received more.")
        points, things = np.zeros((height, width), np.uint8), np.zeros((height, width), np.int32)
        numbers: dict[tuple[str, str], int] = {}
        for i, shape in enumerate(self.shapes):
            where = shape.paint(height, width, scale)
            if self.account and not where.any():
                self.account.leave(NOTHING, shape.where)
            points[where] = self.labels.index(shape.label) if shape.label else IGNORE
            number = numbers.setdefault((shape.label, shape.thing or f" {i}"), len(numbers) + 1)
            things[where] = number if shape.label else 0
        _, packed = np.unique(np.append(things.ravel(), 0), return_inverse=True)  # what is hidden has no number
        return Mask(points, self.labels, packed[:-1].reshape(things.shape).astype(np.int32))


# ---- painting --------------------------------------------------------------------------------------------------------


def polygons(rings: Sequence[Points]) -> Paint:
    """The inside of polygons together; a point counts where its middle is inside."""

    def paint(height: int, width: int, scale: tuple[float, float]) -> NDArray[np.bool_]:
        out = np.zeros((height, width), bool)
        for ring in rings:
            _fill(out, np.array(ring, np.float64) * scale)
        return out

    return paint


def _fill(out: NDArray[np.bool_], ring: NDArray[np.float64]) -> None:
    """Fill a polygon (N, 2) of columns and rows, by the even-odd rule: each edge that is passed changes in and out."""
    height, width = out.shape
    top, bottom = (int(v) for v in np.clip([np.floor(ring[:, 1].min()), np.ceil(ring[:, 1].max())], 0, height))
    turns = np.zeros((max(0, bottom - top), width + 1), np.int64)
    if not turns.size:
        return
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        low, high = min(y0, y1), max(y0, y1)
        # Rows whose middle is between the ends, the upper one counted in, so that a corner is passed once.
        first, last = (int(np.clip(np.ceil(y - 0.5), top, bottom)) for y in (low, high))
        rows = np.arange(first, last)
        passed = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0) if len(rows) else rows
        np.add.at(turns, (rows - top, np.clip(np.ceil(passed - 0.5), 0, width).astype(np.int64)), 1)
    out[top:bottom] |= np.cumsum(turns, axis=1)[:, :width] % 2 == 1


def ellipse(x: float, y: float, across: float, down: float) -> Paint:
    """An ellipse by its middle and its radii."""
    turns = [2 * math.pi * i / 64 for i in range(64)]
    return polygons([[(x + across * math.cos(t), y + down * math.sin(t)) for t in turns]])


def stamped(area: NDArray[np.bool_], left: int, top: int) -> Paint:
    """An area of points, placed on the picture."""

    def paint(height: int, width: int, scale: tuple[float, float]) -> NDArray[np.bool_]:
        if scale != (1.0, 1.0):
            raise DataError(
                "expected a mask of points on a picture of the size that the file states, received another."
            )
        out = np.zeros((height, width), bool)
        x, y = max(0, left), max(0, top)
        part = area[y - top : y - top + max(0, height - y), x - left : x - left + max(0, width - x)]
        out[y : y + part.shape[0], x : x + part.shape[1]] = part
        return out

    return paint


def _pairs(values: Any) -> list[tuple[float, float]] | None:
    """[x, y, x, y, ...] or [[x, y], ...] -> points; None where it is no polygon."""
    try:
        flat = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        return None
    fine = len(flat) >= 6 and len(flat) % 2 == 0 and np.isfinite(flat).all()
    return [(float(x), float(y)) for x, y in flat.reshape(-1, 2)] if fine else None


# ---- COCO ------------------------------------------------------------------------------------------------------------


def read_coco(path: Path, content: Mapping[str, Any], places: Places, account: Account) -> list[Marked]:
    """A COCO file's pictures, and masks of its polygons and RLE; a crowd's region is not known."""
    name = show_path(path)
    known = [c for c in _dicts(content.get("categories")) if "id" in c and "name" in c]
    categories = {str(c["id"]): str(c["name"]) for c in known}
    if not categories and content.get("annotations"):
        raise DataError(
            f"{name}: expected categories with id and name, received none. Export the file with its categories."
        )
    labels = [BACKGROUND, *(n for n in dict.fromkeys(categories.values()) if n != BACKGROUND)]
    marked: dict[str, Marked] = {}
    makers: dict[str, Shapes] = {}
    of_file: dict[Path, Shapes] = {}
    missing = set()
    for image in _dicts(content["images"]):
        key, file = str(image.get("id")), str(image.get("file_name", ""))
        place = places.find(file)
        if place is None:
            missing.add(key)
            account.leave(MISSING, f"{name}: {quote(file)}")
            continue
        if place in of_file:  # a picture may stand in the list twice, with a part of its areas each
            account.leave("pictures that a file lists again; their areas are put together", f"{name}: {quote(file)}")
            makers[key] = of_file[place]
            continue
        makers[key] = of_file[place] = Shapes([], labels, _size(image.get("width"), image.get("height")), account)
        marked[key] = Marked(str(place), makers[key], f"{name}, {quote(file)}")
    for one in _dicts(content.get("annotations")):
        maker, label = makers.get(str(one.get("image_id"))), categories.get(str(one.get("category_id")))
        where = f"{name}, annotation {str(one.get('id', '?'))[:40]}"
        if maker is None:
            if str(one.get("image_id")) not in missing:  # those are reported above, with their picture
                account.leave(NOWHERE, f"{where}: {str(one.get('image_id'))[:40]}")
            continue
        if label is None:
            account.leave(UNKNOWN, f"{where}: {str(one.get('category_id'))[:40]}")
            continue
        paint = _coco_area(one.get("segmentation"))
        if paint is None:
            account.leave(ODD, where)
            continue
        known_label = "" if one.get("iscrowd") or label.lower() in VOID else label
        maker.shapes.append(Shape(known_label, paint, where=where))
    areas = sum(len(maker.shapes) for maker in of_file.values())
    account.lines.append(f"{name}: COCO, {len(marked):,} pictures, {areas:,} areas")
    return list(marked.values())


def _coco_area(segmentation: Any) -> Paint | None:
    if isinstance(segmentation, list):
        rings = [ring for ring in map(_pairs, segmentation) if ring]
        return polygons(rings) if rings and len(rings) == len(segmentation) else None
    if not isinstance(segmentation, dict):
        return None
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(s, int) and 0 < s < 65536 for s in size):
        return None

    def paint(height: int, width: int, scale: tuple[float, float]) -> NDArray[np.bool_]:
        return stamped(coco_rle(counts, size[0], size[1]), 0, 0)(height, width, scale)

    return paint


# ---- LabelMe ---------------------------------------------------------------------------------------------------------


def read_labelme(path: Path, content: Mapping[str, Any], places: Places, account: Account) -> list[Marked]:
    """A LabelMe file -> its picture and the mask of its polygons, rectangles, circles and masks."""
    name = show_path(path)
    file = str(content.get("imagePath") or f"{path.stem}.jpg")
    place = places.find(file) or places.find(path.stem)
    image = str(place) if place else picture_inside(content.get("imageData"))
    if image is None:
        account.leave(MISSING, f"{name}: {quote(file)}")
        return []
    shapes = []
    for i, shape in enumerate(content["shapes"], start=1):
        label = str(shape.get("label") or "").strip() if isinstance(shape, dict) else ""
        paint = _labelme_area(shape) if label else None
        if paint is None:
            account.leave(ODD, f"{name}, shape {i}")
            continue
        group = shape.get("group_id")
        thing = "" if group is None else str(group)
        shapes.append(Shape("" if label.lower() in VOID else label, paint, thing, f"{name}, shape {i}"))
    labels = [BACKGROUND, *sorted({s.label for s in shapes} - {"", BACKGROUND})]
    maker = Shapes(shapes, labels, _size(content.get("imageWidth"), content.get("imageHeight")), account)
    return [Marked(image, maker, name)]


def _labelme_area(shape: Mapping[str, Any]) -> Paint | None:
    kind = shape.get("shape_type") or "polygon"
    try:
        points = [(float(x), float(y)) for x, y in shape["points"]]
    except (KeyError, TypeError, ValueError):
        return None
    if not points or not all(math.isfinite(n) for point in points for n in point):
        return None
    if kind == "polygon":
        return polygons([points]) if len(points) > 2 else None
    if kind == "rectangle" and len(points) == 4:  # newer versions write all corners
        return polygons([points])
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        return polygons([[(left, top), (right, top), (right, bottom), (left, bottom)]])
    if kind == "circle" and len(points) == 2:
        radius = math.dist(*points)
        return ellipse(*points[0], radius, radius)
    if kind == "mask" and isinstance(shape.get("mask"), str):
        try:
            area = np.asarray(open_mask(base64.b64decode(shape["mask"], validate=True))) > 0
        except (ValueError, DataError):
            return None
        return stamped(area, round(points[0][0]), round(points[0][1])) if area.ndim == 2 else None
    return None


# ---- CVAT ------------------------------------------------------------------------------------------------------------


def read_cvat(path: Path, places: Places, account: Account) -> list[Marked]:
    """CVAT's "for images" -> its pictures and the masks of their polygons, boxes, ellipses and masks, by `z_order`."""
    name, root = show_path(path), read_root(path)
    if root.tag != "annotations" or root.find("image") is None:
        raise DataError(
            f"{name}: expected CVAT's format for images, received <{root.tag[:40]}>. Export as CVAT for images 1.1."
        )
    labels = [
        BACKGROUND,
        *(n.strip() for n in (e.text or "" for e in root.iterfind(".//labels/label/name")) if n.strip()),
    ]
    found: list[tuple[Path, list[Shape], Element]] = []
    for image in root.iter("image"):
        file = image.get("name", "")
        place = places.find(file)
        if place is None:
            account.leave(MISSING, f"{name}: {quote(file)}")
            continue
        shapes = []
        for i, one in enumerate(sorted((e for e in image if e.tag != "tag"), key=_order), start=1):
            label, paint = one.get("label", "").strip(), _cvat_area(one)
            where, group = f"{name}, {quote(file)}, {one.tag[:20]} {i}", one.get("group_id", "").strip()
            if not label or paint is None:
                account.leave(ODD, where)
                continue
            labels.append(label)
            shapes.append(Shape("" if label.lower() in VOID else label, paint, "" if group == "0" else group, where))
        found.append((place, shapes, image))
    labels = [label for label in dict.fromkeys(labels) if label.lower() not in VOID]
    account.lines.append(f"{name}: CVAT, {len(found):,} pictures, {sum(len(s) for _, s, _ in found):,} areas")
    return [
        Marked(str(place), Shapes(shapes, labels, _size(_float(image.get("width")), _float(image.get("height"))), account),
               f"{name}, {quote(place.name)}")
        for place, shapes, image in found
    ]  # fmt: skip


def _order(one: Element) -> float:
    return _float(one.get("z_order")) or 0.0


def _cvat_area(one: Element) -> Paint | None:
    def numbers(*names: str) -> list[float] | None:
        values = [_float(one.get(name)) for name in names]
        return None if None in values else [v for v in values if v is not None]

    if one.tag == "polygon":
        ring = _pairs([[_float(n) for n in pair.split(",")] for pair in one.get("points", "").split(";")])
        return polygons([ring]) if ring else None
    if one.tag == "box" and (sides := numbers("xtl", "ytl", "xbr", "ybr")):
        left, top, right, bottom = sides
        return polygons([[(left, top), (right, top), (right, bottom), (left, bottom)]])
    if one.tag == "ellipse" and (shape := numbers("cx", "cy", "rx", "ry")):
        return ellipse(*shape)
    if one.tag == "mask" and (place := numbers("left", "top", "width", "height")):
        left, top, width, height = map(int, place)
        if not (0 < width < 65536 and 0 < height < 65536):
            return None
        text = one.get("rle", "")

        def paint(high: int, wide: int, scale: tuple[float, float]) -> NDArray[np.bool_]:
            return stamped(cvat_rle(text, height, width), left, top)(high, wide, scale)

        return paint
    return None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _size(width: Any, height: Any) -> tuple[float, float] | None:
    fine = all(isinstance(s, int | float) and not isinstance(s, bool) and 0 < s < 1e9 for s in (width, height))
    return (float(width), float(height)) if fine else None


def _float(text: str | None) -> float | None:
    try:
        value = float((text or "").strip())
        return value if abs(value) < 1e9 else None
    except ValueError:
        return None
