r"""Apple's plurals (.stringsdict) and string catalogues (.xcstrings).

    >>> text = '<plist><dict><key>n</key><dict><key>one</key><string>%d file</string><key>other</key><string>%d files</string></dict></dict></plist>'
    >>> file = StringsDict(text.encode(), "a.stringsdict", "zh")
    >>> file.segments, file.render(["%d 个文件", "%d 个文件"]).count(b"<key>")
    (['%d file', '%d files'], 2)

A plural gets the categories of the target language (Unicode CLDR); `zero`, which Apple's systems know in every language, stays.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from lamella.data.documents.json_locale import parse_json
from lamella.data.documents.prose import decode_document, encode_as
from lamella.data.documents.resources import XmlSlots, children, gap_before
from lamella.data.documents.slots import Slot, plain_line, worded
from lamella.data.documents.xml_text import Token, escape, unescape
from lamella.data.text.encoding import StrPath
from lamella.data.text.icu import CATEGORIES, fitting
from lamella.data.text.languages import base_code
from lamella.errors import DataError

_DOCTYPE = re.compile(r"<!DOCTYPE\s+plist\s+(?:PUBLIC\s+\"[^\"<>\[]*\"|SYSTEM)\s+\"[^\"<>\[]*\"\s*>")
_VARIABLE = re.compile(r"%(?:\d{1,2}\$)?#@\w{1,60}@|%(?:\d{1,2}\$)?(?:l{0,2}[dufiex]|@)")
_ALWAYS = ("zero",)


class StringsDict(XmlSlots):
    """The plural forms of a .stringsdict, and the sentences that they stand in. Raises DataError where it is none."""

    holds = "a property list of plural forms"

    def body(self) -> str:
        return _DOCTYPE.sub(lambda match: " " * len(match[0]), super().body())  # the only DTD, which is never read

    def texts(self, pieces: list[Token]) -> list[Slot]:
        root = next((token for token in pieces if token.kind == "open"), None)
        if root is None or root.name != "plist":
            raise self.error(0, "another root", "Is it a .stringsdict file?")
        first = next((i for i, token in enumerate(pieces) if token.kind == "open" and token.name == "dict"), None)
        self.at = {token.start: index for index, token in enumerate(pieces)}
        self.pieces = pieces
        return [] if first is None else sorted(self._dict(pieces[first:]), key=lambda one: one.start)

    def _dict(self, pieces: list[Token]) -> Iterator[Slot]:
        inside = children(pieces)
        pairs = [(key, value) for key, value in pairwise(inside) if key[0].name == "key" and value[0].name != "key"]
        names = [unescape(self.text[key[0].end : key[1].start]) for key, _ in pairs]
        stay, lacking = fitting([name for name in names if name in CATEGORIES], self.language, _ALWAYS)
        for name, (key, value) in zip(names, pairs, strict=True):
            if value[0].name == "dict" and value[0].kind == "open":
                first, last = (self.at[token.start] for token in value)
                yield from self._dict(self.pieces[first : last + 1])
            elif (
                value[0].name == "string"
                and value[0].kind == "open"
                and (name in CATEGORIES or name.isdigit() or name == "NSStringLocalizedFormatKey")
            ):
                raw = self.text[value[0].end : value[1].start]
                text = unescape(raw)
                if not worded(_VARIABLE.sub("", text)):
                    continue
                if name not in CATEGORIES or (name in stay and not (name == "other" and lacking)):
                    yield Slot(value[0].end, value[1].start, text, escape)
                    continue
                start = gap_before(self.text, key[0].start)
                write = partial(self._forms, start, key, value, lacking if name in stay else None)
                yield Slot(start, value[1].end, text, write)

    def _forms(
        self, start: int, key: tuple[Token, Token], value: tuple[Token, Token], lacking: list[str] | None, answer: str
    ) -> str:
        """A form with copies for the categories that the source lacks; None for one that the target language has not."""
        if lacking is None:
            return ""
        before, between = self.text[start : key[0].start], self.text[key[1].end : value[0].start]
        form = f"{between}<string>{escape(answer)}</string>"
        return "".join(f"{before}<key>{name}</key>{form}" for name in (*lacking, "other"))


class XcStrings:
    """A string catalogue of Xcode: a localization is added for the target language, for review.

    What has one, and what is marked as not to be translated, stays. Raises DataError for a file that is none.
    """

    holds = 'a string catalogue with "sourceLanguage" and "strings"'

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data:
            raise DataError(f"{name}: expected {self.holds}, received an empty file. Write something into it first")
        self.data, self.name = data, name
        self.text, self.encoding = decode_document(data, name)
        self.value = parse_json(self.text, name)
        strings = self.value.get("strings") if isinstance(self.value, dict) else None
        if not isinstance(strings, dict) or not isinstance(self.value.get("sourceLanguage"), str):
            raise DataError(f"{name}: expected {self.holds}, received other JSON. Is it an .xcstrings file?")
        self.language = _code(target_language, strings)
        self.entries: list[tuple[str, dict[str, Any]]] = []  # keys, and what their localization is made of
        for key, entry in strings.items():
            node = _source(key, entry, self.value["sourceLanguage"], self.language)
            if node and any(worded(_VARIABLE.sub("", unit["value"])) for unit in _units(node)):
                self.entries.append((key, node))
        if not self.entries:
            raise DataError(f"{name}: expected {self.holds}, received no text to translate. Is all of it translated?")
        self.segments = [unit["value"] for _, node in self.entries for unit in _units(node)]
        self.formats = [""] * len(self.segments)

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The catalogue as Xcode writes it. Raises ValueError where there are not as many answers as segments."""
        if len(answers) != len(self.segments):
            raise ValueError(f"expected {len(self.segments)} answers, received {len(answers)}")
        value, remaining, changed = copy.deepcopy(self.value), iter(answers), False
        for key, node in self.entries:
            made = copy.deepcopy(node)
            units = list(_units(made))
            found = [next(remaining) for _ in units]
            if any(answer is None for answer in found) or not self.language:
                continue
            for unit, answer in zip(units, found, strict=True):
                unit.update(state="needs_review", value=plain_line(answer or ""))
            own = value["strings"][key].setdefault("localizations", {})
            own[self.language] = _fitted(made, self.language)
            value["strings"][key]["localizations"] = dict(sorted(own.items()))
            changed = True
        if not changed:
            return self.data
        text = json.dumps(value, ensure_ascii=False, indent=2, separators=(",", " : "))
        text = re.sub(r"^( *)(.*): \{\}(,?)$", r"\1\2: {\n\n\1}\3", text, flags=re.MULTILINE)  # as Xcode writes it
        text += self.text[len(self.text.rstrip()) :]
        return encode_as(text if "\r\n" not in self.text else re.sub(r"\r?\n", "\r\n", text), self.encoding)

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, and how many have no translation."""
        return {"segments": len(self.segments), "kept": sum(answer is None for answer in answers)}


def _code(language: str, strings: dict[str, Any]) -> str:
    """A language as the catalogue names it, or as Apple does."""
    used = {code for entry in strings.values() if isinstance(entry, dict) for code in entry.get("localizations") or ()}
    same = sorted(code for code in used if base_code(code) == base_code(language))
    return (
        language
        if language in used or not language
        else same[0]
        if same
        else "zh-Hans"
        if language == "zh"
        else language
    )


def _source(key: str, entry: Any, source: str, target: str) -> dict[str, Any] | None:
    """What the localization of an entry is made of; None where there is nothing to translate."""
    if not isinstance(entry, dict) or entry.get("shouldTranslate") is False:
        return None
    localizations = entry.get("localizations") or {}
    if not isinstance(localizations, dict):
        return None
    done = localizations.get(target)
    if isinstance(done, dict) and any(unit.get("state") != "new" and unit["value"] for unit in _units(done)):
        return None
    node = localizations.get(source)
    return node if isinstance(node, dict) and list(_units(node)) else {"stringUnit": {"state": "new", "value": key}}


def _units(node: Any) -> Iterator[dict[str, Any]]:
    """The texts of a localization: its own, those of its variations, those of its substitutions."""
    if not isinstance(node, dict):
        return
    unit = node.get("stringUnit")
    if isinstance(unit, dict) and isinstance(unit.get("value"), str):
        yield unit
    for name in ("variations", "substitutions"):
        for part in (node.get(name) or {}).values() if isinstance(node.get(name), dict) else ():
            if name == "substitutions":
                yield from _units(part)
            elif isinstance(part, dict):
                for case in part.values():
                    yield from _units(case)


def _fitted(node: Any, language: str) -> Any:
    """A localization whose plurals have the categories of its language."""
    if not isinstance(node, dict):
        return node
    made = {key: _fitted(value, language) for key, value in node.items()}
    plural = made.get("plural")
    if isinstance(plural, dict) and "other" in plural:
        stay, lacking = fitting(list(plural), language, _ALWAYS)
        forms = {name: plural[name] for name in stay} | {name: copy.deepcopy(plural["other"]) for name in lacking}
        made["plural"] = dict(sorted(forms.items()))
    return made
