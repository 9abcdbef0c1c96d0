"""Pairs of texts that mean the same, from which the encoder learns vectors of sentences: translations, words and definitions.

What means the same lies close, and everything else of a batch farther off (InfoNCE; van den Oord et al., 2018; for translations Yang
et al., 2019). Two English sentences with one translation come together by it too, though no pair says so.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recipes.encoder import meanings
from recipes.encoder.text import language, wanted
from recipes.translation.normalise import key

LENGTHS = (8, 220)  # characters of the English side
# Pairs of each kind at most, in each language.
MOST = {
    "tatoeba": 200_000,
    "prose": 60_000,
    "health": 5_000,
    "stories": 20_000,
    "games": 30_000,
    "documentation": 25_000,
}
SEED = 1

Two = tuple[str, str]


def collect(corpora: Iterable[Path], wordnet: Path | None, without: Sequence[Path] = ()) -> list[Two]:
    """Pairs in random order. without: tables with commas, none of whose cells is to be in a pair, since they are measured on."""
    held = {key(cell) for path in without for cell in _cells(path)}
    draw = random.Random(SEED)
    found: list[Two] = []
    for corpus in corpora:
        by_kind: dict[str, list[Two]] = {}
        for pair in wanted(corpus):
            if LENGTHS[0] <= len(pair.source) <= LENGTHS[1]:
                by_kind.setdefault(pair.kind, []).append((pair.source, pair.target))
        for kind, most in MOST.items():
            several = by_kind.get(kind, [])
            draw.shuffle(several)
            found += several[:most]
            print(f"pairs: {language(corpus)} {kind}: {min(most, len(several)):,}", flush=True)
    if wordnet:
        found += meanings.pairs(wordnet)
    fresh = [pair for pair in found if not held.intersection(map(key, pair))]
    draw.shuffle(fresh)
    print(f"pairs: {len(fresh):,}; {len(found) - len(fresh):,} left out, since they are measured on", flush=True)
    return fresh


def _cells(path: Path) -> Iterator[str]:
    import csv

    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            yield from row
