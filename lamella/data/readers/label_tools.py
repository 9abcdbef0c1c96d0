"""JSON of programs in which people draw boxes: LabelMe, one file for each picture, and Label Studio, one for all.

LabelMe's points are pixels; a polygon or circle becomes the box around it. Label Studio's numbers are percents of the
picture's sides; a box that was turned becomes the upright one around it.
"""

import base64
import codecs
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from lamella.data.readers.annotated import Account, Annotated, Drawn
from lamella.data.readers.picture_places import Places
from lamella.data.readers.voc import around, around_ellipse
from lamella.data.text.encoding import quote, read_bytes, show_path
from lamella.errors import DataError

MISSING = "pictures that a file names and that are not there, or of which several have that name"
_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")  # Label Studio puts this before the names of uploaded files


def read_annotations(path: Path, columns: Mapping[str, str] | None, kinds: Sequence[Callable[[Any], bool]]) -> Any:
    """The content of a JSON file that is of one of these kinds; None where it is a table, or nothing that is known here.

    columns: of a table, where the user named some: what is no JSON as a whole may then be a row a line. Else DataError.
    """
    try:
        raw = read_bytes(path).removeprefix(codecs.BOM_UTF8)
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raw = raw.decode("utf-16").encode()
        content = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if columns:
            return None
        raise DataError(
            f"{show_path(path)}: expected JSON, received something that cannot be read as such ({error})."
        ) from error
    return content if any(is_of(content) for is_of in kinds) else None


def is_labelme(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def is_label_studio(content: Any) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and (isinstance(content[0].get("data"), dict) or "image" in content[0] and "label" in content[0])
    )


# ---- LabelMe ----------------------------------------------------------------------------------------------------------


def read_labelme(path: Path, content: Mapping[str, Any], places: Places, account: Account) -> list[Annotated]:
    """A LabelMe file -> its picture and boxes; the picture may be in the file itself."""
    name = show_path(path)
    file = str(content.get("imagePath") or f"{path.stem}.jpg")
    place = places.find(file) or places.find(path.stem)
    image = str(place) if place else picture_inside(content.get("imageData"))
    if image is None:
        account.leave(MISSING, f"{name}: {quote(file)}")
        return []
    boxes = []
    for i, shape in enumerate(content["shapes"], start=1):
        where = f"shape {i}"
        label = shape.get("label") if isinstance(shape, dict) else None
        sides = _labelme_sides(shape) if isinstance(label, str) and label.strip() else None
        if sides is None:
            account.drop("a shape that is no rectangle, polygon or circle, or has no label", f"{name}, {where}")
        else:
            boxes.append(Drawn(str(label).strip(), sides, where))
    stated: tuple[Any, Any] = content.get("imageWidth"), content.get("imageHeight")
    size = (float(stated[0]), float(stated[1])) if all(_number(s) and s for s in stated) else None
    return [Annotated(image, boxes, name, size)]


def picture_inside(data: Any) -> str | None:
    """A picture in base64, as LabelMe keeps it, as a URI; None where there is none."""
    if not isinstance(data, str) or not data:
        return None
    try:
        base64.b64decode(data[:64], validate=True)
    except ValueError:
        return None
    return f"data:image/png;base64,{data}"


def _labelme_sides(shape: Mapping[str, Any]) -> list[float] | None:
    try:
        points = [(float(x), float(y)) for x, y in shape["points"]]
    except (KeyError, TypeError, ValueError):
        return None
    kind = shape.get("shape_type", "polygon")
    if not all(math.isfinite(n) for point in points for n in point):
        return None
    if kind == "circle" and len(points) == 2:
        (x, y), radius = points[0], math.dist(*points)
        return [x - radius, y - radius, x + radius, y + radius]
    if (kind in ("rectangle", "mask") and len(points) in (2, 4)) or (
        kind in ("polygon", "rotation") and len(points) > 2
    ):
        return around(points)
    return None


# ---- Label Studio -----------------------------------------------------------------------------------------------------


def read_label_studio(path: Path, content: Sequence[Any], account: Account) -> list[Annotated]:
    """An export of Label Studio, JSON or JSON-MIN -> its pictures and boxes.

    A picture without an annotation was not looked at and is left out; one with an empty annotation has no boxes.
    """
    name, places = show_path(path), Places(path.parent)
    annotated: list[Annotated] = []
    for i, entry in enumerate(content, start=1):
        task = entry if isinstance(entry, dict) else {}
        where = f"task {task.get('id', i)}"
        data = task.get("data") if isinstance(task.get("data"), dict) else task
        assert isinstance(data, dict)
        url = data.get("image") or next((v for v in data.values() if isinstance(v, str) and "/" in v), "")
        place = _studio_picture(str(url), places)
        if place is None:
            account.leave(MISSING, f"{name}, {where}: {quote(str(url))}")
            continue
        results = _studio_results(task)
        if results is None:
            account.leave("pictures that nobody has annotated yet, which are left out", f"{name}, {where}")
            continue
        boxes, size = [], None
        for j, result in enumerate(results, start=1):
            value = result.get("value", result) if isinstance(result, dict) else {}
            label, sides = _studio_box(value)
            if sides is None or not label:
                account.drop(
                    "a result that is no rectangle or polygon, or has no label", f"{name}, {where}, result {j}"
                )
                continue
            boxes.append(Drawn(label, sides, f"{where}, result {j}"))
            stated = result.get("original_width"), result.get("original_height")
            if all(_number(s) and s for s in stated):
                size = float(stated[0]), float(stated[1])
        annotated.append(Annotated(str(place), boxes, name, size, shares=True))
    if not annotated:
        raise DataError(
            f"{name}: expected its pictures in {show_path(path.parent)} or in images/, and annotations, received none with "
            "both. Put the pictures there; Label Studio's exports do not hold them."
        )
    account.lines.append(f"{name}: Label Studio, {len(annotated):,} pictures")
    return annotated


def _studio_picture(url: str, places: Places) -> Path | None:
    """`/data/upload/1/0a1b2c3d-cat.jpg` and `/data/local-files/?d=cats/cat.jpg` are both cat.jpg."""
    parts = urlsplit(url)
    local = parse_qs(parts.query).get("d")
    file = unquote(local[0] if local else parts.path)
    bare = _UPLOAD.sub("", PurePosixPath(file).name, count=1)
    return places.find(file) or places.find(bare)


def _studio_results(task: Mapping[str, Any]) -> list[Any] | None:
    """The results of the last annotation that was not cancelled; None where nobody has annotated."""
    if "annotations" in task or "completions" in task:
        given = task.get("annotations") or task.get("completions")
        done = (
            [a for a in given if isinstance(a, dict) and not a.get("was_cancelled")] if isinstance(given, list) else []
        )
        results = done[-1].get("result") if done else None
        return results if isinstance(results, list) else None
    label = task.get("label")  # JSON-MIN
    return label if isinstance(label, list) else None


def _studio_box(value: Any) -> tuple[str, list[float] | None]:
    """A result's label, and its sides as shares."""
    if not isinstance(value, dict):
        return "", None
    names = "rectanglelabels", "polygonlabels", "ellipselabels", "labels"
    labels = next((value[name] for name in names if value.get(name)), None)
    label = str(labels[0]).strip() if isinstance(labels, list) and labels else ""
    try:
        if "points" in value:
            points = [(float(x) / 100, float(y) / 100) for x, y in value["points"]]
        elif "radiusX" in value:
            x, y, across, down = (float(value[key]) / 100 for key in ("x", "y", "radiusX", "radiusY"))
            left, top, right, bottom = around_ellipse(x, y, across, down, float(value.get("rotation") or 0))
            points = [(left, top), (right, top), (right, bottom), (left, bottom)]
        else:
            x, y, width, height = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
            # It turns around its upper left corner, in pixels; on a picture that is not square this is not exact.
            angle = math.radians(float(value.get("rotation") or 0))
            cos, sin = math.cos(angle), math.sin(angle)
            points = [(x + a * cos - b * sin, y + a * sin + b * cos) for a in (0, width) for b in (0, height)]
    except (KeyError, TypeError, ValueError):
        return label, None
    return label, around(points) if len(points) > 2 and all(math.isfinite(n) for p in points for n in p) else None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
