"""How common the words of a short text are in the languages that are translated: "Merci" is French, "Hello" is English.

>>> found = log_likelihoods("Hello")
>>> max(found, key=found.get)
'en'

The net that tells languages reads letters, and of one or two words there are too few. The list was counted by
`python -m recipes.languages.common_words`.
"""

import math
from functools import cache
from pathlib import Path

from lamella.data.text.lazy import lazy

STEP = math.log(2) / 2  # what a letter of the list stands for, in nats
_WORD = lazy(r"[^\W\d_]+")


@cache
def _read() -> tuple[list[str], bytes]:
    """The languages, and the lines of the list."""
    first, _, rest = Path(__file__).with_name("common-words.tsv").read_bytes().partition(b"\n")
    return first[2:].decode().split(), b"\n" + rest


def steps(word: str) -> dict[str, int]:
    """Language -> how common a word in small letters is, in steps; empty for a word that is not in the list.

    >>> steps("hello")["en"] > steps("hello")["fr"], steps("xyzzy")
    (True, {})
    """
    languages, lines = _read()
    # Searched and not parsed: a short text has a few words, the list 15,000.
    at = lines.find(b"\n" + (key := word.encode(errors="replace")) + b"\t")
    start = at + len(key) + 2
    return {} if at < 0 else dict(zip(languages, (b - 65 for b in lines[start : start + len(languages)]), strict=True))


def log_likelihoods(text: str) -> dict[str, float]:
    """Language -> the log-likelihood of the text's words, up to a constant that all languages share; zeros where none is known.

    A word counts once in a million words more than it was counted (Laplace).
    """
    found = dict.fromkeys(_read()[0], 0.0)
    for word in words_of(text):
        for code, count in steps(word).items():
            found[code] += STEP * count
    return found


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without digits.

    >>> words_of("Il a 3 chats !")
    ['il', 'a', 'chats']
    """
    return _WORD.findall(text.lower())
