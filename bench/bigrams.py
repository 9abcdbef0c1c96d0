"""Words for a mask by counts alone: interpolated Kneser-Ney bigrams (Kneser and Ney, 1995) from both sides.

The word between `left` and `right` is scored P(word | left) P(right | word): all that bigrams can know of it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]")
DISCOUNT = 0.75
CANDIDATES = 2000
EDGE = ""  # before the first and after the last word of a text


class TwoSided:
    """Counts of words and of pairs of neighbours."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.counts: Counter[str] = Counter()
        self.after: dict[str, Counter[str]] = defaultdict(Counter)
        self.before: dict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            words = [EDGE, *TOKEN.findall(text), EDGE]
            self.counts.update(words)
            for left, right in pairwise(words):
                self.after[left][right] += 1
                self.before[right][left] += 1
        self.pairs = sum(map(len, self.after.values()))
        self.totals = {left: sum(found.values()) for left, found in self.after.items()}
        self.words = [w for w, _ in self.counts.most_common() if w[:1].isalpha()]

    def likely(self, left: str, right: str) -> float:
        """P(right | left): the discounted count, and the rest by how many words `right` follows."""
        followers = len(self.before.get(right, ())) + 0.5
        unigram = followers / (self.pairs + 0.5 * len(self.counts))
        if left not in self.totals:
            return unigram
        total, found = self.totals[left], self.after[left]
        return max(0.0, found[right] - DISCOUNT) / total + DISCOUNT * len(found) / total * unigram

    def answer(self, text: str, count: int) -> dict[str, Any]:
        """The `count` likeliest words for the one mask of a text."""
        before, _, behind = text.partition("___")
        left, right = (TOKEN.findall(before) or [EDGE])[-1], (TOKEN.findall(behind) or [EDGE])[0]
        near = [w for w, _ in (self.after[left] + self.before[right]).most_common(CANDIDATES) if w[:1].isalpha()]
        words = list(dict.fromkeys([*near, *self.words[:CANDIDATES]]))
        scores = np.array([self.likely(left, w) * self.likely(w, right) for w in words])
        scores /= scores.sum()
        best = np.argsort(-scores)[:count]
        return {"fillings": [{"words": [words[i]], "probability": float(scores[i])} for i in best]}

    def frequent(self, count: int) -> dict[str, Any]:
        """The most frequent words."""
        total = sum(self.counts[w] for w in self.words)
        return {"fillings": [{"words": [w], "probability": self.counts[w] / total} for w in self.words[:count]]}
