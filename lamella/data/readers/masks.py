"""Pictures with masks, whatever they come as -> examples: folders of both, COCO, LabelMe, CVAT, Pascal VOC, nnU-Net, tables.

examples, lines = read_masks(["cells/"])
examples[0]         {"image": "cells/images/1.png", "mask": "data:image/png;base64,..."}

The format is found from the file or folder. A mask is one PNG whose points are numbers of labels, with the labels' names
in it (`lamella.data.media.masks`), of the upright picture's own size.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.masks import Mask, read_mask
from lamella.data.readers.image_folders import IMAGE_NAMES
from lamella.data.readers.label_tools import read_annotations
from lamella.data.readers.mask_folders import read_folder
from lamella.data.readers.mask_shapes import is_coco, is_labelme, read_coco, read_cvat, read_labelme
from lamella.data.readers.masked import UNNAMED, Account, Marked, to_examples
from lamella.data.readers.picture_places import Places, unnamed
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError

EXPECTED = (
    "images/ and masks/, or x.jpg beside x_mask.png; Pascal VOC (SegmentationClass/), nnU-Net (dataset.json), COCO or LabelMe "
    "(.json), CVAT (.xml), or a CSV of image and mask"
)
MASK_NAMES = ("mask", "masks", "label", "labels", "segmentation", "annotation", "mask_path")
GROUP_NAMES = ("group", "patient", "patient_id", "slide", "case", "subject")


def read_masks(
    paths: Sequence[str | Path], columns: Mapping[str, str] | None = None, group: str = ""
) -> tuple[list[dict[str, Any]], list[str]]:
    """Files and folders -> [{"image", "mask"}], and lines that say what was understood, kept and left out.

    columns: of a table, which column is the `image`, the `mask` and the `group`. group: see `masked.to_examples`. Raises
    DataError where no format is recognised, no picture is found, or more than a tenth of the masks cannot be used.
    """
    account = Account()
    marked: list[Marked] = []
    for given in paths:
        place = Path(given)
        if place.is_dir():
            marked += _folder(place, account)
        elif not place.exists():
            raise DataError(f"{show_path(place)}: expected {EXPECTED}; received no such file or folder.")
        elif place.suffix.lower() == ".xml":
            marked += read_cvat(place, Places(place.parent), account)
        elif place.suffix.lower() == ".json" and (content := _json(place, columns)) is not None:
            marked += _one_json(place, content, Places(place.parent), account)
        elif is_table(place):
            marked += _table(place, columns, account)
        else:
            raise DataError(
                f"{show_path(place)}: expected {EXPECTED}; received a file with the suffix {quote(place.suffix)}."
            )
    if not marked:
        others = [f"{reason}: {len(at):,}, the first {at[0]}" for reason, at in account.left.items()]
        why = f" ({'; '.join(others[:3])})" if others else ""
        raise DataError(f"{show_path(paths[0])}: expected pictures with masks, received none that can be used{why}.")
    return to_examples(marked, account, " and ".join(show_path(p) for p in paths[:3]), group)


def _folder(place: Path, account: Account) -> list[Marked]:
    """What is in a folder decides: masks as pictures first, then files of shapes."""
    marked = read_folder(place, account)
    if marked is not None:
        return marked
    files = [
        p
        for p in sorted(place.rglob("*"))
        if p.suffix.lower() in (".json", ".xml")
        and not any(part.startswith(".") for part in p.relative_to(place).parts)
    ]
    places: dict[Path, Places] = {}
    marked = []
    for file in files:
        near = places.setdefault(file.parent, Places(file.parent))
        if file.suffix.lower() == ".xml":
            marked += read_cvat(file, near, account)
        elif (content := _json(file, None)) is None:
            account.leave("JSON files that are no annotations", show_path(file))
        else:
            marked += _one_json(file, content, near, account)
    # What has no file is no picture without areas, but one that nobody has looked at.
    for picture in unnamed(places.values(), (one.image for one in marked)) if marked else ():
        account.leave(UNNAMED, show_path(picture))
    if not files:
        for table in sorted(p for p in place.iterdir() if is_table(p)):
            marked += _table(table, None, account)
    if not marked and not account.left:
        raise DataError(f"{show_path(place)}: expected {EXPECTED}; received a folder without any of them.")
    return marked


def _json(path: Path, columns: Mapping[str, str] | None) -> Any:
    return read_annotations(path, columns, (is_coco, is_labelme))


def _one_json(path: Path, content: Any, places: Places, account: Account) -> list[Marked]:
    if is_coco(content):
        return read_coco(path, content, places, account)
    return read_labelme(path, content, places, account)


def _table(path: Path, columns: Mapping[str, str] | None, account: Account) -> list[Marked]:
    """A row a picture: its path, that of its mask, and what it belongs to where there is such a column."""
    wanted = {"image": IMAGE_NAMES, "mask": MASK_NAMES}
    table = None
    if not columns or "group" in columns:
        try:
            table = read_table([path], {**wanted, "group": GROUP_NAMES}, columns)
        except DataError:
            if columns:
                raise
    table = table or read_table([path], wanted, columns)
    account.lines += table.report.lines()
    marked: list[Marked] = []
    seen: dict[str, set[str]] = {"picture": set(), "mask": set()}
    for row in table.rows:
        image, mask = (_beside(path, row[name]) for name in ("image", "mask"))
        name = row.where if mask[:5].lower() == "data:" else show_path(mask)
        for kind, path_of in (("picture", image), ("mask", mask)):
            if path_of in seen[kind] and path_of[:5].lower() != "data:":
                account.leave(f"rows of which another one names the same {kind}", row.where)
            seen[kind].add(path_of)
        marked.append(Marked(image, _opened(mask), name, row.get("group", "")))
    return marked


def _opened(mask: str) -> Any:
    def make(width: int, height: int) -> Mask:
        return read_mask(mask)

    return make


def _beside(table: Path, name: str) -> str:
    return name if name[:5].lower() == "data:" else str(table.parent / name)
