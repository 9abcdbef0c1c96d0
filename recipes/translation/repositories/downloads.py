"""Files that a person downloads: everyday sentences of Tatoeba, health advice of TICO-19, test sets to hold back."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

from recipes.translation import normalise
from recipes.translation.common import Pair
from recipes.translation.normalise import key
from recipes.translation.repositories.clone import Unavailable
from recipes.translation.repositories.segments import is_traditional


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file, plain or packed (.gz); ends of line of every system."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as stream
        ):
            for line in stream:
                yield line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Unavailable(f"{path}: expected a text file in UTF-8, plain or .gz; {error}") from None


def tatoeba(path: Path, lang: str) -> Iterator[Pair]:
    """Sentences with translations: English, a tab, the other language; what follows a second tab is not read.

    Licence: CC BY 2.0 FR; name "Tatoeba (tatoeba.org)". The package is `everyday/tatoeba`.
    """
    found = False
    for line in lines(path):
        cells = line.split("\t")
        if len(cells) < 2 or not cells[0].strip() or not cells[1].strip():
            continue
        found = True
        if lang == "zh" and is_traditional(cells[1]):
            continue
        texts = normalise.characters(cells[0], "en").strip(), normalise.characters(cells[1], lang).strip()
        yield Pair("tatoeba", "everyday/tatoeba", *texts)
    if not found:
        raise Unavailable(f"{path}: expected lines of English, a tab and the other language; none has a tab")


def tico(english: Path, other: Path, lang: str) -> Iterator[Pair]:
    """Health advice in two files of as many lines (CC0). The package is `health/tico-19`."""
    sides = list(lines(english)), list(lines(other))
    if len(sides[0]) != len(sides[1]):
        raise Unavailable(
            f"{other}: expected {len(sides[0])} lines, as in {english}; it has {len(sides[1])}: not the same set"
        )
    for source, target in zip(*sides, strict=True):
        if source.strip() and target.strip():
            texts = normalise.characters(source, "en").strip(), normalise.characters(target, lang).strip()
            yield Pair("health", "health/tico-19", *texts)


def held_back(paths: Iterable[Path]) -> frozenset[str]:
    """The keys of every text in some files, a column or a line each: what may not be trained on."""
    keys = {key(cell) for path in paths for line in lines(path) for cell in line.split("\t")}
    return frozenset(keys - {""})
