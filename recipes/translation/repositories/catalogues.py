"""Catalogues of messages: a text by its key, in an English file and in another, or both in one gettext file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import polib
from defusedxml import ElementTree

from recipes.translation.repositories.clone import Clone, Files, Library, Reader, Row, decode, matched
from recipes.translation.repositories.markdown import plain
from recipes.translation.repositories.yaml_text import read_yaml

_PROPERTY = re.compile(r"^[ \t]*(?![#!])((?:[^=:\s\\]|\\.)+)[ \t]*[=:]?[ \t]*((?:[^\n\\]|\\(?:.|\n))*)$", re.MULTILINE)
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_MESSAGE = re.compile(r"^([A-Za-z][\w-]*)[ \t]*=[ \t]*(.*(?:\n(?:[ \t]+.*|[ \t]*(?=\n[ \t])))*)", re.MULTILINE)
_TERM = re.compile(r"^-([a-z][\w-]*)[ \t]*=[ \t]*(.+)$", re.MULTILINE)
_PLACEABLE = re.compile(r"\{\s*-([a-z][\w-]*)(?:\([^)]*\))?\s*\}")
_LITERAL = re.compile(r"\{\s*\"([^\"]*)\"\s*\}")
_ATTRIBUTE = re.compile(r"\n[ \t]+\.[\w-]+[ \t]*=.*", re.DOTALL)


def read_json(text: str) -> dict[str, str]:
    """Every text of a JSON file by its place; an object `{"string": TEXT}` or `{"message": TEXT}` counts as its text."""
    found: dict[str, str] = {}

    def walk(tree: Any, place: str) -> None:
        if isinstance(tree, dict):
            for key, value in tree.items():
                if key not in ("@metadata", "description"):
                    walk(value, f"{place}\0{key}")
        elif isinstance(tree, list):
            for number, value in enumerate(tree):
                walk(value, f"{place}\0{number}")
        elif isinstance(tree, str):
            found[place] = tree

    walk(json.loads(text), "")
    return found


def read_properties(text: str) -> dict[str, str]:
    """A Java properties file: `key=text`, with `\\` at the end of a line that goes on."""
    found = {}
    for key, value in _PROPERTY.findall(text):
        value = re.sub(r"\\\n[ \t]*", "", value)
        value = _UNICODE.sub(lambda m: chr(int(m[1], 16)), value)
        found[key] = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": " "}.get(m[1], m[1]), value).strip()
    return found


def read_fluent(text: str) -> dict[str, str]:
    """The messages of a Fluent file, without attributes; those with selectors are left out."""
    terms = {name: value.strip() for name, value in _TERM.findall(text) if "{" not in value}
    found = {}
    for key, value in _MESSAGE.findall(text):
        value = re.sub(r"\s*\n\s*", " ", _ATTRIBUTE.sub("", value)).strip()
        if "->" in value:
            continue
        value = _LITERAL.sub(r"\1", value)
        # A brand's name is a term in a file of its own: the last part of the term's name reads like it.
        value = _PLACEABLE.sub(
            lambda m: terms.get(m[1], m[1].removeprefix("brand-name-").replace("-", " ").title()), value
        )
        found[key] = re.sub(r"\{\s*\$?([\w-]+)\s*\}", r"{\1}", value)
    return found


def read_lang(text: str) -> dict[str, str]:
    """Mozilla's .lang files: `;English`, then the translation on the next line; the English itself if there is none."""
    found, source = {}, ""
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith(";"):
            source = line[1:].strip()
        elif line and not line.startswith("#") and source:
            found[source] = re.sub(r"\s*\{ok\}\s*$", "", line)
            source = ""
    return found


def read_android(text: str) -> dict[str, str]:
    """The strings of an Android resource file, plurals by their quantity."""
    found = {}
    for element in ElementTree.fromstring(text.encode()):
        if element.get("translatable") != "false" and element.tag == "string":
            found[element.get("name", "")] = "".join(element.itertext())
        elif element.tag == "plurals":
            for item in element:
                found[f"{element.get('name')}.{item.get('quantity')}"] = "".join(item.itertext())
    return {
        k: re.sub(r"\\(.)", lambda m: {"n": "\n", "t": " "}.get(m[1], m[1]), t).strip('"') for k, t in found.items()
    }


FORMATS: dict[str, Callable[[str], dict[str, str]]] = {
    "json": read_json,
    "properties": read_properties,
    "fluent": read_fluent,
    "yaml": read_yaml,
    "android": read_android,
}


def _without_root(texts: dict[str, str], codes: tuple[str, ...]) -> dict[str, str]:
    """Keys joined with dots, without the language's own code in front, which some files have."""
    pattern = re.compile(rf"^(?:{'|'.join(map(re.escape, codes))})\.")
    return {pattern.sub("", key.replace("\0", ".").lstrip(".")): text for key, text in texts.items()}


def keyed(
    repository: str,
    format: str,
    english: str,
    other: str,
    revisions: dict[str, str] | None = None,
    without: str = r"$^",
) -> Reader:
    """Files of texts by key; `other` is the path of a translation, with `{lang}` and the groups of `english`.

    `format` is one of FORMATS, or two where the English file has another; `revisions` gives those of some languages.
    `without` is of keys that are left out.
    """

    def read(library: Library, code: str) -> Iterator[Row]:
        files = library.open(repository, (revisions or {}).get(code, (revisions or {}).get("", "")))
        parse, parse_other = FORMATS[format.split()[0]], FORMATS[format.split()[-1]]
        for path, left, right in matched(files, english, other.replace("{lang}", code)):
            try:
                sides = _without_root(parse(decode(left)), ("en",)), _without_root(parse_other(decode(right)), (code,))
            except (ValueError, ElementTree.ParseError) as error:
                print(f"{repository}/{path}: {error}", flush=True)
                continue
            for key, text in sides[0].items():
                if key in sides[1] and not re.search(without, key):
                    yield path, plain(text), plain(sides[1][key])

    return read


def self_keyed(repository: str, pattern: str, read_file: Callable[[str], dict[str, str]]) -> Reader:
    """Files whose keys are the English texts themselves; `pattern` is of the translations' paths, with `{lang}`."""

    def read(library: Library, code: str) -> Iterator[Row]:
        files = library.open(repository)
        paths = [path for path in files.paths() if re.fullmatch(pattern.replace("{lang}", re.escape(code)), path)]
        for path, data in files.read(paths).items():
            texts = read_file(decode(data))
            yield from ((path, plain(key.rpartition("\0")[2]), plain(text)) for key, text in texts.items())

    return read


def read_po(text: str) -> Iterator[tuple[str, str]]:
    """The finished messages of a gettext catalogue: neither fuzzy nor obsolete; plurals as singular and plural."""
    for entry in polib.pofile(text):
        if "fuzzy" in entry.flags or entry.obsolete:
            continue
        if entry.msgid_plural:
            forms = [entry.msgstr_plural[index] for index in sorted(entry.msgstr_plural)]
            if len(forms) == 1:  # no singular of its own: the form is that of the plural
                yield entry.msgid_plural, forms[0]
            else:
                yield entry.msgid, forms[0]
                yield entry.msgid_plural, forms[1]
        elif entry.msgstr:
            yield entry.msgid, entry.msgstr


def gettext(
    repository: str, pattern: str, tidy: Callable[[str], str] = plain, revision: str = "", without: str = ""
) -> Reader:
    """Gettext catalogues; `pattern` is of whole paths, with `{lang}`; `without`, of paths that are left out."""

    def read(library: Library, code: str) -> Iterator[Row]:
        files: Files = library.open(repository, revision)
        wanted = re.compile(pattern.replace("{lang}", re.escape(code)))
        paths = [p for p in files.paths() if wanted.fullmatch(p) and not (without and re.search(without, p))]
        step = 20 if isinstance(files, Clone) else len(paths) or 1  # an archive is read through for each call
        for start in range(0, len(paths), step):
            for path, data in files.read(paths[start : start + step]).items():
                try:
                    for source, target in read_po(decode(data)):
                        yield path, tidy(source), tidy(target)
                except (OSError, ValueError) as error:
                    print(f"{repository}/{path}: {error}", flush=True)

    return read
