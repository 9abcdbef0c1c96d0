"""Filtered ranks beside a brute-force ranking."""

from __future__ import annotations

import numpy as np

from lamella.metrics.filtered import filtered_ranks, reciprocal


def brute_force(row, wanted, others) -> float:
    """The mean of the best and the worst place of the wanted one, once the others are struck out."""
    left = [score for n, score in enumerate(row) if n == wanted or n not in others]
    best = 1 + sum(score > row[wanted] for score in left)
    worst = sum(score >= row[wanted] for score in left)
    return (best + worst) / 2


def test_ranks():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (50, 9)).astype(float)  # with many ties
    wanted = rng.integers(0, 9, 50)
    others = [rng.choice(9, rng.integers(0, 6), replace=False) for _ in wanted]  # the wanted one among them sometimes
    found = filtered_ranks(scores, wanted, others)
    assert found.tolist() == [brute_force(*three) for three in zip(scores.tolist(), wanted.tolist(), map(list, others))]


def test_measures_have_intervals_of_their_own():
    scores = reciprocal([[1.0, 2.0], [10.0, 11.0]])
    assert scores.values["hits_at_10"] == 0.75 and scores.count == 2
    assert scores.measure(np.array([2.0, 0.0]))["mrr"] == 0.75
