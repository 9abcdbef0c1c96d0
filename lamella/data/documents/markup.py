"""The tags and texts of a web page, as they stand in the file, and which of them are to be translated.

Browsers forgive what a parser into a tree would correct, and every byte that is not translated must come back as it was:
so a page is cut into tokens that, joined, are the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from lamella.data.documents.prose import is_mixed, refuse_mixed
from lamella.data.text.encoding import decode_bytes, refuse_binary, text_codec
from lamella.data.text.languages import base_code
from lamella.errors import DataError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


INLINE = _words(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd mark math q s samp small span"
    " strike strong sub sup svg time tt u var wbr"
)
_VOID = _words("area base br col embed hr img input link meta param source track wbr")
_RAW = _words("script style textarea xmp iframe noembed noframes plaintext")  # no markup inside
_KEPT = _words("code kbd math pre samp svg tt var") | _RAW
# A new one of these ends an open one; people leave out their closing tags, as they may.
_ENDS = {"li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "td": {"td", "th"}, "th": {"td", "th"}, "tr": {"tr"}}
_TOKEN = re.compile(
    r"(?P<copied><!--.*?(?:-->|\Z)|<![^>]*>|<\?[^>]*>)"
    r"|</(?P<close>[A-Za-z][^\s/>]*+)[^>]*>"
    r"|<(?P<open>[A-Za-z][^\s/>]*+)(?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+|[\"'])*+>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"(?<=[\s\"'/])(?P<name>[^\s\"'<>/=]++)(?:\s*+=\s*+(?P<value>\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+"
)
_FAILED = 50  # tags that are never closed: after so many the rest of a page is text, since each is read to its end
_CHARSET = re.compile(rb"<(?:meta\b[^>]+?charset|\?xml\b[^>]+?encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


@dataclass
class Token:
    """A piece of the file: text, a tag, or what is neither. What is not `on` is copied."""

    kind: str  # text, open, close, void
    name: str
    raw: str
    on: bool = True


def decode_page(data: bytes, name: str) -> tuple[str, bytes, str, str]:
    """The text of a page, its byte order mark, its encoding, and the one that answers are written in."""
    refuse_binary(data, name)
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            with suppress(UnicodeError):
                text = data[len(mark) :].decode(codec, "surrogateescape")
                if mark + text.encode(codec, "surrogateescape") == data:
                    return text, mark, codec, codec
            raise DataError(
                f"{name}: expected {codec} as its first bytes say, received bytes that are not. Save it as UTF-8"
            )
    if b"\0" in data:
        decode_bytes(data, name)  # says what it is
        raise DataError(f"{name}: expected a web page, received UTF-16 without its mark. Save it as UTF-8")
    declared = _CHARSET.search(data[:4096])
    codec = fallback = ""
    if declared:
        label = declared[1].decode().lower()
        # As browsers read them: the first is the second, and who can write this in ASCII has no UTF-16.
        label = {"iso-8859-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252"}.get(label, label)
        codec = fallback = "utf-8" if label.startswith("utf-16") else text_codec(label)
    if not codec:
        try:
            data.decode("utf-8")
            codec = "utf-8"
        except UnicodeDecodeError:
            if is_mixed(data):
                refuse_mixed(data, name)
            codec = "cp1252"
        fallback = "ascii" if data.isascii() else codec
    with suppress(UnicodeError, LookupError):
        text = data.decode(codec, "surrogateescape")
        if text.encode(codec, "surrogateescape") == data:
            return text, b"", codec, fallback
    raise DataError(f"{name}: expected {codec} as the page says, received bytes that are not. Save it as UTF-8")


def _next_tag(text: str, at: int, last: int) -> re.Match[str] | None:
    """The next tag or comment, or None where only text follows. last: the place of the last `>` of the page."""
    failed = 0
    while 0 <= (at := text.find("<", at)) < last:  # behind it every `<` would be read to the end
        if match := _TOKEN.match(text, at):
            return match
        failed += text[at + 1 : at + 2].isalpha()  # read to the end of the page: its quotes hold every `>` there is
        if failed > _FAILED:
            return None
        at += 1
    return None


def read_tokens(text: str) -> Iterator[Token]:
    """The pieces of a page in order; joined, their `raw` is the page."""
    stack: list[tuple[str, bool]] = []  # open elements, and whether what is in them is translated
    names: Counter[str] = Counter()  # how many of each are open
    at, last, own = 0, text.rfind(">"), ""
    while at < len(text):
        on = not stack or stack[-1][1]
        match = _next_tag(text, at, last)
        start = match.start() if match else len(text)
        if start > at:
            yield Token("text", "", text[at:start], on)
        if not match:
            return
        raw, at = match[0], match.end()
        name = (match["open"] or match["close"] or "").lower()
        if match["copied"]:
            # A comment may stand in a sentence; what declares the document cannot.
            yield Token("void", "" if raw.startswith("<!--") else "!", raw, on)
        elif match["close"]:
            inner = on
            if names[name]:  # else all that is open would be looked through for each
                open_ = ""
                while open_ != name:
                    open_, inner = stack.pop()
                    names[open_] -= 1
            yield Token("close", name, raw, inner and (not stack or stack[-1][1]))
        else:
            while stack and name not in INLINE and (stack[-1][0] == "p" or stack[-1][0] in _ENDS.get(name, ())):
                names[stack.pop()[0]] -= 1
            on = not stack or stack[-1][1]
            if name in _VOID or (raw.endswith("/>") and name in ("svg", "math", "path", "use")):
                yield Token("void", name, raw, on and not _says_no(raw))
                continue
            own = _language(raw) if name == "html" else own
            inside = (on or _says_yes(raw)) and name not in _KEPT and not _says_no(raw) and not _is_foreign(raw, own)
            stack.append((name, inside))
            names[name] += 1
            # The text in a field for several lines is its user's, what it asks for is not.
            asks = name == "textarea" and not _says_no(raw) and not _is_foreign(raw, own)
            yield Token("open", name, raw, on and (inside or asks))
            if name in _RAW or name == "title":
                end = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, at)
                stop = end.start() if end else len(text)
                if stop > at:
                    yield Token("text", "", text[at:stop], inside)
                at = stop


def attributes_of(tag: str) -> dict[str, re.Match[str]]:
    found: dict[str, re.Match[str]] = {}
    for match in _ATTRIBUTE.finditer(tag):
        found.setdefault(match["name"].lower(), match)
    return found


def value_of(match: re.Match[str] | None) -> str:
    value = (match["value"] or "") if match else ""
    return value[1:-1] if value[:1] in ("'", '"') else value


def _says_no(tag: str) -> bool:
    if "translate" not in tag.lower():  # nearly all
        return False
    found = attributes_of(tag)
    return value_of(found.get("translate")).lower() == "no" or "notranslate" in value_of(found.get("class")).split()


def _language(tag: str) -> str:
    return base_code(value_of(attributes_of(tag).get("lang"))) if "lang" in tag.lower() else ""


def _is_foreign(tag: str, own: str) -> bool:
    """Whether an element is in another language than its page, which says its own."""
    return bool(own) and _language(tag) not in ("", own)


def _says_yes(tag: str) -> bool:
    if "translate" not in tag.lower():
        return False
    match = attributes_of(tag).get("translate")
    return match is not None and value_of(match).lower() in ("", "yes")


def with_language(tag: str, language: str) -> str:
    """The tag <html> with its language.

    >>> with_language('<html lang="en" dir=ltr>', "fr"), with_language("<html>", "fr")
    ('<html lang="fr" dir=ltr>', '<html lang="fr">')
    """
    found = attributes_of(tag)
    for match in sorted((found[one] for one in ("lang", "xml:lang") if one in found), key=lambda m: -m.start()):
        start, end = match.span("value") if match["value"] is not None else (match.end(), match.end())
        tag = f'{tag[:start]}{"" if match["value"] is not None else "="}"{language}"{tag[end:]}'
    return tag if "lang" in found else f'{tag[:5]} lang="{language}"{tag[5:]}'
