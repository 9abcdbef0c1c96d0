"""Markdown and the dialects around it: blocks of text, without markup, and the blocks of two files that correspond."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from recipes.translation.repositories.clone import Files, Library, Reader, Row, decode, matched

_FENCE = re.compile(r"^\s*(```|~~~|:::)")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+(.*)$")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$")
_DIRECTIVE = re.compile(
    r"^\s*(?:\{[%{#].*[%}#]\}|---\s.*\s---|\{/?[\w .#:=\"'-]+\}|\[[^\]]+\]:\s*\S.*|</?[A-Za-z][^>]*>|<!--.*)\s*$"
)
_FIELD = re.compile(r"^(title|description|summary|subtitle|intro|lead)\s*:\s*(.+)$", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>")
_COMMENT = re.compile(r"<!--.*?-->|\{/\*.*?\*/\}|\{#.*?#\}", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])(?:\{[^}]*\})?")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])(?:\{[^}]*\})?")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^>\s]+)>")
_STRONG = re.compile(r"(?<![\w*])(\*{1,3})(?=\S)(.+?)(?<=\S)\1(?!\*)|(?<![\w_])(_{1,3})(?=\S)(.+?)(?<=\S)\3(?![\w_])")
_STRONG_CHINESE = re.compile(r"(\*{1,3})(?=\S)([^*]+?)(?<=\S)\1")
_CODE = re.compile(r"(`{1,3})\s?(.+?)\s?\1")
_ROLE = re.compile(
    r":[\w:+.-]+:`(?:[^`<]*?<([^`>]*)>|[~!]?([^`]*))`|``([^`]+)``|`([^`<]+?)\s*<[^`>]+>`_{1,2}|\|([\w ]+)\|"
)
_LIQUID = re.compile(r"\{%.*?%\}|\{\{<.*?>\}\}|\{\{%.*?%\}\}|\{:[^}]*\}|\{#[\w-]+\}|\{panel[^}]*\}")
_ATTRIBUTES = re.compile(r"(?<=\S)\s*\{[.#][^}]*\}")


def plain(text: str) -> str:
    """A text without the markup of Markdown and HTML; code spans keep their words."""
    text = _COMMENT.sub("", text)
    text = _LIQUID.sub("", text)
    text = _IMAGE.sub("", text)
    text = _AUTOLINK.sub(r"\1", text)
    text = re.sub(r"<br\s*/?>", "\n", text)
    text = _TAG.sub("", text)
    for _ in range(2):
        text = _LINK.sub(r"\1", text)
    text = _CODE.sub(r"\2", text)
    for _ in range(2):
        text = _STRONG.sub(lambda m: m[2] or m[4], text)
    text = _STRONG_CHINESE.sub(r"\2", text)
    text = _ATTRIBUTES.sub("", text)
    text = html.unescape(re.sub(r"\\([*_`#\[\](){}.!<>|~+-])", r"\1", text))
    return re.sub(r"[ \t]+", " ", text).strip()


def rest(text: str) -> str:
    """A message of reStructuredText without its markup: roles, literals, references, emphasis."""
    text = _ROLE.sub(lambda m: next((part for part in m.groups() if part is not None), ""), text)
    text = re.sub(r"`([^`]+)`_{0,2}", r"\1", text)
    text = re.sub(r"\s*\[[#\w]*\]_", "", text)
    text = re.sub(r"\\ ", "", text)
    text = re.sub(r"::$", ":", text.strip())
    text = re.sub(r"：:$|：：$", "：", text)
    for _ in range(2):
        text = _STRONG.sub(lambda m: m[2] or m[4], text)
    text = _STRONG_CHINESE.sub(r"\2", text)
    return re.sub(r"\s*\n\s*", " ", re.sub(r"\\([*`_|\\])", r"\1", text)).strip()


_MANUAL = re.compile(r"\b(?:man|linkgit):([\w.:-]+)\[(\d\w?)\]")
_MACRO = re.compile(
    r"(?:\b(?:link|xref|crossref|image|mailto|kbd|btn|menu|footnote)|https?):{1,2}[^\s\[\]]*\[([^\[\]]*)\]"
)
_CROSS = re.compile(r"<<[^<>,]*(?:,\s*([^<>]*))?>>")


def asciidoc(text: str) -> str:
    """A message of AsciiDoc without its markup: macros keep the words they show."""
    text = _MANUAL.sub(r"\1(\2)", text)
    text = _MACRO.sub(lambda m: m[1].rpartition(",")[2].strip('^ "'), text)
    return plain(_CROSS.sub(lambda m: m[1] or "", text))


@dataclass(frozen=True)
class Block:
    """A text with the kind of block it is: h1 to h6, li, p, td, a field of the header, or code (without text)."""

    kind: str
    text: str


def blocks(text: str) -> list[Block]:
    """The blocks of a Markdown file in their order; a block of code stands there as one, empty."""
    found: list[Block] = []
    lines: list[str] = []
    kind = "p"

    def flush() -> None:
        nonlocal kind
        words = plain(" ".join(lines))
        if words:
            found.append(Block(kind, words))
        lines.clear()
        kind = "p"

    text = _COMMENT.sub("", text)
    header = re.match(r"\A\s*(---|\+\+\+)\n(.*?)\n\1[ \t]*\n", text, re.DOTALL)
    if header:
        for line in header[2].split("\n"):
            field = _FIELD.match(line)
            if field and len(field[2]) > 2:
                found.append(Block(field[1].lower(), plain(field[2].strip().strip("\"'"))))
        text = text[header.end() :]
    fence = ""
    for line in text.split("\n"):
        opened = _FENCE.match(line)
        if fence:
            if opened and opened[1] == fence:
                fence = ""
            continue
        if opened and opened[1] != ":::":
            flush()
            fence = opened[1]
            if line.strip().count(fence) > 1 and line.strip().endswith(fence) and len(line.strip()) > 6:
                fence = ""  # opened and closed on one line
            found.append(Block("code", ""))
            continue
        line = re.sub(r"^\s{0,3}>\s?(?:\[!\w+\])?", "", line)  # a quotation is text like any other
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if not line.strip() or opened or _RULE.match(line) or _DIRECTIVE.match(line):
            flush()
        elif heading:
            flush()
            kind = f"h{len(heading[1])}"
            lines.append(heading[2])
            flush()
        elif line.lstrip().startswith("|"):
            flush()
            if not re.fullmatch(r"[\s|:-]+", line):
                for cell in line.strip().strip("|").split("|"):
                    words = plain(cell)
                    found.append(Block("td", words))
        elif item:
            flush()
            kind = "li"
            lines.append(item[2])
        elif not lines and re.match(r"(?: {4}|\t)", line) and (not found or found[-1].kind not in ("li",)):
            continue  # an indented block of code
        else:
            lines.append(line.strip())
    flush()
    return found


def _sections(items: list[Block]) -> list[list[Block]]:
    """The blocks from each heading to the next."""
    sections: list[list[Block]] = [[]]
    for block in items:
        if block.kind.startswith("h") and block.kind[1:].isdigit():
            sections.append([])
        sections[-1].append(block)
    return sections


def _runs(items: list[Block]) -> list[list[Block]]:
    """Runs of blocks between blocks of code."""
    runs: list[list[Block]] = [[]]
    for block in items:
        if block.kind == "code":
            runs.append([])
        else:
            runs[-1].append(block)
    return runs


def _plausible(pairs: list[tuple[str, str]], chinese: bool) -> bool:
    """Whether texts in the same order may be translations: hardly any of them is much longer than its other."""
    factor = 3 if chinese else 1
    good = sum(0.4 < (factor * len(b) + 15) / (len(a) + 15) < 2.5 for a, b in pairs)
    return good >= 0.8 * len(pairs)


def align(source: list[Block], target: list[Block], chinese: bool = False) -> Iterator[tuple[str, str]]:
    """The blocks of two files that correspond: all if they are of the same kinds, else those of equal sections or runs."""
    for parts in (lambda items: [items], _sections, None):
        if parts is None:
            break
        left, right = parts(source), parts(target)
        if len(left) != len(right):
            continue
        pieces: list[tuple[list[Block], list[Block]]] = []
        for one, other in zip(left, right, strict=True):
            inner = _runs(one), _runs(other)
            pieces += zip(*inner, strict=True) if len(inner[0]) == len(inner[1]) else [(one, other)]
        same = [[b.kind for b in one] == [b.kind for b in other] for one, other in pieces]
        if parts is not _sections and not all(same):
            continue
        for equal, (one, other) in zip(same, pieces, strict=True):
            pairs = [(a.text, b.text) for a, b in zip(one, other, strict=False) if a.text and b.text]
            if equal and _plausible(pairs, chinese):
                yield from pairs
        return


def pages(
    repository: str,
    english: str,
    template: str,
    other: str = "",
    revision: str = "",
    other_revision: str = "",
    without: str = "",
) -> Reader:
    """Markdown files at paths that correspond, in one repository or in two; `{lang}` may stand in `other` too.

    `repository` may be a shell pattern; `without` is of what is left out, as `LANG/PATH`.
    """

    def read(library: Library, code: str) -> Iterator[Row]:
        names = library.matching(repository) if "*" in repository else [repository]
        for name in names:
            files: Files = library.open(name, revision)
            second = library.open(other.replace("{lang}", code), other_revision or revision) if other else None
            for path, left, right in matched(files, english, template.replace("{lang}", code), second):
                if without and re.search(without, f"{code}/{path}"):
                    continue
                sides = blocks(decode(left)), blocks(decode(right))
                document = path if name == repository else f"{name.partition('+')[2]}/{path}"
                yield from ((document, *texts) for texts in align(*sides, code.lower().startswith("zh")))

    return read


def keyed_pages(repository: str, folder: str, key: str, other: str = "") -> Reader:
    """Markdown files in `folder` (with `{lang}`) whose names differ; `key` finds what a file and its translation share.

    `key` is a regular expression with one group, looked for in the path and then in the text. The translations stand in
    the repository `other`, if there is one.
    """

    def read(library: Library, code: str) -> Iterator[Row]:
        sides: list[dict[str, tuple[str, list[Block]]]] = []
        for lang, name in (("en", repository), (code, other or repository)):
            files = library.open(name)
            pattern = re.compile(folder.replace("{lang}", lang))
            texts = files.read([path for path in files.paths() if pattern.fullmatch(path)])
            sides.append({})
            for path, data in texts.items():
                text = decode(data)
                match = re.search(key, path) or re.search(key, text, re.MULTILINE)
                if match:
                    sides[-1].setdefault(match[1], (path, blocks(text)))
        for name, (path, source) in sides[0].items():
            if name in sides[1]:
                yield from ((path, *texts) for texts in align(source, sides[1][name][1], code.startswith("zh")))

    return read
