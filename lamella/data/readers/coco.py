"""COCO's JSON: `images`, `annotations` with `bbox` as [left, top, width, height] in pixels, and `categories`.

Ids are whatever numbers the file chose: categories have gaps in COCO itself. `iscrowd` marks a region of many objects, which
is no box of one; such are left out and counted.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lamella.data.readers.annotated import Account, Annotated, Drawn
from lamella.data.readers.picture_places import Places
from lamella.data.readers.voc import around
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError


def is_coco(content: Any) -> bool:
    """Whether a JSON file's content looks like COCO's."""
    return isinstance(content, dict) and isinstance(content.get("images"), list) and "annotations" in content


def read_coco(path: Path, content: Mapping[str, Any], account: Account) -> list[Annotated]:
    """The pictures of a COCO file and their boxes.

    Raises DataError where it has no categories or none of its pictures is found.
    """
    name = show_path(path)
    known = [c for c in _dicts(content.get("categories")) if {"id", "name"} <= c.keys()]
    categories = {_id(c["id"]): str(c["name"]) for c in known}
    categories.pop(None, None)
    if not categories:
        raise DataError(
            f"{name}: expected categories with id and name, received none. Export the file with its categories."
        )
    places = Places(path.parent)
    annotated: dict[Any, Annotated] = {}
    of_file: dict[Path, Annotated] = {}
    missing = set()
    for image in _dicts(content["images"]):
        file, key = str(image.get("file_name", "")), _id(image.get("id"))
        place = places.find(file)
        if place is None:
            missing.add(key)
            account.leave(
                "pictures that a file names and that are not there, or of which several have that name",
                f"{name}: {quote(file)}",
            )
            continue
        sides: tuple[Any, Any] = image.get("width"), image.get("height")
        size = (float(sides[0]), float(sides[1])) if all(_number(s) and s for s in sides) else None
        if place in of_file:  # a picture may stand in the list twice, with a part of its boxes each
            account.leave("pictures that a file lists again; their boxes are put together", f"{name}: {quote(file)}")
        annotated[key] = of_file.setdefault(place, Annotated(str(place), [], name, size))
    if not annotated:
        raise DataError(
            f"{name}: expected its {len(missing):,} pictures in {show_path(path.parent)} or in images/ beside or below it, "
            "received none of them. Put the pictures there."
        )
    for one in _dicts(content.get("annotations")):
        where = f"annotation {one.get('id', '?')}"
        image_id, category = _id(one.get("image_id")), _id(one.get("category_id"))
        if image_id in missing:
            continue  # reported above, with its picture
        if image_id not in annotated:
            account.drop("an image_id that no image has", f"{name}, {where}: {one.get('image_id')}")
        elif category not in categories:
            account.drop("a category_id that no category has", f"{name}, {where}: {one.get('category_id')}")
        elif one.get("iscrowd"):
            account.leave("regions of a crowd (iscrowd), which are left out", f"{name}, {where}")
        else:
            box = one.get("bbox") or _around(one.get("segmentation"))
            given = box if isinstance(box, list) else []
            numbers = [n for side in given if (n := _side(side)) is not None]
            if len(given) != 4 or len(numbers) != 4:
                account.drop("a bbox that is not four numbers", f"{name}, {where}: {str(box)[:60]}")
                continue
            left, top, width, height = numbers
            drawn = Drawn(categories[category], [left, top, left + width, top + height], where)
            annotated[image_id].boxes.append(drawn)
    account.lines.append(f"{name}: COCO, {len(of_file):,} pictures, {len(categories):,} categories")
    return list(of_file.values())


def has_no_boxes(content: Mapping[str, Any]) -> bool:
    """Whether a file says something else of its pictures: COCO's captions, or its panoptic segments.

    >>> has_no_boxes({"annotations": [{"caption": "A cat."}]}), has_no_boxes({"annotations": []})
    (True, False)
    """
    annotations = _dicts(content["annotations"])
    return bool(annotations) and not any("bbox" in one or "segmentation" in one for one in annotations)


def repeats(content: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a file gives keypoints of pictures whose boxes other files give: persons would be counted twice."""
    categories = _dicts(content.get("categories"))
    if not categories or not all("keypoints" in one for one in categories):
        return False
    return _pictures(content) <= {name for other in others for name in _pictures(other)}


def _pictures(content: Mapping[str, Any]) -> set[str]:
    return {str(image.get("file_name")) for image in _dicts(content["images"])}


def _around(segmentation: Any) -> list[float] | None:
    """The bbox around polygons, which some programs leave out; None where there are none."""
    parts = segmentation if isinstance(segmentation, list) else []
    numbers = [n for part in parts if isinstance(part, list) and len(part) % 2 == 0 for n in part]
    if len(numbers) < 6 or not all(map(_number, numbers)):
        return None
    left, top, right, bottom = around(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return [left, top, right - left, bottom - top]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(value: Any) -> int | str | None:
    """An id: a number or a text, as files have them; a number in quotes is the number.

    >>> _id("12"), _id("012"), _id([12])
    (12, '012', None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 and str(int(value)) == value:
        return int(value)
    return value if isinstance(value, int | str) else None


def _side(value: Any) -> float | None:
    """A number, also in quotes; None where it is none.

    >>> _side("12.5"), _side(3), _side("x"), _side(True)
    (12.5, 3.0, None, None)
    """
    try:
        side = float(value) if isinstance(value, str) or _number(value) else None
    except ValueError:
        return None
    return side if side is not None and abs(side) < 1e9 else None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
