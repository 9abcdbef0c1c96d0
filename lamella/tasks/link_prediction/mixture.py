"""How far the net and how far the rules are believed: weights learned on facts that neither was made from.

A candidate's score is `w0 * (log p_net - often) + w1 * rules - w2 * out + w3 * often`, where `rules` is the noisy-or of the rules that
lead to it, in nats, `out` is 1 where known facts rule it out, and `often` says how often the relation leads to it (`frequency`). The weights maximise the likelihood of the right candidate among all (a conditional logit; McFadden, 1974). Whether a fact is true is
then a logistic regression on the log-odds of its two ends (Platt, 1999).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

MOST_ODDS = 15.0  # log-odds beyond that are as good as certain
TAKEN = 64  # candidates of a query by each of the two parts
ROUNDS = 50  # of Newton's method, which needs about eight
DOUBT = 2.0  # strength of the prior, in queries: few of them move the weights little


def log_softmax(scores: Floats) -> Floats:
    """Scores (N, C) -> log-probabilities (N, C).

    >>> np.exp(log_softmax(np.zeros((1, 4)))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def fit(queries: Sequence[tuple[Floats, int]], start: Sequence[float]) -> list[float]:
    """The weights of a conditional logit near `start` (F,), none below 0.

    queries: for each the features of its candidates (C, F), and which of them is right.

    >>> right, wrong = (np.array([[1.0, 0], [0, 0]]), 0), (np.array([[1.0, 0], [0, 0]]), 1)
    >>> weights = fit([right] * 90 + [wrong] * 10, (0.0, 1.0))
    >>> round(weights[0], 1), weights[1]  # the likeliest is log(90 / 10), 2.2; the prior holds it back
    (1.8, 1.0)
    """
    weights = prior = np.array(start, np.float64)
    for _ in range(ROUNDS):
        slope, bend = DOUBT * (weights - prior), DOUBT * np.eye(len(weights))
        for features, right in queries:
            share = np.exp(log_softmax((features @ weights)[None])[0])
            mean = share @ features
            slope = slope + mean - features[right]
            bend = bend + (features * share[:, None]).T @ features - np.outer(mean, mean)
        step = np.linalg.solve(bend, slope)
        weights = np.maximum(0.0, weights - step * min(1.0, 2.0 / max(1e-9, np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    return [round(float(w), 4) for w in weights]


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


def candidates(parts: Sequence[Floats], wanted: int, others: NDArray[np.int64]) -> tuple[Floats, int]:
    """The features (C, F) of the candidates of a query that can win, and which is the wanted one: the first.

    parts: what each part says of all candidates (E,), the net and the rules first; others: those that are right too, which are left
    out. Of the rest those that net or rules rank first, and some at random: all would be tens of thousands.
    """
    net, rules = parts[:2]
    able = np.ones(len(net), bool)
    able[others] = False
    able[wanted] = False
    rest = np.flatnonzero(able)
    if len(rest) > 3 * TAKEN:
        by_net = rest[np.argpartition(-net[rest], TAKEN)[:TAKEN]]
        by_rules = rest[np.argpartition(-rules[rest], TAKEN)[:TAKEN]]
        any_of = np.random.default_rng(wanted).choice(rest, TAKEN, replace=False)
        rest = np.unique(np.concatenate([by_net, by_rules, any_of]))
    chosen = np.concatenate([[wanted], rest])
    return np.stack([part[chosen] for part in parts], axis=1).astype(np.float64), 0


def pairs(queries: Sequence[tuple[Floats, int]], weights: Sequence[float]) -> tuple[Floats, NDArray[np.bool_]]:
    """The log-odds, by these weights, of the right candidate of each query and of a wrong one; and which is which."""
    values, right = [], []
    for n, (features, wanted) in enumerate(queries):
        likely = log_softmax((features @ np.asarray(weights))[None])[0]
        others = np.delete(np.arange(len(likely)), wanted)
        if not len(others):
            continue
        wrong = int(np.random.default_rng(n).choice(others))
        for at in (wanted, wrong):
            values.append(float(likely[at] - np.log(-np.expm1(min(likely[at], -1e-9)))))
            right.append(at == wanted)
    return np.clip(values, -MOST_ODDS, MOST_ODDS), np.array(right, bool)
