"""Align the sentences of a chapter with those of its translation, by their lengths and their words.

Dynamic programming over beads of one sentence with one, one with two, two with one, or one left out (Gale and Church,
1993), with words added as in hunalign (Varga et al., 2005): the first pass knows names, numbers and words that look
alike; from what it aligns, pairs of words are learned, which the second pass knows too. Needs no dictionary.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

_WORD = re.compile(r"[^\W_]+")
_BEADS = {(1, 1): 0.1, (1, 2): 2.6, (2, 1): 2.6, (1, 0): 4.6, (0, 1): 4.6, (2, 2): 5.0}  # -log of how likely each is
BAND = 30  # sentences off the diagonal that are looked at
BEAM = 45.0  # a place that costs so much more than the best of its row is given up
WORDS_WEIGHT = 9.0
ENOUGH = 2000  # pairs of sentences to learn words from, in each pass
SURE = 0.3  # of the words of a bead must have a translation in it
STEM = 6  # letters of a word that count, so that its forms are one
SIGMA = 6.8  # variance of length for a letter of text, as Gale and Church found it


def stems(text: str) -> tuple[str, ...]:
    """The words of a text without accents and case, cut to their stems; words of one or two letters are left out."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return tuple(word[:STEM] for word in _WORD.findall(bare) if len(word) > 2 or word.isdigit())


@dataclass
class Lexicon:
    """Which words translate which: those that look alike, and those that were learned."""

    pairs: dict[str, set[str]] = field(default_factory=dict)

    def overlap(self, source: tuple[str, ...], target: tuple[str, ...]) -> float:
        """The share of words, of both sides, that have a partner on the other."""
        if not source or not target:
            return 0.0
        there, matched, used = set(target), 0, set()
        prefixes = {word[:5]: word for word in target if len(word) >= 5}
        pairs = self.pairs
        for word in source:
            partners = pairs[word] & there if word in pairs else None
            if partners or word in there:
                matched += 1
                used.add(word)
                if partners:
                    used |= partners
            elif word[:5] in prefixes:
                matched += 1
                used.add(prefixes[word[:5]])
        return (matched + len([word for word in target if word in used])) / (len(source) + len(target))

    def learn(self, beads: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
        """Add the pairs of words that stand together far more often than apart (Dice), three partners a word at most."""
        left, right, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
        for source, target in beads:
            one, two = set(source), set(target)
            left.update(one)
            right.update(two)
            both.update((a, b) for a in one for b in two)
        ranked: dict[str, list[tuple[float, str]]] = {}
        for (a, b), count in both.items():
            dice = 2 * count / (left[a] + right[b])
            if count >= 3 and dice > 0.18:
                ranked.setdefault(a, []).append((dice, b))
        for a, partners in ranked.items():
            self.pairs.setdefault(a, set()).update(b for _, b in sorted(partners, reverse=True)[:3])


def _length_cost(source: int, target: int, ratio: float) -> float:
    """How unlikely two lengths are for a pair, in -log."""
    if not source or not target:
        return 0.0
    delta = (target - source * ratio) / math.sqrt(max(source, 1) * SIGMA)
    return min(0.5 * delta * delta, 12.0)


def align(source: list[str], target: list[str], lexicon: Lexicon) -> list[tuple[range, range, float]]:
    """The beads of two lists of sentences: which of each, and the share of their words that correspond."""
    n, m = len(source), len(target)
    if not n or not m:
        return []
    words = [[stems(text) for text in side] for side in (source, target)]
    ends = [list(accumulate(map(len, side), initial=0)) for side in (source, target)]
    ratio = ends[1][-1] / max(ends[0][-1], 1)
    best: dict[tuple[int, int], tuple[float, tuple[int, int], float]] = {(0, 0): (0.0, (0, 0), 0.0)}
    for i in range(n + 1):
        middle = i * m // n
        row: dict[tuple[int, int], tuple[float, tuple[int, int], float]] = {}
        for j in range(max(0, middle - BAND), min(m, middle + BAND) + 1):
            if (i, j) == (0, 0):
                continue
            choice = (math.inf, (0, 0), 0.0)
            for (a, b), prior in _BEADS.items():
                before = best.get((i - a, j - b))
                if before is None:
                    continue
                cost, share = before[0] + prior, 0.0
                if a and b:
                    cost += _length_cost(ends[0][i] - ends[0][i - a], ends[1][j] - ends[1][j - b], ratio)
                if cost - WORDS_WEIGHT * bool(a and b) >= choice[0]:
                    continue
                if a and b:
                    one = words[0][i - 1] if a == 1 else words[0][i - 2] + words[0][i - 1]
                    two = words[1][j - 1] if b == 1 else words[1][j - 2] + words[1][j - 1]
                    share = lexicon.overlap(one, two)
                    cost -= WORDS_WEIGHT * share
                if cost < choice[0]:
                    choice = (cost, (a, b), share)
            if choice[0] < math.inf:
                best[i, j] = row[i, j] = choice
        least = min((cost for cost, _, _ in row.values()), default=0.0)
        for place, (cost, _, _) in row.items():
            if cost > least + BEAM:
                del best[place]
    beads, place = [], (n, m)
    while place != (0, 0):
        if place not in best:
            return []  # outside the band: the chapters do not correspond
        _, (a, b), share = best[place]
        beads.append((range(place[0] - a, place[0]), range(place[1] - b, place[1]), share))
        place = (place[0] - a, place[1] - b)
    return beads[::-1]


def _sane(source: str, target: str) -> bool:
    return 0.5 < (len(target) + 10) / (len(source) + 10) < 2.0


def align_chapters(chapters: list[tuple[list[str], list[str]]]) -> Iterator[tuple[int, str, str]]:
    """The pairs of sentences of a book, with the number of their chapter: those of one with one, two or three.

    A pair is kept if enough of its words correspond, or some and those of the pairs beside it.
    """
    lexicon = Lexicon()
    for _ in range(2):
        sure: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        for source, target in chapters:
            if len(sure) >= ENOUGH:
                break
            beads = align(source, target, lexicon)
            single = [False, *(len(one) == len(two) == 1 for one, two, _ in beads), False]
            for k, (one, two, share) in enumerate(beads, 1):
                # One with one between two of the same kind is most often right, even if no word is known yet.
                if single[k] and (share > 0.2 or (single[k - 1] and single[k + 1])):
                    sure.append((stems(source[one[0]]), stems(target[two[0]])))
        lexicon.learn(sure)
    for number, (source, target) in enumerate(chapters):
        beads = align(source, target, lexicon)
        shares = [0.0, *(share if one and two else 0.0 for one, two, share in beads), 0.0]
        for k, (one, two, share) in enumerate(beads, 1):
            texts = " ".join(source[i] for i in one), " ".join(target[j] for j in two)
            beside = min(shares[k - 1], shares[k + 1]) >= SURE
            if all(texts) and _sane(*texts) and (share >= SURE or (share >= 0.6 * SURE and beside)):
                yield number, *texts
