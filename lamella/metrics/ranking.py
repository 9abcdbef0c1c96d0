"""Measures of ranking: rank correlation of grades, and recall at k."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Array, Scores

DEPTHS = (1, 10)
NEXT = 10  # recommendations that are looked at


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


def both_ways(
    pictures: Sequence[Sequence[float]], texts: Sequence[Sequence[Sequence[float]]], names: Sequence[Sequence[str]]
) -> dict[str, Floats]:
    """Recall at 1 and reciprocal ranks of search between N things and their texts, both ways: name -> a number each (N,).

    pictures: N unit vectors; texts: of each thing those of its texts; names: the texts themselves. A text finds a thing
    that has it, whichever of several that is; a thing finds one of its texts. Ties count half.

    >>> both_ways([[1.0, 0.0], [0.0, 1.0]], [[[1.0, 0.0]], [[1.0, 0.0]]], [["a"], ["b"]])["text_recall_at_1"].tolist()
    [1.0, 0.0]
    """
    things = np.array(pictures, np.float32)  # (N, D)
    owner = np.repeat(np.arange(len(texts)), [len(own) for own in texts])  # (M,)
    vectors = np.array([vector for own in texts for vector in own], np.float32)  # (M, D)
    flat = [name for own in names for name in own]
    number = {name: i for i, name in enumerate(dict.fromkeys(flat))}
    same = np.array([number[name] for name in flat])
    has = np.zeros((len(things), len(number)), bool)
    has[owner, same] = True
    right = has[:, same]  # (N, M): thing n has text m
    cosines = things @ vectors.T
    count = np.bincount(owner, minlength=len(things))
    forth, back = _first(cosines, right), _first(cosines.T, right.T)

    def of_texts(values: Array) -> Floats:
        """The mean over a thing's texts."""
        return np.asarray(np.bincount(owner, values, len(things)) / np.maximum(count, 1), np.float64)

    return {
        "recall_at_1": (forth < 1).astype(np.float64),
        "mrr": 1 / (1 + forth),
        "text_recall_at_1": of_texts(back < 1),
        "text_mrr": of_texts(1 / (1 + back)),
    }


def _first(cosines: Array, right: Array) -> Floats:
    """The rank, from 0, of the best right candidate of each row: (N, M) -> (N,); ties with wrong ones count half."""
    best = np.where(right, cosines, -np.inf).max(axis=1, keepdims=True)
    above = (cosines > best + 1e-6).sum(axis=1)
    tied = ((np.abs(cosines - best) <= 1e-6) & ~right).sum(axis=1)
    return np.asarray(above + tied / 2, np.float64)


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


def next_items(ranked: Sequence[Sequence[str]], wanted: Sequence[str], catalogue: int) -> Scores:
    """Where the item that came stands in lists of recommendations: NDCG and hits at 10, and the mean reciprocal rank.

    ranked: of each example the items in order, the best of all that could be recommended; one that is not among them counts
    as not found. NDCG of one right item is 1 / log2(1 + rank). catalogue: how many items there are; a note says how many of
    them stand in any list, which is no measure: in a resample there are always fewer.

    >>> next_items([["a", "b"], ["b", "c"]], ["b", "x"], catalogue=4).values
    {'ndcg_at_10': 0.31546487678572877, 'hit_at_10': 0.5, 'mrr': 0.25}
    """
    rank = np.array(
        [[*row, item].index(item) + 1 if item in row else 0 for row, item in zip(ranked, wanted, strict=True)]
    )
    top, places = (rank > 0) & (rank <= NEXT), np.maximum(1, rank)
    parts = np.stack([top / np.log2(1 + places), top, (rank > 0) / places], axis=1)
    names = (f"ndcg_at_{NEXT}", f"hit_at_{NEXT}", "mrr")

    def measure(weights: Floats) -> dict[str, float]:
        means = weights @ parts / max(1.0, float(weights.sum()))
        return dict(zip(names, means.tolist(), strict=True))

    shown = len({item for row in ranked for item in row[:NEXT]})
    note = f"all {catalogue:,} items are ranked, none drawn; {shown:,} of them stand among some {NEXT} best"
    return Scores(len(wanted), measure, {names[0]: note})
