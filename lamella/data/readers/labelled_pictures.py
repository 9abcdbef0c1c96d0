"""Tables beside pictures that say which is of which class: `metadata.csv`, `labels.csv`, `labels.json`, ids without a suffix, one-hot columns.

The column of pictures is found by what it holds: paths, names or ids of pictures that are there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.images import SUFFIXES
from lamella.data.readers import used_columns
from lamella.data.readers.headers import column_names, first_is_header
from lamella.data.readers.labels import LABEL_NAMES
from lamella.data.readers.parts import visible
from lamella.data.readers.picture_maps import json_object, labels_by_name
from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.row_filter import is_filtered
from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import quote, quote_all, read_text, show_path, split_lines
from lamella.errors import DataError

CLASS_NAMES = (*LABEL_NAMES, "breed", "species", "dx", "diagnosis", "disease", "variety", "genus", "emotion", "id_code")
LISTS = (".txt", ".lst")  # may list pictures with their classes, a picture a line
COVER = 0.5  # share of the rows that must name pictures which are there
LISTED = 10  # pictures that are named one by one; all are counted
_LOOKED_AT = 200  # rows


class Pictures:
    """The pictures below a folder, found by path, name or name without suffix."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.files: list[str] = []
        self._by_name: dict[str, str] = {}  # "" where several have the name
        for folder, names, files in os.walk(place):
            names[:] = sorted(n for n in names if not n.startswith(".") and n.lower() != "__macosx")
            for file in sorted(files):
                if file.startswith(".") or Path(file).suffix.lower() not in SUFFIXES:
                    continue
                path = str(Path(folder, file))
                self.files.append(path)
                for name in (os.path.relpath(path, place), file, Path(file).stem):
                    key = name.replace("\\", "/").lower()
                    self._by_name[key] = path if self._by_name.get(key, path) == path else ""

    def find(self, name: str) -> str:
        """The path of a picture; "" where there is none of that name, or several.

        A path that leads elsewhere is looked for by its last part: tables keep those of the machine they were made on.
        """
        key = name.strip().replace("\\", "/").lower().removeprefix("./")
        return self._by_name.get(key) or self._by_name.get(key.rpartition("/")[2], "")


def tables_for(place: Path) -> list[Path]:
    """The tables in a folder that may say what its pictures are, those that are called so first."""
    usual = ("metadata", "labels", "label", "annotations", "classes", "train", "index")
    tables = [p for p in visible(place) if p.is_file() and (is_table(p) or p.suffix.lower() in LISTS)]
    return sorted(
        tables, key=lambda p: (usual.index(p.stem.lower()) if p.stem.lower() in usual else len(usual), p.name)
    )


def read_labelled_pictures(
    table: Path, pictures: Pictures, columns: Mapping[str, str] | None = None, optional: bool = False
) -> tuple[list[dict[str, Any]], list[str]] | None:
    """The pictures that a table names, with their labels, and lines for people; None where it names none that is there.

    In: the table; the pictures it may name; `columns`: which column is `image` and which `label`, where that is said;
    `optional`: the pictures that it gives no label are kept too, without one. Raises DataError where the labels cannot be told.
    """
    if not pictures.files:
        return None
    if table.suffix.lower() in LISTS and (listed := _lines_of_list(table, pictures, optional)):
        return listed
    called = {fold(name) for name in CLASS_NAMES}
    if (pairs := labels_by_name(table, pictures.find, called)) is not None:
        said = f"{show_path(table)}: JSON of pictures and their labels"
        return _of_rows(table, pictures, pairs, said, optional)
    try:
        sheet = read_sheet(table, 1, called)
    except DataError:
        if is_table(table) and json_object(table) is None:
            raise
        return None  # a text about the pictures, or what else is known of them
    if not sheet.rows:
        return None
    if sheet.keys is not None:
        names, body = (
            sheet.keys,
            [[str(c.get(k) or "") for k in sheet.keys] for _, c in sheet.rows if isinstance(c, dict)],
        )
    else:
        rows = [[str(cell) for cell in cells] for _, cells in sheet.rows]
        header = first_is_header(rows[:300]) or any(fold(cell) in map(fold, CLASS_NAMES) for cell in rows[0])
        names = column_names(rows[0]) if header else [f"column {i + 1}" for i in range(len(rows[0]))]
        body = [row for row in rows[header:] if len(row) == len(names)]
    if not body:
        return None
    image = _image_column(names, body, pictures, columns or {})
    if image is None:
        return None
    labels, how = _labels(show_path(table), names, body, image, columns or {})
    used_columns.note("image", names[image], image + 1, len(names))
    said = f"{show_path(table)}: image = {quote(names[image])}, label = {how}"
    pairs = [(row[image], label) for row, label in zip(body, labels, strict=True)]
    return _of_rows(table, pictures, pairs, said, optional)


def _of_rows(
    table: Path, pictures: Pictures, pairs: Sequence[tuple[str, str]], said: str, optional: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """The pictures that are there, of those that a table names with their labels, and lines for people."""
    found: list[dict[str, Any]] = []
    missing: dict[str, None] = {}
    for name, label in pairs:
        path = pictures.find(name)
        if not path:
            missing[name] = None
        if path and label:
            found.append({"image": path, "label": label})
    lines = [f"{said}; {len(found):,} pictures"]
    if missing:
        lines.append(
            f"note: {len(missing):,} pictures that rows name are not in {show_path(pictures.place)}, or several have that name, "
            f"left out: {quote_all(missing, LISTED)}"
        )
    if is_filtered():  # the others are in rows of another part
        return found, lines
    return _with_rest(pictures, found, lines, f"in no row of {show_path(table)}", optional)


def _lines_of_list(path: Path, pictures: Pictures, optional: bool) -> tuple[list[dict[str, Any]], list[str]] | None:
    """The pictures of a text file whose lines are a path, white space and a class; None where most lines are no such."""
    lines = [line.split() for line in split_lines(read_text(path)[0]) if line.strip()]
    rows = [(pictures.find(words[0]), words[1]) for words in lines if len(words) == 2]
    found = [{"image": image, "label": label} for image, label in rows if image]
    if not found or len(found) < COVER * len(lines):
        return None
    said = [f"{show_path(path)}: a picture and its class on each line; {len(found):,} pictures"]
    if len(found) < len(lines):
        said.append(
            f"note: {len(lines) - len(found):,} of {len(lines):,} lines name no picture that is there, left out: "
            + quote_all((words[0] for words in lines if len(words) != 2 or not pictures.find(words[0])), LISTED)
        )
    return _with_rest(pictures, found, said, f"on no line of {show_path(path)}", optional)


def _with_rest(
    pictures: Pictures, found: list[dict[str, Any]], lines: list[str], where: str, optional: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """What was found, then the pictures without a label where they are kept; lines with a note about these."""
    named = {row["image"] for row in found}
    rest = [{"image": path} for path in pictures.files if path not in named]
    if not rest:
        return found, lines
    shown = quote_all((os.path.relpath(row["image"], pictures.place) for row in rest), LISTED)
    if optional:
        kept = f"note: {len(rest):,} pictures are {where}, or have no label there; they are kept without one: {shown}"
        return found + rest, [*lines, kept]
    what = f"note: {len(rest):,} pictures are {where}, or have no label there, and are left out: {shown}"
    return found, [*lines, what]


def _image_column(
    names: Sequence[str], body: Sequence[Sequence[str]], pictures: Pictures, columns: Mapping[str, str]
) -> int | None:
    if "image" in columns:
        return _position("image", columns["image"], names)
    sample = body[:: max(1, len(body) // _LOOKED_AT)]
    shares = [
        sum(bool(row[at]) and bool(pictures.find(row[at])) for row in sample) / len(sample) for at in range(len(names))
    ]
    best = max(range(len(names)), key=lambda at: shares[at])
    return best if shares[best] >= COVER else None


def _labels(
    file: str, names: Sequence[str], body: Sequence[Sequence[str]], image: int, columns: Mapping[str, str]
) -> tuple[list[str], str]:
    """A label for each row, "" for none, and in words where they are from."""
    if "label" in columns:
        at = _position("label", columns["label"], names)
    else:
        found = [
            at for alias in CLASS_NAMES for at, name in enumerate(names) if at != image and fold(name) == fold(alias)
        ]
        others = [at for at in range(len(names)) if at != image]
        hot = [at for at in others if {row[at] for row in body} <= {"0", "1", "0.0", "1.0", ""}]
        if not found and len(hot) > 1 and all(sum(float(row[at] or 0) for at in hot) == 1 for row in body):
            hits = [next(at for at in hot if float(row[at] or 0) == 1) for row in body]
            return [names[at] for at in hits], f"the one of {quote_all((names[at] for at in hot), 6)} that is 1"
        repeated = [at for at in others if 2 <= len({row[at] for row in body}) <= max(2, len(body) // 2)]
        at = found[0] if found else repeated[0] if len(repeated) == 1 else -1
        if at < 0:
            raise DataError(
                f"{file}: expected a column of labels, received {quote_all(names)}. Choose it: --columns label=NAME"
            )
    used_columns.note("label", names[at], at + 1, len(names))
    return [row[at].strip() for row in body], quote(names[at])


def _position(field: str, name: str, names: Sequence[str]) -> int:
    if name in names:
        return list(names).index(name)
    if name.isdigit() and 1 <= int(name) <= len(names):
        return int(name) - 1
    raise DataError(f"expected a column {quote(name)}, received {quote_all(names)}. Change --columns {field}=...")
