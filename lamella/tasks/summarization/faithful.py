"""Whether a summary says what its text says, as far as that can be seen: its numbers and names must stand there.

>>> unsupported("Version 2.4 of Krita", "Krita is a program for painting. Version 2.3 is out.")
['2.4']
"""

import math
import re

# A word, with what belongs inside of it: 2.4, C++, X11, state-of-the-art, O'Neill.
_WORD = re.compile(r"[^\W_]+(?:[.,:'’/\-_][^\W_]+)*[+#]*")
_PART = re.compile(r"[^\W_]+")
_JOINT = re.compile(r"[:'’/\-_]")  # between words that could also stand alone, as the point in 2.4 could not
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,'’]\d{3})+")
LONGEST = 8  # parts of a version
SURE = 3.0  # how much likelier the better of two candidates is, over what their mean log-probabilities say


def unsupported(answer: str, source: str) -> list[str]:
    """The numbers and names of an answer that its source does not have, in their order.

    A number is a word with a digit. A name is a word with a capital, unless it is the first and has no other capital: a
    sentence begins with one. Letters' case does not count, and a name may be a part of a longer word of the source or have
    an ending more than a word there: Debian's, GNOME-based.

    >>> unsupported("Opens at 9 on Monday", "On MONDAY, it opens at 9.")
    []
    >>> unsupported("Tools for GNOME", "Tools for the KDE desktop.")
    ['GNOME']
    """
    words = [_plain(word) for word in _WORD.findall(source)]
    whole = {
        *words,
        *(part for word in words for part in _JOINT.split(word)),
        *(p for w in words for p in _beginnings(w)),
    }
    parts = {part for word in words for part in _PART.findall(word)}
    missing = []
    for at, word in enumerate(_WORD.findall(answer)):
        plain = _plain(word)
        number = any(char.isdigit() for char in word)
        name = any(char.isupper() for char in (word[1:] if at == 0 else word))
        if not (number or name) or plain in whole or all(part in whole for part in _JOINT.split(plain)):
            continue
        if number or not (plain in parts or _known(plain, parts)):
            missing.append(word)
    return missing


def _plain(word: str) -> str:
    """A word in small letters, a large number without marks between its thousands.

    >>> _plain("10,000"), _plain("2.4")
    ('10000', '2.4')
    """
    return re.sub(r"\D", "", word) if _THOUSANDS.fullmatch(word) else word.casefold()


def _beginnings(word: str) -> list[str]:
    """What a version is a part of: Python 3.11 is Python 3.

    >>> _beginnings("3.11.2")
    ['3', '3.11']
    """
    parts = word.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))] if len(parts) <= LONGEST else []


def _known(word: str, parts: set[str]) -> bool:
    """Whether a name has only another ending than a word of the source: 4 letters at least, and two differ at most."""
    least = max(4, len(word) - 2)
    return len(word) >= 4 and any(part[:least] == word[:least] and len(part) <= len(word) + 2 for part in parts)


def choose(candidates: list[tuple[str, float]], source: str, words: int, faithful: bool) -> str | None:
    """The best of the candidates (text, score), None where none may be given.

    words: how many words are wanted, 0: any number. A candidate a fifth away from it costs nothing, one further off comes
    after those that are nearer. faithful: candidates with unsupported numbers and names are left out.

    >>> choose([("Krita 5", -0.1), ("Krita paints", -0.2)], "Krita is for painting.", 0, True)
    'Krita paints'
    """
    if faithful:
        candidates = [one for one in candidates if not unsupported(one[0], source)]
    if not candidates:
        return None

    def off(text: str) -> int:
        away = abs(len(text.split()) - words)
        return max(0, away - words // 5) if words else 0

    return min(candidates, key=lambda one: (off(one[0]), -one[1]))[0]


def agreed(candidates: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The candidates (text, score) with another score: how many words each shares with what the others say, in order.

    A summary is as good as the words that it shares with the one that is wanted, and what is wanted is as likely as the net finds it:
    so of all candidates that is taken which is nearest to all of them, each with its probability (minimum Bayes risk; Kumar
    and Byrne, 2004).

    >>> agreed([("a tool", -1.0), ("editor for text", -1.1), ("fast editor for text", -1.1)])[2][1] > 0.5
    True
    """
    words = [[plain for word in _WORD.findall(text) if (plain := _plain(word))] for text, _ in candidates]
    best = max((score for _, score in candidates), default=0.0)
    shares = [math.exp(SURE * (score - best)) for _, score in candidates]
    found = []
    for (text, _), mine in zip(candidates, words, strict=True):
        gains = [
            share * 2 * _common(mine, theirs) / max(1, len(mine) + len(theirs))
            for share, theirs in zip(shares, words, strict=True)
        ]
        found.append((text, sum(gains) / sum(shares)))
    return found


def _common(one: list[str], other: list[str]) -> int:
    """How many words two texts have in common in the same order.

    >>> _common(["a", "b", "c"], ["b", "c", "a"])
    2
    """
    counts = [0] * (len(other) + 1)
    for word in one:
        left = 0
        for at, theirs in enumerate(other, 1):
            left, counts[at] = counts[at], left + 1 if word == theirs else max(counts[at], counts[at - 1])
    return counts[-1]
