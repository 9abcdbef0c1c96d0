"""The syntax of gettext's .po files: bytes to entries that know their lines, and texts to quoted lines.

>>> entry = parse([b'#, c-format\\n', b'msgid "%d apples"\\n', b'msgstr "%d "\\n', b'"pommes"\\n'], "utf-8", "fr.po")[0]
>>> entry.msgid, entry.strings, entry.flags, entry.line, entry.end
('%d apples', {0: '%d pommes'}, ['c-format'], 2, 4)
>>> quoted("msgstr", "one\\ntwo")
['msgstr ""', '"one\\\\n"', '"two"']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from lamella.data.text import sentences
from lamella.data.text.encoding import quote, text_codec
from lamella.errors import DataError

WIDTH = 79


@dataclass
class Entry:
    """A message. Lines are counted from 0, but for `line`, which is for people."""

    start: int  # its first line, often a comment
    flags: list[str] = field(default_factory=list)
    flags_at: int | None = None  # its line of flags, `#,`
    previous_at: int | None = None  # its first line about an earlier version, `#|`
    head: int = -1  # its first line that is no comment
    line: int = 0
    context: str | None = None
    msgid: str = ""
    plural: str | None = None
    strings: dict[int, str] = field(default_factory=dict)
    begin: int = -1  # its first line of msgstr, and the line after the last one
    end: int = -1

    @property
    def is_header(self) -> bool:
        """Whether this is the entry about the catalogue itself."""
        return self.msgid == "" and self.context is None

    @property
    def is_fuzzy(self) -> bool:
        """Whether the translation is marked as doubtful."""
        return "fuzzy" in self.flags

    @property
    def is_empty(self) -> bool:
        """Whether no form has a translation."""
        return not any(self.strings.values())


_KEYWORD = re.compile(r'(?P<name>msgctxt|msgid_plural|msgid|msgstr)\s*(?:\[\s*(?P<index>\d{1,2})\s*\])?\s*(?=")')
_STRINGS = re.compile(r'(?:"(?:[^"\\]|\\.)*+"\s*+)++')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"', **{char: f"\\{name}" for name, char in _ESCAPES.items()}})
_CHARSET = re.compile(rb"charset=([\w.:-]+)")


def charset_of(data: bytes) -> str:
    """The encoding that a catalogue's header names, as Python calls it; UTF-8 where it names none.

    >>> charset_of(b'"Content-Type: text/plain; charset=ISO-8859-15\\\\n"'), charset_of(b"")
    ('iso8859-15', 'utf-8')
    """
    match = _CHARSET.search(data, 0, 1 << 16)
    found = text_codec(match[1].decode("ascii", "replace")) if match else ""
    return found if found not in ("", "ascii") else "utf-8"  # so that letters can be added


def parse(lines: Sequence[bytes], charset: str, name: str) -> list[Entry]:
    """The entries of a catalogue, without the obsolete ones.

    In: its lines with their ends, their encoding, and the name of the file. Raises DataError, with the number of the
    line, where a line is not of a catalogue or not in that encoding.
    """
    return _Parser(charset, name).parse(lines)


class _Parser:
    def __init__(self, charset: str, name: str) -> None:
        self.charset, self.name = charset, name
        self.entries: list[Entry] = []
        self.entry: Entry | None = None  # the one being read; its comments come before it
        self.section = ""  # the keyword that a line with nothing but a string goes on with

    def parse(self, lines: Sequence[bytes]) -> list[Entry]:
        for number, raw in enumerate(lines):
            try:
                line = raw.decode(self.charset).strip()
            except UnicodeDecodeError:
                raise self._error(number, f"text in {self.charset}, as the header says", "bytes that are not") from None
            if number == 0:
                line = line.lstrip("\ufeff")
            if line.startswith("#"):
                self._comment(number, line)
            elif line and not line.startswith("domain"):
                self._string(number, line)
        self._finish(len(lines))
        return self.entries

    def _error(self, number: int, expected: str, received: str) -> DataError:
        return DataError(f"{self.name}, line {number + 1}: expected {expected}, received {received}. Correct the file")

    def _finish(self, number: int) -> None:
        entry = self.entry
        if entry and entry.head >= 0:
            if not entry.strings:
                raise self._error(number - 1, "msgstr after msgid", "the end of the entry")
            self.entries.append(entry)
        self.entry, self.section = None, ""

    def _comment(self, number: int, line: str) -> None:
        if self.entry and self.entry.strings or line.startswith("#~"):
            self._finish(number)
            if line.startswith("#~"):
                return
        entry = self.entry = self.entry or Entry(number)
        if line.startswith(("#,", "#=")):
            entry.flags += [flag.strip() for flag in line[2:].split(",") if flag.strip()]
            if entry.flags_at is None and line.startswith("#,"):
                entry.flags_at = number
        elif line.startswith("#|") and entry.previous_at is None:
            entry.previous_at = number

    def _string(self, number: int, line: str) -> None:
        keyword = _KEYWORD.match(line)
        rest = line[keyword.end() :] if keyword else line
        if not _STRINGS.fullmatch(rest):
            raise self._error(number, 'a line of a catalogue (#, msgid "...", msgstr "..." or "...")', quote(line))
        text = _ESCAPE.sub(_unescape, "".join(_STRING.findall(rest)))
        if keyword:
            self._begin(number, keyword["name"], int(keyword["index"] or 0))
        entry = self.entry
        if not entry or not self.section:
            raise self._error(number, "msgid before a string", quote(line))
        if self.section == "msgctxt":
            entry.context = (entry.context or "") + text
        elif self.section == "msgid":
            entry.msgid += text
        elif self.section == "msgid_plural":
            entry.plural = (entry.plural or "") + text
        else:
            entry.strings[self.index] += text
            entry.end = number + 1

    def _begin(self, number: int, name: str, index: int) -> None:
        """A keyword: perhaps the beginning of an entry, at any rate that of a string."""
        if name in ("msgctxt", "msgid") and self.entry and self.entry.strings:
            self._finish(number)
        entry = self.entry = self.entry or Entry(number)
        before = {"msgctxt": ("",), "msgid": ("", "msgctxt"), "msgid_plural": ("msgid",)}.get(
            name, ("msgid", "msgid_plural", "msgstr")
        )
        if self.section not in before or (name == "msgstr" and index in entry.strings):
            raise self._error(number, f"{' or '.join(filter(None, before)) or 'a new entry'} before {name}", "another")
        if entry.head < 0:
            entry.head = number
        if name == "msgid":
            entry.line = number + 1
        if name == "msgstr":
            entry.begin = number if entry.begin < 0 else entry.begin
            entry.strings[index] = ""
        self.section, self.index = name, index


def _unescape(match: re.Match[str]) -> str:
    what = match[1]
    if what[0] in "01234567":
        return chr(int(what, 8))
    if what[0] == "x" and len(what) > 1:
        return chr(int(what[1:], 16))
    return _ESCAPES.get(what, what)


def quoted(keyword: str, text: str, width: int = WIDTH) -> list[str]:
    """A text as the lines of a .po file: on one line if it has room, otherwise after an empty string, as gettext does.

    In: the keyword before it, the text, the longest a line may be (0 for any length).

        >>> quoted("msgid", "one two three", 12)
        ['msgid ""', '"one two "', '"three"']
    """
    parts = [part.translate(_QUOTED) for part in re.findall(r"[^\n]*\n|[^\n]+", text)] or [""]
    if len(parts) == 1 and (not width or _columns(f'{keyword} "{parts[0]}"') <= width):
        return [f'{keyword} "{parts[0]}"']
    lines = [f'{keyword} ""']
    for part in parts:
        line, room = "", width - 2
        for token in _TOKEN.findall(part):
            needed = _columns(token)
            if line and width and needed > room:
                lines.append(f'"{line}"')
                line, room = "", width - 2
            line, room = line + token, room - needed
        lines.append(f'"{line}"')
    return lines


_WIDE = "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\uffef"
# What stays together on a line: one character of a script without blanks; or a word, or a part of one to its hyphen or
# slash, with the blanks after it and a mark after these, as French has it.
_TOKEN = re.compile(
    rf"[{_WIDE}] *|(?:(?<=\w)[-/](?=[^\W\d])|[^ {_WIDE}](?:(?!(?<=\w)[-/](?=[^\W\d]))[^ {_WIDE}])*+"
    rf"(?:(?<=\w)[-/](?=[^\W\d]))?)(?: +[:;!?»][^ {_WIDE}]*)*+ *+| +"
)


def _columns(text: str) -> int:
    return sum(2 if sentences.is_wide(char) else not unicodedata.combining(char) for char in text)
