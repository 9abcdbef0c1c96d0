"""YOLO's text files: beside `images/` a folder `labels/` with a file for each picture, a line for each box.

    2 0.51 0.40 0.10 0.25        class, centre across, centre down, width, height: shares of the picture's sides

A `data.yaml` names the classes and the folders. A line with more numbers is a polygon, of which the box around it is
taken. A picture without a file, or with an empty one, has no boxes; a file without a picture is named in the report.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

from lamella.data.media.images import SUFFIXES
from lamella.data.readers.annotated import Account, Annotated, Drawn
from lamella.data.readers.parts import Parts
from lamella.data.readers.voc import around
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

NO_LABELS = {"classes.txt", "names.txt", "readme.txt", "train.txt", "val.txt", "test.txt", "notes.txt"}


def read_yolo(place: Path, account: Account) -> list[Annotated]:
    """A data.yaml, a list of pictures (.txt), or a folder with `images/` and `labels/` or both in one.

    Raises DataError where there are no pictures, or no label file fits any of them.
    """
    names: dict[int, str] = {}
    if place.suffix.lower() in (".yaml", ".yml"):
        names, pictures = _described(place)
    elif place.is_file():
        pictures = _listed(place)
    else:
        pictures = _below(place)
    names = names or _named_above(place)
    if not pictures:
        raise DataError(
            f"{show_path(place)}: expected pictures for the labels, in images/ beside labels/ or beside the text files, "
            "received none. Put them there."
        )
    posed = "kpt_shape" in next((content for file in _descriptions(place) if _names(content := _yaml(file))), {})
    labels = {picture: labels_of(picture) for picture in pictures}
    if not any(file.is_file() for file in labels.values()):
        first = next(iter(labels.values()))
        raise DataError(
            f"{show_path(place)}: expected a text file for each picture, such as {show_path(first)}, received none for "
            f"{len(pictures):,} pictures. Put the labels in labels/ beside images/."
        )
    names = names or _classes(place if place.is_dir() else place.parent, {f.parent for f in labels.values()})
    if not names:
        account.lines.append(
            "note: no data.yaml and no classes.txt says what the classes are called: labels are their numbers"
        )
    annotated, without = [], 0
    users = Counter(labels.values())
    for picture, file in labels.items():
        if users[file] > 1 and file.is_file():  # 3.png and 3.jpg: nobody knows on which of them the boxes were drawn
            account.leave("pictures of one name with a single file of labels, which are left out", show_path(picture))
            continue
        without += not file.is_file()
        boxes = _boxes(file, names, account, posed) if file.is_file() else []
        annotated.append(Annotated(str(picture), boxes, show_path(file), shares=True))
    known = set(labels.values())
    for folder in sorted({file.parent for file in known if file.parent.is_dir()}):
        for file in sorted(folder.glob("*.txt")):
            if (
                file not in known
                and file.name.lower() not in NO_LABELS
                and not (place.is_file() and _has_picture(file))
            ):
                account.leave("files of labels without a picture", show_path(file))
    account.lines.append(
        f"{show_path(place)}: YOLO, {len(annotated):,} pictures, {without:,} of them without a file of labels, {len(names):,} classes"
    )
    return annotated


def labels_of(picture: Path) -> Path:
    """Where the labels of a picture are: the last `images` of its path is `labels`, else beside it.

    >>> labels_of(Path("images/a/images/b/1.jpg")).as_posix()
    'images/a/labels/b/1.txt'
    """
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            beside = _text_of(Path(*parts[:i], "labels", *parts[i + 1 :]))
            if beside.is_file() or not _text_of(picture).is_file():
                return beside
            break
    return _text_of(picture)


def _has_picture(file: Path) -> bool:
    """Whether there is a picture for a file of labels, which a list names that is not read now."""
    parts = list(file.parent.parts)
    at = next((i for i in range(len(parts) - 1, -1, -1) if parts[i] == "labels"), None)
    homes = [file.parent] + ([Path(*parts[:at], "images", *parts[at + 1 :])] if at is not None else [])
    return any(found.suffix.lower() in SUFFIXES for home in homes for found in home.glob(f"{escape(file.stem)}.*"))


def _text_of(path: Path) -> Path:
    """The text of this name, in whatever case its suffix is: without it a picture would count as background."""
    upper = path.with_suffix(".TXT")
    return upper if upper.is_file() else path.with_suffix(".txt")


def _boxes(file: Path, names: Mapping[int, str], account: Account, posed: bool = False) -> list[Drawn]:
    """The boxes of a picture. posed: after the four sides come keypoints, which are no polygon."""
    boxes = []
    for number, line in enumerate(split_lines(read_text(file)[0]), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            first, *rest = (float(word) for word in line.split())
        except ValueError:
            account.drop("a line that is not a class and numbers", f"{show_path(file)}, {where}: {quote(line)}")
            continue
        if not all(abs(n) < 1e6 for n in (first, *rest)) or first != int(first):
            account.drop("a line that is not a class and numbers", f"{show_path(file)}, {where}: {quote(line)}")
            continue
        if names and int(first) not in names:
            account.drop("a class that has no name", f"{show_path(file)}, {where}: {int(first)}")
            continue
        label = names.get(int(first), str(int(first)))
        rest = rest[:4] if posed else rest
        if len(rest) in (4, 5):  # the fifth is how sure a program was
            x, y, width, height = rest[:4]
            boxes.append(Drawn(label, [x - width / 2, y - height / 2, x + width / 2, y + height / 2], where))
        elif len(rest) >= 6 and len(rest) % 2 == 0:
            boxes.append(Drawn(label, around(list(zip(rest[::2], rest[1::2], strict=True))), where))
        else:
            account.drop("a line of neither four sides nor a polygon", f"{show_path(file)}, {where}: {quote(line)}")
    return boxes


# ---- where the pictures are -------------------------------------------------------------------------------------------


def _below(folder: Path) -> list[Path]:
    """The pictures of a folder: those below `images/` where it has some, else all."""
    home = folder / "images" if (folder / "images").is_dir() else folder
    return sorted(p for p in home.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))


def _listed(file: Path) -> list[Path]:
    """The pictures that a text file names, a line each; paths count from the file's folder."""
    pictures = []
    for line in split_lines(read_text(file)[0]):
        if line.strip():
            path = Path(line.strip())
            pictures.append(path if path.is_absolute() else file.parent / path)
    missing = [path for path in pictures if not path.is_file()]
    if missing:
        raise DataError(
            f"{show_path(file)}: expected a list of pictures, received {len(missing):,} of {len(pictures):,} lines that name "
            f"none, such as {quote(str(missing[0]))}. Correct the paths, which count from the list's folder."
        )
    return pictures


def _described(path: Path) -> tuple[dict[int, str], list[Path]]:
    """The classes and the training pictures of a data.yaml."""
    content = _yaml(path)
    names = _names(content)
    if not names:
        raise DataError(
            f"{show_path(path)}: expected names: with the classes, received {', '.join(content) or 'nothing'}."
        )
    pictures: list[Path] = []
    for part, place in _places(path, content, "train", "images"):
        if place is None:
            raise DataError(
                f"{show_path(path)}: expected train: to name a folder of pictures, received {quote(part)}, which is not "
                f"below {show_path(path.parent)}. Correct train: or path:."
            )
        pictures += _listed(place) if place.is_file() else _below(place)
    return names, pictures


def _places(path: Path, content: Mapping[str, Any], key: str, default: str = "") -> list[tuple[str, Path | None]]:
    """What a data.yaml says of a part, each word with the place that it names, or None."""
    root = path.parent / str(content.get("path") or "")
    root = root if root.is_dir() else path.parent
    given = content.get(key) or default
    found: list[tuple[str, Path | None]] = []
    for part in map(str, given if isinstance(given, list) else [given]):
        # Exports say `../train/images` where they mean `train/images`.
        tried = [root / part, path.parent / part, path.parent / part.removeprefix("../")] if part else []
        found.append((part, next((p for p in tried if p.exists()), None)))
    return found


def parts_described(path: Path) -> Parts | None:
    """The parts that a data.yaml names, itself for those to learn from; None for other files, or where it names no other."""
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return None
    content = _yaml(path)
    there = {key: [str(place) for _, place in _places(path, content, key) if place] for key in ("val", "test")}
    if not _names(content) or not (there["val"] or there["test"]):
        return None
    return Parts([str(path)], there["val"], there["test"], [])


def _named_above(place: Path) -> dict[int, str]:
    """The classes of a data.yaml in a folder, or up to two above it, since parts of the data stand below."""
    return next(filter(None, (_names(_yaml(file)) for file in _descriptions(place))), {})


def _descriptions(place: Path) -> list[Path]:
    """The file itself where it is YAML, else those in a folder and up to two above it, the nearest first."""
    if place.suffix.lower() in (".yaml", ".yml"):
        return [place]
    around = place.resolve()
    homes = ([around] if place.is_dir() else []) + list(around.parents)[:2]
    return [file for home in homes for file in sorted(home.glob("*.y*ml"))]


def _classes(folder: Path, near: set[Path]) -> dict[int, str]:
    """Names from a classes.txt, a name a line."""
    for home in (folder, folder.parent, *sorted(near)):
        for file in ("classes.txt", "obj.names", "names.txt"):
            if (home / file).is_file():
                lines = [line.strip() for line in split_lines(read_text(home / file)[0])]
                return {i: line for i, line in enumerate(lines) if line}
    return {}


def _names(content: Mapping[str, Any]) -> dict[int, str]:
    names = content.get("names")
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    if isinstance(names, dict):
        return {int(key): str(value) for key, value in names.items() if str(key).isdigit()}
    return {}


_KEY = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+(.*))?$")
_ITEM = re.compile(r"\s*(?:-\s+(?P<item>.+)|(?P<key>\d+)\s*:\s+(?P<value>.+))$")


def _yaml(path: Path) -> dict[str, Any]:
    """The part of YAML that a data.yaml is written in: keys with a value, a list in brackets, or lines below.

    Anything else in the file is left out: this is no reader of YAML.
    """
    content: dict[str, Any] = {}
    key = ""
    for line in split_lines(read_text(path)[0]):
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if not line:
            continue
        if match := _KEY.match(line):
            key, value = match[1], (match[2] or "").strip()
            content[key] = _inline(value) if value else None
        elif key and (match := _ITEM.match(line)):
            if match["item"] is not None:
                content[key] = [*(content[key] if isinstance(content[key], list) else []), _plain(match["item"])]
            else:
                before = content[key] if isinstance(content[key], dict) else {}
                content[key] = {**before, match["key"]: _plain(match["value"])}
    return content


def _inline(value: str) -> Any:
    """
    >>> _inline("['cat', dog]"), _inline("{0: cat, 1: 'dog'}"), _inline("images/train")
    (['cat', 'dog'], {'0': 'cat', '1': 'dog'}, 'images/train')
    """
    if value[0] == "[" and value[-1] == "]":
        return [_plain(part) for part in _parts(value[1:-1])]
    if value[0] == "{" and value[-1] == "}":
        pairs = (part.partition(":") for part in _parts(value[1:-1]))
        return {_plain(key): _plain(text) for key, _, text in pairs}
    return _plain(value)


def _parts(text: str) -> Sequence[str]:
    return [part for part in re.findall(r"""(?:"[^"]*"|'[^']*'|[^,])+""", text) if part.strip()]


def _plain(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def is_list(path: Path) -> bool:
    """Whether a text file names pictures, a line each."""
    lines = [line.strip() for line in split_lines(read_text(path)[0])[:20] if line.strip()]
    return bool(lines) and all(PurePosixPath(line).suffix.lower() in SUFFIXES for line in lines)
