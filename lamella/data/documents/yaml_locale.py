r"""Locale files in YAML (.yaml, .yml): texts of one line and blocks are translated, keys, comments and layout stay.

    >>> file = YamlLocale(b"en:\n  title: My page  # shown\n  hello: 'It''s %{name}'\n", "en.yml")
    >>> file.segments
    ['My page', "It's %{name}"]
    >>> file.render(["Ma page", "C'est %{name}"])
    b"en:\n  title: Ma page  # shown\n  hello: 'C''est %{name}'\n"

Lines are read as they stand, so that nothing else can change. What is no text (numbers, true, dates, references, symbols)
is left as it is. A plain or quoted text of several lines is written again on one; with empty lines in it, it is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from lamella.data.documents.slots import Slot, Slots, plain_line, worded
from lamella.errors import DataError

_LINE = re.compile(
    r"^(?P<head>[ ]*+(?:-[ ]+)*+(?:(?P<key>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s#'\"\[\]{},&*!|>%@`:-][^\n#:]*?|<<):(?:[ ]+|$))?)"
    r"(?P<value>[^\n]*)$",
    re.MULTILINE,
)
_DOUBLE = re.compile(r'"(?:[^"\\\n]|\\.)*"(?=\s*(?:#.*)?$)')
_SINGLE = re.compile(r"'(?:[^'\n]|'')*'(?=\s*(?:#.*)?$)")
# A text in quotation marks that may end on a later line; what is cut off by mistake is no text.
_LONG = re.compile(r'"(?:[^"\\]|\\.)*+"(?=[ \t]*(?:#.*)?$)|\'(?:[^\']|\'\')*+\'(?=[ \t]*(?:#.*)?$)', re.MULTILINE)
_COMMENT = re.compile(r"(?<=\s)#")
_SPECIAL = tuple("#&*!|>%@`\"'[]{},?:- ")
_PROPERTIES = re.compile(r"(?:(?:&\S+|!|!!str)(?:[ \t]+|$))+")  # an anchor, the type of a text
# What is in a collection in brackets: texts, brackets, marks, and with a mark before them symbols, anchors and comments.
_IN_BRACKETS = re.compile(
    r'"(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\'|[\[\]{},]|\#[^\n]*|[:&*!][^\s\[\]{},]*'
    r"|[^\s\[\]{},:#\"'&*!](?:[^\[\]{},\n:#]|:(?=[^\s,\[\]{}])|(?<=\S)\#)*+"
)
_MARKS = "[]{},:#&*!"
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_NO_TEXT = re.compile(
    r"(?:true|false|yes|no|on|off|null|~|[-+]?[.\d][\d_.,:eE+-]*|0x[0-9a-f]+|\d{4}-\d\d-\d\d.*)$", re.IGNORECASE
)
_NEEDS_QUOTES = re.compile(r"^[\s#&*!|>%@`\"'\[\]{},?:-]|: |\s#|:$|\s$|\n")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_NAMED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "e": "\x1b",
    "_": "\u00a0",
    "N": "\x85",
    "L": "\u2028",
    "P": "\u2029",
    " ": " ",
}


# Keys that stand at the top together in files of settings (clusters, environments, hooks, sites, playbooks, pipelines), and keys below
# one of them that tell (containers, workflows).
_SETTINGS = (
    {"apiVersion", "kind"}, {"channels", "dependencies"}, {"repos"}, {"site_name", "nav"}, {"openapi"}, {"swagger"}, {"hosts", "tasks"},
    {"stages"}, {"before_script"}, {"pipelines"},
)  # fmt: skip
_BELOW = {
    "services": re.compile(r"^\s+(?:image|build):", re.MULTILINE),
    "jobs": re.compile(r"^\s+(?:runs-on|steps):", re.MULTILINE),
}


def _other(top: dict[str, str], text: str) -> str:
    """What says that a file holds settings and no texts, by the keys at its top and the values beside them; else "".

    >>> _other({"version": "'3.8'"}, ""), _other({"en": "", "version": "Version", "services": "Services"}, "")
    ('version', '')
    """
    for keys in _SETTINGS:
        if keys <= set(top):
            return ", ".join(sorted(keys))
    if top.get("version", "").strip("'\" ")[:1].isdigit():
        return "version"
    return next(
        (key for key, inside in _BELOW.items() if key in top and not top[key].strip() and inside.search(text)), ""
    )


class YamlLocale(Slots):
    """A YAML file of texts under keys. Raises DataError where there is none."""

    holds = "YAML with texts under keys"

    def slots(self) -> list[Slot]:
        lines = _LINE.finditer(self.text.replace("\r", " "))
        top = {
            m["key"].strip("'\"").strip(): m["value"]
            for m in lines
            if m["key"] and not m["head"].startswith((" ", "-"))
        }
        if other := _other(top, self.text):
            raise DataError(
                f"{self.name}: expected {self.holds}, received settings or other data (with {other} at the top). "
                "Give a locale file"
            )
        found = list(self._slots())
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received no text in it. Give a locale file")
        return found

    def _slots(self) -> Iterator[Slot]:
        block = -1  # how far a block's key is indented, while we are in one that is not translated
        text = self.text.replace("\r", " ")
        lines = list(_LINE.finditer(text))
        at = 0
        while at < len(lines):
            match, at = lines[at], at + 1
            line = match[0]
            indent = _indent(line)
            if not line.strip() or line.lstrip().startswith("#") or line.startswith(("---", "...", "%")):
                continue
            if block >= 0 and indent > block:
                continue
            block = -1
            listed = match["head"].lstrip().startswith("-")
            if match["key"] is None and not listed:
                continue
            lead = _PROPERTIES.match(match["value"])
            before = lead.end() if lead else 0
            value, start = match["value"][before:], match.start("value") + before
            if value[:1] in ("[", "{"):
                end, texts = _flow(text, start)
                if end == start:
                    line_number = text.count("\n", 0, start) + 1
                    raise DataError(
                        f"{self.name}, line {line_number}: expected YAML, received a bracket without its end. Close it"
                    )
                at += text.count("\n", start, end)
                yield from texts
            elif _BLOCK.match(value.strip()):
                at, texts = self._block(lines, at, indent, value.lstrip().startswith(">"))
                yield from texts
                block = indent
            else:
                quoted = _LONG.match(text, start)
                more = _further_lines(quoted, value, lines[at:], indent)
                if more:
                    end = quoted.end() if quoted else start + len(text[start : lines[at + more - 1].end()].rstrip())
                    slot = text_value(_one_line(text[start:end]), start)
                    at += more
                    yield from [replace(slot, end=end)] if slot else []
                elif more == 0 and (slot := text_value(value, start)):
                    yield slot

    def _block(self, lines: list[re.Match[str]], at: int, indent: int, folded: bool) -> tuple[int, list[Slot]]:
        """The line after a block, and its texts: each line is one, or where they are folded each paragraph."""
        first = at
        while at < len(lines) and (not lines[at][0].strip() or _indent(lines[at][0]) > indent):
            at += 1
        margin = min((_indent(one[0]) for one in lines[first:at] if one[0].strip()), default=0)
        found: list[Slot] = []
        group: list[re.Match[str]] = []
        for line in [*lines[first:at], None]:
            full = line is not None and bool(line[0].strip())
            if group and not (full and folded and line is not None and line[0][margin] != " "):
                start = group[0].start() + _indent(group[0][0])
                text = " ".join(one[0].strip() for one in group)
                if worded(text):
                    found.append(Slot(start, group[-1].start() + len(group[-1][0].rstrip()), text, _flat))
                group = []
            if full and line is not None:
                group.append(line)
        return at, found


def _flow(text: str, start: int) -> tuple[int, list[Slot]]:
    """The end of the collection in brackets that begins at `start`, and the texts in it; (start, []) where it has no end.

    >>> [slot.text for slot in _flow("[Sun, 'Mon', {a: 'Tue, too', b: Wed}, :year, *x, 3]", 0)[1]]
    ['Sun', 'Mon', 'Tue, too', 'Wed']
    """
    tokens: list[re.Match[str]] = []
    depth = 0
    for match in _IN_BRACKETS.finditer(text, start):
        tokens.append(match)
        depth += (match[0] in "[{") - (match[0] in "]}")
        if depth == 0:
            break
    else:
        return start, []
    found = []
    for token, after in pairwise(tokens):
        if token[0][0] in _MARKS or after[0][0] == ":":  # no text, or a key
            continue
        if after[0][0] not in _MARKS:  # a text of several lines
            return tokens[-1].end(), []
        if slot := text_value(token[0].rstrip(), token.start()):
            found.append(replace(slot, encode=_in_brackets) if slot.encode is _plain else slot)
    return tokens[-1].end(), found


def text_value(value: str, start: int) -> Slot | None:
    """A text on one line: in double quotes, in single ones, or plain."""
    if match := _DOUBLE.match(value):
        text = _ESCAPE.sub(_unescaped, match[0][1:-1])
        encode = lambda answer: json.dumps(plain_line(answer), ensure_ascii=False)  # noqa: E731
    elif match := _SINGLE.match(value):
        text = match[0][1:-1].replace("''", "'")
        encode = lambda answer: "'" + _flat(answer).replace("'", "''") + "'"  # noqa: E731
    else:
        text, encode = _COMMENT.split(value, maxsplit=1)[0].rstrip(), _plain
        if text.startswith(_SPECIAL) or ": " in text or text.endswith(":") or _NO_TEXT.match(text):
            return None
    end = match.end() if match else len(text)
    return Slot(start, start + end, text, encode) if worded(text) else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _further_lines(quoted: re.Match[str] | None, value: str, following: list[re.Match[str]], indent: int) -> int | None:
    """How many lines more a text has; None where they are no text.

    quoted: the text in quotation marks, where it is in some. value: its first line. following: the lines after it. indent:
    of its key.
    """
    count = quoted[0].count("\n") if quoted else 0
    if not quoted:
        while _continues(following[count : count + 1], indent):
            count += 1
    rows = [line[0] for line in following[:count]]
    if not all(row.strip() and _indent(row) > indent for row in rows):
        return None
    # A comment ends a plain text: what follows it is none.
    return None if count and not quoted and any(map(_COMMENT.search, (value, *rows))) else count


def _one_line(text: str) -> str:
    """Lines as the one that YAML makes of them."""
    return re.sub(r"[ \t]*\n[ \t]*", " ", text)


def _continues(following: list[re.Match[str]], indent: int) -> bool:
    """Whether the next line goes on with a plain text: it is further in and has neither a key nor a dash."""
    return any(
        _indent(one[0]) > indent
        and bool(one[0].strip())
        and one["key"] is None
        and not one[0].lstrip().startswith(("-", "#"))
        for one in following
    )


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _NAMED.get(code, code)


def _flat(answer: str) -> str:
    return " ".join(plain_line(answer).split("\n"))


def _in_brackets(answer: str) -> str:
    return json.dumps(plain_line(answer), ensure_ascii=False) if re.search(r"[\[\]{},]", answer) else _plain(answer)


def _plain(answer: str) -> str:
    answer = plain_line(answer)
    return (
        json.dumps(answer, ensure_ascii=False)
        if _NEEDS_QUOTES.search(answer) or _NO_TEXT.match(answer) or not answer
        else answer
    )
