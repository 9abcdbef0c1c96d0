"""What every step of the parallel-corpus recipe shares: folders, the reserved packages, the file format.

Nothing here is run by itself; see `python -m recipes.translation.corpus --help`.

The format, used by every file of the recipe: one pair a line, four columns separated by tabs (kind, package, English,
other language), UTF-8, no header. A newline, tab or backslash inside a text is written as `\\n`, `\\t` or `\\\\`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

KINDS = (
    "descriptions", "interface", "help", "stories", "verses", "words",
    "prose", "games", "documentation", "names", "words-clean", "tatoeba", "health",
)  # fmt: skip

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": ""})
_UNESCAPE = re.compile(r"\\([nt\\])")
_UNESCAPED = {"n": "\n", "t": "\t", "\\": "\\"}


class Pair(NamedTuple):
    """A text and its translation, with where they come from."""

    kind: str
    package: str
    source: str
    target: str


@dataclass(frozen=True)
class Folders:
    """Where the recipe keeps its files: everything below one cache folder."""

    cache: Path
    lang: str

    @property
    def packages(self) -> Path:
        """Fetched packages (the wanted files only); shared by languages where the files are."""
        return self.cache / "packages"

    @property
    def extracted(self) -> Path:
        """One file of raw pairs for each source."""
        return self.cache / "extracted" / self.lang

    @property
    def clean(self) -> Path:
        """The pairs that passed the cleaning rules."""
        return self.cache / "clean" / self.lang

    @property
    def final(self) -> Path:
        """train.tsv, dev-*.tsv, test-*.tsv and report.json."""
        return self.cache / f"en-{self.lang}"


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set: a table that can be read."""
    return frozenset(text.split())


def is_reserved(package: str) -> bool:
    """Whether a package's text may not be used: names beginning with t are kept for evaluation by others."""
    return package.lower().startswith("t")


def base_package(package: str) -> str:
    """The Debian package a pair belongs to: what stands before the first slash of `package/document`."""
    return package.partition("/")[0]


def escape(text: str) -> str:
    """The text on one line."""
    return text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """The text as it was before `escape`."""
    return _UNESCAPE.sub(lambda match: _UNESCAPED[match[1]], text) if "\\" in text else text


def write_rows(path: Path, rows: Iterable[tuple[str, ...]]) -> int:
    """Write rows whose second column is a package and return how many; the file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    count = 0
    with part.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            assert not is_reserved(base_package(row[1])), f"reserved package: {row[1]}"
            stream.write("\t".join(map(escape, row)) + "\n")
            count += 1
    os.replace(part, path)
    return count


def read_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a file, unescaped."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield [unescape(cell) for cell in line.rstrip("\n").split("\t")]


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file."""
    return (Pair(*row) for row in read_rows(path))
