"""Read the texts of a YAML file of translations: nested names, plain, quoted and block texts, lists.

Not a YAML parser: anchors, tags and flow collections are left out, since catalogues of texts hold none that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENTRY = re.compile(
    r"""^(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#&*!|>%@`"'\[\]{},][^#]*?|\?)\s*:(?:\s+(?P<value>.*))?$"""
)
_BLOCK = re.compile(r"^([|>])[-+\d]*\s*(?:#.*)?$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "", "0": "", "_": "\u00a0", "N": "\u0085", "L": "\n", "P": "\n"}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\n\s*|(.))", re.DOTALL)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        return chr(min(int(digits, 16), 0x10FFFF))
    return _ESCAPES.get(match[4], match[4]) if match[4] else ""


def _closed(text: str) -> bool:
    """Whether a quoted text ends where its line does."""
    if text[0] == "'":
        return len(text) > 1 and bool(re.fullmatch(r"'(?:[^']|'')*'\s*(?:#.*)?", text, re.DOTALL))
    return bool(re.fullmatch(r'"(?:[^"\\]|\\.)*"\s*(?:#.*)?', text, re.DOTALL))


def _scalar(text: str) -> str:
    """The text that a plain or quoted scalar stands for."""
    text = text.strip()
    if text[:1] == '"':
        body = text[1 : text.rindex('"')] if text.count('"') > 1 else text[1:]
        return _ESCAPED.sub(_unescaped, body)
    if text[:1] == "'":
        return (text[1 : text.rindex("'")] if text.count("'") > 1 else text[1:]).replace("''", "'")
    return re.sub(r"\s+#.*$", "", text)


def _folded(lines: list[str]) -> str:
    """Lines joined by blanks; an empty line between them is a line break."""
    return re.sub(r" ?\n ?", "\n", " ".join(line.strip() or "\n" for line in lines)).strip()


class _Reader:
    """Walks the lines once; `take` reads what a name or a dash is followed by."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.at = 0

    def _skip(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            if line and not line.startswith("#") and line not in ("---", "..."):
                return
            self.at += 1

    def _continued(self, indent: int) -> list[str]:
        """The lines that go on below a text, which are indented more than the name it belongs to."""
        start = self.at
        while self.at < len(self.lines) and (not self.lines[self.at].strip() or _indent(self.lines[self.at]) > indent):
            self.at += 1
        return self.lines[start : self.at]

    def _text(self, value: str, indent: int) -> str:
        block = _BLOCK.match(value)
        if block:
            lines = self._continued(indent)
            inner = min((_indent(line) for line in lines if line.strip()), default=0)
            body = [line[inner:] for line in lines]
            return "\n".join(body).strip() if block[1] == "|" else _folded(body)
        if value[:1] in "\"'":
            lines = [value]
            while not _closed("\n".join(lines)) and self.at < len(self.lines) and len(lines) < 400:
                lines.append(self.lines[self.at])
                self.at += 1
            joined = lines[0] if len(lines) == 1 else _folded(lines)
            return _scalar(re.sub(r"\\ ", "", joined) if len(lines) > 1 else joined)
        return _scalar(_folded([value, *self._continued(indent)]))

    def walk(self, indent: int, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The texts of a mapping or a list whose lines are indented so far."""
        number = 0
        while True:
            self._skip()
            if self.at >= len(self.lines) or _indent(self.lines[self.at]) < indent:
                return
            line = self.lines[self.at].rstrip()
            content, own = line.strip(), _indent(line)
            name = place
            if content.startswith("- ") or content == "-":
                name = (*place, str(number))
                number += 1
                content, own = content[1:].strip(), own + (len(content) - len(content[1:].lstrip()))
                if _ENTRY.match(content) and not content.startswith(("'", '"')):
                    self.lines[self.at] = " " * own + content  # a mapping that begins on the dash's line
                    yield from self.walk(own, name)
                    continue
                match = None
            else:
                match = _ENTRY.match(content)
                if not match:
                    self.at += 1
                    continue
                name = (*place, _scalar(match["key"]))
            value = (match["value"] or "").strip() if match else content
            self.at += 1
            if value and not value.startswith("#") and not re.match(r"[&!][\w.-]+$", value):
                if value[0] not in "[{*":
                    yield ".".join(name), self._text(value, _indent(line))
                continue
            self._skip()
            deeper = _indent(self.lines[self.at]) if self.at < len(self.lines) else -1
            dash = deeper == _indent(line) and self.lines[self.at].strip().startswith("-")
            if match and (deeper > _indent(line) or dash):
                yield from self.walk(deeper, name) if not dash else self._list(deeper, name)

    def _list(self, indent: int, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """A list that is indented no further than the name it belongs to."""
        end = self.at
        while end < len(self.lines):
            line = self.lines[end]
            if line.strip() and (
                _indent(line) < indent or (_indent(line) == indent and not line.strip().startswith("-"))
            ):
                break
            end += 1
        inner = _Reader("\n".join(self.lines[self.at : end]))
        self.at = end
        yield from inner.walk(indent, place)


def read_yaml(text: str) -> dict[str, str]:
    """The texts of a YAML file by their place, names joined with dots.

    >>> read_yaml("en:\\n  hi: 'It''s you'\\n  more:\\n  - one\\n  - two: |\\n      a\\n      b\\n")
    {'en.hi': "It's you", 'en.more.0': 'one', 'en.more.1.two': 'a\\nb'}
    """
    return dict(_Reader(text.expandtabs(2)).walk(0, ()))
