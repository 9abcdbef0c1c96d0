"""Noise in texts: slips of the fingers, capitals, accents, slips of a scanner, words that are lost or doubled.

>>> rng = np.random.default_rng
>>> NOISES["capitals"]("Hello there.", 1.0, rng(0)), NOISES["accents"]("déjà vu", 1.0, rng(0))
('HELLO THERE.', 'deja vu')
>>> all(noise("Hello there.", 0.0, rng(0)) == "Hello there." for noise in NOISES.values())
True
"""

import re
import unicodedata
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
# What stands beside a key; letters alone, since a digit changes what is said.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {key: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _ROWS for i, key in enumerate(row)}
# What a scanner takes for something else.
_SCANNED = {
    "rn": "m",
    "m": "rn",
    "l": "1",
    "I": "l",
    "O": "0",
    "e": "c",
    "h": "b",
    "cl": "d",
    "S": "5",
    "vv": "w",
    ",": ".",
}
_PAIRS = re.compile("|".join(sorted(map(re.escape, _SCANNED), key=len, reverse=True)))
TYPOS, SCANS, WORDS = 0.2, 0.5, 0.4  # the share of letters, of such letters, and of words at full strength


def typos(text: str, strength: float, rng: Rng) -> str:
    """Letters that are swapped with the next one, lost, doubled, or replaced by the key beside."""
    draws, kinds = rng.random(len(text)), rng.integers(0, 4, len(text))
    out, at = [], 0
    while at < len(text):
        letter, step = text[at], 1
        if letter.isalpha() and draws[at] < TYPOS * strength:
            beside = _BESIDE.get(letter.lower(), letter)
            following = text[at + 1 : at + 2]
            if kinds[at] == 0 and following.isalpha():
                letter, step = following + letter, 2
            elif kinds[at] == 1:
                letter = ""
            elif kinds[at] == 2:
                letter += letter
            else:
                letter = beside[0].upper() if letter.isupper() else beside[0]
        out.append(letter)
        at += step
    return "".join(out)


def capitals(text: str, strength: float, rng: Rng) -> str:
    """Words in capitals."""
    return _words(text, strength, rng, str.upper)


def small_letters(text: str, strength: float, rng: Rng) -> str:
    """Words without capitals."""
    return _words(text, strength, rng, str.lower)


def accents(text: str, strength: float, rng: Rng) -> str:
    """Letters that lose their accents."""
    draws = rng.random(len(text))
    return "".join(_bare(c) if draw < strength else c for c, draw in zip(text, draws, strict=True))


def scanned(text: str, strength: float, rng: Rng) -> str:
    """Letters that a scanner takes for others: rn for m, 1 for l."""
    draws = rng.random(len(text) + 1)
    return _PAIRS.sub(lambda m: _SCANNED[m[0]] if draws[m.start()] < SCANS * strength else m[0], text)


def lost_words(text: str, strength: float, rng: Rng) -> str:
    """Words that are missing; one stays."""
    words = text.split()
    draws = rng.random(len(words))
    kept = [word for word, draw in zip(words, draws, strict=True) if draw >= WORDS * strength]
    return text if len(kept) == len(words) else " ".join(kept or words[:1])


def doubled_words(text: str, strength: float, rng: Rng) -> str:
    """Words that are written twice."""
    return _words(text, WORDS * strength, rng, lambda word: f"{word} {word}")


def lost_marks(text: str, strength: float, rng: Rng) -> str:
    """Punctuation that is missing."""
    draws = rng.random(len(text))
    pairs = zip(text, draws, strict=True)
    return "".join(c for c, draw in pairs if not (unicodedata.category(c)[0] == "P" and c != "_" and draw < strength))


NOISES: dict[str, Callable[[str, float, Rng], str]] = {
    "typos": typos, "capitals": capitals, "small letters": small_letters, "accents": accents, "scanned": scanned,
    "lost words": lost_words, "doubled words": doubled_words, "lost marks": lost_marks,
}  # fmt: skip


def around(fixed: str, text: str, noise: Callable[[str, float, Rng], str], strength: float, rng: Rng) -> str:
    """Noise in what stands between the places that match a pattern, such as the mask where a word is wanted.

    >>> around("_{3,}", "the ___ sat", capitals, 1.0, np.random.default_rng(0))
    'THE ___ SAT'
    """
    parts, at = [], 0
    for match in [*(re.finditer(fixed, text) if fixed else ()), None]:
        part = text[at : match.start() if match else len(text)]
        inner = part.strip()
        made = noise(inner, strength, rng) if inner else ""
        parts += [part.replace(inner, made, 1) if inner else part, match[0] if match else ""]
        at = match.end() if match else at
    return "".join(parts)


def _words(text: str, strength: float, rng: Rng, change: Callable[[str], str]) -> str:
    parts = re.split(r"(\s+)", text)
    draws = rng.random(len(parts))
    return "".join(change(p) if p.strip() and draw < strength else p for p, draw in zip(parts, draws, strict=True))


def _bare(letter: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c)) or letter
