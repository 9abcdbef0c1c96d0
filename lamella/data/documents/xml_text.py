"""XML as it stands in a file: tags and texts with their places. Entities are never expanded, and a DTD is refused.

>>> [(t.kind, t.name, t.raw) for t in tokens("<a b='1'>x &amp; y<c/></a>")]
[('open', 'a', "<a b='1'>"), ('text', '', 'x &amp; y'), ('void', 'c', '<c/>'), ('close', 'a', '</a>')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.parsers import expat

from lamella.errors import DataError

_TOKEN = re.compile(
    r"<!--.*?-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?.*?\?>|<!DOCTYPE[^<>\[]*(?:\[[^\]]*\])?[^<>]*>"
    r"|<(?P<close>/)?(?P<name>[^\s<>/!?]+)(?P<rest>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?)(?P<void>/)?>",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_DEPTH = 200


class Token(NamedTuple):
    """A piece of the file: open, close, void, text, cdata, or other (comments and the like)."""

    kind: str
    name: str
    raw: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.raw)

    def attribute(self, name: str) -> str:
        """The value of an attribute, or ""."""
        match = re.search(rf"\s{re.escape(name)}\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", self.raw)
        return unescape(match[1] or match[2] or "") if match else ""


def tokens(text: str) -> Iterator[Token]:
    """The pieces of a text that is XML; joined, they are the text."""
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield Token("text", "", text[end : match.start()], end)
        kind = "other" if match["name"] is None else "close" if match["close"] else "void" if match["void"] else "open"
        if match["cdata"] is not None:
            kind = "cdata"
        yield Token(kind, match["name"] or "", match[0], match.start())
        end = match.end()
    if end < len(text):
        yield Token("text", "", text[end:], end)


def check(data: bytes, name: str) -> None:
    """DataError where bytes are not well-formed XML, hold a DTD, or nest more than 200 elements."""
    parser = expat.ParserCreate()
    depth = 0

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise DataError(f"{name}: expected XML, received more than {_DEPTH} elements within each other")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def declared(*_: object) -> None:
        raise DataError(f"{name}: expected XML without entities of its own, received a DTD with some. Take it out")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{name}: expected XML, received what is none ({error}). Mend it there") from error


def unescape(text: str) -> str:
    """A text with the five entities of XML and numbers as letters; others stay.

    >>> unescape("a &lt; b &#233; &nbsp;")
    'a < b é &nbsp;'
    """

    def letter(match: re.Match[str]) -> str:
        if match[1]:
            return _NAMED[match[1]]
        number = int(match[2]) if match[2] else int(match[3], 16)
        allowed = (
            number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
        )
        return chr(number) if allowed else match[0]

    return _ENTITY.sub(letter, text)


def escape(text: str) -> str:
    """A text for XML, without the letters that it cannot hold.

    >>> escape("a < b & c")
    'a &lt; b &amp; c'
    """
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
