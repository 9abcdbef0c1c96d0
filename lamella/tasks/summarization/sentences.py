"""Which sentences of a text a summary is made from: a scorer that is learned from texts and their summaries.

A sentence's score is how much of a summary it is expected to hold: the mean F-measure of its words and of its pairs of
words with the summary's. It is a ridge regression (Hoerl and Kennard, 1970) on what the sentence says of itself: where it
stands, how long it is, how much of its words the rest of the text has too, and which words it begins and is made of,
hashed. So it is learned in a second, needs no graph, and reads a text of any length.

The scorer picks what the net reads of a text that is longer than its window; its picks by themselves are the extractive
summary (`--ask sentences`).
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.data.text import sentences

Floats = NDArray[np.float64]
BUCKETS = 2048  # of hashed words and pairs of words; how many a scorer has, its weights say
PLACES = 9  # features besides
TEXTS, SENTENCES = 4000, 40  # most texts that are learned from, and sentences of each
AT_ONCE = 2000  # sentences of a step of learning
RIDGE = 3.0  # pulls weights to zero; hashed words, of which each is rare, by so much more:
RARE = 8.0
ALIKE = 0.6  # two sentences that share more of their words say the same: the second is not picked
LIMIT = 1000  # characters of a sentence; what is longer is divided
_WORD = re.compile(r"\w+")


class Sentence(NamedTuple):
    """A sentence of a text, its number counted from 1."""

    number: int
    text: str


def cut(text: str) -> list[Sentence]:
    """The sentences of a text, without white space around them.

    >>> cut("It is new. It costs 3.5 euros.")
    [Sentence(number=1, text='It is new.'), Sentence(number=2, text='It costs 3.5 euros.')]
    """
    found = [piece.text for piece in sentences.split(text, LIMIT) if piece.text]
    return [Sentence(i, part) for i, part in enumerate(found, start=1)]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters.

    >>> words_of("It costs 3.5 euros.")
    ['it', 'costs', '3', '5', 'euros']
    """
    return _WORD.findall(text.lower())


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """The mean F-measure of the words and of the pairs of words that two texts share, from 0 to 1.

    >>> overlap(["a", "new", "lamp"], ["a", "new", "lamp"]), overlap(["a", "lamp"], ["the", "sea"])
    (1.0, 0.0)
    """
    total = 0.0
    for n in (1, 2):
        a, b = (Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in (one, other))
        total += 2 * (a & b).total() / max(1, a.total() + b.total())
    return total / 2


def features(texts: Sequence[str], buckets: int = BUCKETS) -> Floats:
    """What the sentences of one text (N) say of themselves: (N, PLACES + buckets)."""
    rows = [words_of(text) for text in texts]
    count = len(rows)
    often = Counter(word for words in rows for word in set(words))
    first = set(rows[0]) if rows else set()
    out = np.zeros((count, PLACES + buckets))
    for i, words in enumerate(rows):
        own = set(words)
        others = sum(often[word] - 1 for word in own) / max(1, len(own) * (count - 1))
        out[i, :PLACES] = (
            1, i == 0, i == 1, i == count - 1, i / max(1, count - 1), min(1.0, np.log1p(len(words)) / 4), others,
            len(own & first) / max(1, len(own)), any(word.isdigit() for word in own),
        )  # fmt: skip
        # The words that it begins with say most: "This package contains", "We propose".
        parts = [
            *words,
            *(f"{a} {b}" for a, b in pairwise(words)),
            *(f"^{word}" for word in words[:3]),
        ]
        for part in parts:
            out[i, PLACES + zlib.crc32(part.encode("utf-8", "replace")) % buckets] += 1 / np.sqrt(len(parts))
    return out


def learn(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Texts and their summaries -> the weights of the scorer, PLACES + BUCKETS of them."""
    size = PLACES + BUCKETS
    square, product = np.diag([RIDGE] * PLACES + [RIDGE * RARE] * BUCKETS), np.zeros(size)
    rows: list[Floats] = []
    shares: list[float] = []

    def add() -> None:  # many sentences at once: a product for each text would take minutes
        if rows:
            x = np.concatenate(rows)
            np.add(square, x.T @ x, out=square)
            np.add(product, x.T @ np.array(shares), out=product)
            rows.clear()
            shares.clear()

    for text, summary in pairs[:: max(1, -(-len(pairs) // TEXTS))]:
        parts = [sentence.text for sentence in cut(text)[:SENTENCES]]
        if len(parts) < 2:  # nothing to choose from
            continue
        wanted = words_of(summary)
        rows.append(features(parts))
        shares += [overlap(words_of(part), wanted) for part in parts]
        if len(shares) >= AT_ONCE:
            add()
    add()
    weights = np.linalg.solve(square, product)
    return [round(float(w), 5) for w in weights]


def scores(parts: Sequence[Sentence], weights: Sequence[float]) -> Floats:
    """The score of each sentence of a text: how much of a summary it is expected to hold."""
    return np.asarray(features([part.text for part in parts], len(weights) - PLACES) @ np.array(weights))


def pick(parts: Sequence[Sentence], values: Floats, count: int) -> list[int]:
    """The places of the best sentences, in the order of the text; of two that say the same only the better one.

    >>> parts = cut("It is a new lamp. It is a new lamp indeed. Rain is likely.")
    >>> pick(parts, np.array([0.9, 0.8, 0.1]), 2)
    [0, 2]
    """
    chosen: list[int] = []
    for at in np.argsort(-values, kind="stable"):
        own = set(words_of(parts[at].text))
        if all(len(own & set(words_of(parts[i].text))) <= ALIKE * max(1, len(own)) for i in chosen):
            chosen.append(int(at))
        if len(chosen) >= count:
            break
    return sorted(chosen)


def fitting(costs: Sequence[int], values: Floats, room: int) -> list[int]:
    """The places of the best sentences that fit together into `room`, in the order of the text; costs: the size of each.

    The best is always among them, however long it is.

    >>> fitting([5, 5, 5], np.array([0.1, 0.3, 0.2]), 10)
    [1, 2]
    """
    chosen: list[int] = []
    for at in np.argsort(-values, kind="stable"):
        if costs[at] <= room or not chosen:
            chosen.append(int(at))
            room -= costs[at]
    return sorted(chosen)
