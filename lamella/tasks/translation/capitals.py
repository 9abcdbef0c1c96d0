"""Which capitalised words are names where a capital alone says nothing: in German, and at the beginning of a sentence.

>>> [match[0] for match in german_names("Mein Hund Bello traf Frau Schröder und Hans Müller in Göttingen.")]
['Bello', 'Schröder', 'Hans', 'Müller', 'Göttingen']
>>> [match[0] for match in german_names("Eine Tasse Tee mit Milch am Ende der Woche.")]
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lamella.data.text.common_words import steps
from lamella.data.text.lazy import lazy
from lamella.tasks.translation.acronyms import is_known

BIG = "A-ZÀ-ÖØ-Þ" + "".join(letter for letter in map(chr, range(0x100, 0x180)) if letter.isupper())
SMALL = "a-zß-ÿ\u0100-\u017f\u1ea0-\u1eff"  # of words that begin with a capital; Vietnamese ones too
WORD = rf"[{BIG}][{SMALL}]+(?:-(?:[a-z]{{1,5}}-)*[{BIG}][{SMALL}]+)*"  # Anna, Müller-Lüdenscheidt, Aix-en-Provence
_COMMON = 2  # steps from which a word is one that the language uses
_WORD = lazy(rf"(?<![\w@#'’.-]){WORD}(?![\w'’]|-\w)")
# Before a name: a title, a relation, or a preposition, which has no article between it and a name.
_BEFORE = lazy(
    r"(?<!\w)(?:(?P<titled>Herrn?|Frau|Fräulein|Familie|(?:Dr|Prof|Hr|Fr)\.)|(?:Firma|Stadt|Doktor|Professor(?:in)?|Präsident(?:in)?|Kanzler(?:in)?|König(?:in)?|Onkel|Tante|Bruder"
    r"|Schwester|Freund(?:in)?|Kollege|Kollegin|Sankt|St\.)|(?P<weak>in|aus|nach|von|bei|für|mit|an|gegen|ohne))\s$"
)
# Beside what was found to be a name already, and is barred.
_LISTED_AFTER, _LISTED_BEFORE = lazy("\ue001(?: und |, | oder )$"), lazy("(?: und |, | oder )\ue001")
# No article, no number, and nothing that may be an adjective; a comma, or a word that joins a noun to one before it.
_BARE = lazy(
    r"(?:[,\ue000\ue001]|(?<![\w-])(?:oder|über|unter|hinter|gegen|neben|ohne|er|wir"
    r"|(?!(?i:d(?:as|em|en|es)|[ia]m|zum|vom|beim|ins|ans|aufs|[mds]?ein|kein|ihr|euer|viel|mehr|genug|etwas|zwei|drei|vier|fünf|sechs|acht|elf|zwölf"
    r"|[a-zäöüß]*(?:zehn|zig|hundert|tausend))\s)(?:^[A-ZÄÖÜ])?[a-zäöüß]*(?:[^enrsm\W\d_]|[^e\W\d_][nrsm])))\s$"
)
_PLAIN = 10  # steps of frequency from which a word in capitals is a word
_ENDINGS = (
    "ung",
    "ungen",
    "heit",
    "keit",
    "schaft",
    "tion",
    "tionen",
    "ität",
    "ismus",
    "chen",
    "lein",
    "nis",
    "tum",
    "ling",
    "innen",
    "erei",
    "anz",
    "enz",
)
_NOUNS = ("ungen", "heit", "keit", "schaft", "tion", "tionen", "ität", "ismus", "innen", "erei")  # no name ends so
_SHORT = ("tee", "tag", "hof", "bau", "zug", "amt", "uhr", "weg", "rad", "hut", "art", "arm")


def is_common(word: str, language: str) -> bool:
    """Whether a word, in small letters, is among those that a language uses most.

    >>> is_common("yesterday", "en"), is_common("kowalczyk", "en")
    (True, False)
    """
    return steps(word).get(language, 0) >= _COMMON


_LOUD = lazy(r"(?<![\w@#./&'’-])[A-ZÀ-Þ]{3,}(?![\w@/&-]|\.\w|['’]\w)")


def _is_word(counts: Mapping[str, int], language: str) -> bool:
    """Whether a language uses a word often, and not every other one uses it too, as they do USB and PDF."""
    others = [count for code, count in counts.items() if code != language]
    return counts.get(language, 0) >= _PLAIN and not (others and all(others))


def emphasis(text: str, language: str) -> list[re.Match[str]]:
    """The common words of a sentence that are in capitals for emphasis: most of its words are not, and they are no acronyms.

    >>> [match[0] for match in emphasis("You MUST NOT open the USB port of NASA.", "en")], emphasis("DO NOT ENTER", "en")
    (['MUST', 'NOT'], [])
    """
    found = [
        match
        for match in _LOUD.finditer(text)
        if _is_word(steps(match[0].lower()), language) and not is_known(match[0])
    ]
    small = re.findall(r"(?<![\w@#./])[a-zß-ÿ]{2,}(?![\w@])", text) if found else []
    return found if len(found) < len(small) else []


def is_noun(word: str) -> bool:
    """Whether a German word is a noun rather than a name: a common one, made of one, or with the ending of one.

    >>> is_noun("Kamillentee"), is_noun("Schönheit"), is_noun("Schröder")
    (True, True, False)
    """
    small = word.lower()
    if is_common(small, "de") or small.endswith(_ENDINGS):
        return True
    parts = [small[i:] for i in range(3, len(small) - 2)]  # a compound is what its last part is
    return any(part in _SHORT if len(part) == 3 else is_common(part, "de") for part in parts)


def possible_names(text: str, language: str) -> Iterator[tuple[re.Match[str], bool]]:
    """The capitalised words of a text that its language seldom uses, the last first, each with whether it is probably a name.

    In German that is one without article or adjective before it, where a noun seldom stands so.

    >>> [(match[0], likely) for match, likely in possible_names("Gestern kam Adebayo mit dem Kubus.", "de")]
    [('Kubus', False), ('Adebayo', True)]
    """
    words = [
        match
        for match in _WORD.finditer(text)
        if not is_common(match[0].lower(), language) and not (language == "de" and match[0].endswith(_NOUNS))
    ]
    likely = False
    for i, match in reversed(list(enumerate(words))):
        joined = i + 1 < len(words) and text[match.end() : words[i + 1].start()] in (" und ", ", ", " oder ")
        beside = _LISTED_AFTER.search(text, 0, match.start()) or _LISTED_BEFORE.match(text, match.end())
        bare = _BARE.search(text, max(0, match.start() - 30), match.start())
        likely = language == "de" and bool(bare or beside or (joined and likely))
        yield match, likely


def german_names(text: str, titled: bool = False) -> Iterator[re.Match[str]]:
    """The names among the capitalised words of a German text; titled: where each word has a capital, which says nothing.

    >>> [[match[0] for match in german_names("Nicht Ber\u00fchren", titled)] for titled in (False, True)]
    [['Ber\u00fchren'], []]
    """
    words = list(_WORD.finditer(text))
    nouns = [is_noun(match[0]) for match in words]
    found: set[int] = set()
    for i, match in enumerate(words):
        before = _BEFORE.search(text[max(0, match.start() - 16) : match.start()])
        follows = i > 0 and text[words[i - 1].end() : match.start()] == " " and not (titled and nouns[i - 1])
        leads = i + 1 < len(words) and text[match.end() : words[i + 1].start()] == " "
        common = is_common(match[0].lower(), "de") and not (before and before["titled"])
        called = before and not common and not (before["weak"] and nouns[i])
        if called or (not nouns[i] and (follows or (leads and not nouns[i + 1]))):
            found.add(i)
    for i, match in enumerate(words):  # names are listed with names
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(words) and j in found]
        if i not in found and not nouns[i]:
            if _LISTED_AFTER.search(text[: match.start()]) or _LISTED_BEFORE.match(text, match.end()):
                found.add(i)
            gaps = (text[min(words[j].end(), match.end()) : max(words[j].start(), match.start())] for j in beside)
            if any(gap in (" und ", ", ", " oder ") for gap in gaps):
                found.add(i)
    yield from (words[i] for i in sorted(found))
