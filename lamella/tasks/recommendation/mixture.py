"""What the net and the counts say together of a batch of histories, in arrays of the whole batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamella.task import Array, GraphLike
from lamella.tasks.recommendation.counts import Counts

MASKED = -1e4  # added to the score of a position that may not be attended to: exp() of it is 0
FORBIDDEN = -np.inf
ROWS = 32  # histories that the net reads at once: of like lengths, and small enough for a processor's cache


def net_scores(graph: GraphLike, items: Array, words: Array, first: int, unknown: int) -> Array:
    """Histories (B, T) and the words (B, U, 8) of their unknown items, both padded at the end -> scores (B, V).

    first: the id of the first item; unknown: that of one that has no vector of its own.
    """
    if "hidden" not in getattr(graph, "axes", ("hidden",)):  # a model of before
        return graph(items=items, words=words)["scores"]
    lengths, scores = (items != 0).sum(axis=1), []
    for at in range(0, len(items), ROWS):  # a list comes by length
        part = slice(at, at + ROWS)
        longest = int(lengths[part].max(initial=1))
        scores.append(_scores(graph, items[part, :longest], words[part], lengths[part], unknown))
    return np.concatenate(scores)[:, first:]


def _scores(graph: GraphLike, items: Array, words: Array, lengths: Array, unknown: int) -> Array:
    count, length = items.shape
    new, places = items == unknown, np.zeros_like(items)
    if new.any():
        number = new.cumsum(axis=1)  # 1 for the first of a history, 2 for the second
        rows = words[np.repeat(np.arange(count), new.sum(axis=1)), number[new] - 1]
        words = np.concatenate([np.zeros_like(rows[:1]), rows])
        places[new] = np.arange(1, len(words))
        present = words > 0
        shares = (present / np.maximum(1, present.sum(axis=1, keepdims=True))).astype(np.float32)
    else:
        words, shares = np.zeros_like(words[0, :1]), np.zeros((1, words.shape[2]), np.float32)
    hidden = np.zeros(items.shape, np.float32)
    if int(lengths.min()) < length:  # padded at the beginning, so that the last position of each is the same
        to_end = (np.arange(length) - (length - lengths)[:, None]) % length
        own = np.arange(count)[:, None]
        items, places = items[own, to_end], places[own, to_end]
        hidden[items == 0] = MASKED
    return graph(items=items, new=places, words=words, shares=shares, hidden=hidden)["scores"]


def mixed(scores: Array, seen: Array, counts: Counts, weights: Sequence[float], chosen: int, again: bool) -> Array:
    """Scores by the net (B, V) and the items of each history (B, S), from 1, padded with 0 -> scores of all items (B, V).

    They are log-probabilities less a constant of each row; minus infinity for what was chosen, unless that is recommended
    `again`. chosen: how many of the items somebody chose: nothing was counted of the others, which are as any other.
    """
    total = np.float32(weights[0]) * scores
    rest = chosen < scores.shape[1]
    # Of what can be recommended nothing was chosen before: the same for all.
    used = [w if at < 3 or again or rest else 0.0 for at, w in enumerate(weights[1:])]
    if any(used):
        said = sum(np.float32(w) * part for w, part in zip(used, counts.logs(seen, used), strict=True) if w)
        if rest:
            said = np.broadcast_to(said, scores.shape).copy()
            said[:, chosen:] = said[:, :chosen].mean(axis=1, keepdims=True)
        total += said
    if not again:
        rows, columns = np.nonzero(seen)
        total[rows, seen[rows, columns] - 1] = FORBIDDEN
    return np.asarray(total)


def shares_of(scores: Array) -> NDArray[np.float32]:
    """Scores (B, V), minus infinity for what cannot be -> probabilities (B, V); of a row where nothing can be 0."""
    highest = scores.max(axis=1, keepdims=True)
    shares = np.exp(scores - np.where(np.isfinite(highest), highest, 0))
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), np.float32(1e-30)))
