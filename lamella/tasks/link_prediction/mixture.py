"""How far the net and how far the rules are believed: weights learned on facts that neither was made from.

A candidate's score is `w0 * (log p_net - often) + w1 * rules - w2 * out + w3 * often + w4 * log p_rules`. `p_rules` is how likely the
rules that lead to it make it together (noisy-or), `rules` is -log(1 - p_rules), `out` is 1 where known facts rule it out, and `often`
says how often the relation leads to it (`frequency`). The first of the two counts what is nearly certain, the second tells what is
hardly likely from what no rule leads to. The weights maximise the likelihood of the right candidate among all (a conditional logit;
McFadden, 1974); of those of the rules a share is kept, that by which the right ones rank best. Whether a fact is true is then a logistic regression on the log-odds of its two ends (Platt, 1999).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

MOST_ODDS = 15.0  # log-odds beyond that are as good as certain
TAKEN = 200  # candidates of a query by each part, and at random
UNLED = 1e-3  # how likely what no rule leads to counts as
TIE = 1e-3  # of what the net says, where rules say the same of many
LED = (1, 4)  # the places of what rules say among the parts
SHARES = (1.0, 0.75, 0.5, 0.25)  # of the weights of what rules say, of which the best is taken
ROUNDS = 50  # of Newton's method, which needs about eight
DOUBT = 2.0  # strength of the prior, in queries: few of them move the weights little


class Query(NamedTuple):
    """What is said of the candidates of a question (C, F), which is right, and the logarithm of how many each stands for (C,)."""

    features: Floats
    right: int
    many: Floats | float = 0.0


def log_likely(support: NDArray[np.float32]) -> NDArray[np.float32]:
    """What rules say, in nats, -> the logarithm of how likely they make it, (B, E) each; UNLED where none leads.

    >>> np.exp(log_likely(np.array([[0.0, np.log(2), 9.0]], np.float32))).round(2).tolist()
    [[0.0, 0.5, 1.0]]
    """
    logs = np.full(support.shape, np.log(UNLED), np.float32)
    led = support > 0
    logs[led] = np.log(-np.expm1(-support[led]) + np.float32(UNLED))
    return logs


def log_softmax(scores: Floats) -> Floats:
    """Scores (N, C) -> log-probabilities (N, C).

    >>> np.exp(log_softmax(np.zeros((1, 4)))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def fit(queries: Sequence[Query], start: Sequence[float]) -> list[float]:
    """The weights of a conditional logit near `start` (F,), none below 0.

    >>> right, wrong = Query(np.array([[1.0, 0], [0, 0]]), 0), Query(np.array([[1.0, 0], [0, 0]]), 1)
    >>> weights = fit([right] * 90 + [wrong] * 10, (0.0, 1.0))
    >>> round(weights[0], 1), weights[1]  # the likeliest is log(90 / 10), 2.2; the prior holds it back
    (1.8, 1.0)
    """
    weights = prior = np.array(start, np.float64)
    for _ in range(ROUNDS):
        slope, bend = DOUBT * (weights - prior), DOUBT * np.eye(len(weights))
        for features, right, many in queries:
            share = np.exp(log_softmax((features @ weights + many)[None])[0])
            mean = share @ features
            slope = slope + mean - features[right]
            bend = bend + (features * share[:, None]).T @ features - np.outer(mean, mean)
        step = np.linalg.solve(bend, slope)
        weights = np.maximum(0.0, weights - step * min(1.0, 2.0 / max(1e-9, np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    return [round(float(w), 4) for w in weights]


def less_of_rules(queries: Sequence[Query], weights: Sequence[float]) -> list[float]:
    """The same weights, with that share of those of the rules with which right candidates rank best.

    What rules say is in the net too, and counted twice it is too sure of what many rules lead to. The likelihood, in which a
    candidate that comes second is as bad as one that comes tenth where both are as unlikely, hardly sees that.

    >>> right = Query(np.array([[2.0, 0, 0, 0, 0], [0, 1, 0, 0, 0]]), 0)
    >>> less_of_rules([right], [1.0, 3.0, 1.0, 1.0, 0.2])
    [1.0, 1.5, 1.0, 1.0, 0.1]
    """

    def mixed(share: float) -> list[float]:
        return [round(w * share, 4) if at in LED else w for at, w in enumerate(weights)]

    def mrr(share: float) -> float:
        own, total = np.array(mixed(share)), 0.0
        for features, right, many in queries:
            scores = features @ own
            stands_for = np.exp(many) * np.ones(len(scores))
            stands_for[right] = 0.0
            ahead = stands_for[scores > scores[right]].sum() + stands_for[scores == scores[right]].sum() / 2
            total += 1 / (1 + ahead)
        return total

    return mixed(max(SHARES, key=mrr))


def platt(values: Floats, right: NDArray[np.bool_]) -> list[float]:
    """The slope and the bias by which values (N,) become log-odds of being right.

    What is right counts as a little less than certain, so that values that separate all do not end in infinity (Platt, 1999).

    >>> slope, bias = platt(np.array([1.0, 2.0, -1.0, -2.0] * 25), np.array([True, True, False, False] * 25))
    >>> slope > 1, abs(bias) < 0.1
    (True, True)
    """
    features = np.stack([values, np.ones(len(values))], axis=1)
    high, low = (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2)
    wanted = np.where(right, high, low)
    prior = weights = np.array([1.0, 0.0])
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (likely - wanted) + DOUBT * (weights - prior)
        bend = (features * (likely * (1 - likely))[:, None]).T @ features + DOUBT * np.eye(2)
        step = np.linalg.solve(bend, slope)
        weights = weights - step * min(1.0, 0.5 / max(1e-9, np.abs(step).max()))
        if np.abs(step).max() < 1e-6:
            break
    return [round(float(max(0.01, weights[0])), 4), round(float(weights[1]), 4)]


def candidates(parts: Sequence[Floats], wanted: int, others: NDArray[np.int64]) -> Query:
    """The candidates of a query that can win, the wanted one first.

    parts: what each part says of all candidates (E,): the net, the rules, what is ruled out, how often, and more; others: those that are right
    too, which are left out. Of tens of thousands those that a part ranks first, and of the rest some at random, each of which
    stands for many: or the weights would be those of a contest among the likeliest alone.
    """
    able = np.ones(len(parts[0]), bool)
    able[others] = False
    able[wanted] = False
    rest = np.flatnonzero(able)
    many = np.zeros(1 + len(rest))
    if len(rest) > 6 * TAKEN:
        net = parts[0][rest] + parts[3][rest]  # with how often, which was taken out of it
        by = (net, parts[0][rest], parts[1][rest] + TIE * net, parts[3][rest])
        first = np.unique(np.concatenate([np.argpartition(-said, TAKEN)[:TAKEN] for said in by]))
        left = np.delete(np.arange(len(rest)), first)
        drawn = np.random.default_rng(wanted).choice(left, TAKEN, replace=False)
        rest = rest[np.concatenate([first, drawn])]
        many = np.concatenate([np.zeros(1 + len(first)), np.full(TAKEN, np.log(len(left) / TAKEN))])
    chosen = np.concatenate([[wanted], rest])
    return Query(np.stack([part[chosen] for part in parts], axis=1).astype(np.float64), 0, many)


def pairs(queries: Sequence[Query], weights: Sequence[float]) -> tuple[Floats, NDArray[np.bool_]]:
    """The log-odds, by these weights, of the right candidate of each query and of a wrong one; and which is which."""
    values, right = [], []
    for n, (features, wanted, many) in enumerate(queries):
        likely = (
            log_softmax((features @ np.asarray(weights) + many)[None])[0] - many
        )  # of each, not of all it stands for
        others = np.delete(np.arange(len(likely)), wanted)
        if not len(others):
            continue
        wrong = int(np.random.default_rng(n).choice(others))
        for at in (wanted, wrong):
            values.append(float(likely[at] - np.log(-np.expm1(min(likely[at], -1e-9)))))
            right.append(at == wanted)
    return np.clip(values, -MOST_ODDS, MOST_ODDS), np.array(right, bool)
