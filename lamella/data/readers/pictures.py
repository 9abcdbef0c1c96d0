"""Pictures with or without labels: folders, folders with a folder a class in them, and tables of path and maybe label.

rows, lines = read_pictures(["flowers/"])       [{"image": "flowers/rose/1.jpg", "label": "rose"}, ...], what was found
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.images import is_uri
from lamella.data.readers.image_folders import IMAGE_NAMES, image_folder, readable
from lamella.data.readers.labels import LABEL_NAMES
from lamella.data.readers.picture_maps import json_object
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.errors import DataError


def read_pictures(
    paths: Sequence[str], columns: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Files of the user -> rows {"image": path, "label": name}, the label only where there is one, and lines about them.

    In: folders and tables; `columns`: which column of a table is the image and which the label, where names do not tell.
    Raises DataError where there is no picture, or more than a tenth cannot be read.
    """
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    folders = [path for path in paths if not is_table(path)]
    if folders:
        found, said = image_folder(folders, columns, optional=True)
        rows, lines = rows + found, lines + said
    for path in paths:
        if path in folders:
            continue
        try:
            table = read_table([path], {"image": IMAGE_NAMES, "label": LABEL_NAMES}, columns, optional=("label",))
        except DataError:  # a map of JSON has no columns; what reads tables beside pictures reads it
            if json_object(Path(path)) is None:
                raise
            found, said = image_folder([path], columns, optional=True)
            rows, lines = rows + found, lines + said
            continue
        lines += table.report.lines()
        named = [{name: value for name, value in row.items() if name == "image" or value} for row in table.rows]
        for row in named:
            row["image"] = row["image"] if is_uri(row["image"]) else str(Path(path).parent / row["image"])
        rows += readable(named, lines, path)[0]
    return rows, lines
