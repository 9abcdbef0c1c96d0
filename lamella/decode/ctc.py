"""Texts from a CTC net: greedy, by prefix beam search with a language model, and where in time each letter is.

    texts = prefix_beam(scores, scorer, beams=16)       [(letters, score), ...], the best first
    spans = align(scores, letters)                      the steps at which each of them is heard

All work on one sound's log-probabilities (T, V) over V letters, 0 being the blank, and know no engine.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Letters = tuple[int, ...]
NEVER = -1e30  # a log-probability of 0 that can be added to
LEAST = -9.0  # nats: a letter less likely than this at a step is not tried there
UNKNOWN = object()  # a state that nobody has asked for
FAR = 14.0  # nats behind the best: a text this far is given up


class Scorer(Protocol):
    """What texts are likely, letter by letter."""

    def start(self) -> Any:
        """The state before the first letter."""

    def gain(self, state: Any, letter: int) -> float:
        """What a letter adds to the score, NEVER where it may not come."""

    def after(self, state: Any, letter: int) -> Any:
        """The state after a letter. Asked for later than `gain`, and only of the few texts that are gone on with."""

    def finish(self, state: Any) -> float:
        """What the end of the text adds."""

    def key(self, state: Any) -> Any:
        """Of two texts with the same key, all that can follow adds the same: the worse one is given up. None: of all texts different."""


class Anything:
    """A scorer to which all texts are equal."""

    def start(self) -> None:
        return None

    def gain(self, state: None, letter: int) -> float:
        return 0.0

    def after(self, state: None, letter: int) -> None:
        return None

    def finish(self, state: None) -> float:
        return 0.0

    def key(self, state: None) -> None:
        return None


def log_softmax(scores: Floats) -> Floats:
    """Scores (..., V) -> log-probabilities."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def greedy(likely: Floats) -> Letters:
    """The likeliest letter of each step, repetitions and blanks taken out.

    >>> greedy(np.log(np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]])))
    (1, 1)
    """
    return heard(likely)[0]


def heard(likely: Floats) -> tuple[Letters, list[tuple[int, int]]]:
    """As `greedy`, with the first and last step of each letter.

    >>> heard(np.log(np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]])))
    ((1, 1), [(0, 1), (3, 3)])
    """
    best = likely.argmax(axis=1)
    edges = np.flatnonzero(best[1:] != best[:-1]) + 1
    first, last = [0, *edges.tolist()], [*edges.tolist(), len(best)]
    runs = zip(best[first].tolist(), first, last, strict=True)
    spoken = [(letter, (begin, end - 1)) for letter, begin, end in runs if letter]
    return tuple(letter for letter, _ in spoken), [span for _, span in spoken]


class _Text:
    """A text of the search, its letters shared with those that begin as it does."""

    __slots__ = ("before", "blank", "last", "letter", "longer", "score", "seen", "state", "to_blank", "to_letter")

    def __init__(self, before: "_Text | None", last: int, score: float) -> None:
        self.before, self.last, self.score = before, last, score
        self.state: Any = UNKNOWN
        self.longer: dict[int, _Text] = {}
        self.blank, self.letter = NEVER, NEVER  # of the paths so far that end with a blank, with its last letter
        self.to_blank, self.to_letter = NEVER, NEVER  # the same with the next row
        self.seen = -1  # the row in which these were begun

    def letters(self) -> Letters:
        found, text = [], self
        while text.before is not None:
            found.append(text.last)
            text = text.before
        return tuple(reversed(found))


def prefix_beam(likely: Floats, scorer: Scorer, beams: int = 16) -> list[tuple[Letters, float]]:
    """The likeliest texts with their scores, best first: the sum over all paths of each (Hannun et al., 2014).

    likely (T, V): log-probabilities. A beam is a text; of its paths those that end with a blank are summed apart from those
    that end with its last letter, since only after a blank the same letter can come again.

    >>> prefix_beam(np.log(np.array([[0.4, 0.6], [0.4, 0.6]])), Anything())[0][0]
    (1,)
    """
    first = _Text(None, 0, 0.0)
    first.blank, first.state = 0.0, scorer.start()
    kept = [(0.0, first)]
    tried = (likely[:, 1:] > LEAST).astype(bool)
    for at, (row, letters) in enumerate(zip(likely.tolist(), tried, strict=True)):
        heard = [int(one) + 1 for one in np.flatnonzero(letters)]
        quiet = row[0]
        floor = kept[0][0] + max(row) - FAR  # what is this far behind the best now is not looked at
        fresh: list[_Text] = []
        for total, text in kept:
            blank, letter, last = text.blank, text.letter, text.last
            both = total - text.score
            if text.seen != at:
                text.seen, text.to_blank, text.to_letter = at, NEVER, NEVER
                fresh.append(text)
            text.to_blank = both + quiet  # only from itself
            if last:
                text.to_letter = _plus(text.to_letter, letter + row[last])
            least = floor - text.score
            for one in heard:
                value = (blank if one == last else both) + row[one]
                if value < least:
                    continue
                longer = text.longer.get(one)
                if longer is None:
                    longer = text.longer[one] = _Text(text, one, text.score + scorer.gain(text.state, one))
                if value + longer.score < floor:  # also where it may not come
                    continue
                if longer.seen != at:
                    longer.seen, longer.to_blank, longer.to_letter = at, NEVER, value
                    fresh.append(longer)
                else:
                    longer.to_letter = _plus(longer.to_letter, value)
        for text in fresh:
            text.blank, text.letter = text.to_blank, text.to_letter
        ranked = [(_plus(text.blank, text.letter) + text.score, text) for text in fresh]
        ranked.sort(key=_total, reverse=True)
        least = ranked[0][0] - FAR
        kept, keys = [], set()
        for pair in ranked:
            if pair[0] < least or len(kept) == beams:
                break
            text = pair[1]
            if text.state is UNKNOWN and text.before is not None:
                text.state = scorer.after(text.before.state, text.last)
            key = scorer.key(text.state)
            if key is None or key not in keys:
                keys.add(key)
                kept.append(pair)
    found = [(text.letters(), total + scorer.finish(text.state)) for total, text in kept]
    return sorted(found, key=lambda pair: -pair[1])


def _total(pair: tuple[float, _Text]) -> float:
    return pair[0]


def _plus(a: float, b: float) -> float:
    """The logarithm of a sum of two probabilities.

    >>> round(_plus(math.log(0.25), math.log(0.5)), 6) == round(math.log(0.75), 6)
    True
    """
    if a < b:
        a, b = b, a
    return a if b < a - 40 else a + math.log1p(math.exp(b - a))


def align(likely: Floats, letters: Sequence[int]) -> list[tuple[int, int]]:
    """The first and last step of each letter on the likeliest path (Viterbi, 1967); [] where the text does not fit.

    likely (T, V): log-probabilities.

    >>> align(np.log(np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]])), [1])
    [(1, 2)]
    """
    best, spans = heard(likely)
    if best == tuple(letters):  # of all paths none is likelier than that of each step's best, and it says this
        return spans
    return _viterbi(likely, letters)


def _viterbi(likely: Floats, letters: Sequence[int]) -> list[tuple[int, int]]:
    steps, count = len(likely), 2 * len(letters) + 1
    path = np.zeros(count, np.int64)  # blank, letter, blank, letter, ..., blank
    path[1::2] = letters
    again = np.zeros(count, bool)
    again[3::2] = path[3::2] == path[1:-2:2]
    skips = (path != 0) & ~again  # over the blank between two letters that differ
    padded = np.full(count + 2, NEVER)  # two places before the path, from where nothing comes
    best = padded[2:]
    best[:2] = likely[0, path[:2]]
    came = np.zeros((steps, count), np.int8)
    options, heard = np.full((3, count), NEVER), likely[:, path]
    for t in range(1, steps):
        options[0], options[1] = best, padded[1:-1]
        np.copyto(options[2], padded[:-2], where=skips)
        came[t] = options.argmax(axis=0)
        np.add(options.max(axis=0), heard[t], out=best)
    at = count - 1 if count == 1 or best[-1] > best[-2] else count - 2
    if best[at] <= NEVER / 2:
        return []
    spans: list[list[int]] = [[steps, -1] for _ in letters]
    for t in range(steps - 1, -1, -1):
        if at % 2:
            spans[at // 2] = [t, max(t, spans[at // 2][1])]
        at -= int(came[t, at])
    return [(first, last) for first, last in spans]
