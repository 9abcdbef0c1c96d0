"""What the net says and what was counted, together: weights learned on masked words that neither has seen.

The score of a word is a weighted sum of logarithms: how likely it is by the words before, by the words behind, by
itself, by the word two places away on each side, by the net, by passages of the training text that are alike; and whether the text has it elsewhere, and beside the same word. The weights depend on how
long a context of each side was counted: the longer, the less is left for the net. The words together have the probability 1. Then
what stood between the same words is mixed in, from the shortest context to the longest, each with a share that depends on how
often the context was seen. The weights maximise the likelihood of the right words (a conditional logit; McFadden, 1974), the
shares do so by expectation and maximisation.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.tasks.fill_mask.counts import APART, BETWEEN, LEFT, RIGHT, Counts, Row

Floats = NDArray[np.floating]

LEVELS = len(LEFT) + 1  # how many contexts of a side can be known: from none to all
BOTH = 2 * LEVELS - 1
# Of each part how many weights it has, and where they begin: by the words before, behind, by itself, by the word two places
# before, two behind, elsewhere in the text, a rare word elsewhere in the text, by the net, by passages that are alike, elsewhere in the text
# behind the word that is before, elsewhere in the text before the word that is behind.
PARTS = (LEVELS, LEVELS, BOTH, 1, 1, 1, 1, BOTH, 1, 1, 1)
LATER = 3  # of these parts, the last ones: an earlier version had none of them
STARTS = tuple(sum(PARTS[:n]) for n in range(len(PARTS)))
WEIGHTS = sum(PARTS)
FREQUENT = 300  # words; a rarer one that the text has elsewhere is likelier here
OFTEN = (3, 6)  # how often a context was seen, where its share changes
SHARES = len(BETWEEN) * (len(OFTEN) + 1)
FIRST_GUESS = (
    *[0.6] * LEVELS, *[0.6] * LEVELS, 0.0, *[-0.9] * (BOTH - 1), 0.2, 0.2, 0.5, 0.5, 1.0, *[0.5] * (BOTH - 1), 0.2, 0.5, 0.5, *[0.15] * SHARES,
)  # fmt: skip
DOUBT = 10.0  # strength of the prior on the weights, in masks
ROUNDS = 20  # of Newton's method, and of the shares
LIKELY, DRAWN = 400, 400  # candidates of a mask that the weights are learned from: the likeliest, and others at random
LEAST = 1e-9
HALVES = (1.0, 0.5, 0.25, 0.125)  # of a step


class Evidence(NamedTuple):
    """Of one mask: logarithms by each part (P, W), the weight of each part, and what stood between the same words."""

    parts: Floats
    weights: Sequence[int]
    between: Sequence[tuple[int, Row]]  # the number of a share, and the words that stood there


class Seen(NamedTuple):
    """Of one mask whose word is known: parts of candidates (P, C), the right one first, the logarithm of how many each stands
    for (C,); and by each share how likely the right word is there."""

    parts: Floats
    many: Floats
    weights: Sequence[int]
    between: Sequence[tuple[int, float]]


def evidence(
    counts: Counts, left: Sequence[str], right: Sequence[str], elsewhere: Collection[str], net: Floats
) -> Evidence:
    """What is known of a gap: words before it and behind it, from the farthest to the last and from the first on.

    elsewhere: the words of the text; net: the logarithm of how likely each word is by the net (W,).
    """
    before, after = counts.side(LEFT, left, right), counts.side(RIGHT, left, right)
    apart = [counts.side([one], left, right)[0] for one in APART]
    logs = np.log(np.stack([before[0], after[0], counts.alone[0], *apart]) + LEAST)
    there = np.zeros((2, len(net)), np.float32)
    found = np.array([n for word in elsewhere if (n := counts.ids.get(word)) is not None], np.int64)
    there[0, found] = there[1, found[found >= FREQUENT]] = 1.0
    beside = again(counts, left, right)
    parts = np.concatenate([logs, there, net[None].astype(np.float32), counts.alike(elsewhere)[None], beside])
    levels = (before[1], after[1], before[1] + after[1], 0, 0, 0, 0, before[1] + after[1], 0, 0, 0)
    between = []
    for number, places in enumerate(BETWEEN):
        row = counts.row(places, left, right)
        if row is None:
            break  # nothing longer was seen either, or hardly
        between.append((number * (len(OFTEN) + 1) + int(np.searchsorted(OFTEN, row[1].sum(), "right")), row))
    return Evidence(parts, [s + n for s, n in zip(STARTS, levels, strict=True)], between)


def again(counts: Counts, left: Sequence[str], right: Sequence[str]) -> Floats:
    """Which words stand elsewhere in the text behind the word before the gap, and which before the word behind it, (2, W)."""
    found = np.zeros((2, len(counts.words)), np.float32)
    for words in (left, right):
        for first, second in pairwise(words):
            if first.casefold() == left[-1].casefold() and (word := counts.ids.get(second)) is not None:
                found[0, word] = 1.0
            if second.casefold() == right[0].casefold() and (word := counts.ids.get(first)) is not None:
                found[1, word] = 1.0
    return found


def base(weights: Floats, found: Evidence) -> Floats:
    """The logarithms of the probabilities (W,) before what stood between the same words."""
    scores = weights[list(found.weights)].astype(np.float32) @ found.parts
    scores -= scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


def likely(mix: Sequence[float], found: Evidence) -> Floats:
    """How likely each word is (W,): together 1."""
    values = np.asarray(mix, np.float64)
    out = np.exp(base(values[:WEIGHTS], found))
    for number, (words, often) in found.between:
        share = values[WEIGHTS + number]
        out *= 1 - share
        out[words] += share * often / often.sum()
    return out


def seen(found: Evidence, right: int, mix: Sequence[float], draw: int) -> Seen:
    """What of a mask the weights are learned from, where the right word is known; draw: a seed."""
    scores = base(np.asarray(mix)[:WEIGHTS], found)
    scores[right] = -np.inf
    few = min(LIKELY, len(scores) - 1)
    best = np.argpartition(-scores, few - 1)[:few] if few else np.zeros(0, np.int64)
    rest = np.ones(len(scores), bool)
    rest[best] = rest[right] = False
    others = np.flatnonzero(rest)
    drawn = np.random.default_rng(draw).choice(others, min(DRAWN, len(others)), replace=False)
    many = np.concatenate([np.zeros(1 + few), np.full(len(drawn), np.log(max(1, len(others)) / max(1, len(drawn))))])
    between = [(number, float(often[words == right].sum() / often.sum())) for number, (words, often) in found.between]
    return Seen(found.parts[:, np.concatenate([[right], best, drawn])], many, found.weights, between)


def weigh(masks: Sequence[Seen]) -> list[float]:
    """The weights and the shares under which the right words are likeliest, near the first guess."""
    prior = np.array(FIRST_GUESS[:WEIGHTS])
    weights = prior.copy()
    for _ in range(ROUNDS):
        slope, bend = DOUBT * (weights - prior), DOUBT * np.eye(WEIGHTS)
        for mask in masks:
            at = list(mask.weights)
            x = mask.parts.astype(np.float64)  # (P, C)
            shares = _softmax(weights[at] @ x + mask.many)
            mean = x @ shares
            slope[at] -= x[:, 0] - mean
            bend[np.ix_(at, at)] += (x * shares) @ x.T - np.outer(mean, mean)
        step = np.clip(np.linalg.solve(bend, slope), -0.5, 0.5)
        # A whole step of Newton's may go too far where parts say nearly the same.
        now = _cost(masks, weights, prior)
        sizes = (half for half in HALVES if _cost(masks, weights - half * step, prior) <= now)
        step *= next(sizes, 0.0)
        weights -= step
        if np.abs(step).max() < 1e-3:
            break
    shares = np.array(FIRST_GUESS[WEIGHTS:])
    alone = [float(_softmax(weights[list(m.weights)] @ m.parts + m.many)[0]) for m in masks]
    for _ in range(ROUNDS):
        # How much of the right word's probability came from each share: the mean of these is the next share.
        gained, times = DOUBT * np.array(FIRST_GUESS[WEIGHTS:]), np.full(SHARES, DOUBT)
        for mask, p in zip(masks, alone, strict=True):
            sums = [p]
            for number, there in mask.between:
                sums.append((1 - shares[number]) * sums[-1] + shares[number] * there)
            through = 1.0  # of the likelihood, what has not come from a longer context
            for (number, there), after in zip(reversed(mask.between), reversed(sums), strict=False):
                own = shares[number] * there / max(after, LEAST)
                gained[number] += through * own
                times[number] += through
                through *= 1 - own
        shares = gained / times
    return [round(float(value), 4) for value in (*weights, *shares)]


def _cost(masks: Sequence[Seen], weights: Floats, prior: Floats) -> float:
    """What `weigh` makes small: how unlikely the right words are, and how far the weights are from the first guess."""
    likely = sum(float(np.log(_softmax(weights[list(m.weights)] @ m.parts + m.many)[0] + LEAST)) for m in masks)
    return DOUBT / 2 * float(((weights - prior) ** 2).sum()) - likely


def _softmax(scores: Floats) -> Floats:
    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum())
