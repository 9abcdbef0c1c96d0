"""Texts that correspond -> sentences that correspond, and what makes a pair worth keeping.

A paragraph is split into sentences only where both sides have the same number of them, each of a sane length; else it
stays whole, if it is not too long. The rules of `clean.py` come afterwards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from recipes.translation import normalise
from recipes.translation.clean import judge, prepare
from recipes.translation.common import Pair

SHORTEST, LONGEST = 3, 60  # English words
SAME_TEMPLATE = 6  # pairs of a source that differ in numbers, names and quoted words alone
SAME_BEGINNING = 60  # pairs of a source whose first four English words are the same
COPIES = 4  # pairs of one language that share an English text exactly; `clean.py` takes the three most frequent

# A stop, with the quotes and brackets that close after it, then blanks and what a sentence begins with.
_END = re.compile(r"(?<=[.!?…])(?P<close>[\"'”’»)\]]*|\s[»])\s+(?=[\"'“‘«„¿¡(\[—–-]*\s?(?:[A-ZÀ-ÖØ-ÞŒ]|\d))")
_END_CHINESE = re.compile(r"(?<=[。！？…])(?P<close>[”’」』）]*)\s*(?=[^。！？…”’」』）\s])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'«])(?:(?:[A-Za-zÀ-ÿ]\.)*[A-Za-zÀ-ÿ]|EE|UU|Mr|Mrs|Ms|Dr|St|Mme|Mlle|MM|Sr|Sra|Srta|Ud|Uds|Vd|Prof|Hr|Fr|Nr|No|Art|Fig|Abb|Kap|Bd|Tab|Eq"
    r"|ca|bzw|usw|etc|vs|cf|approx|e\.g|i\.e|z\.B|d\.h|u\.a|p\.ej|p\. ex|ex|ej|vol|chap|cap|pág|págs|núm|Inc|Ltd|Co)\.$"
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'-]*|\"[^\".!?]{1,30}\"|%\w+|\{[^}]*\}|\d+")


def sentences(text: str, lang: str) -> list[str]:
    """The sentences of a paragraph.

    >>> sentences("Mr. Fogg left. It was ten o'clock!", "en"), sentences("他走了。现在十点！", "zh")
    (['Mr. Fogg left.', "It was ten o'clock!"], ['他走了。', '现在十点！'])
    """
    pattern = _END_CHINESE if lang.startswith("zh") else _END
    result, start = [], 0
    for match in pattern.finditer(text):
        part = text[start : match.end("close")]
        if not _ABBREVIATION.search(text[start : match.start()]) or match["close"]:
            result.append(part.strip())
            start = match.end()
    return [part for part in [*result, text[start:].strip()] if part]


def size(text: str, lang: str) -> int:
    """The length in letters of a Latin script: a Chinese character says about as much as four of them."""
    han = len(_HAN.findall(text)) if lang.startswith("zh") else 0
    return len(text) + 3 * han


def split(source: str, target: str, lang: str) -> list[tuple[str, str]]:
    """A paragraph and its translation as sentences, or as it is where they do not correspond."""
    sides = sentences(source, "en"), sentences(target, lang)
    if len(sides[0]) == len(sides[1]) > 1:
        parts = list(zip(*sides, strict=True))
        if all(0.4 < (size(b, lang) + 8) / (len(a) + 8) < 2.5 for a, b in parts):
            return parts
    return [(source, target)]


def is_traditional(text: str) -> bool:
    """Whether a Chinese text has characters that only the traditional script uses: in Big5, and not in GB 2312."""
    count = 0
    for character in set(_HAN.findall(text)):
        try:
            character.encode("gb2312")
        except UnicodeEncodeError:
            try:
                character.encode("big5")
                count += 1
            except UnicodeEncodeError:
                pass
    return count >= 2 or (count == 1 and len(_HAN.findall(text)) < 10)


def fault(pair: Pair, lang: str, whole: bool) -> str:
    """Why a pair is not kept, or an empty text; `whole` asks for whole sentences without placeholders."""
    count = len(pair.source.split())
    names = pair.kind in ("names", "words")
    if not names and not SHORTEST <= count <= LONGEST:
        return "too short or too long"
    if whole and (count < 4 or pair.source[-1] not in ".!?\"'" or "%" in pair.source or "%" in pair.target):
        return "no whole sentence"
    if lang.startswith("zh"):
        han = len(_HAN.findall(pair.target))
        if not han:
            return "no Chinese"
        if is_traditional(pair.target):
            return "traditional script"
    if "__" in pair.source:
        return "a blank to fill in"
    numbers = [Counter(_NUMBER.findall(text)) for text in (pair.source, pair.target)]
    long_ones = [{n for n in side if len(n) > 2 and n.isdigit()} for side in numbers]
    if long_ones[0] != long_ones[1] and not (long_ones[0] & long_ones[1]) and min(map(len, long_ones)):
        return "other numbers"
    return judge(pair, "zh_CN" if lang.startswith("zh") else lang)


def template(text: str) -> str:
    """A text without what varies between messages that are made alike: numbers, names, quoted words."""
    return _NAME.sub("#", text).lower()


def clean(rows: Iterable[Pair], lang: str, whole: bool, dropped: Counter[str]) -> Iterator[Pair]:
    """The pairs of one source that are worth keeping, split into sentences, each once; `dropped` counts the others."""
    seen: set[tuple[str, str]] = set()
    copies, alike, begun = Counter[str](), Counter[str](), Counter[str]()
    for raw in rows:
        lines = list(prepare(raw, "zh_CN" if lang.startswith("zh") else lang))
        if not lines:
            dropped["lines differ"] += 1
        for line in lines:
            for source, target in split(line.source, line.target, lang):
                pair = Pair(raw.kind, raw.package, *normalise.trim(source, target))
                reason = fault(pair, lang, whole)
                sides = normalise.key(pair.source), normalise.key(pair.target)
                if not reason and (sides in seen or copies[sides[0]] >= COPIES):
                    reason = "duplicate"
                names = pair.kind in ("names", "words")
                pattern, beginning = template(pair.source), " ".join(pair.source.lower().split()[:4])
                if not reason and not names and (alike[pattern] >= SAME_TEMPLATE or begun[beginning] >= SAME_BEGINNING):
                    reason = "repeated template"
                if reason:
                    dropped[reason] += 1
                    continue
                seen.add(sides)
                copies[sides[0]] += 1
                alike[pattern] += 1
                begun[beginning] += 1
                yield pair
