"""JSON as people write it -> values with their places: an object a line, or an array of objects.

    for line, start, end, value in json_lines(lines, starts): ...   `value` is a `Broken` where a line is no JSON
    for line, start, end, value in json_array("rows.json", text): ...

Numbers stay as they are written ("1.50" is not 1.5, and none is too long), NaN and Infinity are missing values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from lamella.data.text.encoding import quote
from lamella.errors import DataError

FEWEST_ROWS = 5  # objects under keys that are rows, and not parts of one
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=lambda _: None, strict=False)


class Broken(msgspec.Struct, frozen=True):
    """What is wrong with a line that is no JSON value."""

    reason: str


Located = tuple[int, int, int, Any]
"""(line, first character, last character + 1, value)"""


def decode_json(text: str, start: int = 0) -> tuple[Any, int]:
    """The value that begins at `start`, and where it ends. Raises ValueError, whose message says what is wrong."""
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except json.JSONDecodeError as error:  # its own message counts lines from wherever reading began
        raise ValueError(f"{error.msg} at character {error.pos - start + 1}") from None


def is_json(first: str, text: str) -> bool:
    """Whether a text that begins with a brace or bracket is JSON: its first line is, or the first value of its array."""
    array = text.find("[") + 1
    try:
        decode_json(first.lstrip())
    except ValueError:
        try:
            decode_json(text, _skip_space(text, array))
        except ValueError:
            return False
        return text[:array].strip() == "["
    return True


def is_array(file: str, text: str, lines: Sequence[str], first: str, whole: bool) -> bool:
    """Whether a text is one array, and not a value a line.

    In: the file's name for errors; its text and lines, the first with something on it; `whole`: its name says that it is
    one JSON value. Raises DataError where that is an object over several lines.
    """
    array = text.lstrip().startswith("[")
    try:
        _, end = decode_json(first.strip())
        # A list on each of several lines is JSONL whose rows are lists.
        if end == len(first.strip()) and any(line.strip() for line in lines[lines.index(first) + 1 :]):
            array = False
    except ValueError as error:
        if not array and whole:
            raise DataError(
                f"{file}, line 1: expected one JSON object a line, or an array of them, received {error}. "
                "Write each object on one line, or put all in [ ]"
            ) from error
    return array


def json_lines(lines: Sequence[str], starts: Sequence[int]) -> Iterator[Located]:
    """The value on each line, blank lines left out. In: lines, and where each begins in the text."""
    for number, (line, start) in enumerate(zip(lines, starts, strict=True), 1):
        content = line.strip()
        if not content:
            continue
        start += line.index(content[0])
        try:
            value, end = decode_json(content)
            if end < len(content):
                raise ValueError(f"more text after it: {quote(content[end:])}")
            yield number, start, start + end, value
        except ValueError as error:
            yield number, start, start + len(content), Broken(f"{error}: {quote(content)}")


def rows_inside(file: str, text: str) -> int | None:
    """Where the rows begin in a text that is one object around them, as `{"data": [{...}, ...]}`; None where it is not.

    Out: the place behind the bracket. DataError where the object holds several lists of objects: which is meant?

    >>> text = '{"version": 2, "data": [{"text": "a"}]}'
    >>> text[rows_inside("a.json", text) :], rows_inside("a.json", '{"text": "a", "tags": ["b"]}')
    ('{"text": "a"}]}', None)
    """
    at = _skip_space(text, 0)
    if text[at : at + 1] != "{":
        return None
    try:
        whole, end = decode_json(text, at)
        if text[end:].strip() or not isinstance(whole, dict):
            return None
        lists = [key for key, value in whole.items() if _is_rows(value)]
        if len(lists) > 1:
            raise DataError(
                f"{file}: expected one list of rows, received an object with several: {', '.join(map(quote, lists[:4]))}. "
                "Keep the one that is meant"
            )
        while lists:
            key, at = decode_json(text, _skip_space(text, at + 1))
            at = _skip_space(text, _skip_space(text, at) + 1)
            if key == lists[0]:
                return at + 1
            at = _skip_space(text, decode_json(text, at)[1])
    except ValueError:
        return None
    return None


def rows_of_columns(text: str) -> list[dict[str, Any]]:
    """The rows of an object of columns, as data frames are written: lists of one length, or objects with the same keys; or
    of an object of rows, each under a key of its own.

    [] where it is none, as one object with a single list is.

    >>> rows_of_columns('{"a": [1, 2], "b": ["x", null]}'), rows_of_columns('{"a": {"0": 1.5}, "b": {"0": true}}')
    ([{'a': '1', 'b': 'x'}, {'a': '2', 'b': None}], [{'a': '1.5', 'b': 'true'}])
    >>> rows_of_columns('{"text": "a", "tags": ["b", "c"]}'), rows_of_columns('{"translation": {"en": "a"}}')
    ([], [])
    """
    try:
        whole, end = decode_json(text, _skip_space(text, 0))
    except ValueError:
        return []
    if text[end:].strip() or not isinstance(whole, dict) or len(whole) < 2:
        return []
    if rows := _rows_by_key(whole):
        return [{name: scalar(value) for name, value in row.items()} for row in rows]
    columns = {name: _column(value) for name, value in whole.items()}
    first = next(iter(whole.values()))
    same = all(type(value) is type(first) and len(value) == len(first) for value in whole.values() if _column(value))
    if (
        not first
        or not all(columns.values())
        or not same
        or isinstance(first, dict)
        and any(v.keys() != first.keys() for v in whole.values())
    ):
        return []
    return [dict(zip(columns, map(scalar, row), strict=True)) for row in zip(*columns.values(), strict=True)]


def objects_of_columns(text: str) -> list[str]:
    """The rows of an object of columns, each as the text of an object.

    >>> objects_of_columns('{"a": [1, 2.50], "b": {"0": "x", "1": null}}')
    ['{"a": 1, "b": "x"}', '{"a": 2.5, "b": null}']
    """
    whole = json.loads(text, strict=False)
    if rows := _rows_by_key(whole):
        return [json.dumps(row, ensure_ascii=False) for row in rows]
    columns = [list(column.values()) if isinstance(column, dict) else column for column in whole.values()]
    return [json.dumps(dict(zip(whole, row, strict=True)), ensure_ascii=False) for row in zip(*columns, strict=True)]


def _rows_by_key(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an object of them, `{"17": {"text": "a", "label": "x"}, ...}`; [] for any other, and for a few."""
    rows = list(whole.values())
    if len(rows) < FEWEST_ROWS or not all(
        isinstance(row, dict) and row and row.keys() == rows[0].keys() for row in rows
    ):
        return []
    plain = not any(isinstance(value, list | dict) for row in rows for value in row.values())
    return rows if plain and not _numbers_keys(rows[0]) else []


def _column(value: Any) -> list[Any]:
    """The values of a column, [] for none: a list of plain values, or an object whose keys number them."""
    values = value if isinstance(value, list) else list(value.values()) if _numbers_keys(value) else []
    return values if values and not any(isinstance(item, list | dict) for item in values) else []


def _numbers_keys(value: Any) -> bool:
    return isinstance(value, dict) and all(key.isdigit() for key in value)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def json_array(file: str, text: str, at: int | None = None) -> Iterator[Located]:
    """The values of an array, which begins at `at` or else with the first bracket. What follows a broken one means nothing:
    DataError."""
    at = text.index("[") + 1 if at is None else at
    counted, line = 0, 1
    while True:
        at = _skip_space(text, at)
        if text[at : at + 1] == "]":
            return
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = decode_json(text, at)
            yield line, at, end, value
            at = _skip_space(text, end)
            if text[at : at + 1] not in (",", "]"):
                raise ValueError('no "," or "]" after a value')
        except ValueError as error:
            raise DataError(
                f"{file}, line {line}: expected a JSON array of objects, received {error}. Correct it, or write one "
                "object a line (JSONL)"
            ) from error
        at += text[at] == ","


def flatten(value: dict[str, Any]) -> dict[str, Any]:
    """One level of nesting becomes dotted names, and true and false become words.

    >>> flatten({"translation": {"en": "Yes"}, "good": True})
    {'translation.en': 'Yes', 'good': 'true'}
    """
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update((f"{key}.{inner}", scalar(inside)) for inner, inside in item.items())
        else:
            flat[key] = scalar(item)
    return flat


def scalar(value: Any) -> Any:
    """True and false as words; other values as they are."""
    return str(value).lower() if isinstance(value, bool) else value


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at
