"""Folders with a folder a class in them, and tables of path and label -> rows of a picture and its label.

rows, lines = image_folder(["animals/"])        [{"image": "animals/cat/1.jpg", "label": "cat"}, ...], what was found
"""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.frames import several
from lamella.data.media.images import SUFFIXES, fingerprint, is_uri
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.labelled_pictures import Pictures, read_labelled_pictures, tables_for
from lamella.data.readers.labels import LABEL_NAMES, unify_labels
from lamella.data.readers.parts import inside, named_parts, visible
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError

IMAGE_NAMES = (
    *("image", "path", "file", "filename", "file_name", "image_path", "filepath", "img", "picture", "photo", "name"),
)
LISTED = 10  # files named in one report


def image_folder(
    paths: Sequence[str | Path], columns: Mapping[str, str] | None = None, optional: bool = False
) -> tuple[list[dict[str, Any]], list[str]]:
    """Folders with a folder a class in them, class folders themselves, or tables of path and label.

    In: the paths; `columns`: which column of a table is the image and which the label, where names do not tell; `optional`: a
    picture may have no label, and then its row has none.
    Out: rows {"image": path, "label": name of the class}, and what was found, left out and odd, in lines.
    Raises DataError where there is no picture, or more than 1% cannot be read (`details` then names the first ten).
    """
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    for given in paths:
        place = Path(given)
        if place.is_dir():
            rows += _folder(place, columns, lines, optional)
        elif is_table(place):
            rows += _table(place, columns, lines)
        else:
            what = f"a file with the suffix {quote(place.suffix)}" if place.exists() else "no such file or folder"
            raise DataError(
                f"{show_path(place)}: expected a folder with one folder a class in it, or a CSV of path and label, received {what}."
            )
    good, marks = readable(rows, lines, " and ".join(show_path(p) for p in paths[:3]))
    counts = Counter(row["label"] for row in good if "label" in row)
    shown = ", ".join(f"{quote(label)} {count:,}" for label, count in sorted(counts.items())[:20])
    bare = len(good) - counts.total()
    lines.append(
        f"kept {len(good):,} pictures of {len(counts):,} classes: {shown}{', ...' if len(counts) > 20 else ''}"
        + (f"; {bare:,} have no label" if bare else "")
    )
    single = sorted(label for label, count in counts.items() if count == 1)
    lines += [f"note: class {quote(label)} has a single picture" for label in single[:LISTED]]
    if len(single) > LISTED:
        lines.append(f"note: {len(single) - LISTED:,} more classes have a single picture")
    alike: dict[str, list[str]] = {}
    for label in sorted(counts):
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    lines += [
        f"note: classes {' and '.join(map(quote, same))} differ in case or spaces alone"
        for same in alike.values()
        if len(same) > 1
    ][:LISTED]
    return good, lines + _repeated(good, marks)


def _table(place: Path, columns: Mapping[str, str] | None, lines: list[str]) -> list[dict[str, Any]]:
    """The pictures that a table names, which stand beside it or below, with their labels."""
    try:
        table = read_table([place], {"image": IMAGE_NAMES, "label": LABEL_NAMES}, columns)
    except DataError as error:  # one-hot columns, say
        found = read_labelled_pictures(place, Pictures(place.parent), columns)
        if found is None:
            raise error from None
        lines += found[1] + [f"note: {note}" for note in unify_labels(found[0])]
        return found[0]
    notes = unify_labels(table.rows)
    rows = [{"image": _beside(place, row["image"]), "label": row["label"]} for row in table.rows]
    missing = [row for row in rows if not is_uri(row["image"]) and not os.path.isfile(row["image"])]
    if missing:
        below = Pictures(place.parent)
        found = read_labelled_pictures(place, below, columns)
        for row in missing:
            row["image"] = below.find(os.path.relpath(row["image"], place.parent)) or row["image"]
        # A first row that names no picture was a header: the other reader knows by what the columns hold.
        if found and not os.path.isfile(rows[0]["image"]) and len(found[0]) >= len(rows) - 1:
            lines += found[1] + [f"note: {note}" for note in unify_labels(found[0])]
            return found[0]
    lines += table.report.lines() + [f"note: {note}" for note in notes]
    return rows


def _folder(place: Path, columns: Mapping[str, str] | None, lines: list[str], optional: bool) -> list[dict[str, Any]]:
    """The pictures in a folder: labelled by a table in it or above it, or by the folders they are in.

    Where labels are optional, a table that tells none, such as one of captions, is passed over.
    """
    place = inside(place)
    pictures = Pictures(place)
    folders = [p for p in visible(place) if p.is_dir()]
    # images/cat/, images/dog/ beside meta/: the classes are the folders within.
    home = {os.path.relpath(file, place).split(os.sep)[0] for file in pictures.files}
    if len(folders) > 1 and len(home) == 1 and not named_parts(folders):
        deeper = [p for p in visible(place / home.pop()) if p.is_dir()]
        if len(deeper) > 1 and not named_parts(deeper) and not tables_for(place):
            return _folder(deeper[0].parent, columns, lines, optional)
    flat = len(named_parts(folders)) == len(folders)
    for table in [*tables_for(place), *(tables_for(place.parent) if flat else ())]:
        try:
            found = read_labelled_pictures(table, pictures, columns, optional)
        except DataError as error:
            if not optional or columns:
                raise
            lines.append(f"note: {show_path(table)} is not used: {error}")
            continue
        if found is not None and found[0]:
            named = [row for row in found[0] if "label" in row]
            lines += found[1] + [f"note: {note}" for note in unify_labels(named)]
            return found[0]
    rows = _walk(place, lines, optional)
    return _by_beginning(rows, lines) if flat else rows


def _by_beginning(rows: list[dict[str, Any]], lines: list[str]) -> list[dict[str, Any]]:
    """Pictures of one folder whose names tell their classes: cat.0.jpg, dog.1.jpg; they stay as they are where that is not
    so."""
    stems = [re.fullmatch(r"(.*?[^\W\d_])[-_. ]*\(?\d+\)?", Path(row["image"]).stem) for row in rows]
    names = Counter(match[1].lower() for match in stems if match)
    if len(names) < 2 or None in stems or min(names.values()) < 2 or len(names) > len(rows) / 3:
        return rows
    shown = ", ".join(map(quote, sorted(names)[:6]))
    lines.append(f"note: the beginnings of the files' names are taken as their classes: {shown}")
    return [row | {"label": match[1].lower()} for row, match in zip(rows, stems, strict=True) if match]


def _walk(place: Path, lines: list[str], optional: bool = False) -> list[dict[str, Any]]:
    """The pictures under a folder: each of its folders is a class; without any, it is a class itself."""
    every = [p for p in visible(place) if p.is_dir()]
    parts = named_parts(every)
    folders = [p for p in every if p not in parts]
    if every and not folders:
        learn = next((p for p in every if parts[p] == "learn"), every[0])
        raise DataError(
            f"{show_path(place)}: expected one folder a class, received {', '.join(p.name for p in every)}, which are "
            f"parts of a data set. Give {show_path(learn)}, or that and --test with another."
        )
    for p in every:
        if p not in folders:
            lines.append(f"note: {show_path(p)} is a part of a data set, no class, and is left out here")
    rows: list[dict[str, Any]] = []
    others: list[str] = []
    for folder in folders or [place]:
        before = len(rows)
        for here, names, files in os.walk(folder):
            names[:] = sorted(n for n in names if not n.startswith("."))
            files = sorted(f for f in files if not f.startswith("."))
            found = [f for f in files if Path(f).suffix.lower() in SUFFIXES]
            others += [show_path(Path(here, f)) for f in files if f not in found]
            rows += [{"image": str(Path(here, f)), "label": folder.resolve().name} for f in found]
        if len(rows) == before and folders:
            lines.append(f"note: {show_path(folder)}: a class without a picture; the net will not know it")
    if not rows:
        raise DataError(
            f"{show_path(place)}: expected pictures ({', '.join(sorted(SUFFIXES)[:4])}, ...) in one folder a class, "
            f"received none{f' among {len(others):,} files' if others else ''}. Give the folder that holds the class folders."
        )
    loose = [p for p in visible(place) if p.is_file() and p.suffix.lower() in SUFFIXES] if folders else []
    if loose:
        what = "have no label" if optional else "belong to no class and are left out"
        named = f"{', '.join(quote(p.name) for p in loose[:LISTED])}{', ...' if len(loose) > LISTED else ''}"
        lines.append(f"note: {len(loose):,} pictures directly in {show_path(place)} {what}: {named}")
        rows += [{"image": str(p)} for p in loose] if optional else []
    if others:
        named = f"{', '.join(others[:LISTED])}{', ...' if len(others) > LISTED else ''}"
        lines.append(f"note: {len(others):,} files are no pictures by their suffix and are left out: {named}")
    lines.append(f"{show_path(place)}: {len(rows):,} pictures in {max(1, len(folders)):,} class folders")
    return rows


def _beside(table: Path, name: str) -> str:
    """A path in a table is relative to the table's folder."""
    return name if is_uri(name) else str(table.parent / name)


def readable(rows: list[dict[str, Any]], lines: list[str], where: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows whose picture can be read, with their fingerprints; the others are listed, and stop it if they are many."""
    good, marks, bad = [], [], []
    for row in rows:
        try:
            marks.append(fingerprint(row["image"]))
            good.append(row)
        except DataError as error:
            bad.append(str(error))
    refuse_many(where, len(good), bad, "pictures", "Correct or remove them.")
    if bad:
        lines.append(f"left out {len(bad):,} of {len(rows):,} pictures that cannot be read")
        lines += [f"unreadable: {line}" for line in bad[:100]]
    if many := several(row["image"] for row in good):
        lines.append(
            f"note: {len(many):,} pictures have several frames or pages, of which the first is taken: {listed(many)}"
        )
    return good, marks


def listed(images: Sequence[Any]) -> str:
    """The first pictures of some, by their paths.

    >>> listed(["a.gif"] * 12)
    'a.gif, a.gif, a.gif, a.gif, a.gif, a.gif, a.gif, a.gif, a.gif, a.gif, ...'
    """
    names = [show_path(image) if len(str(image)) < 1000 else "a picture in the file" for image in images[:LISTED]]
    return ", ".join(names) + (", ..." if len(images) > LISTED else "")


def _repeated(rows: Sequence[Mapping[str, Any]], marks: Sequence[str]) -> list[str]:
    labels: dict[str, set[str]] = {}
    for row, mark in zip(rows, marks, strict=True):
        labels.setdefault(mark, set()).update([row["label"]] if "label" in row else [])
    notes = []
    if len(marks) > len(labels):
        notes.append(f"note: {len(marks) - len(labels):,} pictures repeat another one, point for point")
    torn = [mark for mark, known in labels.items() if len(known) > 1]
    if torn:
        first = next(row["image"] for row, mark in zip(rows, marks, strict=True) if mark == torn[0])
        names = " and ".join(map(quote, sorted(labels[torn[0]])))
        notes.append(f"note: {len(torn):,} pictures are in more than one class, such as {quote(first)} in {names}")
    return notes
