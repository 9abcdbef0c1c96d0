"""Pictures with boxes, whatever they come as -> examples: COCO, YOLO, Pascal VOC, CVAT, LabelMe, Label Studio, tables.

examples, lines = read_boxes(["cells/annotations.json"])
examples[0]         {"image": "cells/images/1.png", "boxes": [{"label": "nucleus", "box": [3.0, 4.0, 20.0, 31.0]}]}

The format is found from the file or folder. Boxes are [left, top, right, bottom] in pixels of the upright picture.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.annotated import UNNAMED, Account, Annotated, Drawn, to_examples
from lamella.data.readers.coco import is_coco, read_coco
from lamella.data.readers.image_folders import IMAGE_NAMES
from lamella.data.readers.label_tools import (
    is_label_studio,
    is_labelme,
    read_annotations,
    read_label_studio,
    read_labelme,
)
from lamella.data.readers.labels import LABEL_NAMES
from lamella.data.readers.picture_places import Places, unnamed
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.data.readers.voc import read_xml
from lamella.data.readers.yolo import is_list, read_yolo
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

EXPECTED = (
    "COCO (.json), YOLO (data.yaml, or images/ and labels/), Pascal VOC or CVAT (.xml), LabelMe, Label Studio, or a CSV"
)
BOX_NAMES = ("boxes", "predicted_boxes", "annotations", "objects")
# What the columns of a table with a box a row are called: TensorFlow's, Open Images', RetinaNet's.
PICTURE_NAMES = (*IMAGE_NAMES, "imageid", "image_id")
CLASS_NAMES = ("class", "label", "labelname", "class_name", "category", *LABEL_NAMES)
SIDE_NAMES = {"left": ("xmin", "x1", "left", "x_min"), "top": ("ymin", "y1", "top", "y_min")}
SIDE_NAMES |= {"right": ("xmax", "x2", "right", "x_max"), "bottom": ("ymax", "y2", "bottom", "y_max")}


def read_boxes(
    paths: Sequence[str | Path], columns: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Files and folders -> [{"image", "boxes"}], and lines that say what was understood, kept and left out.

    columns: of a table, which column is the `image` and which the `boxes`. Raises DataError where no format is
    recognised, no picture is found, or more than a tenth of the boxes or pictures cannot be used.
    """
    account = Account()
    annotated: list[Annotated] = []
    for given in paths:
        place = Path(given)
        if place.is_dir():
            annotated += _folder(place, account)
        elif not place.exists():
            raise DataError(f"{show_path(place)}: expected {EXPECTED}; received no such file or folder.")
        elif place.suffix.lower() in (".yaml", ".yml"):
            annotated += read_yolo(place, account)
        elif place.suffix.lower() == ".xml":
            annotated += _xml([place], account)
        elif place.suffix.lower() == ".txt":
            annotated += _text(place, account)
        elif place.suffix.lower() == ".json" and (content := _json(place, columns)) is not None:
            annotated += _one_json(place, content, Places(place.parent), account)
        elif is_table(place):
            annotated += _table(place, columns, account)
        else:
            raise DataError(
                f"{show_path(place)}: expected {EXPECTED}; received a file with the suffix {quote(place.suffix)}."
            )
    if not annotated:
        others = account.report()[:2]
        why = f" ({'; '.join(others)})" if others else ""
        raise DataError(f"{show_path(paths[0])}: expected pictures with boxes, received none that can be used{why}.")
    return to_examples(annotated, account, " and ".join(show_path(p) for p in paths[:3]))


def _folder(place: Path, account: Account) -> list[Annotated]:
    """The pictures of a folder with their boxes; those that no file names are said."""
    annotated, places = _formats(place, account)
    for picture in unnamed(places, (one.image for one in annotated)):
        account.leave(UNNAMED, show_path(picture))
    return annotated


def _formats(place: Path, account: Account) -> tuple[list[Annotated], list[Places]]:
    """What is in a folder decides: the first format of which there is a file. Also where files name all of their pictures."""

    def below(pattern: str) -> list[Path]:
        return sorted(
            p for p in place.rglob(pattern) if not any(part.startswith(".") for part in p.relative_to(place).parts)
        )

    if (
        below("data.y*ml")
        or (place / "labels").is_dir()
        or any(p.name == "images" and (p.parent / "labels").is_dir() for p in (place, *place.parents[:2]))
    ):
        whole = next(iter(sorted(place.glob("*.y*ml"))), None)
        return read_yolo(whole if whole and (place / "train").is_dir() else place, account), []
    if files := below("*.xml"):
        return _xml(files, account), [Places(place)]
    if files := below("*.json"):
        annotated: list[Annotated] = []
        places: dict[Path, Places] = {}
        for file in files:
            near = places.setdefault(file.parent, Places(file.parent))
            content = _json(file, None)
            if content is None:
                account.leave("JSON files that are no annotations", show_path(file))
            else:
                annotated += _one_json(file, content, near, account)
        return annotated, list(places.values())
    if files := below("*.csv"):
        return [one for file in files for one in _table(file, None, account)], [Places(place)]
    if below("*.txt"):
        return read_yolo(place, account), []
    raise DataError(
        f"{show_path(place)}: expected a folder with annotations, {EXPECTED}; received a folder without any."
    )


def _xml(files: Sequence[Path], account: Account) -> list[Annotated]:
    annotated = read_xml(files, account)
    where = show_path(files[0].parent if len(files) > 1 else files[0])
    account.lines.append(f"{where}: {len(files):,} XML files, {len(annotated):,} pictures")
    if not annotated:
        raise DataError(
            f"{where}: expected the pictures of its annotations beside them or in images/ or JPEGImages/, received none. "
            "Put them there."
        )
    return annotated


def _text(path: Path, account: Account) -> list[Annotated]:
    """A list of pictures with labels beside them, or one of VOC's lists of names in ImageSets/Main."""
    if is_list(path):
        return read_yolo(path, account)
    for home in path.resolve().parents[:4]:
        if (home / "Annotations").is_dir():
            names = [line.split()[0] for line in split_lines(read_text(path)[0]) if line.strip()]
            files = [home / "Annotations" / f"{name}.xml" for name in names]
            missing = [file for file in files if not file.is_file()]
            if missing:
                raise DataError(
                    f"{show_path(path)}: expected names of files in {show_path(home / 'Annotations')}, received "
                    f"{len(missing):,} of {len(files):,} that are not there, such as {quote(missing[0].stem)}."
                )
            return _xml(files, account)
    raise DataError(
        f"{show_path(path)}: expected a list of pictures, or of names in Pascal VOC's ImageSets/Main beside Annotations/."
    )


def _json(path: Path, columns: Mapping[str, str] | None) -> Any:
    return read_annotations(path, columns, (is_coco, is_labelme, is_label_studio))


def _one_json(path: Path, content: Any, places: Places, account: Account) -> list[Annotated]:
    if is_coco(content):
        return read_coco(path, content, account)
    if is_labelme(content):
        return read_labelme(path, content, places, account)
    return read_label_studio(path, content, account)


# ---- tables -----------------------------------------------------------------------------------------------------------


def _table(path: Path, columns: Mapping[str, str] | None, account: Account) -> list[Annotated]:
    """A row a picture, with a list of boxes in JSON, or a row a box, with its four sides in columns."""
    if not columns and _has_sides(path):
        return _a_row_a_box(path, account)
    table = read_table([path], {"image": IMAGE_NAMES, "boxes": BOX_NAMES}, columns)
    account.lines += table.report.lines()
    annotated = []
    for row in table.rows:
        boxes = []
        for i, one in enumerate(_list(row["boxes"]), start=1):
            sides = one.get("box") if isinstance(one, dict) else None
            if not isinstance(sides, list) or len(sides) != 4 or not all(isinstance(s, int | float) for s in sides):
                account.drop('a box that is not {"label", "box": [left, top, right, bottom]}', f"{row.where}, box {i}")
                continue
            boxes.append(Drawn(str(one.get("label", "")), [float(s) for s in sides], f"line {row.line}, box {i}"))
        annotated.append(Annotated(_beside(path, row["image"]), boxes, row.file))
    return annotated


def _list(cell: str) -> list[Any]:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return [None]  # counted as a box that is none
    return value if isinstance(value, list) else [None]


def _beside(table: Path, name: str) -> str:
    if name[:5].lower() == "data:":
        return name
    place = Places(table.parent).find(name)
    return str(place or table.parent / name)


def _has_sides(path: Path) -> bool:
    """Whether a table's first line names the four sides."""
    first = next(iter(split_lines(read_text(path)[0])), "")
    names = {cell.strip(' "').lower() for cell in first.split(max(",;\t|", key=first.count))}
    return all(names.intersection(known) for known in SIDE_NAMES.values())


def _a_row_a_box(path: Path, account: Account) -> list[Annotated]:
    table = read_table([path], {"image": PICTURE_NAMES, "label": CLASS_NAMES, **SIDE_NAMES})
    account.lines += table.report.lines()
    places, annotated = Places(path.parent), dict[str, Annotated]()
    missing: set[str] = set()
    numbers = []
    for row in table.rows:
        sides = [side for name in SIDE_NAMES if (side := _float(row[name])) is not None]
        if len(sides) < 4:
            account.drop("a side that is no number", f"{row.where}: {quote(' '.join(row[s] for s in SIDE_NAMES))}")
            continue
        numbers.append((row, sides))
    # Open Images writes shares of the sides: no box in pixels has every side at 1 or below.
    shares = bool(numbers) and max(max(sides) for _, sides in numbers) <= 1
    for row, sides in numbers:
        name = row["image"]
        if name in missing:
            continue
        if name not in annotated:
            place = places.find(name)
            if place is None:
                missing.add(name)
                account.leave(
                    "pictures that a file names and that are not there, or of which several have that name",
                    f"{row.where}: {quote(name)}",
                )
                continue
            annotated[name] = Annotated(str(place), [], row.file, shares=shares)
        annotated[name].boxes.append(Drawn(row["label"], sides, f"line {row.line}"))
    return list(annotated.values())


def _float(text: str) -> float | None:
    try:
        value = float(text)
        return value if abs(value) < 1e9 else None
    except ValueError:
        return None
