"""Pairs from documentation that exists in both languages: HTML, DocBook and Mallard pages, questions of debconf.

Run by `python -m recipes.translation.corpus extract`. A page and its translation are aligned by structure: block by
block where both have the same kinds of blocks in the same order, or else section by section where those of a section
agree; LibreOffice numbers its paragraphs, which says it directly. What does not correspond is dropped.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

from lxml import etree, html

from recipes.translation.common import Folders, Pair, is_reserved, words
from recipes.translation.extract_books import paragraphs

# Elements that hold a text of their own, in HTML, DocBook and Mallard.
_BLOCKS = words(
    "p h1 h2 h3 h4 h5 h6 li dt dd td th caption title subtitle para simpara term item desc listitem entry member"
    " screeninfo body html div section sect1 sect2 sect3 sect4 sect5 article book chapter appendix preface blockquote"
    " refentry refsect1 refsect2 refsection refpurpose ul ol dl table tbody thead tr tgroup row page note important"
    " warning tip caution question answer qandaset qandaentry qandadiv list steps terms variablelist varlistentry"
    " itemizedlist orderedlist simplelist procedure step substeps figure example informalexample informaltable legal"
    " header footer main aside nav details summary part sidebar bridgehead callout calloutlist corpauthor"
)
# Elements whose text is not for people, or is not translated.
_SKIPPED = words(
    "head script style pre screen programlisting synopsis cmdsynopsis literallayout mediaobject"
    " inlinemediaobject media graphic indexterm info articleinfo bookinfo chapterinfo sectioninfo sect1info refmeta"
    " refnamediv footnote comment remark nav svg math form select textarea button bibliography index"
)
# Elements that say which section follows, and those inside which a text is not whole in the file.
_SECTIONS = words("section sect1 sect2 sect3 sect4 sect5 chapter appendix preface page article book div")
_REFERENCES = frozenset({"xref", "link"})
_JOINED = {"keyseq": "+", "keycombo": "+", "menuchoice": " → ", "guiseq": " → "}
_ENTITY = re.compile(r"&([A-Za-z][\w.-]*);")
_DECLARED = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(\"[^\"]*\"|'[^']*')\s*>")
_HTML = re.compile(r"\.html\b|\.utf8$")  # a planetarium keeps its tales in HTML under another name
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENGLISH_MARK = re.compile(r"(?<=[/._-])(?:en[-_]US|en[-_]us|en|C)(?=[/._-])")


@dataclass
class Block:
    """A text of a page, with its kind of element, its number if it has one, and the section it is in."""

    tag: str
    identifier: str
    section: str
    text: str


class _Reader:
    """Walks a page and collects its blocks."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.section = ""
        self.pieces: list[str] = []
        self.whole = True

    def flush(self, tag: str, identifier: str) -> None:
        """End the text collected so far; one with a reference that is filled in later is kept empty, for the count."""
        text = " ".join("".join(self.pieces).split())
        if text:
            self.blocks.append(Block(tag, identifier, self.section, text if self.whole else ""))
        self.pieces, self.whole = [], True

    def walk(self, element: etree._Element, tag: str, identifier: str) -> None:
        """Collect the text of an element; a block inside ends the text before it."""
        self.pieces.append(element.text or "")
        for child in element:
            name = etree.QName(child).localname.lower() if isinstance(child.tag, str) else ""
            if name in _SKIPPED or (name == "code" and child.get("mime")) or not name:
                pass
            elif child.get("hidden") is not None or "MAC" in child.get("class", "").split():
                pass  # LibreOffice writes both the Macintosh's key and the others', and shows one
            elif name in _BLOCKS:
                own = child.get("id") or child.get("{http://www.w3.org/XML/1998/namespace}id") or ""
                self.flush(tag, identifier)
                if name in _SECTIONS and own:
                    self.section = own
                self.walk(child, name, own)
                self.flush(name, own)
            elif name in _JOINED:
                parts = [" ".join("".join(part.itertext()).split()) for part in child]
                self.pieces.append(_JOINED[name].join(part for part in parts if part))
            else:
                if name in _REFERENCES and not "".join(child.itertext()).strip():
                    self.whole = False
                if name == "br":
                    self.pieces.append(" ")
                if name == "quote":
                    self.pieces.append('"')
                self.walk(child, tag, identifier)
                if name == "quote":
                    self.pieces.append('"')
            self.pieces.append(child.tail or "")


def read_blocks(data: bytes, is_html: bool, entities: dict[str, str]) -> list[Block]:
    """The blocks of a page. XML is read without its document type: entities are replaced before, nothing is loaded."""
    if is_html:
        root = html.document_fromstring(data, parser=html.HTMLParser(encoding="utf-8"))
    else:
        text = data.decode("utf-8", "replace")
        known = {**entities, **{name: value[1:-1] for name, value in _DECLARED.findall(text)}}
        text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
        text = re.sub(r"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", "", text, count=1, flags=re.DOTALL)
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
        for _ in range(3):  # entities may name others
            text = _ENTITY.sub(lambda m: m[0] if m[1] in _XML_ENTITIES else known.get(m[1], "<xref/>"), text)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=True)
        root = etree.fromstring(text.encode(), parser)
    if root is None:
        return []
    reader = _Reader()
    reader.walk(root, "", "")
    reader.flush("", "")
    return reader.blocks


def align(source: list[Block], target: list[Block]) -> Iterator[tuple[str, str]]:
    """The texts of two pages that correspond."""
    numbered: list[dict[str, Block]] = []
    for blocks in (source, target):
        numbered.append({block.identifier: block for block in blocks if block.identifier.startswith(("par_", "hd_"))})
    if all(numbered):
        shared = [name for name in numbered[0] if name in numbered[1]]
        yield from ((numbered[0][name].text, numbered[1][name].text) for name in shared)
        return
    if [block.tag for block in source] == [block.tag for block in target]:
        yield from ((left.text, right.text) for left, right in zip(source, target, strict=True))
        return
    sections: list[dict[str, list[Block]]] = []
    for blocks in (source, target):
        sections.append(defaultdict(list))
        for block in blocks:
            sections[-1][block.section].append(block)
    for name, left in sections[0].items():
        right = sections[1].get(name, [])
        if [block.tag for block in left] == [block.tag for block in right]:
            yield from ((one.text, other.text) for one, other in zip(left, right, strict=True))


def _plausible(source: str, target: str) -> bool:
    """Whether two texts may be translations: numbers of three digits or more are the same, lengths not far apart."""
    numbers = [sorted(re.findall(r"\d{3,}", text)) for text in (source, target)]
    return numbers[0] == numbers[1] and (len(source) < 20 or 0.45 < len(target) / len(source) < 2.5)


def _entities(root: Path, lang: str) -> dict[str, str]:
    """KDE's names for programs and words in a language."""
    found: dict[str, str] = {}
    for folder in ("", "en", lang):
        pattern = f"customization/{folder}/*.entities" if folder else "*.entities"
        for path in sorted((root / "kdoctools5").rglob(pattern)):
            if folder or path.parent.name in ("customization", "entities"):
                text = path.read_text(encoding="utf-8", errors="replace")
                found.update((name, value[1:-1]) for name, value in _DECLARED.findall(text))
    return found


def _task(task: tuple[str, str, str, dict[str, str], dict[str, str]]) -> list[Pair]:
    name, english, other, english_entities, other_entities = task
    try:
        sides = []
        for path, entities in ((Path(english), english_entities), (Path(other), other_entities)):
            sides.append(read_blocks(path.read_bytes(), bool(_HTML.search(path.name)), entities))
    except (etree.LxmlError, ValueError) as error:
        print(f"extract: {name}: {error}", flush=True)
        return []
    pairs = [Pair("help", name, *texts) for texts in align(*sides) if all(texts)]
    # A page of which much is not plausible is another version of the text: its blocks only happen to be as many.
    good = [pair for pair in pairs if _plausible(pair.source, pair.target)]
    return good if len(good) > 0.7 * len(pairs) else []


def page_name(path: str, mark: re.Pattern[str]) -> str:
    """A page's path without its language, the same for a page and its translation."""
    return re.sub(r"[/._-]?\0", "", mark.sub("\0", path))


def documents(folders: Folders) -> Iterator[Pair]:
    """The pairs of every page that has a translation; the package of each is `package/page`."""
    root = folders.packages / f"debian-{folders.lang}"
    lang, dashed = re.escape(folders.lang), re.escape(folders.lang.replace("_", "-"))
    mark = re.compile(rf"(?<=[/._-])(?:{lang}-{lang.upper()}|{lang}|{dashed}|{dashed.lower()})(?=[/._-])")
    pages: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for package in sorted(root.iterdir()):
        if is_reserved(package.name) or package.suffix == ".part":
            continue
        for folder, _, names in os.walk(package):
            for name in names:
                if not re.search(r"\.(html(\.[\w-]+)*|page|docbook|xml|utf8)$", name):
                    continue
                path = f"{folder}/{name}"
                relative = path.removeprefix(str(root))
                if mark.search(relative):
                    pages[1][page_name(relative, mark)] = path
                else:
                    pages[0].setdefault(page_name(relative, _ENGLISH_MARK), path)
    entities = _entities(root, "en"), _entities(root, folders.lang)
    tasks = []
    for name in sorted(pages[0].keys() & pages[1].keys()):
        package = Path(pages[0][name]).relative_to(root).parts[0]
        tasks.append((f"{package}/{Path(name).stem}", pages[0][name], pages[1][name], *entities))
    print(f"extract: {len(tasks):,} pages with a translation", flush=True)
    with Pool() as pool:
        for pairs in pool.imap(_task, tasks, chunksize=32):
            yield from pairs


def _template_fields(record: str) -> dict[str, str]:
    """The fields of a debconf template, continuation lines included."""
    fields: dict[str, str] = {}
    name = ""
    for line in record.split("\n"):
        if line.startswith(" ") and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def debconf(folders: Folders) -> Iterator[Pair]:
    """The questions packages ask when they are installed."""
    for path in sorted((folders.packages / f"debian-{folders.lang}").glob("*/debconf-templates")):
        package = path.parent.name
        if is_reserved(package):
            continue
        for record in path.read_text(encoding="utf-8", errors="replace").split("\n\n"):
            fields = _template_fields(record)
            sides = [fields.get(name, "") for name in ("Description", f"Description-{folders.lang}.UTF-8")]
            if not all(sides):
                continue
            heads, bodies = zip(*(side.partition("\n")[::2] for side in sides), strict=True)
            yield Pair("help", f"{package}/debconf", heads[0], heads[1])
            left, right = ([block for part in paragraphs(body) for block in part] for body in bodies)
            if len(left) == len(right):
                yield from (Pair("help", f"{package}/debconf", *texts) for texts in zip(left, right, strict=True))
