"""Words for masks by the net and by what was counted together: every word that was counted is a candidate.

The net is asked for the first piece of a word of one piece, of two, ... at the mask; the words that begin with the same piece
and have as many share what it says by how frequent they are. So all words have a probability from one or two rows of the net,
and none has to be spelt piece by piece. Of what was never counted the net alone says how likely it is, and all of it together
is as likely as new words were in the training text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.data.readers.cloze import MASKS, WORD
from lamella.data.text.pieces import UNKNOWN
from lamella.errors import ModelError
from lamella.task import Array
from lamella.tasks.fill_mask import mixture
from lamella.tasks.fill_mask.cloze import JOINED
from lamella.tasks.fill_mask.counts import EDGE, REACH, TOKEN, UNSEEN, Counts
from lamella.tasks.fill_mask.mixture import Evidence
from lamella.tasks.fill_mask.search import NEVER, ROWS, Filler, Text, Words, shares

SPELT = 2  # numbers of pieces that the net is asked for, of longer words the last one
LEAST = 1e-30  # a probability that is nearly none
MASKED = 1200  # words that the weights are learned from
HARDLY = -20.0  # the logarithm of what the net gives a word that it cannot spell


class Joint(Filler):
    """As a `Filler`, with what was counted.

    mix: weights and shares of `mixture.py`. spell: words -> the pieces of each, after a space and joined to a mark.
    asked: numbers of pieces that the net is asked for.
    """

    def __init__(self, filler: Filler, counts: Counts, mix: Sequence[float], spell: Any, asked: int = SPELT) -> None:
        vars(self).update(vars(filler))
        old = mixture.WEIGHTS - mixture.LATER
        if len(mix) == old + mixture.SHARES and not counts.folded:  # of an earlier version
            mix = [*mix[:old], *[0.0] * mixture.LATER, *mix[old:]]
        if len(mix) != mixture.WEIGHTS + mixture.SHARES or not np.isfinite(mix).all():
            raise ModelError("the weights of counts and net are not what was expected. Do not use this model.")
        self.counts, self.mix, self.spell, self.asked = counts, mix, spell, min(asked, SPELT)
        self.groups: dict[bool, tuple[Array, Array]] = {}  # by whether no space stands before a gap

    def _groups(self, side: int) -> tuple[Array, Array]:
        """Of each word the column of the net's answer that it shares, and the logarithm of its part in that, (W,) each."""
        count = len(self.kinds.of)
        lengths = np.clip(self.counts.lengths[side], 1, self.asked).astype(np.int64)
        column = (lengths - 1) * count + self.counts.firsts[side].astype(np.int64)
        often = self.counts.alone[0].astype(np.float64)
        totals = np.bincount(column, often, self.asked * count)
        return column, np.log(often / totals[column])

    def net(self, texts: Sequence[Text]) -> list[Array]:
        """The logarithm of how likely the net finds each word in each text's next gap, (W,)."""
        numbers = range(1, self.asked + 1)
        rows = iter(self.ask([self._row(text, [], n) for text in texts for n in numbers]))
        lengths = self.lengths.copy()
        lengths[self.asked - 1] = np.logaddexp.reduce(self.lengths[self.asked - 1 :])
        found = []
        for text in texts:
            answers = [shares(next(rows), self.allowed(text, 0, n)) for n in numbers]
            joined = text.joined[len(text.filled)]
            if joined not in self.groups:
                self.groups[joined] = self._groups(int(joined))
            column, part = self.groups[joined]
            flat = np.concatenate([row + lengths[n] for n, row in enumerate(answers)])
            scores = np.maximum(flat[column] + part, HARDLY)
            found.append(scores - np.log(np.exp(scores).sum()))
        return found

    def around(self, text: Text) -> tuple[list[str], list[str]]:
        """The words before a text's next gap and those behind it, as far as a window reaches."""
        gap = len(text.filled)
        before: list[int] = list(text.parts[0])
        behind: list[int] = []
        for number, part in enumerate(text.parts[1:]):
            place = before if number < gap else behind
            if number != gap:
                place += text.filled[number] if number < gap else [self.mask]
            place += part
        sides = []
        for ids, edge in ((before[-self.window :], len(before)), (behind[: self.window], len(behind))):
            known = [UNSEEN if i in (self.mask, JOINED, UNKNOWN) else self.kinds.text[i] for i in ids]
            sides.append((TOKEN.findall("".join(known).replace("▁", " ")), EDGE if edge <= self.window else UNSEEN))
        (left, first), (right, last) = sides
        return [first] * REACH + left, right + [last] * REACH

    def evidence(self, texts: Sequence[Text]) -> list[Evidence]:
        """What the net and the counts say of each text's next gap."""
        found = []
        for text, net in zip(texts, self.net(texts), strict=True):
            left, right = self.around(text)
            found.append(mixture.evidence(self.counts, left, right, {*left, *right}, net))
        return found

    def likely(self, texts: Sequence[Text]) -> list[Array]:
        """The probability of each counted word in each text's next gap, (W,); new words have the rest."""
        return [(1 - self.counts.new) * mixture.likely(self.mix, one) for one in self.evidence(texts)]

    def _words(self, texts: Sequence[Text], count: int, longest: int, beam: int) -> list[Words]:
        found = []
        for text, likely in zip(texts, self.likely(texts), strict=True):
            few = np.argpartition(-likely, min(count, len(likely)) - 1)[:count]
            few = few[np.argsort(-likely[few], kind="stable")]
            side = int(text.joined[len(text.filled)])
            spelt = self.spell([self.counts.words[i] for i in few])
            found.append(
                [(pair[side], float(np.log(max(float(likely[i]), LEAST)))) for i, pair in zip(few, spelt, strict=True)]
            )
        return found

    def likelihood(self, texts: Sequence[Text], words: Sequence[list[int]]) -> Array:
        ids = [self.counts.ids.get(self.kinds.word(word)) for word in words]
        scores = np.full(len(texts), NEVER)
        new = [n for n, i in enumerate(ids) if i is None]
        if new:
            alone = super().likelihood([texts[n] for n in new], [words[n] for n in new])
            scores[new] = np.maximum(alone + np.log(self.counts.new), NEVER)
        known = [n for n, i in enumerate(ids) if i is not None]
        for at in range(0, len(known), ROWS):
            some = known[at : at + ROWS]
            for n, likely in zip(some, self.likely([texts[n] for n in some]), strict=True):
                scores[n] = np.log(max(float(likely[ids[n]]), LEAST))
        return scores


def masked(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Texts, each with one word masked, and that word: of all words of these texts about `MASKED`.

    >>> masked(["The cat sat."])
    [('___ cat sat.', 'The'), ('The ___ sat.', 'cat'), ('The cat ___.', 'sat')]
    """
    found = [(text, word) for text in texts if not MASKS.search(text) for word in WORD.finditer(text)]
    step = max(1, len(found) // MASKED)
    return [(f"{text[: word.start()]}___{text[word.end() :]}", word[0]) for text, word in found[step // 2 :: step]]
