"""Dates on their way: the little word before one, `1er` in French, and keys of a keyboard that are pressed together.

What a net has seen beside a date of words it does not know beside one of digits: `sur 03/11/2022`, `auf 1. Juli`.

>>> dated("Born on 1 July 1990.", "Né sur 1 juillet 1990.", "en", "fr"), dated("It rained on 03/11/2022.", "Es regnete auf 03/11/2022.", "en", "de")
('Né le 1er juillet 1990.', 'Es regnete am 03/11/2022.')
>>> dated("on 1 July 2023", "en 1 julio 2023", "en", "es"), dated("He relies on May 3.", "Er setzt auf den 3. Mai.", "en", "fr")
('el 1 de julio de 2023', 'Er setzt auf den 3. Mai.')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span

_DIGITS = r"[0-9]{1,4}(?P<mark>[./-])[0-9]{1,2}(?P=mark)[0-9]{2,4}(?![0-9])"
_MONTHS = {
    "en": "January|February|March|April|May|June|July|August|September|October|November|December",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "de": "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
}
_ENGLISH = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS['en']})|(?:{_MONTHS['en']}) [0-9]{{1,2}}(?![0-9]))"
_ON = lazy(rf"(?<!\w)(?:on|On|ON) (?:the )?(?:{_ENGLISH}|{_DIGITS})")
# What stands before a date on which something is, and what a net writes for it.
_BEFORE = {
    "fr": ("le", "(?:sur|en|à|dans|au)(?: le)?"), "de": ("am", "(?:auf|an|in|um|zu|bei)(?: de[mn])?"),
    "es": ("el", "(?:en|sobre|a)(?: el)?|al"),
}  # fmt: skip


@cache
def _written(dst: str) -> re.Pattern[str]:
    """A date of the target language with what a net writes before it for `on`."""
    date = rf"[0-9]{{1,2}}(?:er|\.|º)? (?:de )?(?:{_MONTHS[dst]})(?!\w)"
    return re.compile(rf"(?<!\w)(?:{_BEFORE[dst][1]}) (?P<date>{date}|{_DIGITS})", re.IGNORECASE)


def dated(source: str, answer: str, src: str, dst: str) -> str:
    """An answer with the word before a date that its language has there, where an English source has `on`."""
    found = len(_ON.findall(source)) if src == "en" and dst in _BEFORE and re.search("[0-9]", source) else 0
    if not found:
        return answer

    def set_right(match: re.Match[str]) -> str:
        word = _BEFORE[dst][0]
        return f"{word.capitalize() if match[0][0].isupper() else word} {match['date']}"

    if len(_written(dst).findall(answer)) <= found:
        answer = _written(dst).sub(set_right, answer)
    if dst == "fr":
        answer = re.sub(rf"(?<=\ble )1 (?={_MONTHS['fr']})", "1er ", answer)
    if dst == "es":
        answer = re.sub(rf"(?<=\bel )([0-9]{{1,2}}) (?=(?:{_MONTHS['es']})\b)", r"\1 de ", answer)
        answer = re.sub(rf"(?<=[0-9] de )({_MONTHS['es']}) (?=[12][0-9]{{3}}\b)", r"\1 de ", answer)
    return answer


_KEY = "Ctrl|Control|Strg|Alt|AltGr|Shift|Maj|Umschalt|Mayús|Cmd|Command|Super|Meta|Win|Fn"
_KEYS = lazy(rf"(?<![\w+-])(?:{_KEY})(?: ?[+-] ?\w+)*? ?[+-] ?(?P<last>[A-Z0-9]|F1?[0-9])(?!\w)")


def keys(source: str) -> list[Span]:
    """Where a text has keys that are pressed together: their names are no names.

    >>> keys("Press Ctrl+Shift+P or F5.")
    [(6, 18)]
    """
    named = ("+" in source or "-" in source) and any(key in source for key in _KEY.split("|"))
    return [match.span() for match in _KEYS.finditer(source)] if named else []


def keys_lost(source: str, answer: str, taken: Sequence[Span]) -> list[Span]:
    """Where a source has keys that are pressed together and an answer has no such with the same last one.

    >>> keys_lost("Press Ctrl+Shift+P.", "Drücken Sie Strg+Umschalt+Palette.", []), keys_lost("Press Ctrl+P.", "Drücken Sie Strg+P.", [])
    ([(6, 18)], [])
    """
    found = [one for one in keys(source) if not any(a < one[1] and one[0] < b for a, b in taken)]
    theirs = [match["last"] for match in _KEYS.finditer(answer)] if found else []
    return [(a, b) for a, b in found if re.split("[+ -]+", source[a:b])[-1] not in theirs]
