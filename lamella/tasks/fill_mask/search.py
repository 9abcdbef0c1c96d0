"""Whole words at masks, found with a net that fills in one piece at a time.

The probability of a word of n pieces at a mask is P(n), how often words have so many pieces, times that of its pieces from
left to right, each given those before it and n minus as many masks: a net that learned whole words knows from the number of
masks how many pieces are wanted. All words together have the probability 1, whatever their length.

Several masks are filled together, from left to right, each given the words chosen before it; a beam keeps the best
combinations.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

import numpy as np

from lamella.task import Array, GraphLike
from lamella.tasks.fill_mask.cloze import JOINED, Kinds

ROWS = 64  # texts that the net reads at a time
NEVER = -1e9
BLOCK = 100  # pieces of which the largest is looked at first
EMPTY = np.zeros(0, np.float32)
Words = list[tuple[list[int], float]]  # pieces of each word, and its log-probability
State = tuple[int, list[int], float]  # which text, the pieces of a word so far, and their log-probability


@dataclass(frozen=True)
class Text:
    """A text with gaps, some of them filled: parts[0], gap 0, parts[1], gap 1, ..."""

    row: int  # which text of the batch it is
    parts: list[list[int]]
    joined: list[bool]  # of each gap, whether no space stands before it
    filled: list[list[int]] = field(default_factory=list)  # the pieces in the first gaps
    score: float = 0.0  # the log-probability of these

    @property
    def open(self) -> bool:
        """Whether a gap is left."""
        return len(self.filled) < len(self.joined)

    def with_word(self, ids: list[int], score: float) -> "Text":
        """The same with its next gap filled."""
        return replace(self, filled=[*self.filled, ids], score=self.score + score)

    def lay(self, middle: Sequence[int], mask: int) -> tuple[list[int], int]:
        """The ids with `middle` in the next gap and one mask in each later one, and where `middle` begins."""
        ids, place = list(self.parts[0]), 0
        for gap, part in enumerate(self.parts[1:]):
            if gap == len(self.filled):
                place = len(ids)
                ids += middle
            else:
                ids += self.filled[gap] if gap < len(self.filled) else [mask]
            ids += part
        return ids, place


def parse(rows: Array, mask: int) -> list[Text]:
    """A batch of ids (B, T) with masks -> texts with gaps."""
    texts = []
    for row, ids in enumerate(rows):
        parts: list[list[int]] = [[]]
        joined = []
        for i in ids[ids != 0].tolist():
            if i in (mask, JOINED):
                parts.append([])
                joined.append(i == JOINED)
            else:
                parts[-1].append(i)
        texts.append(Text(row, parts, joined))
    return texts


class Filler:
    """A net, its pieces, and how long words are: finds words for gaps and says how likely words are there.

    known: the checksums of the words that several pieces may make; None: whatever they make.
    """

    def __init__(
        self,
        graphs: Mapping[str, GraphLike],
        kinds: Kinds,
        lengths: Sequence[float],
        mask: int,
        window: int,
        known: frozenset[int] | None = None,
    ) -> None:
        self.fill, self.kinds, self.mask, self.window = graphs["fill"], kinds, mask, window
        self.known = known
        self.lengths = np.log(np.maximum(lengths, 1e-9))  # of 1, 2, ... pieces

    def ask(self, rows: Sequence[tuple[list[int], int]]) -> list[Array]:
        """Rows of ids, each with a place in it -> log-probabilities of each piece there, (V,) for each row.

        Of a row longer than the window, what stands around the place is read.
        """
        cut = []
        for ids, place in rows:
            first = min(max(0, place - self.window // 2), max(0, len(ids) - self.window))
            cut.append((ids[first : first + self.window], place - first))
        order = sorted(range(len(cut)), key=lambda i: len(cut[i][0]))
        out: list[Array] = [EMPTY] * len(cut)
        for at in range(0, len(order), ROWS):
            some = order[at : at + ROWS]
            pieces = np.zeros((len(some), len(cut[some[-1]][0])), np.int64)
            asked = np.zeros(pieces.shape, np.float32)
            for line, i in zip(pieces, some, strict=True):
                line[: len(cut[i][0])] = cut[i][0]
            asked[np.arange(len(some)), [cut[i][1] for i in some]] = 1.0
            for i, row in zip(some, self.fill(pieces=pieces, asked=asked)["log_probability"], strict=True):
                out[i] = row
        return out

    def allowed(self, text: Text, number: int, length: int) -> Array:
        """The pieces that may be the one of this number, of `length`, in a text's next gap."""
        return self.kinds.later if number else self.kinds.first[text.joined[len(text.filled)], length == 1]

    def _row(self, text: Text, known: list[int], length: int) -> tuple[list[int], int]:
        """The ids that ask for the next piece of a word of `length` pieces in a text's next gap, and its place."""
        ids, place = text.lay([*known, *[self.mask] * (length - len(known))], self.mask)
        return ids, place + len(known)

    def words(self, texts: Sequence[Text], count: int, longest: int, beam: int) -> list[Words]:
        """The most likely words for each text's next gap, `count` of them, of at most `longest` pieces."""
        parts = [
            texts[at : at + ROWS] for at in range(0, len(texts), ROWS)
        ]  # an array of the whole vocabulary for each
        return [words for part in parts for words in self._words(part, count, longest, beam)]

    def _words(self, texts: Sequence[Text], count: int, longest: int, beam: int) -> list[Words]:
        """As `words`, of few texts. Words of all lengths grow together, so that the net is asked once for each piece.

        A beginning that is less likely than `count` whole words is dropped: no piece makes it likelier.
        """
        found: list[dict[str, tuple[list[int], float]]] = [{} for _ in texts]
        lengths = range(1, min(longest, len(self.lengths)) + 1)
        states: dict[int, list[State]] = {
            length: [(n, [], float(self.lengths[length - 1])) for n in range(len(texts))] for length in lengths
        }
        for number in range(len(lengths)):
            growing = {length: some for length, some in states.items() if length > number and some}
            rows = [self._row(texts[n], known, length) for length, some in growing.items() for n, known, _ in some]
            asked = iter(self.ask(rows))
            for length, some in growing.items():
                whole, most = number + 1 == length, count if length == 1 else beam
                longer: dict[int, list[State]] = {}
                for n, ids, score in some:
                    pieces, shares = likeliest(next(asked), self.allowed(texts[n], number, length), most)
                    longer.setdefault(n, []).extend(
                        (n, [*ids, piece], score + share) for piece, share in zip(pieces, shares, strict=True)
                    )
                states[length] = [
                    state for one in longer.values() for state in sorted(one, key=_score, reverse=True)[:most]
                ]
                for n, ids, score in states[length] if whole else ():
                    word = self.kinds.word(ids)
                    if length > 1 and self.known is not None and crc32(word.encode()) not in self.known:
                        continue  # pieces that make no word
                    if word not in found[n] or found[n][word][1] < score:
                        found[n][word] = ids, score
            least = [_least([score for _, score in one.values()], count) for one in found]
            states = {
                length: [state for state in some if state[2] >= least[state[0]]] for length, some in states.items()
            }
        return [sorted(one.values(), key=lambda pair: -pair[1])[:count] for one in found]

    def likelihood(self, texts: Sequence[Text], words: Sequence[list[int]]) -> Array:
        """The log-probability of a word in each text's next gap (N,); of no pieces, or more than any word has: `NEVER`."""
        if len(texts) > ROWS:
            parts = [slice(at, at + ROWS) for at in range(0, len(texts), ROWS)]
            return np.concatenate([self.likelihood(texts[part], words[part]) for part in parts])
        scores = np.full(len(texts), NEVER)
        for length in sorted({len(ids) for ids in words}):
            if not 1 <= length <= len(self.lengths):
                continue
            some = [n for n, ids in enumerate(words) if len(ids) == length]
            scores[some] = self.lengths[length - 1]
            for number in range(length):
                rows = self.ask([self._row(texts[n], words[n][:number], length) for n in some])
                for n, row in zip(some, rows, strict=True):
                    scores[n] += shares(row, self.allowed(texts[n], number, length))[words[n][number]]
        return np.asarray(np.maximum(scores, NEVER))

    def together(self, texts: Sequence[Text], count: int, longest: int, beam: int) -> list[list[Text]]:
        """The most likely ways to fill all gaps of each text, best first."""
        rows, states = {t.row for t in texts}, list(texts)
        while waiting := [t for t in states if t.open]:
            rest = [t for t in states if not t.open]
            for text, words in zip(waiting, self.words(waiting, count, longest, beam), strict=True):
                rest += [text.with_word(ids, score) for ids, score in words]
            states = _kept(rest, count)
        return [[t for t in states if t.row == row] for row in sorted(rows)]

    def among(self, texts: Sequence[Text], choices: Sequence[list[list[list[int]]]], count: int) -> list[list[Text]]:
        """As `together`, of the words of choices[row] alone, [not joined, joined] pieces of each; they share the probability."""
        rows, states = {t.row for t in texts}, list(texts)
        while waiting := [t for t in states if t.open]:
            rest = [t for t in states if not t.open]
            asked = [(t, pair[t.joined[len(t.filled)]]) for t in waiting for pair in choices[t.row]]
            scores = self.likelihood([t for t, _ in asked], [ids for _, ids in asked])
            at = 0
            for text in waiting:
                mine = slice(at, at := at + len(choices[text.row]))
                shares = scores[mine] - np.logaddexp.reduce(scores[mine])
                rest += [text.with_word(ids, float(s)) for (_, ids), s in zip(asked[mine], shares, strict=True)]
            states = _kept(rest, count)
        return [[t for t in states if t.row == row] for row in sorted(rows)]


def _least(scores: Sequence[float], count: int) -> float:
    """The lowest of the best `count` scores, or of fewer than these nothing's."""
    return sorted(scores)[-count] if 0 < count <= len(scores) else -math.inf


def _score(state: State) -> float:
    return state[2]


def shares(row: Array, allowed: Array) -> Array:
    """The log-probabilities (V,) that the net gives, shared out among the pieces that may stand there: together these have 1."""
    out = np.full(len(row), NEVER)
    part = row.take(allowed).astype(np.float64)
    out[allowed] = part - _log_sum(part)
    return out


def likeliest(row: Array, allowed: Array, count: int) -> tuple[list[int], list[float]]:
    """The `count` likeliest pieces of those that may stand there, best first, with their log-probabilities among these."""
    part = row.take(allowed)
    blocks = len(part) // BLOCK
    if (
        count < blocks
    ):  # each block's largest is one of them, so that so many are at least as large as the lowest of these
        floor = np.partition(part[: blocks * BLOCK].reshape(blocks, BLOCK).max(axis=1), -count)[-count]
        few = np.flatnonzero(part >= max(floor, NEVER / 2))
    else:
        few = np.flatnonzero(part > NEVER / 2)
    best = few[np.argsort(-part[few], kind="stable")[:count]]
    return allowed[best].tolist(), (part[best].astype(np.float64) - _log_sum(part)).tolist()


def _log_sum(part: Array) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    if not len(part):
        return 0.0
    most = part.max()
    return float(most) + math.log(float(np.exp(part - most).sum()))


def _kept(texts: Sequence[Text], count: int) -> list[Text]:
    """The best `count` of each row, best first."""
    by_row: dict[int, list[Text]] = {}
    for text in sorted(texts, key=lambda t: -t.score):
        by_row.setdefault(text.row, []).append(text)
    return [text for mine in by_row.values() for text in mine[:count]]


def chosen(choices: Any) -> list[list[list[int]]]:
    """The choices of one example (C, 2, LONGEST) -> the pieces of each, after a space and joined."""
    return [[side[side != 0].tolist() for side in one] for one in choices if one.any()]
