"""Folders that are cut into parts already: `train/`, `val/` and `test/`, or files of these names.

    parts = find_parts("animals/")          Parts(learn=["animals/train"], watch=["animals/val"], test=["animals/test"])

    column, values = column_of_parts("all.csv")   "split", {"learn": "train", "test": "test"}

The parts are used as they are meant: to learn, to watch the training by, to measure with. They are never classes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import StrPath, show_path
from lamella.errors import DataError

PARTS = {
    "learn": {"train", "training", "trn"},
    "watch": {"val", "valid", "validation", "dev", "eval"},
    "test": {"test", "testing", "tst"},
}
IGNORED = {"__macosx", "@eadir", "$recycle.bin", ".ds_store", "thumbs.db"}
"""Folders and files that systems leave behind."""
COLUMNS = {"split", "set", "subset", "partition", "part", "dataset", "datasplit", "usage", "phase", "fold"}
"""Names of columns, folded, that may say to which part a row belongs."""
_DOCUMENTS = {".md", ".txt", ".pdf", ".html", ".yaml", ".yml", ".rst", ""}
_DEEPEST = 4  # folders around the data


class Parts(msgspec.Struct):
    """The parts of a data set, as paths."""

    learn: list[str]
    watch: list[str]
    test: list[str]
    others: list[str]
    """Folders beside them that are no part."""


def part_of(name: str) -> str:
    """Which part a folder's or a file's name says it is: "learn", "watch", "test" or "".

    >>> part_of("Train"), part_of("validation.csv"), part_of("cats")
    ('learn', 'watch', '')
    """
    stem = name.lower().partition(".")[0]
    return next((part for part, names in PARTS.items() if stem in names), "")


def named_parts(folders: Sequence[Path]) -> dict[Path, str]:
    """Which of the folders beside each other are parts: by their names, or by one word of names that are alike but for it.

    >>> named = named_parts([Path("training_set"), Path("test_set"), Path("old")])
    >>> {path.name: part for path, part in named.items()}, named_parts([Path("test_rigs"), Path("train_stations")])
    ({'training_set': 'learn', 'test_set': 'test'}, {})
    """
    found = {folder: part for folder in folders if (part := part_of(folder.name))}
    alike: dict[tuple[str, ...], dict[Path, str]] = {}
    for folder in folders:
        words = re.split(r"[\W_]+", folder.name.lower())
        at = [i for i, word in enumerate(words) if part_of(word)]
        if folder not in found and len(at) == 1 and len(words) > 1:
            alike.setdefault((*words[: at[0]], "", *words[at[0] + 1 :]), {})[folder] = part_of(words[at[0]])
    for group in alike.values():
        if "learn" in group.values() and len(set(group.values())) > 1:
            found |= group
    return found


def visible(place: Path) -> list[Path]:
    """What is in a folder, without hidden files and what systems leave behind, in order."""
    with os.scandir(place) as entries:
        names = [e.name for e in entries if not e.name.startswith(".") and e.name.lower() not in IGNORED]
    return [place / name for name in sorted(names)]


def inside(place: Path) -> Path:
    """The folder that holds the data: the one that is given, or the only one in it, as archives unpack."""
    for _ in range(_DEEPEST):
        found = visible(place)
        folders = [p for p in found if p.is_dir()]
        files = [p for p in found if not p.is_dir() and p.suffix.lower() not in _DOCUMENTS]
        if len(folders) != 1 or files or part_of(folders[0].name):
            break
        place = folders[0]
    return place


def find_parts(path: StrPath) -> Parts | None:
    """The parts of a folder; None where it has no part to learn from, or is a file."""
    place = Path(path)
    try:
        if not place.is_dir():
            return None
        place = inside(place)
        found = visible(place)
    except OSError:  # whoever reads the folder says what is wrong with it
        return None
    usable = [p for p in found if p.is_dir() or is_table(p) or p.suffix.lower() == ".txt"]
    among = named_parts([p for p in usable if p.is_dir()])
    parts: dict[str, list[str]] = {"learn": [], "watch": [], "test": []}
    for p in usable:
        if part := part_of(p.name) or among.get(p, ""):
            parts[part].append(str(p))
    for part, paths in parts.items():  # train.csv beside train/ says what is in that folder
        folders = [p for p in paths if Path(p).is_dir()]
        parts[part] = folders or paths
    if not parts["learn"] or not (parts["watch"] or parts["test"] or any(Path(p).is_dir() for p in parts["learn"])):
        return None
    others = [show_path(p) for p in usable if p.is_dir() and p not in among]
    return Parts(parts["learn"], parts["watch"], parts["test"], others)


def _the_table(path: StrPath) -> Path | None:
    """A file that is a table, or the only table in a folder."""
    place = Path(path)
    try:
        if not place.is_dir():
            return place if is_table(place) and place.is_file() else None
        tables = [p for p in visible(inside(place)) if is_table(p) and p.is_file()]
    except OSError:  # whoever reads the folder says what is wrong with it
        return None
    return tables[0] if len(tables) == 1 else None


def column_of_parts(path: StrPath) -> tuple[str, dict[str, str]] | None:
    """The column of a table that says to which part each row belongs, and the value that stands for each part.

    The table may stand in a folder, alone or with the files that it names. The column is called so (`split`, `subset`, ...) and holds nothing but names of parts, of which one is to learn from. None for
    other tables; whoever reads them says what is wrong with one.
    """
    table = _the_table(path)
    if table is None:
        return None
    try:
        sheet = read_sheet(table)
    except DataError:
        return None
    first = sheet.keys or (list(map(str, sheet.rows[0][1])) if sheet.rows else [])
    for at, name in enumerate(first):
        if fold(name) not in COLUMNS:
            continue
        rows = sheet.rows if sheet.keys else sheet.rows[1:]
        cells = (c.get(name) if isinstance(c, dict) else c[at] if at < len(c) else None for _, c in rows)
        values = {str(cell) for cell in cells if cell not in (None, "")}
        parts = {part_of(value): value for value in sorted(values)}
        if "learn" in parts and "" not in parts and len(parts) == len(values) > 1:
            return name, parts
    return None
