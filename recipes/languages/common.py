"""What every step of the language identifier's recipe shares: the languages, the folders, the file format.

The format: one text a line, four columns separated by tabs (kind, package, language, text), UTF-8, no header.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from recipes.translation.common import base_package, escape, is_reserved, unescape

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


def write_items(path: Path, items: Iterable[Item]) -> int:
    """Write the texts and return how many; the file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    count = 0
    with part.open("w", encoding="utf-8", newline="\n") as stream:
        for item in items:
            assert not is_reserved(base_package(item.package)), f"reserved package: {item.package}"
            stream.write("\t".join((item.kind, item.package, item.language, escape(item.text))) + "\n")
            count += 1
    os.replace(part, path)
    return count


def read_items(path: Path) -> Iterator[Item]:
    """The texts of a file, unescaped."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            kind, package, language, text = line.rstrip("\n").split("\t")
            yield Item(kind, package, language, unescape(text))
