"""How a table writes a field, a row and its bytes: quotation marks, keys of JSON objects, encodings.

format = Delimited.of(sheet)
format.row(["a", "b; c"])           'a;"b; c"'
insert_keys('{"a": 1}', {"b": 2})   '{"a": 1, "b": 2}'
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from lamella.data.readers.records import Sheet
from lamella.data.text.encoding import text_codec

_SAMPLE = 100  # records that show which fields are quoted
_NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*")
_QUOTED = r'\s*"(?:[^"\\]|""|\\.)*"\s*'


class Delimited(msgspec.Struct, frozen=True):
    """A way to write rows of fields.

    >>> Delimited(";").row(["a", "b,c", "c;d"])
    'a;b,c;"c;d"'
    >>> Delimited(",", quote="all").row(["a", "1"]), Delimited(",", quote="text").row(["a", "1"])
    ('"a","1"', '"a",1')
    """

    delimiter: str
    quote: Literal["needed", "all", "text", "never"] = "needed"
    """Which fields are quoted: those that need it, all, all but numbers, none (then white space stands for line ends)."""
    escape: bool = False
    """Marks inside are escaped by a backslash, and not doubled."""

    @classmethod
    def of(cls, sheet: Sheet) -> Delimited:
        """As a file that was read with `keep` writes it."""
        delimiter = sheet.delimiter or ","
        if '"' not in sheet.text:
            return cls(delimiter)
        if not sheet.quoted:
            return cls(delimiter, "never")
        bare = [_unquoted(sheet.text[start:end], delimiter) for _, start, end in sheet.spans[:_SAMPLE]]
        if not any(bare):
            return cls(delimiter, "all", sheet.escaped)
        numbers = all(_NUMBER.fullmatch(field) for fields in bare for field in fields)
        return cls(delimiter, "text" if numbers else "needed", sheet.escaped)

    def field(self, text: str) -> str:
        """A field as it stands in a row."""
        if self.quote == "never":
            return re.sub(r"[\r\n\t]+" if self.delimiter == "\t" else r"[\r\n]+", " ", text)
        needed = any(mark in text for mark in (self.delimiter, '"', "\n", "\r")) or text != text.strip()
        needed = needed or self.escape and "\\" in text
        if not (needed or self.quote == "all" or self.quote == "text" and not _NUMBER.fullmatch(text)):
            return text
        if self.escape:
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return '"' + text.replace('"', '""') + '"'

    def row(self, fields: Sequence[str]) -> str:
        """A row without its line end. One empty field alone is quoted: else the line would be blank."""
        if list(fields) == [""]:
            return "" if self.quote == "never" else '""'
        return self.delimiter.join(map(self.field, fields))


def _unquoted(raw: str, delimiter: str) -> list[str]:
    """The fields of a record that have no quotation marks.

    >>> _unquoted('"a, b",1,"c"', ",")
    ['1']
    """
    cut = re.escape(delimiter)
    marked = re.sub(rf"(?:(?<={cut})|^){_QUOTED}(?={cut}|$)", "\0", raw)
    return [field for field in marked.split(delimiter) if field != "\0"]


def json_text(value: Any) -> str:
    """A value as JSON, its letters as they are where they are letters.

    >>> json_text(["é", "\\ud800"]), json_text("é")
    ('["\\\\u00e9", "\\\\ud800"]', '"é"')
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        text = json.dumps(value)
    return text


def insert_keys(raw: str, new: Mapping[str, Any]) -> str:
    """A JSON object with further keys, or a list with further values, its own text as it was; other text stays as it is.

    >>> insert_keys('{ "a": 1.50 }', {"b": "c"}), insert_keys("{}", {"b": None}), insert_keys('["a"]', {"b": 2})
    ('{ "a": 1.50, "b": "c" }', '{"b": null}', '["a", 2]')
    """
    value = unescaped(raw)
    if not isinstance(value, dict | list) or not new:
        return raw
    inner = raw[:-1].rstrip()
    added = [json_text(v) if isinstance(value, list) else f"{json_text(k)}: {json_text(v)}" for k, v in new.items()]
    return inner + (", " if value else "") + ", ".join(added) + raw[len(inner) :]


def insert_columns(raw: str, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """A JSON object of columns with further ones, by their names in `rows` and new, written like the first of those it has.

    >>> insert_columns('{"a": [1, 2]}\\n', [{"x": 3}, {}], {"x": "y"}), insert_columns('{"a": {"r": 1}}', [{"x": 3}], {"x": "y"})
    ('{"a": [1, 2], "y": [3, null]}\\n', '{"a": {"r": 1}, "y": {"r": 3}}')
    """
    first = next(iter(unescaped(raw).values()))
    new: dict[str, Any] = {called: [row.get(name) for row in rows] for name, called in names.items()}
    if isinstance(first, dict):
        new = {called: dict(zip(first, values, strict=True)) for called, values in new.items()}
    body = raw.rstrip()
    return insert_keys(body, new) + raw[len(body) :]


def unescaped(raw: str) -> Any:
    """The JSON value of a text, None where it is none."""
    try:
        return json.loads(raw, strict=False)
    except (ValueError, RecursionError):
        return None


def in_encoding(text: str, label: str, is_json: bool) -> tuple[bytes, str]:
    """Text in the encoding that a report names, its byte order mark included; and a note where that cannot hold it.

    >>> in_encoding("é", "UTF-16 BE", False)[0], in_encoding("é", "CP1252", False)[0]
    (b'\\xfe\\xff\\x00\\xe9', b'\\xe9')
    """
    label = label.removesuffix(", gzip")
    codecs = {"UTF-16 LE": "utf-16-le", "UTF-16 BE": "utf-16-be", "UTF-32 BE": "utf-32-be", "UTF-32": "utf-32-le"}
    for name, codec in codecs.items():
        if label.startswith(name):
            mark = "" if "without" in label else "\ufeff"
            return (mark + text).encode(codec), ""
    if label == "CP1252":
        try:
            return text.encode("cp1252"), ""
        except UnicodeEncodeError as error:
            if is_json:
                return "".join(c if _fits(c) else json.dumps(c)[1:-1] for c in text).encode("cp1252"), ""
            letter = text[error.start]
            return text.encode("utf-8-sig"), f"written as UTF-8, since CP1252 has no {letter!r}"
    codec = text_codec(label)  # one that the user has named
    if codec not in ("", "utf-8"):
        try:
            return text.encode(codec), ""
        except UnicodeEncodeError as error:
            return text.encode("utf-8-sig"), f"written as UTF-8, since {codec} has no {text[error.start]!r}"
    return text.encode("utf-8-sig" if label.startswith("UTF-8 with byte order mark") else "utf-8"), ""


def _fits(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def free_names(names: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """Each new column with a name that no other has.

    >>> free_names(["label", "n"], {"label"}), free_names(["a"], {"a", "predicted_a"})
    ({'label': 'predicted_label', 'n': 'n'}, {'a': 'predicted_a_2'})
    """
    found: dict[str, str] = {}
    for name in names:
        used = {*taken, *found.values()}
        found[name] = unlike(f"predicted_{name.removeprefix('predicted_')}" if name in used else name, used)
    return found


def unlike(name: str, others: Collection[str]) -> str:
    number, free = 2, name
    while free in others:
        free, number = f"{name}_{number}", number + 1
    return free
