"""Translation memories (.tmx): the XML that translators' tools exchange -> pairs of a text and its translation.

A unit (`tu`) holds a text in two languages or more (`tuv`, with `xml:lang`). Markup of the tools' own formats stands
in it as `bpt`, `ept`, `ph`, `it` or `ut`: kept where both sides hold the same and it is what `placeholders` know, as
`<b>` or `%s`, so that a net learns to carry it over; else left out. `hi` and its like only mark text, which stays.

A file from elsewhere may be an attack: definitions of entities are refused (one of a kilobyte can become gigabytes),
and nothing outside the file is ever read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lamella.data.readers.report import Report, Source
from lamella.data.readers.tables import Row, Table
from lamella.data.text import placeholders
from lamella.data.text.encoding import StrPath, read_bytes, show_path
from lamella.data.text.languages import base_code
from lamella.errors import DataError

_NATIVE = frozenset(("bpt", "ept", "ph", "it", "ut"))
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SPACE = re.compile(r"\s+")


def read_memories(paths: Sequence[StrPath], src: str, dst: str) -> Table:
    """The pairs of translation memories.

    In: .tmx files, the two languages; `en-US` and `EN_gb` are `en`, and where a unit has several of a language, the
    one that is spelled as asked comes first.
    Out: a `Table` of rows {"src", "dst"}, not yet cleaned; its report counts the units without one of the languages.
    Raises DataError where a file is no TMX, defines entities, or has no unit in both languages.
    """
    report = Report()
    rows: list[Row] = []
    for path in paths:
        name = show_path(path)
        units, languages, broken = _units(path, name)
        found = []
        for _ in range(broken):
            report.drop("a unit that is no XML")
        for texts, line in units:
            sides = [_side(texts, code) for code in (src, dst)]
            if sides[0] is None or sides[1] is None:
                report.drop(f"a unit without {src if sides[0] is None else dst}")
                continue
            found.append(Row(dict(zip(("src", "dst"), _texts(sides[0], sides[1]), strict=True)), name, line))
        if not found:
            there = ", ".join(f"{language} ({count:,})" for language, count in languages.most_common(10)) or "none"
            raise DataError(
                f"{name}: expected units in {src} and {dst}, received languages: {there}. Change --from, --to"
            )
        rows += found
        report.sources.append(Source(name, "TMX", columns={"src": src, "dst": dst}, rows=len(found)))
    report.kept = len(rows)
    return Table(rows, report)


Pieces = list[tuple[str, bool]]  # text, and whether it is a tool's own markup
Unit = tuple[dict[str, Pieces], int]  # the text in each language, and the line it begins at


def _side(texts: dict[str, Pieces], code: str) -> Pieces | None:
    exact = code.replace("_", "-").casefold()
    if exact in texts:
        return texts[exact]
    return next((text for language, text in texts.items() if base_code(language) == base_code(code)), None)


def _texts(src: Pieces, dst: Pieces) -> tuple[str, str]:
    """Both sides with their markup where it is the same, else without."""
    sides = src, dst
    coded = tuple("".join(t for t, native in s if not native or placeholders.find(t) == [t.strip()]) for s in sides)
    plain = tuple("".join(t for t, native in s if not native) for s in sides)
    one, two = coded if placeholders.same(*coded) else plain
    return _SPACE.sub(" ", one).strip(), _SPACE.sub(" ", two).strip()


class _Target:
    """What the parser tells about the elements: kept are texts and languages alone, so that memory stays small."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.languages: Counter[str] = Counter()
        self.root = ""
        self.parser: Any = None
        self.path: list[str] = []
        self.open: Counter[str] = Counter()  # of the path: to look through all of it each time would take long
        self.native = 0  # how many elements of a tool's own markup are open
        self.texts: dict[str, Pieces] = {}
        self.pieces: list[tuple[list[str], bool]] = []  # as the parser gives them: a text comes in many parts
        self.language = ""
        self.line = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition("}")[2].lower()
        self.root = self.root or tag
        self.path.append(tag)
        self.open[tag] += 1
        self.native += tag in _NATIVE
        if tag == "tu":
            self.texts, self.line = {}, self.parser.parser.CurrentLineNumber
        elif tag == "tuv":
            self.language = (attributes.get(_LANG) or attributes.get("lang") or "").replace("_", "-").casefold()
        elif tag == "seg":
            self.pieces = []
        elif tag in _NATIVE and self.open["seg"]:
            self.pieces.append(([], True))

    def data(self, text: str) -> None:
        if not self.open["seg"] or self.open["sub"]:  # `sub` is a text inside markup, as of a footnote
            return
        native = self.native > 0
        if native and self.pieces and self.pieces[-1][1]:
            self.pieces[-1][0].append(text)
        else:
            self.pieces.append(([text], native))

    def end(self, tag: str) -> None:
        tag = self.path.pop()
        self.open[tag] -= 1
        self.native -= tag in _NATIVE
        if tag == "seg" and self.language:
            self.texts.setdefault(self.language, [("".join(parts), native) for parts, native in self.pieces])
        elif tag == "tu":
            self.units.append((self.texts, self.line))
            self.languages.update(list(self.texts))

    def close(self) -> None:
        pass


_TU = re.compile(rb"<tu[\s>](?:(?!<tu[\s>]).)*?</tu\s*>", re.DOTALL | re.IGNORECASE)


def _units(path: StrPath, name: str) -> tuple[list[Unit], Counter[str], int]:
    """The units of a file, how many there are in each language, and how many could not be read."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

    data = read_bytes(path)
    if not data.strip():
        raise DataError(f"{name}: expected a translation memory (TMX), received an empty file. Export it again")
    target = _Target()
    target.parser = DefusedXMLParser(target=target, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        target.parser.feed(data)
        target.parser.close()
    except DefusedXmlException as error:
        what = re.sub(r"\(.*", "", str(error), flags=re.DOTALL)
        raise DataError(
            f"{name}: expected a translation memory (TMX), received XML that defines entities or reads other files "
            f"({what}), which is refused. Remove its <!DOCTYPE ...>"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        if (rest := _each(data)) is not None:
            return rest
        raise DataError(
            f"{name}: expected a translation memory (TMX), received what is no XML ({error}). Export it again"
        ) from error
    if target.root != "tmx":
        raise DataError(f"{name}: expected a translation memory (TMX), received XML with the root <{target.root[:40]}>")
    return target.units, target.languages, 0


def _each(data: bytes) -> tuple[list[Unit], Counter[str], int] | None:
    """The units of a file that is no XML as a whole, each read by itself; None where it is no TMX or none can be read."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    first = data.lower().find(b"<tu")
    head = data[: max(first, 0)]
    if b"<tmx" not in head.lower() or b"<!entity" in data.lower():
        return None
    said = re.match(rb"(?:\xef\xbb\xbf)?\s*(<\?xml[^>]*>)", head)
    units: list[Unit] = []
    languages: Counter[str] = Counter()
    broken, line, at = 0, 1, 0
    for match in _TU.finditer(data):
        line, at = line + data.count(b"\n", at, match.start()), match.start()
        target = _Target()
        target.parser = DefusedXMLParser(target=target, forbid_dtd=True)
        try:
            target.parser.feed((said[1] if said else b"") + match[0])
            target.parser.close()
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            broken += 1
            continue
        units += [(texts, line) for texts, _ in target.units]
        languages.update(target.languages)
    return (units, languages, broken) if units and broken else None  # else it only ends too early
