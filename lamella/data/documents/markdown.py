"""Markdown: the words are translated, the structure is left as it is.

    >>> page = Markdown(b"# Notes\\n\\n- see [the *guide*](guide.html)\\n\\n```\\ncode\\n```\\n", "notes.md")
    >>> page.segments
    ['Notes', 'see [the *guide*](guide.html)']
    >>> page.render(["Anmerkungen", None])
    b'# Anmerkungen\\n\\n- see [the *guide*](guide.html)\\n\\n```\\ncode\\n```\\n'

Copied are code, front matter (but for the keys that are asked for), formulas and definitions of links; blocks of HTML are
read as web pages are. What is inside a line (emphasis, links,
code spans) is part of the segment: the format `markdown` of `placeholders` keeps it together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lamella.data.documents.prose import Block, Inset, Prose, block_of
from lamella.data.documents.slots import worded
from lamella.data.documents.webpages import WebPage
from lamella.data.documents.yaml_locale import text_value
from lamella.data.text import placeholders
from lamella.data.text.encoding import StrPath

_QUOTE = re.compile(r"(?: {0,3}>[ \t]?)*+")
_FENCE = re.compile(r"\s*(?P<fence>`{3,}+(?!.*`)|~{3,}+|\$\$)")
_ITEM = re.compile(r"(?P<indent>\s*)(?P<marker>[-*+]|\d{1,9}[.)])(?P<gap>[ \t]+|$)(?P<box>\[[ xX]\][ \t]+)?")
_HEADING = re.compile(r"\s{0,3}#{1,6}(?:[ \t]++|$)")
_RULE = re.compile(r"\s{0,3}(?:=++|-++|(?:\*[ \t]*+){3,}+|(?:-[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)\s*+$")
_DEFINITION = re.compile(r" {0,3}\[(?P<label>[^\]^][^\]]*)\]:")
_FOOTNOTE = re.compile(r"\s{0,3}\[\^[^\]]+\]:\s+")
_DIRECTIVE = re.compile(r"\s*(?::::|!!!|\?\?\?)")
_DELIMITERS = re.compile(r"\s*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?\s*+$")
_CELL = re.compile(r"(?:\\.|[^|\\])+|\||\\")
_HTML = re.compile(
    r"\s{0,3}(?:<(?P<verbatim>script|pre|style|textarea)\b|(?P<comment><!--)|<[?!]"
    r"|</?(?:address|article|aside|blockquote|body|br|center|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption"
    r"|figure|footer|form|frame|h[1-6]|head|header|hr|html|iframe|img|legend|li|link|main|menu|nav|ol|option|p|param"
    r"|section|source|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul|video|audio|picture)(?=[\s/>]|$)"
    r"|</?[A-Za-z][^<>]*>\s*$)",
    re.IGNORECASE,
)
_SHORTCUT = re.compile(r"(?<![\]\\!])\[(?P<text>[^\[\]]+)\](?:\[\])?(?![\[(:])")
_FACT = re.compile(r"(?P<head>[\"']?(?P<key>[\w-]+)[\"']?\s*[:=]\s+)(?P<value>\S.*)$")  # of the front matter
_STARTS = re.compile(r"(?:[-+*](?=\s|$)|\d{1,9}(?=[.)](?:\s|$))|#{1,6}(?=\s|$)|>|=+\s*$|-+\s*$|```|~~~|:::|\|)")

# Lines that are no text: the kind of a note, attributes, a table of contents, and in MDX what is JavaScript.
_ALONE = re.compile(
    r"\s{0,3}(?:\[![\w-]{1,40}\][+-]?|\{:[^{}\n]*\}|\[\[?_?(?i:toc)_?\]?\]|</?[A-Z][^<>\n]*>"
    r"|import\s+(?:[\w*{][^'\"\n]*\sfrom\s+)?['\"][^'\"\n]+['\"];?"
    r"|export\s+(?:const|let|default|function|async|\{)[^\n]*[;{}()=][^\n]*)\s*$|\s{0,3}\[(?:TOC|toc)\]\s*$"
)
_MEANING = re.compile(
    r" {0,3}:[ \t]+(?=\S)|\*\[[^\]\n]+\]:[ \t]+(?=\S)"
)  # of a term in a list of definitions, of an abbreviation
# A title beside the kind of a note, on a tab, or of a container (`:::tip My tip`): a text by itself.
_TITLES = (
    re.compile(
        r"(?P<head>\s{0,3}\[![\w-]{1,40}\][+-]?[ \t]+|\s*(?:!!!|\?\?\?|===)[+!]?[ \t]+(?:[\w-]+[ \t]+)*\")"
        r"(?P<title>[^\s\"][^\"\n]*?)(?P<tail>\"?\s*)$"
    ),
    re.compile(
        r"(?P<head>\s*:{3,}[ \t]*(?:\{[\w:-]+\}|[\w-]+)(?:\[|[ \t]+))"
        r"(?P<title>[^\s\[\]{}=\":][^\[\]{}=\"\n]*?)(?P<tail>\]?[ \t]*(?:\{[^{}\n]*\})?\s*)$"
    ),
    re.compile(
        r"(?P<head>\s*:{3,}[ \t]*[\w-]*[ \t]*\{[^{}\n]*?\btitle=\")(?P<title>[^\"\n]+)(?P<tail>\"[^{}\n]*\}\s*)$"
    ),
)
_TEMPLATE = re.compile(
    r"\s*(?:(?:\{%[^{}\n]*%\}|\{\{[<%][^{}\n]*[%>]\}\})\s*)+$"
)  # of Jekyll or Hugo, with no word around it
_SCRIPT = re.compile(
    r"(?:import\s+(?:\w+\s*,\s*)?\{[^}]*|export\s+(?:const|let|var|default|function|async|class)\b.*[({\[])\s*$"
)
_DEPTH = 30  # items that begin in one line: more is no list, and each is looked at to the end of its line

Line = tuple[str, str]


class Markdown(Prose):
    """A Markdown document, as CommonMark and GitHub read it."""

    format = "markdown"
    options = ("keys",)

    def __init__(
        self,
        data: bytes,
        name: str,
        target_language: str = "",
        memory: Sequence[StrPath] = (),
        keys: Sequence[str] = (),
    ) -> None:
        """keys: of the front matter, in YAML or TOML, whose texts are translated: title, description."""
        self.keys = frozenset(keys)
        super().__init__(data, name, target_language, memory)

    def parse(self, lines: list[Line]) -> list[str | Block | Inset]:
        return list(_Reader(lines, self.keys).parts())

    def lines_of(self, block: Block, answer: str) -> list[str]:
        if block.encode:
            return super().lines_of(block, answer)
        if block.cell:
            answer = re.sub(r"(?<!\\)\|", r"\\|", answer)
        if not _STARTS.match(block.text):
            answer = _escaped(answer)
        lines = super().lines_of(block, answer)
        # A line that would begin with "- " by chance would begin a list.
        return [answer] if any(map(_STARTS.match, lines[1:])) else lines


def _escaped(answer: str) -> str:
    """The answer, so that it does not begin a list, heading or quotation that its source does not."""
    match = _STARTS.match(answer)
    if not match:
        return answer
    digits = match[0] if match[0].isdigit() else ""
    return f"{digits}\\{answer[len(digits) :]}"


class _Reader:
    """Goes through the lines once; every method gives the parts of what begins at `self.at` and moves on."""

    def __init__(self, lines: list[Line], keys: frozenset[str]) -> None:
        self.lines, self.at, self.keys = lines, 0, keys
        self.bases: list[int] = []  # how far the text of the list items around us is indented
        self.depth = 0  # of the quotation around us
        self.blank = True  # whether the line before was blank, or code
        found = (_DEFINITION.match(line) for line, _ in lines)
        self.labels = {match["label"].casefold() for match in found if match}

    def parts(self) -> Iterator[str | Block | Inset]:
        yield from self._front_matter()
        while self.at < len(self.lines):
            yield from self._line()

    def _copy(self, count: int = 1) -> Iterator[str]:
        yield from ("".join(line) for line in self.lines[self.at : self.at + count])
        self.at += count

    def _front_matter(self) -> Iterator[str | Block | Inset]:
        first = self.lines[0][0].rstrip()
        if first in ("---", "+++"):
            ends = (i for i, (line, _) in enumerate(self.lines[1:], start=1) if line.rstrip() in (first, "..."))
            last = next(ends, -1)
            while self.at < last:
                yield from self._fact()
            yield from self._copy(1 if last > 0 else 0)

    def _fact(self) -> Iterator[str | Block | Inset]:
        """A line of the front matter: the text of a key that is asked for, on one line."""
        line, eol = self.lines[self.at]
        fact = _FACT.match(line)
        following = self.lines[self.at + 1][0]
        slot = text_value(fact["value"], 0) if fact and fact["key"] in self.keys else None
        if fact is None or slot is None or following[:1] in (" ", "\t"):
            yield from self._copy()
            return
        value = fact["value"]
        yield from (fact["head"], Block(value[: slot.end], slot.text, encode=slot.encode), value[slot.end :] + eol)
        self.at += 1

    def _line(self) -> Iterator[str | Block | Inset]:
        line, eol = self.lines[self.at]
        quote = _quote(line)
        if quote.count(">") != self.depth:
            self.depth, self.bases, self.blank = quote.count(">"), [], True
        rest = line[len(quote) :]
        if not rest.strip():
            self.blank = True
            yield from self._copy()
            return
        indent = _indent(rest)
        if self.blank:
            while self.bases and indent < self.bases[-1]:
                self.bases.pop()
        if self.blank and indent >= (self.bases[-1] if self.bases else 0) + 4:
            yield from self._copy()
            return
        self.blank = False
        done = quote
        for _ in range(_DEPTH):
            match = _ITEM.match(rest)
            if not match or _RULE.match(rest):
                break
            indent = len(done) - len(quote) + _indent(match["indent"])
            while self.bases and indent < self.bases[-1]:
                self.bases.pop()
            gap = len(match["gap"]) if 0 < len(match["gap"]) <= 4 else 1
            self.bases.append(indent + len(match["marker"]) + gap)
            done, rest = done + match[0], rest[match.end() :]
        yield from self._block(done, rest, eol)

    def _block(self, done: str, rest: str, eol: str) -> Iterator[str | Block | Inset]:
        """What begins in this line after its quotation marks and bullets (`done`)."""
        if fence := _FENCE.match(rest):
            yield from self._copy(self._fenced(fence["fence"], rest[fence.end() :]))
            self.blank = True
        elif _SCRIPT.match(rest):
            yield from self._copy(self._script())
        elif _ALONE.match(rest) or _TEMPLATE.match(rest):
            yield from self._copy()
        elif titled := _titled(rest):
            yield done + titled["head"]
            yield Block(titled["title"], titled["title"])
            yield titled["tail"] + eol
            self.at += 1
        elif html := _HTML.match(rest):
            yield from self._page(done, rest, self._html(html))
        elif _DEFINITION.match(rest) or _DIRECTIVE.match(rest) or _RULE.match(rest) or not rest.strip():
            yield from self._copy()
        elif "|" in rest and self._is_table():
            while self.at < len(self.lines) and "|" in self.lines[self.at][0]:
                line, eol = self.lines[self.at]
                yield from self._row(line) if not _DELIMITERS.match(line[len(_quote(line)) :]) else [line]
                yield eol
                self.at += 1
        elif heading := _HEADING.match(rest):
            text = _heading_text(rest[heading.end() :])
            yield done + heading[0]
            yield self._linked(Block(text, text))
            yield rest[heading.end() + len(text) :] + eol
            self.at += 1
        else:
            footnote = _FOOTNOTE.match(rest) or _MEANING.match(rest)
            begin = footnote[0] if footnote else ""
            yield done + begin
            yield from self._paragraph(rest[len(begin) :])

    def _fenced(self, fence: str, info: str) -> int:
        """How many lines a fenced block has, to its end or that of the quotation."""
        if fence == "$$" and "$$" in info:
            return 1
        for index in range(self.at + 1, len(self.lines)):
            line = self.lines[index][0]
            quote = _quote(line)
            if quote.count(">") < self.depth:
                return index - self.at
            end = line[len(quote) :].strip()
            if end.startswith(fence) and not end.strip(fence[0]):
                return index + 1 - self.at
        return len(self.lines) - self.at

    def _script(self) -> int:
        """How many lines a statement of MDX has: until its brackets are closed, or to the next blank line."""
        open_ = 0
        for index in range(self.at, len(self.lines)):
            line = self.lines[index][0]
            open_ += sum(map(line.count, "({[")) - sum(map(line.count, ")}]"))
            if open_ <= 0 or not line.strip():
                return index + 1 - self.at
        return len(self.lines) - self.at

    def _html(self, match: re.Match[str]) -> int:
        """How many lines an HTML block has: to its closing tag, or to the next blank line."""
        end = "-->" if match["comment"] else f"</{match['verbatim']}>".lower() if match["verbatim"] else ""
        for index in range(self.at, len(self.lines)):
            line = self.lines[index][0]
            if (end and end in line.lower()) or (not end and not line.strip("> \t")):
                return index + 1 - self.at
        return len(self.lines) - self.at

    def _page(self, done: str, rest: str, count: int) -> Iterator[str | Block | Inset]:
        """A block of HTML of so many lines; in a quotation of several lines, whose marks stand in it, it is copied."""
        lines = self.lines[self.at : self.at + count]
        text = rest + lines[0][1] + "".join(line + eol for line, eol in lines[1:])
        if (self.depth and any(line.strip() for line, _ in lines[1:])) or "charset" in text:
            yield from self._copy(count)
            return
        yield done
        yield _Html(text)
        self.at += count

    def _is_table(self) -> bool:
        if self.at + 1 >= len(self.lines):
            return False
        line = self.lines[self.at + 1][0]
        return "|" in line and bool(_DELIMITERS.match(line[len(_quote(line)) :]))

    def _row(self, line: str) -> Iterator[str | Block | Inset]:
        quote = _quote(line)
        yield quote
        for match in _CELL.finditer(line[len(quote) :]):
            before, core, after = placeholders.edges(match[0])
            yield before
            # A column begins within code, too: half a piece of it is no text.
            yield core if core in ("", "|", "\\") or core.count("`") % 2 else self._linked(Block(core, core, cell=True))
            yield after

    def _paragraph(self, first: str) -> Iterator[str | Block | Inset]:
        """The lines of a paragraph as blocks, one for what is between two hard line breaks."""
        lines, rows = [self.lines[self.at]], [_row_of("", first)]
        while True:
            self.at += 1
            ends = lines[-1][0].endswith(("  ", "\\"))
            goes_on = self._goes_on()
            if ends or not goes_on:
                width = max(len(line) for line, _ in lines)
                yield rows[0][0]
                yield self._linked(block_of(rows, lines, width))
                yield rows[-1][2] + lines[-1][1]
                lines, rows = [], []
            if not goes_on:
                return
            line = self.lines[self.at][0]
            quote = _quote(line)
            lines.append(self.lines[self.at])
            rows.append(_row_of(quote, line[len(quote) :]))

    def _goes_on(self) -> bool:
        """Whether the line at hand belongs to the paragraph before it."""
        if self.at >= len(self.lines):
            return False
        line = self.lines[self.at][0]
        quote = _quote(line)
        rest = line[len(quote) :]
        if quote.count(">") != self.depth or not rest.strip() or ("|" in rest and self._is_table()):
            return False
        html = _HTML.match(rest)
        begins = (
            _ALONE.match(rest)
            or _TEMPLATE.match(rest)
            or _titled(rest)
            or _MEANING.match(rest)
            or _FENCE.match(rest)
            or _ITEM.match(rest)
            or _HEADING.match(rest)
            or _RULE.match(rest)
        )
        # A tag alone on its line, or a line break, may stand inside a paragraph.
        return not (begins or _FOOTNOTE.match(rest) or _DIRECTIVE.match(rest) or (html and html["comment"]))

    def _linked(self, block: Block) -> Block:
        """The block with `[text]` written as `[text][text]` where that is a link: the label must not be translated."""

        def written_out(match: re.Match[str]) -> str:
            known = match["text"].casefold() in self.labels
            return f"[{match['text']}][{match['text']}]" if known else match[0]

        if self.labels:
            block.text = _SHORTCUT.sub(written_out, block.text)
        return block


class _Html:
    """A block of HTML among the lines of a page."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.page = WebPage(source.encode("utf-8", "replace"), "HTML")
        self.page.codec = self.page.fallback = "utf-8"  # the file around it has letters
        self.segments, self.formats = self.page.segments, self.page.formats

    def rendered(self, answers: Sequence[str | None]) -> str:
        """See `Inset`."""
        if all(answer in (None, text) for answer, text in zip(answers, self.segments, strict=True)):
            return self.source
        return self.page.render(answers).decode("utf-8")


def _titled(rest: str) -> re.Match[str] | None:
    """The title of a note, a tab or a container, between what is before and after it.

    >>> [match["title"] for match in map(_titled, (":::tip My tip", "::: note[One more]{#a}", '!!! note "Last one"')) if match]
    ['My tip', 'One more', 'Last one']
    """
    return next((match for form in _TITLES if (match := form.match(rest)) and worded(match["title"])), None)


def _row_of(quote: str, rest: str) -> tuple[str, str, str]:
    """A line as what is before its text, the text, and what is after it: white space, or the mark of a line break."""
    before, core, after = placeholders.edges(rest)
    if core.endswith("\\") and not core.endswith("\\\\") and not after:
        core, after = core[:-1], "\\"
    return quote + before, core, after


def _heading_text(text: str) -> str:
    """A heading without its closing `##` and its `{#name}`."""
    text = text.rstrip()
    if text.endswith("}") and "{" in text:
        text = text[: text.rindex("{")].rstrip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare[-1:] in ("", " ", "\t") else text


def _quote(line: str) -> str:
    match = _QUOTE.match(line)
    return match[0] if match else ""


def _indent(text: str) -> int:
    expanded = text.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())
