"""What every step of the language identifier's recipe shares: the languages, the folders, the file format.

The format: one text a line, four columns separated by tabs (kind, package, language, text), UTF-8, no header.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from recipes.translation.common import read_rows

CACHE = Path.home() / ".cache" / "lamella" / "languages"

# The ten that are promised; each with the names that catalogues and package lists have for it.
PROMISED = ("en", "fr", "de", "es", "it", "pt", "nl", "ru", "zh", "ja")
CODES: dict[str, tuple[str, ...]] = {
    "en": ("en",), "fr": ("fr",), "de": ("de",), "es": ("es",), "it": ("it",), "pt": ("pt", "pt_BR"), "nl": ("nl",),
    "ru": ("ru",), "zh": ("zh_CN", "zh_TW"), "ja": ("ja",), "ca": ("ca",), "gl": ("gl",), "ro": ("ro",), "pl": ("pl",),
    "cs": ("cs",), "sk": ("sk",), "uk": ("uk",), "bg": ("bg",), "sv": ("sv",), "da": ("da",), "nb": ("nb",),
    "fi": ("fi",), "hu": ("hu",), "el": ("el",), "tr": ("tr",), "ko": ("ko",), "ar": ("ar",), "he": ("he",),
    "vi": ("vi",), "id": ("id",),
}  # fmt: skip
LABELS = {code: label for label, codes in CODES.items() for code in codes}

STORIES = ("stories", "verses", "talk", "fortunes")  # kinds of text that are not about software


class Item(NamedTuple):
    """A text in one language, with where it comes from."""

    kind: str
    package: str
    language: str
    text: str


def read_items(path: Path) -> Iterator[Item]:
    """The texts of a file."""
    return (Item(*row) for row in read_rows(path))
