"""Measures of ranking: rank correlation of grades, and recall at k."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Array, Scores

DEPTHS = (1, 10)


def ranks(values: Floats, weights: Floats) -> Floats:
    """The mean rank of each value (N,), where value i occurs `weights[i]` times; equal values share one rank.

    >>> ranks(np.array([3.0, 1.0, 3.0]), np.ones(3)).tolist()
    [2.5, 1.0, 2.5]
    >>> ranks(np.array([3.0, 1.0]), np.array([1.0, 2.0])).tolist()  # of 1, 1, 3
    [3.0, 1.5]
    """
    _, inverse = np.unique(values, return_inverse=True)
    count = np.bincount(inverse, weights)
    mean: Floats = np.cumsum(count) - (count - 1) / 2
    return mean[inverse]


def pearson(one: Floats, other: Floats, weights: Floats) -> float:
    """Pearson's correlation of two lists of numbers (N,), where pair i counts `weights[i]` times; 0 if one is constant."""
    total = weights.sum()
    if not total:
        return 0.0
    a, b = (x - (weights @ x) / total for x in (one, other))
    size = np.sqrt((weights @ (a * a)) * (weights @ (b * b)))
    return float((weights @ (a * b)) / size) if size > 1e-12 else 0.0


def spearman(one: Floats, other: Floats, weights: Floats) -> float:
    """Spearman's rank correlation (1904), ties by their mean rank; equal to `scipy.stats.spearmanr` on repeated rows.

    >>> spearman(np.array([1.0, 2.0, 30.0]), np.array([0.1, 0.2, 0.3]), np.ones(3))
    1.0
    """
    present = weights > 0
    a, b, w = one[present], other[present], weights[present]
    return pearson(ranks(a, w), ranks(b, w), w)


def places(queries: Array, candidates: Array, wanted: Sequence[int], block: int = 512) -> Floats:
    """The rank, from 0, of each query's right candidate when all candidates are ordered by cosine similarity.

    queries (N, D), candidates (M, D): unit vectors; wanted: the row of the right candidate. Ties with the right candidate
    count half, so that a net whose vectors are all the same scores no better than chance.

    >>> places(np.eye(2), np.eye(2)[::-1], [1, 0]).tolist()
    [0.0, 0.0]
    """
    ranks_of_wanted = np.zeros(len(queries))
    for first in range(0, len(queries), block):
        cosines = queries[first : first + block] @ candidates.T  # (n, M)
        right = cosines[np.arange(len(cosines)), wanted[first : first + block]][:, None]
        above = (cosines > right + 1e-6).sum(axis=1)
        tied = (np.abs(cosines - right) <= 1e-6).sum(axis=1) - 1
        ranks_of_wanted[first : first + block] = above + tied / 2
    return ranks_of_wanted


def similarity(
    answers: Sequence[Mapping[str, Any]], examples: Sequence[Mapping[str, Any]], keys: Sequence[Sequence[str]]
) -> Scores:
    """Spearman's and Pearson's correlation of grades, and recall at k: how often a text's partner is among the k nearest.

    answers: each with "grade", and "vectors" of both texts if there are any; examples: with "score" if it is known. A pair
    without a score is a positive: it is compared with a negative, its first text with the next pair's second, and recall
    is measured among the second texts of all such pairs. keys: pairs of ids; texts with one id are the same.
    """
    count = len(answers)
    graded = np.array(["score" in e for e in examples], bool)
    given = np.array([float(e.get("score", 1.0)) for e in examples])
    grades = np.array([float(a["grade"]) for a in answers])
    loose = np.flatnonzero(~graded).tolist() if all("vectors" in a for a in answers) else []
    if len(loose) < 2:
        return Scores(
            count,
            lambda w: {
                "spearman": spearman(grades, given, w.astype(float)),
                "pearson": pearson(grades, given, w.astype(float)),
            },
        )
    one = np.array([answers[i]["vectors"][0] for i in loose], np.float32)
    two = np.array([answers[i]["vectors"][1] for i in loose], np.float32)
    texts = list(dict.fromkeys(keys[i][1] for i in loose))
    row = {text: n for n, text in enumerate(texts)}
    wanted = [row[keys[i][1]] for i in loose]
    first = {text: n for n, text in reversed(list(enumerate(keys[i][1] for i in loose)))}
    partner_places = places(one, two[[first[text] for text in texts]], wanted)
    beside = (one * np.roll(two, -1, axis=0)).sum(axis=1)
    cosines = np.concatenate([(one * two).sum(axis=1), beside])
    together = np.concatenate([np.ones(len(loose)), np.zeros(len(loose))])

    def measure(weights: Floats) -> dict[str, float]:
        counts = weights[loose].astype(float)
        total = max(1.0, counts.sum())
        of_graded = {"spearman": spearman(grades[graded], given[graded], weights[graded].astype(float))}
        of_loose = {"spearman": spearman(cosines, together, np.concatenate([counts, counts]))}
        recalls = {f"recall_at_{k}": float((counts * (partner_places < k)).sum() / total) for k in DEPTHS}
        return {**(of_graded if graded.sum() > 1 else of_loose), **recalls}

    return Scores(count, measure)
