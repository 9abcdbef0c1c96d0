"""Rank correlation and recall beside scipy and by hand."""

import numpy as np
import pytest

from lamella import metrics
from lamella.metrics import ranking


def test_spearman_of_a_resample_is_scipys_on_its_rows():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    one = rng.integers(0, 6, 80).astype(float)  # many ties
    other = one + rng.normal(scale=2, size=80).round(1)
    draw = rng.integers(80, size=80)
    weights = np.bincount(draw, minlength=80).astype(float)
    assert ranking.spearman(one, other, weights) == pytest.approx(stats.spearmanr(one[draw], other[draw])[0])
    assert ranking.pearson(one, other, weights) == pytest.approx(stats.pearsonr(one[draw], other[draw])[0])
    assert ranking.spearman(np.ones(5), np.arange(5.0), np.ones(5)) == 0


def pair(first, second, score=None):
    example = {"first": first, "second": second}
    return example if score is None else {**example, "score": score, "highest": 5.0}


def test_graded_pairs_are_scored_by_rank_with_an_interval():
    examples = [pair(f"a{n}", f"b{n}", n % 6) for n in range(60)]
    answers = [{"grade": (n % 6) ** 3} for n in range(60)]
    scores = ranking.similarity(answers, examples, [[e["first"], e["second"]] for e in examples])
    assert scores.values["spearman"] == pytest.approx(1) and scores.values["pearson"] < 0.99
    found = metrics.intervals(scores, 50)["pearson"]
    assert found["low"] < found["value"] < found["high"]


def test_pairs_without_a_score_are_scored_by_recall():
    vectors = np.eye(4)
    examples = [pair(f"a{n}", f"b{n}") for n in range(4)]
    right = [{"grade": 1.0, "vectors": [v, v]} for v in vectors]
    keys = [[e["first"], e["second"]] for e in examples]
    assert ranking.similarity(right, examples, keys).values == {
        "spearman": pytest.approx(1), "recall_at_1": 1.0, "recall_at_10": 1.0,
    }  # fmt: skip
    wrong = [{"grade": 1.0, "vectors": [v, w]} for v, w in zip(vectors, np.roll(vectors, 1, axis=0))]
    assert ranking.similarity(wrong, examples, keys).values["recall_at_1"] == 0
    same = [{"grade": 1.0, "vectors": [vectors[0], vectors[0]]} for _ in examples]
    assert ranking.similarity(same, examples, keys).values["recall_at_1"] == 0, "all alike is no better than chance"
    twice = [*examples, pair("a9", "b0")]  # two questions with one answer
    answers = [*right, {"grade": 1.0, "vectors": [vectors[0], vectors[0]]}]
    assert ranking.similarity(answers, twice, [*keys, ["a9", "b0"]]).values["recall_at_1"] == 1


def test_search_both_ways_by_hand():
    """Three pictures, two of which have a caption in common; a caption finds either of them."""
    pictures = np.eye(3)
    texts = [[pictures[0], pictures[1]], [pictures[0]], [[0.0, 0.6, 0.8]]]
    hits = ranking.both_ways(pictures, texts, [["a", "b"], ["a"], ["c"]])
    assert hits["recall_at_1"].tolist() == [1, 0, 1]  # the nearest of the second is "b", which it does not have
    assert hits["text_recall_at_1"].tolist() == [0.5, 1, 1]  # "b" is nearest to the second picture, which has it not
    assert hits["mrr"].tolist() == pytest.approx([1, 1 / 3, 1])  # "b" and "c" are nearer to the second than "a"
    # "b" is behind the second picture, and as near to the third as to the first: place 2.5.
    assert hits["text_mrr"].tolist() == pytest.approx([(1 + 1 / 2.5) / 2, 1, 1])
    alike = ranking.both_ways(np.ones((9, 2)), [[[1.0, 1.0]]] * 9, [[str(n)] for n in range(9)])
    assert sum(alike["recall_at_1"]) == 0, "all alike is no better than chance"
