"""Pictures with captions, whatever they come as -> examples: tables, Flickr8k's lines, COCO's captions, a text a picture.

examples, lines = read_captions(["flickr8k/captions.txt"])
examples[0]         {"image": "flickr8k/Images/1000268201.jpg", "caption": ["A child climbs stairs.", "A girl enters a house."]}

| what | how it is known |
| --- | --- |
| CSV, TSV, JSONL, JSON array | a column of pictures and one of captions; a caption may be a JSON list of several |
| Flickr8k's and Flickr30k's lists | `.txt` or `.token`: a picture's name, perhaps `#0`, a tab or a comma, a caption a line |
| COCO's captions | `.json` with `images`, and `annotations` with `caption` |
| a folder | one of these in it, else `x.jpg` with `x.txt`, in which each line is a caption |

Captions of one picture are collected, in whatever rows they stand.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lamella.data.media.images import SUFFIXES, is_uri
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.coco import is_coco
from lamella.data.readers.image_folders import IMAGE_NAMES, readable
from lamella.data.readers.parts import inside, visible
from lamella.data.readers.picture_places import Places
from lamella.data.readers.records import fold
from lamella.data.readers.report import Source
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import quote, read_bytes, read_text, show_path, split_lines
from lamella.errors import DataError

EXPECTED = (
    "a table of image and caption, Flickr8k's list (.txt), COCO's captions (.json), or a folder of x.jpg with x.txt"
)
CAPTION_NAMES = (
    *("caption", "captions", "text", "description", "alt_text", "alt", "sentence", "sentences", "comment", "title"),
)
LISTS = (".txt", ".token")
LISTED = 100  # places that are named one by one; all are counted
LONGEST = 10_000  # characters of a caption
_ENDS = "|".join(sorted(suffix[1:] for suffix in SUFFIXES))
_LINE = re.compile(
    rf"\s*(?P<image>[^\t]{{1,500}}?\.(?:{_ENDS}))(?:#\d+)?[ ]*[\t,;|][ \t]*(?P<caption>.*)", re.IGNORECASE
)
_NUMBERED = re.compile(rf"(.+\.(?:{_ENDS}))#\d+", re.IGNORECASE)

Captions = dict[str, list[str]]  # the path of a picture, or its data: URI -> its captions


class Account(msgspec.Struct):
    """What was understood, and what was left out and why."""

    lines: list[str] = []
    bad: dict[str, list[str]] = {}  # reason -> where; too many of them stop the reading
    odd: dict[str, list[str]] = {}  # the same for what stops nothing

    def report(self) -> list[str]:
        """A line for each reason with how many there are, then the places."""
        lines = []
        for head, places in {**self.bad, **self.odd}.items():
            lines.append(f"left out, {head}: {len(places):,}")
            lines += [f"  {place}" for place in places[:LISTED]]
            if len(places) > LISTED:
                lines.append(f"  and {len(places) - LISTED:,} more")
        return lines


def read_captions(
    paths: Sequence[str | Path], columns: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Files and folders -> [{"image", "caption": [text, ...]}], and lines that say what was understood and left out.

    columns: of a table, which column is the `image` and which the `caption`. Raises DataError where no format is
    recognised, nothing is found, or more than a tenth of the captions or pictures cannot be used.
    """
    account, captions = Account(), Captions()
    for given in paths:
        place = Path(given)
        if place.is_dir():
            _folder(place, columns, captions, account)
        elif not place.exists():
            raise DataError(f"{show_path(place)}: expected {EXPECTED}; received no such file or folder.")
        elif not _file(place, columns, captions, account):
            raise DataError(
                f"{show_path(place)}: expected {EXPECTED}; received a file with the suffix {quote(place.suffix)}."
            )
    where = " and ".join(show_path(p) for p in paths[:3])
    total = sum(map(len, captions.values()))
    bad = [f"{place} ({reason})" for reason, places in account.bad.items() for place in places]
    refuse_many(
        where, total, bad, "captions", "Put the pictures beside the file or in images/, or correct the captions."
    )
    if not captions:
        others = [f"{reason}: {len(at):,}, the first {at[0]}" for reason, at in account.odd.items()]
        why = f" that can be used ({'; '.join(others[:3])})" if others else ""
        raise DataError(f"{where}: expected pictures with captions, received none{why}. Expected {EXPECTED}.")
    lines = list(account.lines)
    rows, marks = readable([{"image": image, "caption": own} for image, own in captions.items()], lines, where)
    kept = sum(len(row["caption"]) for row in rows)
    different = len({caption for row in rows for caption in row["caption"]})
    lines.append(f"kept {len(rows):,} pictures with {kept:,} captions, {different:,} of them different")
    if len(set(marks)) < len(marks):
        lines.append(f"note: {len(marks) - len(set(marks)):,} pictures repeat another one, point for point")
    return rows, lines + account.report()


def _file(path: Path, columns: Mapping[str, str] | None, captions: Captions, account: Account) -> bool:
    """Add what a file says; whether it is of a known kind."""
    suffix = path.suffix.lower()
    if suffix in LISTS:
        _add(_lines(path, account), path, captions, account)
    elif suffix == ".json" and (content := _coco(path)) is not None:
        _add(_annotations(path, content, account), path, captions, account)
    elif is_table(path):
        _add(_rows(path, columns, account), path, captions, account)
    else:
        return False
    return True


def _add(found: Iterator[tuple[str, str, str]], path: Path, captions: Captions, account: Account) -> None:
    """Collect (picture's name, caption, where it stands) under the places of the pictures."""
    places = [Places(path.parent)]
    known: dict[str, str] = {}
    for name, caption, where in found:
        if not _fits(caption, name, where, account):
            continue
        if name not in known:
            known[name] = name if is_uri(name) else _found(name, places)
        if not known[name]:
            reason = "a picture that is not there, or of which several have that name"
            account.bad.setdefault(reason, []).append(f"{where}: {quote(name[:200])}")
            continue
        _keep(captions.setdefault(known[name], []), caption, where, account)


def _fits(caption: str, name: str, where: str, account: Account) -> bool:
    """Whether a caption can be used; if not, it is named with the reason."""
    length = len(" ".join(caption.split()))
    if not length:
        account.bad.setdefault("an empty caption", []).append(f"{where}: {quote(name[:200])}")
    elif length > LONGEST:
        account.bad.setdefault(f"a caption of more than {LONGEST:,} characters", []).append(where)
    return 0 < length <= LONGEST


def _keep(own: list[str], caption: str, where: str, account: Account) -> None:
    """Put a caption to the others of its picture, each once."""
    text = " ".join(caption.split())
    if text in own:
        account.odd.setdefault("a caption that its picture has already", []).append(f"{where}: {quote(text[:80])}")
    else:
        own.append(text)


def _found(name: str, places: list[Places]) -> str:
    """The path of a picture; "" where there is none. A folder of texts alone has its pictures in one beside it, as Flickr8k."""
    for near in places:
        if place := near.find(name):
            return str(place)
    above = places[0].folder.parent
    if len(places) == 1 and above != places[0].folder and not places[0].pictures():
        places.append(Places(above))
        return str(places[1].find(name) or "")
    return ""


# ---- the formats ------------------------------------------------------------------------------------------------------


def _lines(path: Path, account: Account) -> Iterator[tuple[str, str, str]]:
    """Flickr8k's list: a picture's name and a caption a line; a first line without a name is a header."""
    lines = split_lines(read_text(path)[0])
    account.lines.append(f"{show_path(path)}: a list, a picture and a caption a line, {len(lines):,} lines")
    for number, line in enumerate(lines, start=1):
        where = f"{show_path(path)}, line {number}"
        if match := _LINE.fullmatch(line):
            caption = match["caption"].strip()
            if len(caption) > 1 and caption[0] == caption[-1] == '"':
                caption = caption[1:-1].replace('""', '"')
            yield match["image"], caption, where
        elif line.strip() and not (number == 1 and _is_header(line)):
            account.bad.setdefault("a line that is no picture and its caption", []).append(
                f"{where}: {quote(line[:80])}"
            )


def _is_header(line: str) -> bool:
    """Whether a line names the columns of a list: `image,caption`."""
    names = {fold(name) for name in (*IMAGE_NAMES, *CAPTION_NAMES)}
    return any(fold(cell) in names for cell in re.split(r"[\t,;|]", line))


def _rows(path: Path, columns: Mapping[str, str] | None, account: Account) -> Iterator[tuple[str, str, str]]:
    """The rows of a table; a caption may be a JSON list of several, or stand in several numbered columns."""
    wanted = {"image": (*IMAGE_NAMES, "image_name", "image_id"), "caption": CAPTION_NAMES}
    table = read_table([path], wanted, columns, allow_empty=True, nested=("caption",), choose=_choose)
    account.lines += table.report.lines()
    rows = list(table.rows)
    more = _numbered(table.report.sources[0])
    for column in more:
        chosen = {**(columns or {}), "caption": column}
        rows += [row for row in read_table([path], wanted, chosen, allow_empty=True).rows if row["caption"]]
    if more:
        account.lines.append(f"{show_path(path)}: further captions in {', '.join(map(quote, more))}")
    for row in rows:
        match = _NUMBERED.fullmatch(row["image"]) if len(row["image"]) < 1000 else None
        for caption in _several(row["caption"]):
            yield (match[1] if match else row["image"]), caption, row.where


def _numbered(source: Source) -> list[str]:
    """The columns behind the one of captions that are called like it, but for a number: caption_2 behind caption_1."""
    header, taken = source.header or [], source.columns.get("caption", "")
    first = next((name for name in header if taken.endswith(quote(name))), "")
    stem = first.rstrip("0123456789")
    if not stem or stem == first and f"{first}_2" not in header and f"{first}2" not in header:
        return []
    alike = re.compile(re.escape(stem) + r"_?\d+")
    return [name for name in header if name != first and alike.fullmatch(name)]


def _choose(rows: list[list[str]]) -> dict[str, int] | None:
    """Without a header: the column of names of pictures, and of the others the one with the longest texts."""
    columns = list(zip(*rows, strict=True))
    shares = [sum(Path(c.partition("#")[0][-300:]).suffix.lower() in SUFFIXES for c in cells) for cells in columns]
    image = max(range(len(columns)), key=lambda at: shares[at], default=-1)
    others = [at for at in range(len(columns)) if at != image]
    others = [at for at in others if sum(any(map(str.isalpha, c)) for c in columns[at]) > 0.5 * len(rows)]
    if image < 0 or not others or shares[image] < 0.5 * len(rows):
        return None
    return {"image": image, "caption": max(others, key=lambda at: sum(map(len, columns[at])))}


def _several(cell: str) -> list[str]:
    """The captions in a cell: a JSON list of texts, or of objects with a text, or the cell itself.

    >>> _several('["a cat", "a pet"]'), _several("[left] a cat")
    (['a cat', 'a pet'], ['[left] a cat'])
    """
    if cell[:1] != "[":
        return [cell]
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):
        return [cell]
    found = [v.get("raw", v.get("caption", v.get("text"))) if isinstance(v, dict) else v for v in values]
    texts = [text for text in found if isinstance(text, str)]
    return texts if len(texts) == len(found) else [cell]


def _coco(path: Path) -> dict[str, Any] | None:
    """The content of COCO's captions; None where the file is something else."""
    try:
        content = msgspec.json.decode(read_bytes(path).removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # as a table it is said to be no JSON
    return content if is_coco(content) else None


def _annotations(path: Path, content: Mapping[str, Any], account: Account) -> Iterator[tuple[str, str, str]]:
    name, of = show_path(path), content["annotations"]
    annotations = [one for one in of if isinstance(one, dict)] if isinstance(of, list) else []
    images = [one for one in content["images"] if isinstance(one, dict)]
    files = {str(one.get("id")): str(one.get("file_name", "")) for one in images}
    if not any(isinstance(one.get("caption"), str) for one in annotations):
        raise DataError(
            f"{name}: expected annotations with a caption, received {len(annotations):,} without. Give COCO's captions file."
        )
    account.lines.append(f"{name}: COCO, {len(images):,} pictures, {len(annotations):,} captions")
    described = set()
    for one in annotations:
        where = f"{name}, annotation {str(one.get('id', '?'))[:40]}"
        file = files.get(str(one.get("image_id")), "")
        if not file:
            account.bad.setdefault("an image_id that no image has", []).append(
                f"{where}: {str(one.get('image_id'))[:40]}"
            )
        else:
            described.add(str(one.get("image_id")))
            caption = one.get("caption")
            yield file, caption if isinstance(caption, str) else "", where
    for key in files.keys() - described if len(described) < len(files) else ():
        account.odd.setdefault("a picture without a caption", []).append(f"{name}: {quote(files[key][:200])}")


# ---- folders ----------------------------------------------------------------------------------------------------------


def _folder(place: Path, columns: Mapping[str, str] | None, captions: Captions, account: Account) -> None:
    """A table, list or annotations in a folder, or texts beside its pictures."""
    if not any(is_table(p) or p.suffix.lower() in LISTS for p in _files(place)):
        place = inside(place)
    every = [p for p in sorted(place.rglob("*")) if not _hidden(p, place)]
    pictures = [p for p in every if p.suffix.lower() in SUFFIXES]
    stems = Counter(_stem(p) for p in pictures)
    described = [p for p in _files(place) if _stem(p) not in stems]
    tables = [p for p in described if is_table(p) or p.suffix.lower() in LISTS and _is_list(p)]
    texts = {
        _stem(p): p for suffix in (".caption", ".txt") for p in every if p.suffix.lower() == suffix and p.is_file()
    }
    beside = [p for p in pictures if _stem(p) in texts]
    for table in tables if len(beside) < 0.5 * len(pictures) or not beside else ():
        _file(table, columns, captions, account)
    if tables and captions:
        return
    account.lines.append(f"{show_path(place)}: {len(beside):,} of {len(pictures):,} pictures with a .txt beside them")
    used: set[Path] = set()
    for picture in pictures:
        text = texts.get(_stem(picture))
        if text is None:
            account.odd.setdefault("a picture without a text beside it", []).append(show_path(picture))
            continue
        used.add(text)
        if stems[_stem(picture)] > 1:  # 3.png and 3.jpg: nobody knows which of them the text describes
            why = "a picture of the same name as another one, with one text for both"
            account.odd.setdefault(why, []).append(show_path(picture))
            continue
        try:
            lines = split_lines(read_text(text)[0])
        except DataError as error:  # one of thousands: counted like an empty one
            account.bad.setdefault("a text that cannot be read", []).append(str(error))
            continue
        said = [(line, f"{show_path(text)}, line {n}") for n, line in enumerate(lines, start=1) if line.strip()]
        for line, where in said or [("", show_path(text))]:
            if _fits(line, picture.name, where, account):
                _keep(captions.setdefault(str(picture), []), line, where, account)
    for path in described if beside else ():
        if path.suffix.lower() in (".txt", ".caption") and path not in used:
            account.odd.setdefault("a text without a picture beside it", []).append(show_path(path))
    if not pictures:
        raise DataError(f"{show_path(place)}: expected {EXPECTED}; received a folder without pictures.")
    if not beside:
        told = [f"; {reason}: {len(at):,}, the first {at[0]}" for reason, at in account.bad.items() if tables]
        raise DataError(
            f"{show_path(place)}: expected {EXPECTED}; received {len(pictures):,} pictures without a text beside them{''.join(told[:2])}."
        )


def _files(place: Path) -> list[Path]:
    """The files of a folder, and of `annotations/` in it, as COCO has it."""
    here = visible(place)
    more = [p for folder in here if folder.is_dir() and folder.name.lower() == "annotations" for p in visible(folder)]
    return [p for p in (*here, *more) if p.is_file()]


def _stem(path: Path) -> str:
    """A path without its suffix, as names are compared: systems write accents in two ways."""
    return unicodedata.normalize("NFC", str(path.with_suffix("")))


def _hidden(path: Path, place: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(place).parts)


def _is_list(path: Path) -> bool:
    """Whether most of the first lines of a text name a picture and a caption."""
    try:
        lines = [line for line in split_lines(read_text(path)[0])[:50] if line.strip()]
    except DataError:  # whatever it is, it is none
        return False
    return sum(_LINE.fullmatch(line) is not None for line in lines) > 0.5 * len(lines)
