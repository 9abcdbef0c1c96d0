r"""Texts under keys in lines: Java's .properties, and the .strings of Apple's systems.

>>> file = Properties(rb"hello = It''s {0}\nname=Caf\u00e9 bar\n".replace(rb"\n", b"\n"), "a.properties")
>>> file.segments, file.render(["C'est {0}", "Le café"])
(["It's {0}", 'Café bar'], b"hello = C''est {0}\nname=Le caf\\u00e9\n")
>>> apple = Strings(b'/* shown */\n"open" = "Open \\"%@\\"";\n', "a.strings")
>>> apple.segments, apple.render(['Ouvrir "%@"'])
(['Open "%@"'], b'/* shown */\n"open" = "Ouvrir \\"%@\\"";\n')
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from lamella.data.documents.slots import Slot, Slots, plain_line, worded
from lamella.data.text.encoding import quote
from lamella.errors import DataError

_ENTRY = re.compile(
    r"^[ \t\f]*+(?![#!])(?P<key>(?:[^\s=:\\]|\\.)++)(?:[ \t\f]*+[=:][ \t\f]*+|[ \t\f]++)(?P<value>(?:[^\\\n\r]|\\(?:\r\n|.|\n|\r))*+)",
    re.MULTILINE,
)
_CONTINUED = re.compile(r"\\(?:\r\n|\n|\r)[ \t\f]*+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_PATTERN = re.compile(r"\{\d+(?:,[^{}]*)?\}")
_UNQUOTED = re.compile(
    r'(?<!\\)"(?:[^"\\]|\\.)*+"\s*+;|(?<![\w.-])[\w.-]++\s*+=\s*+[\w.-]++\s*+;'
)  # read by Apple, with no text
_PAIR = re.compile(
    r"/\*.*?(?:\*/|\Z)|//[^\n]*"
    r'|(?P<key>(?<!\\)"(?:[^"\\]|\\.)*+"|(?<![\w.-])[\w.-]++)\s*+=\s*+"(?P<value>(?:[^"\\]|\\.)*+)"\s*+;',
    re.DOTALL,
)


def _unescape(text: str) -> str:
    def letter(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _LETTERS.get(code, code)

    # A letter beyond the first plane is escaped as two halves.
    joined = _ESCAPE.sub(letter, text)
    return (
        joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if re.search("[\ud800-\udfff]", joined)
        else joined
    )


class Properties(Slots):
    """A .properties file. A value with `{0}` is a MessageFormat, in which an apostrophe is written twice, and so is one with such."""

    holds = "lines of key=value"

    def slots(self) -> list[Slot]:
        found = []
        # Java reads a file that is not UTF-8 as ISO 8859-1, and what that lacks as escapes.
        limit = 128 if self.text.isascii() else 256 if self.encoding == "CP1252" else 0
        for match in _ENTRY.finditer(self.text):
            raw = match["value"].rstrip(" \t") if not match["value"].endswith("\\ ") else match["value"]
            text = _unescape(_CONTINUED.sub("", raw))
            # Some read every value as a message: who doubles one apostrophe doubles all.
            message = bool(_PATTERN.search(text)) or ("''" in text and "'" not in text.replace("''", ""))
            text = text.replace("''", "'") if message else text
            if worded(text):
                start = match.start("value")
                found.append(Slot(start, start + len(raw), text, partial(_property, message, limit)))
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received no text in any. Give a file of properties")
        return found


def _property(message: bool, limit: int, answer: str) -> str:
    """An answer as a value. limit: letters from this one on are escaped; 0: none."""
    answer = plain_line(answer)
    answer = answer.replace("'", "''") if message else answer
    answer = (
        answer.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t").replace("\f", "\\f")
    )
    answer = re.sub(r"^ ", "\\ ", answer)
    if not limit:
        return answer
    units = answer.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(code) if code < limit and not 127 < code < 160 else f"\\u{code:04x}" for code in codes)


class Strings(Slots):
    """A .strings file: `"key" = "text";`."""

    holds = 'entries such as "key" = "text";'

    def slots(self) -> list[Slot]:
        found: list[Slot] = []
        end = 0
        for match in _PAIR.finditer(self.text):
            self._refuse_between(end, match.start())
            end = match.end()
            if match["key"] is None:
                continue
            text = re.sub(r"\\U([0-9a-fA-F]{4})", r"\\u\1", match["value"])
            text = _unescape(text)
            if worded(text):
                found.append(Slot(match.start("value"), match.end("value"), text, _apple))
        self._refuse_between(end, len(self.text))
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received none. Give a .strings file")
        return found

    def _refuse_between(self, start: int, end: int) -> None:
        """DataError where an entry is broken: it would be left out and nobody would know."""
        rest = _UNQUOTED.sub("", self.text[start:end])
        if broken := re.search(r'"|=', rest):
            at = self.text.index(broken[0], start)
            raise self.error(at, quote(self.text[at:end].split("\n")[0]), "Is a quotation mark or semicolon missing?")


def _apple(answer: str) -> str:
    table: dict[str, str] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    change: Callable[[re.Match[str]], str] = lambda match: table[match[0]]  # noqa: E731
    return re.sub(r'[\\"\n\t\r]', change, plain_line(answer))
