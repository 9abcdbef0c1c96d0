"""How common the words of a short text are in the languages that are translated: "Merci" is French, "Hello" is English.

>>> found = log_likelihoods("Hello")
>>> max(found, key=found.get)
'en'

The net that tells languages reads letters, and of one or two words there are too few. The list was counted by
`python -m recipes.languages.common_words`.
"""

import math
import re
from functools import cache
from pathlib import Path

STEP = math.log(2) / 2  # what a letter of the list stands for, in nats
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _read() -> tuple[list[str], dict[str, bytes]]:
    """The languages, and for each word a byte for each of them."""
    first, *lines = Path(__file__).with_name("common-words.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return first[2:].split(), {word: letters.encode() for word, letters in rows}


def log_likelihoods(text: str) -> dict[str, float]:
    """Language -> the log-likelihood of the text's words, up to a constant that all languages share; zeros where none is known.

    A word counts once in a million words more than it was counted (Laplace).
    """
    languages, known = _read()
    found = dict.fromkeys(languages, 0.0)
    for word in _WORD.findall(text.lower()):
        for code, letter in zip(languages, known.get(word, b""), strict=False):
            found[code] += STEP * (letter - 65)
    return found
