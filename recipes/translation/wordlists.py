"""Read lists of words with their translations: names of the CLDR, dictionaries in four formats.

Used by `words.py`. Each reader yields English and the other language.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipes.translation.repositories.segments import is_traditional

COUNTED = (2, 3, 5, 10, 20)  # numbers that patterns are filled with
LONGEST = 4  # words of an entry
WEEKDAYS = frozenset({"sun", "mon", "tue", "wed", "thu", "fri", "sat"})

_BRACES = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|/[^/]*/")
_PARENTHESES = re.compile(r"\([^()]*\)")


def _load(path: Path) -> dict[str, Any]:
    """A file of the CLDR below its language's name."""
    tree = json.loads(path.read_text(encoding="utf-8"))
    main: dict[str, Any] = next(iter(tree["main"].values())) if "main" in tree else tree
    return main


def _file(root: Path, package: str, lang: str, name: str) -> Path | None:
    return next(iter(sorted((root / package).rglob(f"{lang}/{name}"))), None)


def _both(root: Path, package: str, lang: str, name: str) -> list[dict[str, Any]]:
    """A file in English and in the language; nothing where one of them is missing."""
    paths = [_file(root, package, code, name) for code in ("en", lang)]
    return [_load(path) for path in paths if path] if all(paths) else []


def dates(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Months, days, yesterday and tomorrow, "in 3 days", "2 weeks ago"."""
    calendars = _both(root, "cldr-dates-full", lang, "ca-gregorian.json")
    if calendars:
        sides = [tree["dates"]["calendars"]["gregorian"] for tree in calendars]
        for part in ("months", "days"):
            names = [side[part]["stand-alone"]["wide"] for side in sides]
            yield from ((text, names[1][place]) for place, text in names[0].items() if place in names[1])
    fields = _both(root, "cldr-dates-full", lang, "dateFields.json")
    if fields:
        left, right = (tree["dates"]["fields"] for tree in fields)
        for name, field in left.items():
            if "-" in name or name not in right:  # "day-short": abbreviations
                continue
            weekday = name in WEEKDAYS  # nobody says "in 5 Sundays"
            for place, text in field.items():
                other = right[name].get(place)
                if (
                    isinstance(text, str)
                    and isinstance(other, str)
                    and (place == "displayName" or "relative-" in place)
                ):
                    yield text, other
                elif isinstance(text, dict) and isinstance(other, dict) and not weekday:
                    yield from _counted(text, other, "relativeTimePattern-count-")


def _counted(left: dict[str, str], right: dict[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """Patterns for one and for more, filled with numbers."""
    more = right.get(f"{prefix}other", "")
    one = right.get(f"{prefix}one", more)
    if f"{prefix}one" in left and one:
        yield left[f"{prefix}one"].replace("{0}", "1"), one.replace("{0}", "1")
    if f"{prefix}other" in left and more:
        for number in COUNTED if "°" not in more else ():
            yield left[f"{prefix}other"].replace("{0}", str(number)), more.replace("{0}", str(number))


def units(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Units by their names and with numbers: kilometre, 5 kilometres."""
    trees = _both(root, "cldr-units-full", lang, "units.json")
    if not trees:
        return
    left, right = (tree["units"]["long"] for tree in trees)
    for name, unit in left.items():
        other = right.get(name, {})
        if re.match(r"(?:10p|1024p|power|per|times|coordinate)", name) or not isinstance(unit, dict):
            continue  # prefixes and parts of units
        if "displayName" in unit and "displayName" in other:
            yield unit["displayName"], other["displayName"]
        yield from _counted(unit, other, "unitPattern-count-")


def names(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """Countries, languages and scripts."""
    for name in ("territories.json", "languages.json", "scripts.json"):
        trees = _both(root, "cldr-localenames-full", lang, name)
        if trees:
            left, right = (next(iter(tree["localeDisplayNames"].values())) for tree in trees)
            for place, text in left.items():
                if "-alt-" not in place and place in right and text != place:
                    yield text, right[place]


def pictures(root: Path, lang: str) -> Iterator[tuple[str, str]]:
    """What emoji show: animals, food, things, activities."""
    trees = _both(root, "cldr-annotations-full", lang, "annotations.json")
    if trees:
        left, right = (tree["annotations"]["annotations"] for tree in trees)
        for sign, entry in left.items():
            texts = [e.get("tts", [""])[0] for e in (entry, right.get(sign, {}))]
            if all(texts):
                yield texts[0], texts[1]


def bare(text: str) -> str:
    """An entry of a dictionary without labels, genders, pronunciations and remarks."""
    text = _PARENTHESES.sub("", _BRACES.sub("", text))
    return re.sub(r"\s+", " ", text).strip(" ,;.:")


def _fits(english: str, other: str) -> bool:
    return bool(english and other) and max(len(english.split()), len(other.split())) <= LONGEST and ":" not in english


def wiktionary(text: str, forwards: bool, chinese: bool = False) -> Iterator[tuple[str, str]]:
    """A dictionary of lines `word {kind} (sense) :: translation, translation`; English first if `forwards`.

    The first two translations of each sense are read, senses in their order; verbs keep their "to".
    """
    for line in text.split("\n"):
        left, mark, right = line.partition(" :: ")
        if line.startswith("#") or not mark or " SEE: " in left or re.search(r"\b(?:form|plural|feminine) of\b", right):
            continue
        word = bare(left)
        if "{v" in left and forwards and not word.startswith("to "):
            word = f"to {word}"
        parts = [bare(part) for part in re.split(r"[,;](?![^(]*\))", _BRACES.sub("", right))]
        parts = [part for part in parts if part and not (chinese and (is_traditional(part) or not _is_chinese(part)))]
        for part in parts[:2]:
            pair = (word, part) if forwards else (part, word)
            if _fits(*pair):
                yield pair


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


_CEDICT = re.compile(r"^(\S+) (\S+) \[[^\]]*\] /(.+)/\s*$")
_REMARK = re.compile(
    r"^(?:surname|variant|old variant|used in|see |also |abbr\.|CL:|erhua|Japanese|Taiwan|\(.*\)$)|\bpr\.|\[|\|"
)


def cedict(text: str) -> Iterator[tuple[str, str]]:
    """CC-CEDICT: `traditional simplified [pinyin] /gloss/gloss/`; the first two glosses that are no remarks."""
    for line in text.split("\n"):
        match = _CEDICT.match(line)
        if not match:
            continue
        glosses = [part.strip() for g in match[3].split("/") if not _REMARK.search(g) for part in bare(g).split(";")]
        for gloss in [g for g in glosses if g][:2]:
            if _fits(gloss, match[2]) and _is_chinese(match[2]) and len(match[2]) > 1:  # single ones: mostly rare
                yield gloss, match[2]


_ENTRY = re.compile(r"<e\b([^>]*)>\s*<p>\s*<l>(.*?)</l>\s*<r>(.*?)</r>\s*</p>", re.DOTALL)


def apertium(text: str, english_first: bool) -> Iterator[tuple[str, str]]:
    """A bilingual dictionary of Apertium: nouns, adjectives, adverbs, verbs, names; entries of both directions alone."""
    for attributes, left, right in _ENTRY.findall(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)):
        kind = re.search(r'<s n="(n|adj|adv|vblex|np)"', left)
        if not kind or re.search(r'\br="', attributes):
            continue
        sides = [re.sub(r"<[^>]*>", "", re.sub(r"<b/>", " ", side)).strip() for side in (left, right)]
        english, other = sides if english_first else sides[::-1]
        if _fits(english, other):
            yield (f"to {english}" if kind[1] == "vblex" else english), other


def geography(text: str, lang: str) -> Iterator[tuple[str, str]]:
    """A table of names with columns `NAME` and `NAME:LANG`."""
    for row in csv.DictReader(io.StringIO(text)):
        for name, value in row.items():
            other = row.get(f"{name}:{lang}") or ""
            if name and ":" not in name and isinstance(value, str) and value and other and "<" not in value + other:
                yield value.strip(), bare(other.replace("（", "(").replace("）", ")"))
