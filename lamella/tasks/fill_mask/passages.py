"""Passages of the training text that have words in common with a text: what words they have besides is likelier there too.

A text says "moths" and "forest"; passages that say both say "owl" more often than others. Contexts of a few words do not see that,
and a net that trains for minutes hardly learns it. So the words of each passage are kept, each once, without their order: the
passages that are most alike, by the rare words that they share with the text (weighted by inverse document frequency; Spärck
Jones, 1972), vote for their words.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Floats = NDArray[np.float32]

ALIKE = 256  # passages that vote
USUAL = 0.1  # of all passages: a word that more of them have says nothing of what a text is about
FEW = 20  # passages, of which none has to be usual
LEAST = 1e-9


class Passages:
    """Which words each passage has: ends (D,) of each in words (N,), the numbers of words.

    >>> found = Passages.learn([["the", "owl", "moth"], ["the", "cat", "milk"]] * 6, {"the": 0, "owl": 1, "moth": 2, "cat": 3, "milk": 4}, 1000)
    >>> found = Passages(found.ends, found.words, 5)
    >>> len(found), int(found.alike([1]).argmax()), len(found.alike([]))
    (12, 0, 5)
    """

    def __init__(self, ends: Ints, words: Ints, count: int) -> None:
        self.ends, self.words, self.count = ends, words, count

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def size(self) -> int:
        """Bytes in a file."""
        return 2 * len(self.words) + 4 * len(self.ends)

    @classmethod
    def learn(
        cls, passages: Sequence[Sequence[str]], ids: Mapping[str, int], most: int, before: "Passages | None" = None
    ) -> "Passages":
        """Of passages of words and those of an earlier text, in at most so many bytes; of more, some from everywhere."""
        found: list[Ints] = [
            np.unique([n for word in tokens if (n := ids.get(word)) is not None]).astype(np.uint16)
            for tokens in passages
        ]
        if before is not None:
            found = [*np.split(before.words, before.ends[:-1]), *found] if len(before) else found
        found = [words for words in found if len(words)]
        size = sum(2 * len(words) + 4 for words in found)
        if size > most:
            found = [found[int(at)] for at in np.linspace(0, len(found) - 1, len(found) * most // size)]
        ends = np.cumsum([len(words) for words in found], dtype=np.int64)
        return cls(ends, np.concatenate(found) if found else np.zeros(0, np.uint16), len(ids))

    def renumbered(self, ids: NDArray[np.int64]) -> "Passages":
        """The same with other numbers of its words, -1 for one that is left out."""
        words = ids[self.words]
        kept = np.concatenate([[0], np.cumsum(words >= 0)])
        return Passages(kept[self.ends], words[words >= 0].astype(np.uint16), self.count)

    @cached_property
    def _often(self) -> Ints:
        """How many passages have each word, (W,)."""
        return np.bincount(self.words, minlength=self.count)

    @cached_property
    def _rare(self) -> NDArray[np.float64]:
        """How much a word says of what a passage is about, (W,)."""
        often = self._often
        return np.where(
            often <= max(FEW, USUAL * len(self)), np.log(max(1, len(self)) / np.maximum(often, 1)) ** 2, 0.0
        )

    @cached_property
    def _lengths(self) -> Ints:
        return np.diff(self.ends, prepend=0)

    @cached_property
    def _of_words(self) -> tuple[Ints, Ints]:
        """The passages of each word, one word after the other, and where those of each end (W,)."""
        owners = np.repeat(np.arange(len(self), dtype=np.int32), self._lengths)
        return owners[np.argsort(self.words, kind="stable")], np.cumsum(self._often)

    @cached_property
    def _norms(self) -> NDArray[np.float64]:
        """What the rare and the frequent words of each passage come to: a long one has something in common with every text."""
        whole = np.log(max(1, len(self)) / np.maximum(self._often, 1)) ** 2
        sums = np.concatenate([[0.0], np.cumsum(whole[self.words])])[np.concatenate([[0], self.ends])]
        return np.asarray(np.sqrt(np.diff(sums) + 1))

    def alike(self, words: Collection[int]) -> Floats:
        """The logarithm of how likely passages like a text with these words have each word, (W,)."""
        scores = np.zeros(len(self))
        (owners, ends), often, rare = self._of_words, self._often, self._rare
        for word in sorted(words):
            if rare[word]:
                scores[owners[ends[word] - often[word] : ends[word]]] += rare[word]
        scores /= self._norms
        few = min(ALIKE, len(scores))
        best = np.argpartition(-scores, few - 1)[:few] if few else np.zeros(0, np.int64)
        best = best[scores[best] > 0]
        likely = often / max(1, len(self.words))
        if len(best):
            votes = scores[best] ** 2 / (scores[best] ** 2).sum()
            lengths = self._lengths[best]
            places = np.arange(lengths.sum()) + np.repeat(self.ends[best] - np.cumsum(lengths), lengths)
            likely = likely + np.bincount(self.words[places], np.repeat(votes, lengths), self.count)
        return np.log(likely + LEAST).astype(np.float32)

    @property
    def sound(self) -> bool:
        """Whether what a file says names nothing that is not there."""
        whole = int(self.ends[-1]) if len(self.ends) else 0
        known = not len(self.words) or int(self.words.max()) < self.count
        return whole == len(self.words) and known and bool((self._lengths > 0).all())
