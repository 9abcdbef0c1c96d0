"""Gettext catalogues: fill what is untranslated in a .po or .pot file and leave every other byte as it was.

    >>> po = b'msgid ""\\nmsgstr "Content-Type: text/plain; charset=UTF-8\\\\n"\\n\\nmsgid "Yes"\\nmsgstr ""\\n'
    >>> catalogue = Catalogue(po, "fr.po", "fr")
    >>> catalogue.segments
    ['Yes']
    >>> print(catalogue.render(["Oui"]).decode().partition("\\n\\n")[2], end="")
    #, fuzzy
    msgid "Yes"
    msgstr "Oui"

The file is edited line by line, not read and written anew, so that a comparison shows the filled entries and nothing
else. What a net wrote is marked fuzzy, for a person to check; what came from another catalogue, for the same message in
the same context, is not. Nothing is written that `msgfmt --check` would reject.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polib  # type: ignore[import-untyped]

from lamella.data.documents.plurals import parse_rule, rule_of
from lamella.data.documents.po import WIDTH, Entry, charset_of, parse, quoted
from lamella.data.text import placeholders
from lamella.data.text.encoding import StrPath, read_bytes, show_path
from lamella.data.text.languages import NAMES, base_code
from lamella.errors import DataError


class Pair(NamedTuple):
    """A message and its translation, and the line it begins at (in a .mo file, which has none, its number)."""

    msgid: str
    msgstr: str
    line: int


Key = tuple[str | None, str, str | None]  # context, msgid, msgid_plural


class _Message(NamedTuple):
    """A translated message of a catalogue, of either kind of file."""

    key: Key
    strings: list[str]
    line: int


class _Filling(NamedTuple):
    """What an entry gets."""

    entry: Entry
    strings: list[str]
    fuzzy: bool


class Catalogue:
    """A .po or .pot file on its way into another language.

    In: its bytes and name; the target language, as `fr` or `pt_BR`; other .po and .mo files, whose translations are
    used before a net is asked. Raises DataError where the file is no catalogue, or one of another language.
    """

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data.strip():
            raise DataError(f"{name}: expected a gettext catalogue, received an empty file. Make one with xgettext")
        if b"\0" in data:
            raise DataError(
                f"{name}: expected a gettext catalogue, received binary data. Is it a .mo? Use msgunfmt first"
            )
        self.data, self.language, self.charset = data, target_language, charset_of(data)
        self.lines = data.splitlines(keepends=True)
        self.entries = parse(self.lines, self.charset, name)
        self.header = next((entry for entry in self.entries if entry.is_header), None)
        self._check_language(name)
        self.rule = parse_rule(self.header.strings[0] if self.header else "") or parse_rule(
            rule_of(target_language) or ""
        )
        # Somebody's editor may not wrap; then neither do we.
        self.width = 0 if any(len(line) > 3 * WIDTH for line in self.lines if line.lstrip().startswith(b'"')) else WIDTH
        self.recalled: list[_Filling] = []
        self.wanted: list[tuple[Entry, list[int]]] = []  # entries, and for each form the segment it is translated from
        self.segments: list[str] = []
        self.formats: list[str] = []
        self._plan(_Memory(memory, self.entries))

    def _check_language(self, name: str) -> None:
        match = re.search(r"^Language:[ \t]*([A-Za-z]+)", self.header.strings[0] if self.header else "", re.MULTILINE)
        ours, theirs = base_code(self.language), base_code(match[1]) if match else ""
        # Catalogues of English are used as templates, and what is no code of a language says nothing.
        if ours != theirs and theirs != "en" and ours in NAMES and theirs in NAMES:
            raise DataError(
                f"{name}: expected a catalogue for {ours}, received one for {theirs} by its header. "
                "Choose the other language, or start from the .pot file"
            )

    def _plan(self, memory: _Memory) -> None:
        """Find what is to be filled, from the memory if it can be, else by an answer for a segment."""
        seen: set[tuple[str | None, str]] = set()
        for entry in self.entries:
            known = (entry.context, entry.msgid) in seen
            seen.add((entry.context, entry.msgid))
            if known or entry.is_header or entry.is_fuzzy or not entry.is_empty or entry.msgid in _CREDITS:
                continue
            sources = self._sources(entry)
            strings, exact = memory.find(entry)
            if strings and self._fits(entry, sources, strings):
                self.recalled.append(_Filling(entry, strings, not exact))
            elif sources:
                first = len(self.segments)
                different = list(dict.fromkeys(sources))
                self.segments += different
                self.formats += [" ".join(flag for flag in entry.flags if flag.endswith("-format"))] * len(different)
                self.wanted.append((entry, [first + different.index(source) for source in sources]))

    def _sources(self, entry: Entry) -> list[str]:
        """The text that each form of an entry is translated from; none where the number of forms is not known."""
        if entry.plural is None:
            return [entry.msgid]
        if not self.rule:
            return []
        sources = [entry.plural] * self.rule.forms
        if self.rule.forms > 1:
            # "One file" can stand for nothing but one; in Russian the same form is that of 21.
            fits = placeholders.covers if self.rule.narrow else placeholders.agree
            if fits(entry.plural, entry.msgid, " ".join(entry.flags)):
                sources[self.rule.singular] = entry.msgid
        return sources

    def _fits(self, entry: Entry, sources: list[str], strings: list[str]) -> bool:
        """Whether strings can be written for an entry: msgfmt takes them, and the encoding has all their letters."""
        if len(strings) != len(sources) or not all(strings):
            return False
        for source, text in zip(sources, strings, strict=True):
            for given in (entry.msgid, entry.plural if entry.plural is not None else entry.msgid):
                if given.startswith("\n") != text.startswith("\n") or given.endswith("\n") != text.endswith("\n"):
                    return False
            flags = " ".join(flag for flag in entry.flags if flag.endswith("-format"))
            if flags and not placeholders.agree(source, text, flags):
                return False
            if self._encoded(text) is None:
                return False
        return True

    def _encoded(self, text: str) -> bytes | None:
        for candidate in (text, text.translate(_PLAINER)):
            try:
                return candidate.encode(self.charset)
            except UnicodeEncodeError:
                continue
        return None

    def _fillings(self, answers: Sequence[str | None]) -> list[_Filling]:
        if len(answers) != len(self.segments):
            raise ValueError(f"Expected an answer for each of {len(self.segments)} segments. Received: {len(answers)}")
        fillings = list(self.recalled)
        for entry, indices in self.wanted:
            strings = [answers[index] or "" for index in indices]
            if self._fits(entry, self._sources(entry), strings):
                fillings.append(_Filling(entry, strings, True))
        return fillings

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The catalogue with an answer for each segment; an entry without one, or with a wrong one, stays untranslated.

        Raises ValueError where there are not as many answers as segments. The header is edited only where it must be:
        where a template leaves the encoding, the language or the plural forms open.
        """
        fillings = self._fillings(answers)
        if not fillings:
            return self.data
        edits = self._header_edits(fillings)
        for entry, strings, fuzzy in fillings:
            keywords = ["msgstr"] if entry.plural is None else [f"msgstr[{form}]" for form in range(len(strings))]
            lines = [line for pair in zip(keywords, strings, strict=True) for line in quoted(*pair, self.width)]
            edits.append((entry.begin, entry.end, self._raw(lines, entry.end)))
            if fuzzy and entry.flags_at is not None:
                flags = self.lines[entry.flags_at].replace(b"#,", b"#, fuzzy,", 1)
                edits.append((entry.flags_at, entry.flags_at + 1, flags))
            elif fuzzy:
                place = entry.head if entry.previous_at is None else entry.previous_at
                edits.append((place, place, self._raw(["#, fuzzy"], place)))
        parts, done = [], 0
        for begin, end, new in sorted(edits, key=lambda edit: edit[:2]):
            parts += [*self.lines[done:begin], new]
            done = end
        return b"".join([*parts, *self.lines[done:]])

    def _raw(self, lines: list[str], end: int) -> bytes:
        """Lines as the file has them; the last of a file that does not end with a line end has none here either."""
        eol = b"\r\n" if self.lines[0].endswith(b"\r\n") else b"\n"
        raw = b"".join((self._encoded(line) or b"") + eol for line in lines)
        last = end == len(self.lines) and not self.lines[-1].endswith((b"\n", b"\r"))
        return raw.removesuffix(eol) if last else raw

    def _header_edits(self, fillings: list[_Filling]) -> list[tuple[int, int, bytes]]:
        """What the header needs so that msgfmt takes the entries: (first line, line after the last, bytes)."""
        rule = rule_of(self.language) or ""
        plural = any(entry.plural is not None for entry, _, _ in fillings)
        if not self.header:
            fields = [f"Language: {self.language}", "MIME-Version: 1.0", f"Content-Type: text/plain; charset={_UTF8}"]
            fields += ["Content-Transfer-Encoding: 8bit", *([f"Plural-Forms: {rule}"] if rule else [])]
            block = self._raw([*quoted("msgid", ""), *quoted("msgstr", "".join(f"{one}\n" for one in fields)), ""], 0)
            mark = b"\xef\xbb\xbf" if self.data.startswith(b"\xef\xbb\xbf") else b""
            return [(0, 1, mark + block + self.lines[0].removeprefix(mark))] if mark else [(0, 0, block)]
        header = self.header
        old = b"".join(self.lines[header.begin : header.end])
        new = old.replace(b"charset=CHARSET", b"charset=UTF-8")
        if self.language:
            new = re.sub(rb'"Language: *\\n"', lambda _: f'"Language: {self.language}\\n"'.encode(), new)
        if rule:
            new = re.sub(rb'nplurals=INTEGER;(?:"\s*"|\s)*plural=EXPRESSION;?', rule.encode(), new)
        if not all(text.isascii() for _, strings, _ in fillings for text in strings):
            new = re.sub(rb"charset=(?:us-)?ascii", b"charset=UTF-8", new, flags=re.IGNORECASE)
        fields = []
        if b"charset=" not in new:
            fields.append(f"Content-Type: text/plain; charset={_UTF8}\n")
        if plural and not parse_rule(new.decode(self.charset)):
            fields.append(f"Plural-Forms: {rule}\n")
        if fields and not header.strings[0].endswith("\n"):
            fields.insert(0, "\n")
        new += self._raw([quoted("", field, 0)[0].strip() for field in fields], header.end)
        if new == old:
            return []
        edits = [(header.begin, header.end, new)]
        if header.is_fuzzy and header.flags_at is not None:
            # A template's header is marked as not filled in. It is now.
            flags = b", ".join(flag.encode() for flag in header.flags if flag != "fuzzy")
            edits.append((header.flags_at, header.flags_at + 1, b"#, " + flags + b"\n" if flags else b""))
        return edits

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """What was done, in entries: how many there are, were translated or fuzzy before, are now, are not."""
        entries = [entry for entry in self.entries if not entry.is_header]
        filled = len(self._fillings(answers))
        done = sum(not entry.is_fuzzy and not entry.is_empty for entry in entries)
        fuzzy = sum(entry.is_fuzzy for entry in entries)
        return {
            "segments": len(self.segments),
            "entries": len(entries),
            "already": done,
            "fuzzy": fuzzy,
            "memory": len(self.recalled),
            "translated": filled - len(self.recalled),
            "kept": len(entries) - done - fuzzy - filled,
        }


_UTF8 = "UTF-8"
# Not to be translated: programs show in their place who translated them, or nothing.
_CREDITS = frozenset(("translator-credits", "translator_credits", "Your names", "Your emails"))
# For encodings that lack them.
_PLAINER = str.maketrans({"’": "'", "‘": "'", "…": "...", "\u202f": "\u00a0", "–": "-", "—": "-", "œ": "oe", "Œ": "OE"})


class _Memory:
    """Translations made before: of other catalogues, and those the catalogue itself has in other contexts."""

    def __init__(self, paths: Sequence[StrPath], own: Sequence[Entry]) -> None:
        self.exact: dict[Key, list[str]] = {}
        self.loose: dict[tuple[str, str | None], list[str]] = {}
        for path in paths:
            for message in _messages(path)[0]:
                self.exact.setdefault(message.key, message.strings)
                self.loose.setdefault(message.key[1:], message.strings)
        for message in map(_message, filter(_is_translated, own)):
            self.loose.setdefault(message.key[1:], message.strings)

    def find(self, entry: Entry) -> tuple[list[str], bool]:
        """The translation of the same message (nothing if there is none), and whether it has the same context."""
        exact = self.exact.get((entry.context, entry.msgid, entry.plural))
        return exact or self.loose.get((entry.msgid, entry.plural), []), bool(exact)


def _is_translated(entry: Entry) -> bool:
    return not (entry.is_header or entry.is_fuzzy) and all(entry.strings.values())


def _message(entry: Entry) -> _Message:
    strings = [entry.strings[form] for form in sorted(entry.strings)]
    return _Message((entry.context, entry.msgid, entry.plural), strings, entry.line)


def _messages(path: StrPath) -> tuple[list[_Message], str]:
    """The translated messages of a .po or .mo file, and its header."""
    name, suffix = show_path(path), Path(path).suffix.lower()
    if suffix not in (".po", ".mo"):
        raise DataError(
            f"{name}: expected a .po or .mo file, received {suffix or 'a name without a suffix'}. Choose one"
        )
    data = read_bytes(path)
    if suffix == ".po":
        entries = parse(data.splitlines(keepends=True), charset_of(data), name)
        header = next((entry.strings[0] for entry in entries if entry.is_header), "")
        return [_message(entry) for entry in entries if _is_translated(entry)], header
    try:
        compiled_header(data)
        compiled = polib.mofile(str(path))
        messages = []
        for number, one in enumerate(compiled, start=1):
            forms = [one.msgstr_plural[form] for form in sorted(one.msgstr_plural)] or [one.msgstr]
            if one.msgid and all(forms):
                messages.append(_Message((one.msgctxt, one.msgid, one.msgid_plural or None), forms, number))
        return messages, f"Plural-Forms: {compiled.metadata.get('Plural-Forms', '')}"
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise DataError(f"{name}: expected a compiled catalogue, received one that cannot be read ({error})") from error


def compiled_header(raw: bytes) -> str:
    """The header of a .mo file, or "". Raises ValueError or struct.error where it claims more than it holds.

    Without this check a file of a kilobyte could ask for gigabytes: many strings that are each the whole file.
    """
    if raw[:4] not in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"):
        raise ValueError("its first bytes are not those of a .mo")
    order = "<" if raw[:4] == b"\xde\x12\x04\x95" else ">"
    _, count, *tables = struct.unpack_from(order + "4I", raw, 4)
    if count > len(raw) // 16:
        raise ValueError("it claims more strings than fit")
    ranges = []
    for table in tables:
        numbers = struct.unpack_from(f"{order}{2 * count}I", raw, table)
        ranges.append([(at, at + length) for length, at in zip(numbers[0::2], numbers[1::2], strict=True)])
    if any(end > len(raw) for table in ranges for _, end in table):
        raise ValueError("a string goes on beyond its end")
    if sum(end - at for table in ranges for at, end in table) > 4 * len(raw):
        raise ValueError("its strings overlap")
    if not count or ranges[0][0][0] != ranges[0][0][1]:  # strings are sorted: the header's empty msgid is the first
        return ""
    return raw[slice(*ranges[1][0])].decode("utf-8", "replace")


def read_pairs(path: StrPath) -> Iterator[Pair]:
    """The messages of a .po or .mo file with their translations.

    In: its path. Out: a pair for each translated message, two for one with a plural; not the header, nor what is fuzzy,
    obsolete or untranslated. Raises DataError where the file is no catalogue.
    """
    messages, header = _messages(path)
    rule = parse_rule(header)
    for (_, msgid, plural), strings, line in messages:
        if plural is None:
            yield Pair(msgid, strings[0], line)
            continue
        one, many = (rule.form(1), rule.form(5)) if rule else (0, len(strings) - 1)
        if max(one, many) < len(strings):
            if one != many:
                yield Pair(msgid, strings[one], line)
            yield Pair(plural, strings[many], line)
