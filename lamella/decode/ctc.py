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


class Scorer(Protocol):
    """What texts are likely, letter by letter."""

    def start(self) -> Any:
        """The state before the first letter."""

    def step(self, state: Any, letter: int) -> tuple[float, Any]:
        """What a letter adds to the score, NEVER where it may not come, and the state after it."""

    def finish(self, state: Any) -> float:
        """What the end of the text adds."""


class Anything:
    """A scorer to which all texts are equal."""

    def start(self) -> None:
        return None

    def step(self, state: None, letter: int) -> tuple[float, None]:
        return 0.0, None

    def finish(self, state: None) -> float:
        return 0.0


def log_softmax(scores: Floats) -> Floats:
    """Scores (..., V) -> log-probabilities."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def greedy(likely: Floats) -> Letters:
    """The likeliest letter of each step, repetitions and blanks taken out.

    >>> greedy(np.log(np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]])))
    (1, 1)
    """
    best = likely.argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]])
    return tuple(int(letter) for letter in best[fresh & (best != 0)])


def prefix_beam(likely: Floats, scorer: Scorer, beams: int = 16) -> list[tuple[Letters, float]]:
    """The likeliest texts with their scores, best first: the sum over all paths of each (Hannun et al., 2014).

    likely (T, V): log-probabilities. A beam is a text; of its paths those that end with a blank are summed apart from those
    that end with its last letter, since only after a blank the same letter can come again.

    >>> prefix_beam(np.log(np.array([[0.4, 0.6], [0.4, 0.6]])), Anything())[0][0]
    (1,)
    """
    ends: dict[Letters, tuple[float, float]] = {(): (0.0, NEVER)}  # text -> with a blank last, with its letter last
    known: dict[Letters, tuple[float, Any]] = {(): (0.0, scorer.start())}  # text -> its score, its state
    for row in likely:
        heard = [int(i) for i in np.flatnonzero(row[1:] > LEAST) + 1]
        values = row.tolist()
        fresh: dict[Letters, list[float]] = {}
        for text, (blank, letter) in ends.items():
            both = _plus(blank, letter)
            _put(fresh, text, 0, both + values[0])
            last = text[-1] if text else 0
            if last:
                _put(fresh, text, 1, letter + values[last])
            score, state = known[text]
            for one in heard:
                longer = (*text, one)
                if longer not in known:
                    gained, after = scorer.step(state, one)
                    known[longer] = (score + gained, after)
                if known[longer][0] > NEVER / 2:
                    _put(fresh, longer, 1, (blank if one == last else both) + values[one])
        ranked = sorted(fresh, key=lambda text: _plus(*fresh[text]) + known[text][0], reverse=True)[:beams]
        ends = {text: (fresh[text][0], fresh[text][1]) for text in ranked}
    found = [(text, _plus(*ends[text]) + known[text][0] + scorer.finish(known[text][1])) for text in ends]
    return sorted(found, key=lambda pair: -pair[1])


def _plus(a: float, b: float) -> float:
    """The logarithm of a sum of two probabilities.

    >>> round(_plus(math.log(0.25), math.log(0.5)), 6) == round(math.log(0.75), 6)
    True
    """
    high, low = (a, b) if a > b else (b, a)
    return high if low < high - 40 else high + math.log1p(math.exp(low - high))


def _put(ends: dict[Letters, list[float]], text: Letters, at: int, value: float) -> None:
    found = ends.setdefault(text, [NEVER, NEVER])
    found[at] = _plus(found[at], value)


def align(likely: Floats, letters: Sequence[int]) -> list[tuple[int, int]]:
    """The first and last step of each letter on the likeliest path (Viterbi, 1967); [] where the text does not fit.

    likely (T, V): log-probabilities.

    >>> align(np.log(np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]])), [1])
    [(1, 2)]
    """
    steps, count = len(likely), 2 * len(letters) + 1
    path = np.zeros(count, np.int64)  # blank, letter, blank, letter, ..., blank
    path[1::2] = letters
    again = np.zeros(count, bool)
    again[3::2] = path[3::2] == path[1:-2:2]
    skips = (path != 0) & ~again  # over the blank between two letters that differ
    best = np.full(count, NEVER)
    best[:2] = likely[0, path[:2]]
    came = np.zeros((steps, count), np.int8)
    for t in range(1, steps):
        one = np.concatenate([[NEVER], best[:-1]])
        two = np.where(skips, np.concatenate([[NEVER, NEVER], best[:-2]])[:count], NEVER)
        options = np.stack([best, one, two])
        came[t] = options.argmax(axis=0)
        best = options.max(axis=0) + likely[t, path]
    at = count - 1 if count == 1 or best[-1] > best[-2] else count - 2
    if best[at] <= NEVER / 2:
        return []
    spans: list[list[int]] = [[steps, -1] for _ in letters]
    for t in range(steps - 1, -1, -1):
        if at % 2:
            spans[at // 2] = [t, max(t, spans[at // 2][1])]
        at -= int(came[t, at])
    return [(first, last) for first, last in spans]
