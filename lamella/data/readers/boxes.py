"""Pictures with boxes, whatever they come as -> examples: COCO, YOLO, Pascal VOC, CVAT, LabelMe, Label Studio, tables.

examples, lines = read_boxes(["cells/annotations.json"])
examples[0]         {"image": "cells/images/1.png", "boxes": [{"label": "nucleus", "box": [3.0, 4.0, 20.0, 31.0]}]}

The format is found from the file or folder. Boxes are [left, top, right, bottom] in pixels of the upright picture.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.annotated import UNNAMED, Account, Annotated, to_examples
from lamella.data.readers.box_tables import read_box_table
from lamella.data.readers.coco import has_no_boxes, is_coco, read_coco, repeats
from lamella.data.readers.label_tools import (
    is_label_studio,
    is_labelme,
    read_annotations,
    read_label_studio,
    read_labelme,
)
from lamella.data.readers.picture_places import Places, unnamed
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.voc import read_xml
from lamella.data.readers.yolo import is_list, read_yolo
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

EXPECTED = "COCO (.json), YOLO (data.yaml, or images/ and labels/), Pascal VOC or CVAT (.xml), LabelMe, Label Studio, a CSV or a JSONL"


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
            annotated += read_box_table(place, columns, account)
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
        return _jsons(files, account)
    if files := below("*.csv") or below("*.jsonl"):
        return [one for file in files for one in read_box_table(file, None, account)], [Places(place)]
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


def _jsons(files: Sequence[Path], account: Account) -> tuple[list[Annotated], list[Places]]:
    """The JSON files of a folder; those that say something else of the same pictures are named."""
    annotated: list[Annotated] = []
    places: dict[Path, Places] = {}
    contents = {file: _json(file, None) for file in files}
    of_coco = {file: content for file, content in contents.items() if is_coco(content)}
    for file, content in contents.items():
        near = places.setdefault(file.parent, Places(file.parent))
        if content is None or (file in of_coco and has_no_boxes(content)):
            account.leave("JSON files that are no annotations with boxes", show_path(file))
        elif file in of_coco and repeats(content, (c for other, c in of_coco.items() if other != file)):
            account.leave("files of keypoints beside files of boxes, which are left out", show_path(file))
        else:
            annotated += _one_json(file, content, near, account)
    return annotated, list(places.values())


def _one_json(path: Path, content: Any, places: Places, account: Account) -> list[Annotated]:
    if is_coco(content):
        return read_coco(path, content, account)
    if is_labelme(content):
        return read_labelme(path, content, places, account)
    return read_label_studio(path, content, account)
