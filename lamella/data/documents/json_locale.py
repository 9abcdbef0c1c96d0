"""Locale files in JSON (.json, .arb): values are translated, keys and layout stay.

    >>> file = JsonLocale(b'{"menu": {"open": "Open {name}"}, "@menu": {"description": "A menu"}}', "en.arb")
    >>> file.segments, file.render(["Ouvrir {name}"])
    (['Open {name}'], b'{"menu": {"open": "Ouvrir {name}"}, "@menu": {"description": "A menu"}}')

Of an object that has a `message` (browser extensions) or a `defaultMessage` only that is translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lamella.data.documents.slots import Slot, Slots, plain_line, worded
from lamella.data.text.encoding import StrPath, read_bytes
from lamella.errors import DataError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]')
_LOCALE = re.compile(r'"@@locale"\s*:\s*"(?P<code>[^"\\]*)"')
_MESSAGES = ("message", "defaultMessage")
_DEPTH = 100
# What settings and other data have at their top beside a number or a version: answers in them would break them.
_VERSIONED = ("version", "lockfileVersion", "manifest_version", "nbformat", "openapi", "swagger")


def is_locale(path: StrPath) -> bool:
    """Whether a JSON file begins as an object: a list is a table."""
    return not re.match(rb"(?:\xef\xbb\xbf)?\s*\[", read_bytes(path)[:1000])


def _other(value: dict[str, object]) -> str:
    """The key that says that an object is no locale, or "".

    >>> _other({"name": "mine", "version": "1.0"}), _other({"name": "Name", "version": "Version"})
    ('version', '')
    """
    if "compilerOptions" in value or value.get("type") == "FeatureCollection":
        return "compilerOptions" if "compilerOptions" in value else "type"
    return next((key for key in _VERSIONED if key in value and str(value[key])[:1].isdigit()), "")


def parse_json(text: str, name: str) -> Any:
    """The value of a text that is JSON; DataError with the place where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(
            f"{name}, {place}: expected JSON, received what is none ({error.msg}). Mend it there"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{name}: expected JSON, received what is too deep or has a number too long") from error


class JsonLocale(Slots):
    """A JSON file of texts under keys. Raises DataError where it is none."""

    holds = "a JSON object with texts under keys"

    def slots(self) -> list[Slot]:
        value = parse_json(self.text, self.name)
        if not isinstance(value, dict):
            raise DataError(
                f"{self.name}: expected {self.holds}, received a list or a single value. Give a locale file"
            )
        if other := _other(value):
            raise DataError(
                f"{self.name}: expected {self.holds}, received settings or other data (with {other} at the top). "
                "Give a locale file"
            )
        # Where every letter is ASCII and others are escaped, answers are escaped as well.
        ascii_only = self.text.isascii() and "\\u" in self.text
        found = []
        for start, end, path in self._values():
            text = str(json.loads(self.text[start:end]))
            if worded(text) and not any(key.startswith("@") for key in path):
                found.append(
                    Slot(start, end, text, lambda answer: json.dumps(plain_line(answer), ensure_ascii=ascii_only))
                )
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received no text in it. Give a locale file")
        return found

    def _values(self) -> Iterator[tuple[int, int, list[str]]]:
        """Where the strings are that are values: (start, end, the keys that lead there)."""
        inside: list[str] = []  # of the brackets around us
        path: list[str] = []
        key = ""
        values: list[tuple[int, int, list[str]]] = []
        objects: list[int] = []  # where the values of the objects around us begin
        expects_key = False
        for match in _TOKEN.finditer(self.text):
            token = match[0]
            if token in "{[":
                inside.append(token)
                path.append(key)
                objects.append(len(values))
                key, expects_key = "", token == "{"
                if len(inside) > _DEPTH:
                    raise self.error(
                        match.start(), f"more than {_DEPTH} objects within each other", "Is it a locale file?"
                    )
            elif token in "}]":
                inside.pop()
                path.pop()
                first = objects.pop()
                here = [v for v in values[first:] if len(v[2]) == len(path) + 1 + 1 and v[2][-1] in _MESSAGES]
                if token == "}" and here and path:
                    values[first:] = here
                expects_key = False
            elif token == ",":
                expects_key = inside[-1:] == ["{"]
            elif token == ":":
                expects_key = False
            elif expects_key:
                key = str(json.loads(token))
            else:
                values.append((match.start(), match.end(), [*path, key]))
        yield from values

    def render(self, answers: Sequence[str | None]) -> bytes:
        """See `Slots`; a file that says its language (`@@locale` of ARB) says the new one."""
        own = _LOCALE.search(self.text) if self.language else None
        if not own or all(answer in (None, slot.text) for slot, answer in zip(self.found, answers, strict=True)):
            return super().render(answers)
        place = Slot(own.start("code"), own.end("code"), "")
        both = sorted([*zip(self.found, answers, strict=True), (place, self.language)], key=lambda one: one[0].start)
        found, self.found = self.found, [slot for slot, _ in both]
        try:
            return super().render([answer for _, answer in both])
        finally:
            self.found = found
