"""Novels in the public domain, each in two editions: chapters first, then sentences by `alignment`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recipes.translation import normalise
from recipes.translation.repositories.alignment import align_chapters
from recipes.translation.repositories.clone import Files, Library, Reader, Row, Unavailable, decode
from recipes.translation.repositories.segments import sentences

_START = re.compile(r"\*\*\* ?START OF (?:THIS|THE) PROJECT GUTENBERG.*?\*\*\*", re.DOTALL)
_FINISH = re.compile(
    r"\*\*\* ?END OF (?:THIS|THE) PROJECT GUTENBERG|^End of (?:the |this )?Project Gutenberg", re.MULTILINE
)
_NOTE = re.compile(r"\[(?:\d+|[A-Z]|Illustration[^\]]*|Footnote[^\]]*|Note[^\]]*)\]|\{\d+\}|\(\d+\)(?=\s|[.,;])")
SMALLEST = 1200  # letters of a chapter; shorter ones are lines of a table of contents


@dataclass(frozen=True)
class Edition:
    """A novel in one language: its repository (a shell pattern), and what the line of a chapter's number looks like."""

    repository: str
    chapter: str


def chapters(text: str, heading: str) -> list[str]:
    """The chapters of a book, without the publisher's notes, the table of contents and headings."""
    start, end = _START.search(text), _FINISH.search(text)
    text = text[start.end() if start else 0 : end.start() if end else len(text)]
    parts = re.split(rf"^[ \t]*(?:{heading})[ \t]*$", text, flags=re.MULTILINE)[1:]
    return [part for part in parts if len(part) >= SMALLEST]


def prose(chapter: str, lang: str) -> list[str]:
    """The sentences of a chapter; titles in capitals, notes and emphasis are left out."""
    found = []
    for paragraph in re.split(r"\n\s*\n", chapter):
        text = _NOTE.sub("", " ".join(paragraph.split()).replace("_", "").replace("=", ""))
        text = re.sub(r"\s*--+\s*", " -- ", normalise.characters(text, lang)).strip()
        letters = [c for c in text if c.isalpha()]
        if not letters or sum(c.isupper() for c in letters) > 0.6 * len(letters):
            continue
        found += sentences(re.sub(r"^--\s*|^[-–—]\s+", "", text), lang)
    return [re.sub(r"^(?:--|[-–—])\s+", "", text) for text in found if any(map(str.isalpha, text))]


def _text(files: Files) -> str:
    """The plain text of a book: of the files NUMBER.txt, NUMBER-0.txt (UTF-8), NUMBER-8.txt the best encoded."""
    names = [path for path in files.paths() if re.fullmatch(r"\d+(?:-[08])?\.txt", path)]
    best = sorted(names, key=lambda name: (not name.endswith("-0.txt"), not name.endswith("-8.txt")))
    if not best:
        raise Unavailable("expected a file like 1234-0.txt or 1234-8.txt in the clone of a book")
    return decode(files.read(best[:1])[best[0]])


def novel(english: Edition, others: dict[str, Edition]) -> Reader:
    """A novel in English and in others; read only where both editions have as many chapters."""

    def open_edition(library: Library, edition: Edition, lang: str) -> list[list[str]]:
        names = library.matching(edition.repository)
        if not names:
            raise Unavailable(f"{edition.repository}: not there; clone the repository into {library.folder}")
        parts = chapters(_text(library.open(names[0])), edition.chapter)
        return [prose(part, lang) for part in parts]

    def read(library: Library, code: str) -> Iterator[Row]:
        if code not in others:
            return
        source, target = open_edition(library, english, "en"), open_edition(library, others[code], code)
        if len(source) != len(target):
            raise Unavailable(
                f"{english.repository}: {len(source)} chapters in English, {len(target)} in {code}: not aligned"
            )
        for number, one, two in align_chapters(list(zip(source, target, strict=True))):
            yield str(number + 1), one, two

    return read
