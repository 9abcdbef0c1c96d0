"""Folders that are cut into parts already: `train/`, `val/` and `test/`, or files of these names.

    parts = find_parts("animals/")          Parts(learn=["animals/train"], watch=["animals/val"], test=["animals/test"])

    column, values = column_of_parts("all.csv")   "split", {"learn": "train", "test": "test"}

    parts_of_files(["animals/"], ["animals/cat/train/1.jpg", "animals/cat/val/2.jpg"])          ["learn", "watch"]

The parts are used as they are meant: to learn, to watch the training by, to measure with. They are never classes.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import StrPath, read_bytes, read_text, show_path, split_lines
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
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif"}
_YEAR = re.compile(r"(?<=[a-z])[-_]?(?:19|20)\d\d$")  # train2017


class Parts(msgspec.Struct):
    """The parts of a data set, as paths."""

    learn: list[str]
    watch: list[str]
    test: list[str]
    others: list[str]
    """Folders beside them that are no part."""


def part_of(name: str) -> str:
    """Which part a folder's or a file's name says it is: "learn", "watch", "test" or "".

    >>> part_of("Train"), part_of("validation.csv"), part_of("val2017"), part_of("cats")
    ('learn', 'watch', 'watch', '')
    """
    stem = _YEAR.sub("", name.lower().partition(".")[0])
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
    return {} if list(found.values()) == ["learn"] and _is_a_class(next(iter(found)), folders) else found


def _is_a_class(folder: Path, folders: Sequence[Path]) -> bool:
    """Whether a folder `train` is one of a kind of vehicle: nothing but pictures are in it and in two others or more."""

    def kinds(place: Path) -> set[str]:
        try:
            return {p.suffix.lower() if p.is_file() else "/" for p in visible(place)}
        except OSError:
            return {""}

    others = [kinds(f) for f in folders if f != folder]
    return len(others) > 1 and all(found and found <= _PICTURES for found in (kinds(folder), *others))


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
    folders = [p for p in usable if p.is_dir()]
    among = named_parts(folders) | named_parts([p for p in usable if p not in folders])  # also reviews_train.csv
    parts: dict[str, list[str]] = {"learn": [], "watch": [], "test": []}
    for p in usable:
        if part := among.get(p):
            parts[part].append(str(p))
    for part, paths in parts.items():  # train.csv beside train/ says what is in that folder
        parts[part] = [p for p in paths if Path(p).is_dir()] or paths
    if not parts["learn"] or not (parts["watch"] or parts["test"] or any(Path(p).is_dir() for p in parts["learn"])):
        return None
    others = [show_path(p) for p in usable if p.is_dir() and p not in among]
    return Parts(parts["learn"], parts["watch"], parts["test"], others)


def parts_of_files(places: Sequence[StrPath], files: Sequence[str]) -> list[str] | None:
    """Which part each file below these folders belongs to, by the folders that it is in: `images/train/`, `cat/val/`.

    None where they are not cut into parts so: some files must be to learn from and some not. A file in no part is to learn from,
    unless most are in none; where no folder is named so, all of them that stand beside such a part.

    >>> parts_of_files(["a"], ["a/cat/train/1.png", "a/cat/test/2.png", "a/dog/train/3.png"])
    ['learn', 'test', 'learn']
    >>> parts_of_files(["a"], ["a/cat/1.png", "a/cat/test/2.png", "a/dog/3.png"]) is None
    True
    """
    homes = [Path(os.path.abspath(place)) for place in places]
    inner: list[list[Path]] = []  # of each file the folders between the place and itself, the outermost first
    for file in files:
        around = Path(os.path.abspath(file)).parents
        home = next((h for h in homes if h in around), None)
        inner.append([f for f in reversed(around) if home in f.parents] if home else [])
    return _by_folders(inner) or next(filter(None, (_by_lists(home, files) for home in homes)), None)


def _by_folders(inner: Sequence[Sequence[Path]]) -> list[str] | None:
    """Of each file its part, by the folders around it."""
    beside = defaultdict[Path, set[Path]](set)
    for folders in inner:
        for folder in folders:
            beside[folder.parent].add(folder)
    named: dict[Path, str] = {}
    for group in beside.values():
        named |= named_parts(sorted(group))
    found = [next((named[f] for f in folders if f in named), "") for folders in inner]
    if "learn" not in found:  # cat/1.jpg, cat/test/2.jpg: of each class, so that none is left without a picture
        first = [folders[0] if folders else None for folders in inner]
        if len(set(zip(first, (part == "" for part in found), strict=True))) < 2 * len(set(first)):
            return None
    elif len(set(found) - {""}) < 2 or found.count("") > len(found) / 2:
        return None
    return [part or "learn" for part in found]


def _by_lists(home: Path, files: Sequence[str]) -> list[str] | None:
    """Of each file its part, by lists of names such as `ImageSets/Main/train.txt`, `meta/test.txt` and COCO's
    `annotations/instances_val2017.json`, which name all of one part and of another one."""
    at: dict[str, set[int]] = defaultdict(set)
    for number, file in enumerate(files):
        path = Path(os.path.relpath(file, home)).with_suffix("")
        for depth in range(1, min(_DEEPEST, len(path.parts)) + 1):
            at["/".join(path.parts[-depth:]).lower()].add(number)
    groups: dict[Path, dict[int, str]] = defaultdict(dict)
    for folder, names, lists in os.walk(home):
        depth = len(Path(folder).relative_to(home).parts)
        names[:] = sorted(n for n in names if not n.startswith(".")) if depth < _DEEPEST - 1 else []
        named = {name: part for name in lists if name.lower().endswith((".txt", ".lst")) and (part := part_of(name))}
        files_of_coco = [Path(folder, name) for name in sorted(lists) if name.lower().endswith(".json")]
        named |= {path.name: part for path, part in named_parts(files_of_coco).items()}
        for name, part in sorted(named.items()):
            for number in _listed(Path(folder, name), at):
                groups[Path(folder)].setdefault(number, part)
    best = max(groups.values(), key=len, default=None)
    if not best or len(best) < 0.9 * len(files) or len(set(best.values())) < 2 or "learn" not in best.values():
        return None
    return [best.get(number, "learn") for number in range(len(files))]


def _listed(file: Path, at: Mapping[str, set[int]]) -> list[int]:
    """The numbers of the files that a list names; none where a tenth of its lines names no file, or several."""
    try:
        lines = _lines(file)
    except (DataError, msgspec.MsgspecError, RecursionError):
        return []
    found: list[int] = []
    for line in lines:
        for name in (line, line.split()[0]):
            stem, dot, suffix = name.replace("\\", "/").lower().rpartition(".")
            parts = (stem if dot and len(suffix) < 5 and "/" not in suffix else name.lower()).strip("/.").split("/")
            tails = ("/".join(parts[-depth:]) for depth in range(min(_DEEPEST, len(parts)), 0, -1))
            numbers: set[int] = next((at[tail] for tail in tails if tail in at), set())
            if len(numbers) == 1:
                found += numbers
                break
    return found if len(found) > 0.9 * len(lines) else []


class _Named(msgspec.Struct):
    file_name: str


class _Coco(msgspec.Struct):
    """Of a file of COCO's only the pictures that it names."""

    images: list[_Named]


def _lines(file: Path) -> list[str]:
    """What a list names: its lines, or the pictures of a file of COCO's."""
    if file.suffix.lower() == ".json":
        raw = read_bytes(file).removeprefix(b"\xef\xbb\xbf")
        return [image.file_name.strip() for image in msgspec.json.decode(raw, type=_Coco).images]
    return [line.strip() for line in split_lines(read_text(file)[0]) if line.strip()]


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
