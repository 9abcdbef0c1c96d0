"""XML documents: textbooks in CNXML, aligned by the id of each paragraph, and the PHP manual, by file and block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from recipes.translation.common import words
from recipes.translation.extract_documents import Block, read_blocks
from recipes.translation.repositories.clone import Files, Library, Reader, Row, decode, matched

# Elements of CNXML that are no running text of the paragraph they stand in.
_SKIPPED = words("equation figure table media note list code newline footnote metadata label title")
_NAMED = words("para item caption title entry")
_REFERENCE = re.compile(
    r"\s*\([^()\ufffc]{0,25}\ufffc[^()]*\)"
)  # "(see Figure 3)": the figure's name is filled in elsewhere


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _running(element: etree._Element) -> str:
    """The running text of a paragraph; a formula becomes X, a reference to a figure makes it unusable."""
    parts = [element.text or ""]
    for child in element:
        name = _name(child)
        if name == "math":
            parts.append("X")
        elif name == "newline":
            parts.append(" ")
        elif name in ("link", "cite") and not "".join(child.itertext()).strip():
            parts.append("\ufffc")
        elif name and name not in _SKIPPED:
            parts.append(_running(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _tidy(text: str) -> str:
    text = re.sub(
        r"(?:X\s*)+(?:[=+×·/−-]\s*(?:X\s*)+)*", lambda m: "X" + " " * m[0].endswith(" "), " ".join(text.split())
    )
    text = _REFERENCE.sub("", text)
    return "" if "\ufffc" in text else text.strip()


def read_cnxml(data: bytes) -> dict[str, str]:
    """The texts of a module by the id of their element; an item or a title without one by its place below one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    root = etree.fromstring(data, parser)
    found: dict[str, str] = {}

    def walk(element: etree._Element, above: str) -> None:
        counts: dict[str, int] = {}
        for child in element:
            name = _name(child)
            if not name or name in ("math", "metadata"):
                continue
            counts[name] = counts.get(name, 0) + 1
            place = child.get("id") or f"{above}/{name}{counts[name]}"
            if name in _NAMED:
                text = _tidy(_running(child))
                if text and place.partition("/")[0]:
                    found[place] = text
            walk(child, place)

    if root is not None:
        walk(root, "")
    return found


def textbooks(english: str, other: str) -> Reader:
    """The modules of two books: paragraphs with one id are a pair, whatever file they stand in."""

    def read(library: Library, code: str) -> Iterator[Row]:
        sides: list[dict[str, tuple[str, str]]] = []
        for repository in (english, other):
            files = library.open(repository)
            modules = files.read([path for path in files.paths() if path.endswith("index.cnxml")])
            sides.append({})
            twice: set[str] = set()
            for path, data in modules.items():
                for place, text in read_cnxml(data).items():
                    if place in sides[-1]:
                        twice.add(place)
                    sides[-1][place] = (path, text)
            for place in twice:  # an id used again in another module says nothing
                del sides[-1][place]
        for place, (path, source) in sides[0].items():
            if place in sides[1]:
                yield path, source, sides[1][place][1]

    return read


_REVISION = re.compile(r"<!--.*?-->", re.DOTALL)
_SECTION = re.compile(r"<(?:refsect1|sect[1-4]|section|refnamediv)\b")
# Entities that stand for code or a word of their own, which both sides share.
_CONSTANTS = {name: name.upper() for name in ("true", "false", "null")}
_ENTITIES = {
    "php": "PHP", "array": "array", "string": "string", "integer": "int", "float": "float", "boolean": "bool",
    "object": "object", "resource": "resource", "callback": "callback", "callable": "callable", "mixed": "mixed",
    "ndash": "–", "mdash": "—", "hellip": "...", "nbsp": " ", "link.superglobals": "superglobals",
}  # fmt: skip


def _blocks(data: bytes) -> list[Block]:
    """The blocks of a page of the manual that are text; code and signatures stand there as their kind alone."""
    text = _REVISION.sub("", decode(data))
    return [
        b
        for b in read_blocks(text.encode(), False, {**_CONSTANTS, **_ENTITIES})
        if b.tag
        in (
            "para",
            "simpara",
            "title",
            "refpurpose",
            "entry",
            "member",
            "term",
            "listitem",
            "note",
            "caution",
            "warning",
            "tip",
            "",
        )
    ]


def _sections(blocks: list[Block]) -> list[list[Block]]:
    """The blocks from each title to the next."""
    sections: list[list[Block]] = [[]]
    for block in blocks:
        if block.tag == "title":
            sections.append([])
        sections[-1].append(block)
    return sections


def align_sections(source: list[Block], target: list[Block]) -> Iterator[tuple[str, str]]:
    """The texts of two pages that correspond: of sections with the same kinds of blocks, if there are as many."""
    sections = _sections(source), _sections(target)
    if len(sections[0]) != len(sections[1]):
        return
    for left, right in zip(*sections, strict=True):
        if [block.tag for block in left] == [block.tag for block in right]:
            yield from ((a.text, b.text) for a, b in zip(left, right, strict=True) if a.text and b.text)


def manual(english: str, other: str, before: str) -> Reader:
    """The PHP manual at a date: pages at one path, blocks in one order where both have the same kinds of blocks."""

    def read(library: Library, code: str) -> Iterator[Row]:
        files: Files = library.open(english, f" before {before}")
        second = library.open(other.replace("{lang}", code), f" before {before}")
        for path, left, right in matched(files, r"(.*\.xml)", r"\1", second):
            try:
                sides = _blocks(left), _blocks(right)
            except (etree.LxmlError, ValueError):
                continue
            yield from ((path, *texts) for texts in align_sections(*sides))

    return read
