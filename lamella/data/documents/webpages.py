r"""Web pages (.html): the words are translated, every other byte stays.

    >>> page = WebPage(b'<html lang="en"><p>A <b>bold</b>\n  caf&eacute; &amp; more</p><pre>x = 1</pre>', "a.html", "fr")
    >>> page.segments
    ['A <1>bold</1> café & more']
    >>> page.render(["Un <1>gros</1> café & plus"]).decode()
    '<html lang="fr"><p>Un <b>gros</b> caf&#233; &amp; plus</p><pre>x = 1</pre>'

Translated are the text between the tags and what readers are shown or read from attributes: alt, title, placeholder,
aria-label, the words on buttons and tracks, and what search engines and previews of links show. Copied are scripts,
styles, code, formulas, and whatever says translate="no" or is in another language than its page. Markup inside a sentence travels with it as `<1>` and `</1>`, which `placeholders` keep together; a
sentence that loses some of it keeps its source. A page is not parsed into a tree and written anew: browsers forgive
what a writer would "correct".
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from lamella.data.documents.formulas import BASE, GOES_ON, RAISED
from lamella.data.documents.markup import (
    INLINE,
    Token,
    attributes_of,
    decode_page,
    read_tokens,
    value_of,
    with_language,
)
from lamella.data.text import placeholders
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError

_SHOWN = frozenset(("alt", "title", "placeholder", "aria-label"))
_PREVIEWS = frozenset(
    (
        "description",
        "og:title",
        "og:description",
        "og:image:alt",
        "twitter:title",
        "twitter:description",
        "twitter:image:alt",
    )
)
_NUMBERED = re.compile(r"(</?\d{1,3}/?>)")
_SPACE = re.compile("[ \t\r\n\f]+")


@dataclass
class _Attribute:
    """The value of an attribute that is a segment, as it stands in the file, with its quotes."""

    source: str
    index: int


Tag = list[str | _Attribute]


@dataclass
class _Item:
    """A piece of a sentence. Its number is that of its pair of tags, and 0 of text."""

    kind: str
    parts: Tag
    number: int = 0

    @property
    def mark(self) -> str:
        return {"open": f"<{self.number}>", "close": f"</{self.number}>"}.get(self.kind, f"<{self.number}/>")


@dataclass
class _Run:
    """Text, with the markup inside it, that is one segment."""

    items: list[_Item]
    index: int


class WebPage:
    """An HTML page on its way into another language. Raises DataError where the bytes are no text."""

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data.strip():
            raise DataError(f"{name}: expected a web page, received an empty file. Write something into it first")
        self.language = target_language.replace("_", "-")
        text, self.mark, self.codec, self.fallback = decode_page(data, name)
        self.segments: list[str] = []
        self.parts: list[str | _Attribute | _Run] = []
        self.root = -1  # the part that is the tag <html>
        self._read(list(read_tokens(text)))
        self.formats = [""] * len(self.segments)

    # ---- cutting -----------------------------------------------------------------------------------------------

    def _read(self, tokens: list[Token]) -> None:
        items: list[_Item] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            end = at + 1
            while not token.on and end < len(tokens) and not tokens[end].on:
                end += 1
            group = tokens[at:end]
            at = end
            if any(one.kind != "text" and one.name not in INLINE for one in group):  # it ends a sentence
                self._flush(items)
                items = []
                if token.name == "html" and token.kind == "open":
                    self.root = len(self.parts)
                    self.parts.append(token.raw)
                else:
                    self.parts += self._tag(token) if token.on else ["".join(one.raw for one in group)]
            elif not token.on:
                items.append(_Item("void", ["".join(one.raw for one in group)]))
            else:
                items.append(_Item(token.kind, [token.raw] if token.kind == "text" else self._tag(token)))
        self._flush(items)

    def _tag(self, token: Token) -> Tag:
        """A tag with those of its attributes that are segments apart."""
        if token.kind == "close" or not token.on or not token.name:
            return [token.raw]
        found = attributes_of(token.raw)
        names = set(_SHOWN)
        if token.name == "meta" and {value_of(found.get(n)).lower() for n in ("name", "property")} & _PREVIEWS:
            names.add("content")
        elif token.name == "input" and value_of(found.get("type")).lower() in ("submit", "button", "reset"):
            names.add("value")
        elif token.name in ("track", "option", "optgroup"):
            names.add("label")
        parts: Tag = []
        done = 0
        for name, match in found.items():
            text = _plain(value_of(match)).strip()
            if name in names and placeholders_aside(text):
                self.segments.append(text)
                start, end = match.span("value")
                parts += [token.raw[done:start], _Attribute(token.raw[start:end], len(self.segments) - 1)]
                done = end
        return [*parts, token.raw[done:]]

    def _flush(self, items: list[_Item]) -> None:
        """Add a sentence: what is at its edges and no part of it is copied, and so is all where there are no words."""
        items = _formulas(items)
        _pair(items)
        before, core, after = _peeled(items)
        text = "".join(_text(item) if item.kind == "text" else item.mark for item in core)
        words = "".join(_text(item) for item in core if item.kind == "text")
        for item in before:
            self.parts += item.parts
        if placeholders_aside(words):
            self.segments.append(text)
            self.parts.append(_Run(core, len(self.segments) - 1))
        else:
            for item in core:
                self.parts += item.parts
        for item in after:
            self.parts += item.parts

    # ---- putting together --------------------------------------------------------------------------------------

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The page with an answer for each segment; None, or the segment itself, leaves the source as it was.

        Raises ValueError where there are not as many answers as segments. Letters that the page's encoding lacks are
        written as numbers (`&#233;`), and so are all but ASCII where a page of ASCII does not say what it is written in.
        """
        if len(answers) != len(self.segments):
            raise ValueError(f"Expected an answer for each of {len(self.segments)} segments. Received: {len(answers)}")
        news = [answer if answer != one else None for answer, one in zip(answers, self.segments, strict=True)]
        out = [self.mark]
        for number, part in enumerate(self.parts):
            if number == self.root and self.language and any(news):
                out.append(self._copied(with_language(str(part), self.language)))
            else:
                out.append(self._bytes(part, news))
        return b"".join(out)

    def _bytes(self, part: str | _Attribute | _Run, news: Sequence[str | None]) -> bytes:
        if isinstance(part, str):
            return self._copied(part)
        answer = news[part.index]
        if isinstance(part, _Attribute):
            if answer is None:
                return self._copied(part.source)
            quote = part.source[0] if part.source[:1] in ("'", '"') else '"'
            return self._new(quote + _escaped(answer).replace(quote, f"&#{ord(quote)};") + quote)
        marks = {item.mark: item for item in part.items if item.kind != "text"}
        if answer is None or sorted(marks) != sorted(_NUMBERED.findall(answer)):
            pieces = [one for item in part.items for one in item.parts]
            return b"".join(self._bytes(one, news) for one in pieces)
        found = b""
        for piece in _NUMBERED.split(answer):
            if piece in marks:
                found += b"".join(self._bytes(one, news) for one in marks[piece].parts)
            else:
                found += self._new(_escaped(piece))
        return found

    def _copied(self, text: str) -> bytes:
        return text.encode(self.codec, "surrogateescape")

    def _new(self, text: str) -> bytes:
        # Bytes that were no letters of the encoding are in an answer as they were in the text.
        pieces = re.split("([\udc80-\udcff]+)", text)
        return b"".join(
            piece.encode(self.codec, "surrogateescape")
            if number % 2
            else piece.encode(self.fallback, "xmlcharrefreplace")
            for number, piece in enumerate(pieces)
        )

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, and how many have no translation."""
        return {"segments": len(self.segments), "kept": sum(answer is None for answer in answers)}


# --- sentences -------------------------------------------------------------------------------------------------------


def _formulas(items: list[_Item]) -> list[_Item]:
    """The pieces of a sentence with formulas as one piece each, which no net sees."""
    found: list[_Item] = []
    for item in items:
        found.append(item)
        last = found[-4:]
        if [one.kind for one in last[1:]] != ["open", "text", "close"] or len(last) < 4:
            goes_on = len(found) > 1 and found[-2].kind == "void" and found[-2].number < 0 and item.kind == "text"
            if goes_on and (match := GOES_ON.match(str(item.parts[0]))):
                found[-2].parts.append(match[0])
                found.pop()
                rest = str(item.parts[0])[match.end() :]
                found += [_Item("text", [rest])] if rest else []
            continue
        raised = re.match(r"<su[bp][\s>]", str(last[1].parts[0]), re.IGNORECASE)
        if not raised or not RAISED.fullmatch(str(last[2].parts[0]).strip()):
            continue
        formula = last[0].kind == "void" and last[0].number < 0
        before = str(last[0].parts[0]) if last[0].kind == "text" else ""
        base = BASE.search(before)
        if formula or base:
            parts = [
                *(last[0].parts if formula else [base[0] if base else ""]),
                *(p for one in last[1:] for p in one.parts),
            ]
            head = [_Item("text", [before[: base.start()]])] if not formula and base and base.start() else []
            found[-4:] = [*head, _Item("void", parts, -1)]
    return found


def _pair(items: list[_Item]) -> None:
    """Number the tags, the two of an element alike; a tag whose partner is elsewhere stands for itself."""
    open_: list[tuple[str, _Item]] = []
    names: Counter[str] = Counter()  # how many of each are open
    number = 0
    for item in items:
        if item.kind == "text":
            continue
        name = re.match(r"</?([^\s/>]+)", str(item.parts[0]))
        word = name[1].lower() if name else ""
        if item.kind == "close" and names[word]:  # else all that is open would be looked through for each
            while open_[-1][0] != word:
                other, lonely = open_.pop()
                names[other] -= 1
                lonely.kind = "void"
            item.number = open_.pop()[1].number
            names[word] -= 1
            continue
        number += 1
        item.number = number
        if item.kind == "open":
            open_.append((word, item))
            names[word] += 1
        else:
            item.kind = "void"
    for _, lonely in open_:
        lonely.kind = "void"


def _peeled(items: list[_Item]) -> tuple[list[_Item], list[_Item], list[_Item]]:
    """What is before a sentence, the sentence, and what is after it: blanks, pictures, elements around all of it."""
    before: list[_Item] = []
    after: list[_Item] = []  # backwards
    left = deque(items)
    while left:
        first, last = left[0], left[-1]
        if first.kind == "text" and first.parts != [(core := str(first.parts[0]).lstrip(" \t\r\n\f\xa0"))]:
            before.append(_Item("text", [str(first.parts[0])[: -len(core) or None]]))
            left.popleft()
            if core:
                left.appendleft(_Item("text", [core]))
        elif last.kind == "text" and last.parts != [(core := str(last.parts[0]).rstrip(" \t\r\n\f\xa0"))]:
            after.append(_Item("text", [str(last.parts[0])[len(core) :]]))
            left.pop()
            if core:
                left.append(_Item("text", [core]))
        elif first.kind == "void" and not _is_said(first):
            before.append(left.popleft())
        elif last.kind == "void" and not _is_said(last):
            after.append(left.pop())
        elif first.kind == "open" and last.kind == "close" and first.number == last.number:
            before.append(left.popleft())
            after.append(left.pop())
        elif first.kind == "open" and left[1].kind == "close":  # an empty element
            before += [left.popleft(), left.popleft()]
        else:
            break
    return before, list(left), after[::-1]


def _is_said(item: _Item) -> bool:
    """Whether what is copied is a part of the sentence, as the name of a command is, rather than a picture."""
    return bool(re.search(r">[^<>\w]*+\w[^<>]*+<", "".join(map(str, item.parts))))


def _text(item: _Item) -> str:
    return _plain(str(item.parts[0]))


def _plain(raw: str) -> str:
    """Text as a person reads it, but that `<` and `>` stay `&lt;` and `&gt;`, and `&` what would else become an entity.

    >>> _plain("caf&eacute; &amp; R&amp;D"), _plain("a &lt; b &amp;lt;")
    ('café & R&D', 'a &lt; b &amp;lt;')
    """
    raw = _SPACE.sub(" ", raw).replace("<", "&lt;").replace(">", "&gt;")

    def read(match: re.Match[str]) -> str:
        text = unescape(match[0])
        if text in ("<", ">"):
            return "&lt;" if text == "<" else "&gt;"
        if text == "&" and re.match(r"#?\w+;", raw[match.end() : match.end() + 40]):
            return "&amp;"
        return text

    return re.sub(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", read, raw)


def _escaped(text: str) -> str:
    """The opposite of `_plain`.

    >>> _escaped("R&D &lt;3 &amp;lt; <b>")
    'R&amp;D &lt;3 &amp;lt; &lt;b&gt;'
    """
    return re.sub(r"&(?!(?:lt|gt|amp);)", "&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def placeholders_aside(text: str) -> bool:
    """Whether there are letters in a text besides placeholders: something to translate."""
    end = 0
    for start, stop in [*placeholders.spans(text), (len(text), len(text))]:
        if any(map(str.isalpha, text[end:start])):
            return True
        end = stop
    return False
