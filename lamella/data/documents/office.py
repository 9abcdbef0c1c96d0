"""Office documents and books: .docx, .pptx, .odt, .odp and .epub. Texts are translated; everything else is copied.

A document whose texts all stay comes back byte for byte; else it is packed again, each file that holds no text of which
one changed with the bytes that it had.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from lamella.data.documents.runs import Part, Shape
from lamella.data.documents.slots import Slot, Slots, worded
from lamella.data.documents.webpages import WebPage
from lamella.data.documents.xml_text import check, escape, tokens, unescape
from lamella.data.documents.zips import Archive
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = Shape(
    _set("w:p"), _set("w:r"), _set("w:t"), _set("w:rPr w:pPr"), _set("w:br w:tab w:cr"),
    _set("w:proofErr w:lastRenderedPageBreak"), closed=_set("w:del w:moveFrom w:instrText w:delText"), preserve='xml:space="preserve"',
)  # fmt: skip
_SLIDES = Shape(_set("a:p"), _set("a:r"), _set("a:t"), _set("a:rPr a:pPr a:endParaRPr"), _set("a:br a:tab"), _set(""))
_OPEN = Shape(
    _set("text:p text:h svg:title svg:desc"), _set(""), _set(""), _set(""), _set("text:line-break text:tab"), _set("text:soft-page-break"),
    blank=_set("text:s"), closed=_set("text:tracked-changes office:annotation"),
    whole=_set(
        "text:note text:page-number text:page-count text:date text:time text:author-name text:chapter text:sequence text:file-name"
        " text:note-ref text:bookmark-ref text:reference-ref text:sequence-ref"
    ),
)  # fmt: skip

_MANIFEST = "META-INF/manifest.xml"  # of an OpenDocument, which says what is encrypted


class _Office:
    """The base of the formats: which files of the archive hold texts, and the elements that they are in."""

    kind, shape, files, needs = "", _WORD, re.compile(""), ""

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data:
            raise DataError(f"{name}: expected a {self.kind} file, received an empty one. Save it again")
        self.data, self.name = data, name
        self.archive = Archive(data, name, self.kind)
        if _MANIFEST in self.archive.names and b"encryption-data" in self.archive.read(_MANIFEST):
            raise DataError(f"{name}: expected a {self.kind} file, received one with a password. Save it without")
        if self.needs not in self.archive.names:
            raise DataError(
                f"{name}: expected a {self.kind} file, received a ZIP without {self.needs}. Is it another format?"
            )
        self.parts: dict[str, Part] = {}
        for file in self.archive.names:
            if self.files.fullmatch(file) and file not in self.parts:
                raw = self.archive.read(file)
                check(raw, f"{name} ({file})")
                try:
                    text = raw.decode("utf-8-sig")
                except UnicodeDecodeError as error:
                    raise DataError(f"{name} ({file}): expected UTF-8, received other bytes. Save it again") from error
                self.parts[file] = Part(text, self.shape)
        self.found = [segment for part in self.parts.values() for segment in part.segments]
        self.segments = [segment.text for segment in self.found]
        self.formats = [""] * len(self.segments)

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The document with an answer for each segment; None, or the segment itself, leaves what was there.

        Raises ValueError where there are not as many answers as segments.
        """
        for segment, answer in zip(self.found, answers, strict=True):
            segment.answer = None if answer == segment.text else answer
        changed = {
            file: part.render().encode("utf-8", "replace")
            for file, part in self.parts.items()
            if any(segment.answer is not None for segment in part.segments)
        }
        return self.archive.replaced(changed) if changed else self.data

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, and how many have no translation."""
        return {"segments": len(self.segments), "kept": sum(answer is None for answer in answers)}


class WordDocument(_Office):
    """A .docx: the body, heads, feet and notes. Comments and what was deleted stay."""

    kind, shape, needs = ".docx", _WORD, "word/document.xml"
    files = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes)\.xml")


class Slides(_Office):
    """A .pptx: the slides, their notes, diagrams, and the titles of charts."""

    kind, shape, needs = ".pptx", _SLIDES, "ppt/presentation.xml"
    files = re.compile(r"ppt/(?:slides/slide|notesSlides/notesSlide|diagrams/data|charts/chart)\d*\.xml")


class OpenDocument(_Office):
    """A document of the OpenDocument format: its content, and the heads and feet among its styles."""

    kind, shape, needs = ".odt", _OPEN, "content.xml"
    files = re.compile(r"content\.xml|styles\.xml")


_LOCKS = "META-INF/encryption.xml"


_LANGUAGE = re.compile(rb"(<dc:language[^<>]*>)[^<]*(?=</dc:language>)")


class _Contents(Slots):
    """The table of contents of an older book (.ncx)."""

    holds = "a table of contents"

    def slots(self) -> list[Slot]:
        check(self.data, self.name)
        pieces = list(tokens(self.text))
        return [
            Slot(text.start, text.end, unescape(text.raw), escape)
            for opened, text in pairwise(pieces)
            if opened.kind == "open" and opened.name.rpartition(":")[2] == "text" and worded(text.raw)
        ]


class Book:
    """An .epub: its pages as web pages, and the names in its table of contents."""

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data:
            raise DataError(f"{name}: expected an .epub file, received an empty one. Save it again")
        self.data = data
        self.archive = Archive(data, name, ".epub")
        if "META-INF/container.xml" not in self.archive.names:
            raise DataError(
                f"{name}: expected an .epub file, received a ZIP without META-INF/container.xml. Is it another format?"
            )
        locked = self.archive.read(_LOCKS) if _LOCKS in self.archive.names else b""
        if re.search(
            rb"URI=[\"'][^\"']*\.(?:x?html?|opf)[\"']", locked
        ):  # fonts are often scrambled, which does no harm
            raise DataError(f"{name}: expected an .epub file, received one with a lock on it (DRM). It cannot be read")
        self.language = target_language.replace("_", "-")
        self.pages: dict[str, WebPage | _Contents] = {}
        for file in dict.fromkeys(self.archive.names):
            if file.lower().endswith(".ncx") and (raw := self.archive.read(file)):
                self.pages[file] = _Contents(raw, f"{name} ({file})", target_language)
            elif re.search(r"\.x?html?$", file, re.IGNORECASE) and (raw := self.archive.read(file)):
                self.pages[file] = WebPage(raw, f"{name} ({file})", target_language)
        if not self.pages:
            raise DataError(f"{name}: expected an .epub file, received one without pages. Is the book complete?")
        self.segments = [segment for page in self.pages.values() for segment in page.segments]
        self.formats = [format for page in self.pages.values() for format in page.formats]

    def render(self, answers: Sequence[str | None]) -> bytes:
        """See `Document`."""
        if len(answers) != len(self.segments):
            raise ValueError(f"Expected an answer for each of {len(self.segments)} segments. Received: {len(answers)}")
        changed, at = {}, 0
        for file, page in self.pages.items():
            own = answers[at : at + len(page.segments)]
            at += len(own)
            if any(answer not in (None, segment) for answer, segment in zip(own, page.segments, strict=True)):
                changed[file] = page.render(own)
        for file in self.archive.names if changed and self.language else ():
            if file.lower().endswith(".opf"):  # it says the language of the book
                changed[file] = _LANGUAGE.sub(rb"\g<1>" + self.language.encode(), self.archive.read(file))
        return self.archive.replaced(changed) if changed else self.data

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, on how many pages, and how many have no translation."""
        kept = sum(answer is None for answer in answers)
        return {"segments": len(self.segments), "pages": len(self.pages), "kept": kept}
