"""Texts as they are said: small letters, no marks."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from lamella.data.text.encoding import read_text, show_path, split_lines
from lamella.data.text.sentences import split
from lamella.errors import DataError

# Unlike marks these are heard, or hold a word together: the apostrophe of "it's".
_MARKS = re.compile(r"[^\w\s']|_")
_LONE = re.compile(r"(?<!\w)'|'(?!\w)")
_MOST = 20_000_000  # characters of a text for the language model


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str:
    """A text in small letters without marks, one space between words; accents stay.

    >>> normalise("“Well,” she said - it’s 5 o'clock!")
    "well she said it's 5 o'clock"
    """
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("ʼ", "'").lower()
    plain = unicodedata.normalize("NFC", plain)
    return " ".join(_LONE.sub(" ", _MARKS.sub(" ", plain)).split())


def read_texts(path: str) -> list[str]:
    """The sentences of a text file, normalised. DataError where there are none."""
    text = read_text(path)[0][:_MOST]
    sentences = [normalise(part.text) for line in split_lines(text) for part in split(line)]
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        raise DataError(f"--lm {show_path(Path(path))}: expected sentences as they are said, received no words.")
    return sentences
