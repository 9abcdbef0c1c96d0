"""Tables of boxes: a row a picture with its boxes in JSON, or a row a box with its four sides in columns.

    {"file_name": "1.jpg", "objects": {"bbox": [[5, 6, 20, 10]], "categories": ["cat"]}}        Hugging Face's metadata.jsonl

filename,width,height,class,xmin,ymin,xmax,ymax        TensorFlow's; Open Images', whose sides are shares
cats/1.jpg,12,30,120,95,cat                            RetinaNet's, without a header; cats/2.jpg,,,,, has no boxes
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lamella.data.media.images import SUFFIXES
from lamella.data.readers.annotated import Account, Annotated, Drawn
from lamella.data.readers.image_folders import IMAGE_NAMES
from lamella.data.readers.labels import LABEL_NAMES
from lamella.data.readers.picture_places import Places
from lamella.data.readers.records import fold
from lamella.data.readers.tables import Row, read_table
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

BOX_NAMES = ("boxes", "predicted_boxes", "annotations", "objects")
# What the columns of a table with a box a row are called: TensorFlow's, Open Images', RetinaNet's.
PICTURE_NAMES = (*IMAGE_NAMES, "imageid", "image_id")
CLASS_NAMES = ("class", "label", "labelname", "class_name", "category", *LABEL_NAMES)
SIDE_NAMES = {"left": ("xmin", "x1", "left", "x_min"), "top": ("ymin", "y1", "top", "y_min")}
SIDE_NAMES |= {"right": ("xmax", "x2", "right", "x_max"), "bottom": ("ymax", "y2", "bottom", "y_max")}
SIZE_NAMES = {"wide": ("width", "image_width", "img_width"), "tall": ("height", "image_height", "img_height")}
LABELS_OF_BOXES = ("category", "categories", "label", "labels", "class", "classes")
# By position, where there is no header.
RETINANET = {"image": 1, "left": 2, "top": 3, "right": 4, "bottom": 5, "label": 6}


def read_box_table(path: Path, columns: Mapping[str, str] | None, account: Account) -> list[Annotated]:
    """The pictures of a table and their boxes. columns: which column is the `image` and which the `boxes`."""
    first = next((line for line in split_lines(read_text(path)[0]) if line.strip()), "")
    cells = [cell.strip(' "\ufeff') for cell in first.split(max(",;\t|", key=first.count))]
    if not columns and all({cell.lower() for cell in cells}.intersection(known) for known in SIDE_NAMES.values()):
        return _a_row_a_box(path, None, account)
    if not columns and _is_retinanet(cells):
        return _a_row_a_box(path, RETINANET, account)
    named = {fold(cell) for cell in cells}
    told = first.lstrip("\ufeff")[:1] in ("{", "[") or PurePosixPath(cells[0]).suffix.lower() in SUFFIXES
    if not columns and not told and not named.intersection(map(fold, BOX_NAMES)):
        raise DataError(
            f"{show_path(path)}: expected columns such as filename, class, xmin, ymin, xmax, ymax, or image and boxes, received "
            f"columns named {', '.join(map(quote, cells[:12]))}. Rename them, or choose: --columns image=NAME,boxes=NAME"
        )
    wanted: dict[str, tuple[str, ...]] = {"image": IMAGE_NAMES, "boxes": BOX_NAMES}
    if not columns and (name := _of_huggingface(first)):  # the table has a column for each field of an object in JSON
        wanted = {"image": IMAGE_NAMES, "bbox": (f"{name}.bbox",)}
        wanted["label"] = tuple(f"{name}.{one}" for one in LABELS_OF_BOXES)
    table = read_table([path], wanted, columns, nested=tuple(wanted)[1:])
    account.lines += table.report.lines()
    annotated = []
    for row in table.rows:
        boxes = []
        given = _list(row["boxes"]) if "boxes" in row else _paired(*map(_json, (row["bbox"], row["label"])))
        for i, one in enumerate(given, start=1):
            sides = _four(one.get("box")) if isinstance(one, dict) else None
            if sides is None:
                account.drop('a box that is not {"label", "box": [left, top, right, bottom]}', f"{row.where}, box {i}")
                continue
            boxes.append(Drawn(str(one.get("label", "")), sides, f"line {row.line}, box {i}"))
        annotated.append(Annotated(_beside(path, row["image"]), boxes, row.file))
    return annotated


def _is_retinanet(cells: Sequence[str]) -> bool:
    """Whether a first line is a picture, four sides and a class, or a picture alone.

    >>> _is_retinanet(["a.jpg", "1", "2", "30", "40", "cat"]), _is_retinanet(["image", "x1", "y1", "x2", "y2", "class"])
    (True, False)
    """
    if len(cells) != 6 or PurePosixPath(cells[0]).suffix.lower() not in SUFFIXES:
        return False
    return not any(cells[1:]) or (bool(cells[5]) and all(_float(cell) is not None for cell in cells[1:5]))


def _list(cell: str) -> list[Any]:
    """The boxes of a cell; what is none is one None, which is counted as a box that is none."""
    value = _json(cell)
    if isinstance(value, dict):
        return _paired(value.get("bbox"), next((value[name] for name in LABELS_OF_BOXES if name in value), None))
    return value if isinstance(value, list) else [None]


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _of_huggingface(first: str) -> str:
    """The field of a line of JSON that holds boxes and labels in two lists, as Hugging Face has them; "" where there is none.

    >>> _of_huggingface('{"file_name": "1.jpg", "objects": {"bbox": [[5, 6, 20, 10]], "categories": [3]}}')
    'objects'
    """
    value = _json(first) if first.lstrip("\ufeff")[:1] == "{" else None
    fields = value if isinstance(value, dict) else {}
    return next((n for n in BOX_NAMES if isinstance(fields.get(n), dict) and "bbox" in fields[n]), "")


def _paired(boxes: Any, labels: Any) -> list[Any]:
    """Boxes of left, top, width and height, and their labels.

    >>> _paired([[5, 6, 20, 10]], [3])
    [{'label': '3', 'box': [5.0, 6.0, 25.0, 16.0]}]
    """
    if not isinstance(boxes, list) or not isinstance(labels, list) or len(boxes) != len(labels):
        return [None]
    return [_box(sides, label) for sides, label in zip(boxes, labels, strict=True)]


def _four(value: Any) -> list[float] | None:
    """Four numbers, which the reader of tables may give as texts; None where they are none."""
    sides = [_float(str(side)) for side in value] if isinstance(value, list) else []
    numbers = [side for side in sides if side is not None]
    return numbers if len(numbers) == len(sides) == 4 else None


def _box(sides: Any, label: Any) -> dict[str, Any] | None:
    """Left, top, width, height and a label as a box; None where they are none."""
    numbers = _four(sides)
    if numbers is None or not isinstance(label, int | str):
        return None
    left, top, width, height = numbers
    return {"label": str(label), "box": [left, top, left + width, top + height]}


def _beside(table: Path, name: str) -> str:
    if name[:5].lower() == "data:":
        return name
    place = Places(table.parent).find(name)
    return str(place or table.parent / name)


def _a_row_a_box(path: Path, columns: Mapping[str, int] | None, account: Account) -> list[Annotated]:
    names = {"image": PICTURE_NAMES, "label": CLASS_NAMES, **SIDE_NAMES, **({} if columns else SIZE_NAMES)}
    # An empty cell is no error here: a picture alone on its line has no boxes.
    table = read_table([path], names, columns, optional=() if columns else tuple(SIZE_NAMES), allow_empty=True)
    source = table.report.sources[0]
    if columns and source.header:  # a picture alone on the first line looks like a header
        table.rows.insert(0, Row({**dict.fromkeys(names, ""), "image": source.header[0]}, source.file, 1))
        source.header, source.rows = None, source.rows + 1
        source.columns = {name: f"column {at}" for name, at in columns.items()}
    account.lines += table.report.lines()
    places, annotated = Places(path.parent), dict[str, Annotated]()
    missing: set[str] = set()
    rows: list[tuple[Row, list[float]]] = []
    for row in table.rows:
        given = [row[name] for name in ("label", *SIDE_NAMES)]
        sides = [side for name in SIDE_NAMES if (side := _float(row[name])) is not None]
        if not row["image"] or (any(given) and not all(given)):
            account.leave("rows with an empty cell, which are left out", row.where)
        elif any(given) and len(sides) < 4:
            account.drop("a side that is no number", f"{row.where}: {quote(' '.join(row[s] for s in SIDE_NAMES))}")
        else:
            rows.append((row, sides))
    drawn = [sides for _, sides in rows if sides]
    # Open Images writes shares of the sides: no box in pixels has every side at 1 or below.
    shares = bool(drawn) and max(map(max, drawn)) <= 1
    of_boxes = _sizes_of_boxes(rows)
    for row, sides in rows:
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
            size = None if of_boxes else _size(row)
            annotated[name] = Annotated(str(place), [], row.file, size, shares)
        if sides:
            annotated[name].boxes.append(Drawn(row["label"], sides, f"line {row.line}"))
    return list(annotated.values())


def _size(row: Row) -> tuple[float, float] | None:
    """Width and height of the picture as a row states them."""
    wide, tall = (_float(row.get(name, "")) for name in SIZE_NAMES)
    return (wide, tall) if wide and tall else None


def _sizes_of_boxes(rows: Sequence[tuple[Row, list[float]]]) -> bool:
    """Whether the columns of width and height are those of the boxes and not of their pictures: they are so in most rows."""
    stated = [(size, sides) for row, sides in rows if sides and (size := _size(row))]
    own = sum(abs(s[2] - s[0] - w) <= 1.5 and abs(s[3] - s[1] - h) <= 1.5 for (w, h), s in stated)
    return bool(stated) and own > len(stated) / 2


def _float(text: str) -> float | None:
    try:
        value = float(text)
        return value if abs(value) < 1e9 else None
    except ValueError:
        return None
