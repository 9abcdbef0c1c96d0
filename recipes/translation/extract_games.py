"""Pairs from games that keep their texts in formats of their own; those with catalogues are read with the catalogues.

Run by `python -m recipes.translation.corpus extract`. Speech and short tales: the nearest to everyday language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from recipes.translation.common import Folders, Pair, is_reserved
from recipes.translation.extract_documents import align, read_blocks

_DIALOG_SOURCE = re.compile(r'dialogId\("([^"]+)",\s*"[^"]*",\s*"((?:[^"\\]|\\.)*)"\)')
_DIALOG_TARGET = re.compile(r'dialogId\("([^"]+)".*?\)\s*dialogStr\("((?:[^"\\]|\\.)*)"\)', re.DOTALL)
_LUA_ENTRY = re.compile(r'^\s*\["((?:[^"\\]|\\.)*)"\]\s*=\s*"((?:[^"\\]|\\.)+)"', re.MULTILINE)
_QUOTED_TEXT = re.compile(r'text="([^"]*)"')
_ESCAPED = re.compile(r"\\(.)")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def fish_fillets(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Two fish talk: each dialogue has a name that both languages share."""
    for english in sorted(root.rglob("dialogs_en.lua")):
        target = dict(_DIALOG_TARGET.findall(_read(english.with_name(f"dialogs_{lang}.lua"))))
        for name, text in _DIALOG_SOURCE.findall(_read(english)):
            if name in target:
                yield _plain(text), _plain(target[name])


def hedgewars(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Messages by number, missions by name, and what is said in a mission with the English as its name."""
    for locale in root.rglob("Locale"):
        for name in ("", "missions_", "campaigns_"):
            sides = []
            for language in ("en", lang):
                lines = re.findall(r"^([\w.:-]+)=(.+)$", _read(locale / f"{name}{language}.txt"), re.MULTILINE)
                sides.append({key: text.strip().strip('"').replace("|", "\n") for key, text in lines})
            yield from ((sides[0][key], sides[1][key]) for key in sides[0] if key in sides[1])
        for source, target in _LUA_ENTRY.findall(_read(locale / f"{lang}.lua")):
            yield _plain(source), _plain(target)


def crawl(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Descriptions of a dungeon's things, by the English name of each; wrapped lines joined, by paragraph."""
    for folder in root.rglob("descript"):
        for path in sorted((folder / lang).glob("*.txt")):
            sides = []
            for side in (folder / path.name, path):
                entries = (entry.strip().partition("\n") for entry in _read(side).split("%%%%"))
                sides.append({name.strip(): re.split(r"\n\s*\n", body.strip()) for name, _, body in entries})
            for name, left in sides[0].items():
                right = sides[1].get(name, [])
                if len(left) == len(right) and not any("{{" in text for text in left):
                    joined = ((text.replace("\n", " ") for text in side) for side in (left, right))
                    yield from zip(*joined, strict=True)


def simutrans(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """The pages of its help, HTML in all but name."""
    for english in sorted(root.rglob("text/en/*.txt")):
        other = english.parent.parent / lang / english.name
        if other.exists() and english.read_text(errors="replace").strip() and _read(other).strip():
            yield from align(*(read_blocks(path.read_bytes(), True, {}) for path in (english, other)))


def holotz_castle(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """What is said in each level, in the same order."""
    for english in sorted(root.rglob("script/en/*.hcs")):
        sides = [_QUOTED_TEXT.findall(_read(path)) for path in (english, english.parent.parent / lang / english.name)]
        if len(sides[0]) == len(sides[1]):
            yield from zip(*sides, strict=True)


GAMES = {
    "crawl-common": crawl,
    "fillets-ng-data": fish_fillets,
    "hedgewars-data": hedgewars,
    "holotz-castle-data": holotz_castle,
    "simutrans-data": simutrans,
}


def games(folders: Folders) -> Iterator[Pair]:
    """The pairs of every game that is here."""
    for package, read in GAMES.items():
        root = folders.packages / f"debian-{folders.lang}" / package
        if root.exists() and not is_reserved(package):
            for source, target in read(root, folders.lang):
                yield Pair("stories", package, source, target)
