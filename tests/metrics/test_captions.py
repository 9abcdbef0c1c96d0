"""Scores of captions beside sacrebleu's own, with several references and with a resample."""

import numpy as np
import pytest

from lamella import metrics

ANSWERS = ["a dog runs on grass", "two cats sleep", "a man"]
WANTED = [
    ["a dog runs over grass", "the dog is running"],
    ["two cats are asleep"],
    ["a man stands", "a person", "some man"],
]


def test_the_scores_are_sacrebleus_with_all_references():
    sacrebleu = pytest.importorskip("sacrebleu")
    streams = [[own[i] if i < len(own) else None for own in WANTED] for i in range(3)]
    values = metrics.captions(ANSWERS, WANTED).values
    assert values["chrF"] == pytest.approx(sacrebleu.corpus_chrf(ANSWERS, streams).score)
    assert values["BLEU"] == pytest.approx(sacrebleu.corpus_bleu(ANSWERS, streams).score)
    assert set(values) == {"chrF", "BLEU"}


def test_recall_is_a_mean_over_pictures_that_count_more_than_once():
    unit = np.eye(3).tolist()
    vectors = [(unit[0], [unit[0], unit[1]]), (unit[1], [unit[1]]), (unit[2], [unit[0]] * 3)]
    scores = metrics.captions(ANSWERS, WANTED, vectors)
    assert scores.values["recall_at_1"] < 1 and scores.values["recall_at_1"] < scores.values["mrr"]
    once, twice = (scores.measure(np.array(w)) for w in ([0, 0, 1], [0, 0, 2]))
    assert once["recall_at_1"] == twice["recall_at_1"] == 0
    assert scores.notes["captions"] == "3 different captions of 3 pictures"
